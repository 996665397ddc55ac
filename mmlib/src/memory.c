/* SPDX-License-Identifier: Apache-2.0 */
#include "mmlib.h"

/*
 * mm_freea() recognizes a block on the heap by an address that is not a multiple of twice MM_STK_ALIGN. Programs have
 * the value of the compiler's default options. With options such as -mavx it is larger; if the library followed them, it
 * would return blocks that programs without these options do not recognize.
 */
extern const size_t mmlib_stack_alignment __attribute__((visibility("hidden")));

const size_t mmlib_stack_alignment = MM_STK_ALIGN < 16 ? MM_STK_ALIGN : 16;
