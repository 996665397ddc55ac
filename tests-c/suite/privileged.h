/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileged.h: the exit status by which programs/privileged.c reports to security.c
 */
#ifndef PRIVILEGED_H
#define PRIVILEGED_H

enum { HAS_PRIVILEGES = 0x10, USES_LOG_LEVEL = 0x20, USES_TIMEOUT = 0x40 };

#endif
