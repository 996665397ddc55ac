/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmthread.h
 */
#ifndef MMTHREAD_H
#define MMTHREAD_H

#include "mmpredefs.h"

#endif /* MMTHREAD_H */
