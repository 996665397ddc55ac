/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmargparse.h
 */
#ifndef MMARGPARSE_H
#define MMARGPARSE_H

#include "mmpredefs.h"

#endif /* MMARGPARSE_H */
