/* SPDX-License-Identifier: Apache-2.0 */
/*
 * personality.c: the function that the unwinding tables of Rust's core library refer to
 *
 * The core library is compiled for programs whose panics unwind; here a panic aborts, so no frame has anything to clean
 * up. The function is called, if at all, when a thread is cancelled: the C library then unwinds its frames, and is told
 * to go on. Weak, since the standard library, which the unit tests have, defines it as well.
 */
#include <unwind.h>

__attribute__((visibility("hidden"), weak)) _Unwind_Reason_Code rust_eh_personality(void);

_Unwind_Reason_Code rust_eh_personality(void)
{
	return _URC_CONTINUE_UNWIND;
}
