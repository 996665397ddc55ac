/* SPDX-License-Identifier: Apache-2.0 */
/*
 * personality.c: the function that the unwinding tables of Rust's core library refer to
 *
 * The core library is compiled for programs whose panics unwind; here a panic aborts, so no frame has anything to clean
 * up. The C library calls the function, if at all, when a thread is cancelled and it unwinds the frames of the thread:
 * it is to continue with the next frame. Weak, since the standard library, which the unit tests have, defines it as well.
 */
#include <unwind.h>

#define PERSONALITY __attribute__((visibility("hidden"), weak)) _Unwind_Reason_Code

#ifdef __ARM_EABI_UNWINDER__

/* In libgcc, which does not declare it: restores the registers that the frame has saved. */
_Unwind_Reason_Code __gnu_unwind_frame(_Unwind_Control_Block *exception, struct _Unwind_Context *context);

PERSONALITY rust_eh_personality(_Unwind_State state, _Unwind_Control_Block *exception, struct _Unwind_Context *context);

/* On ARM the function itself leaves the frame: otherwise it is called for the same frame without end. */
PERSONALITY rust_eh_personality(_Unwind_State state, _Unwind_Control_Block *exception, struct _Unwind_Context *context)
{
	(void)state;
	return __gnu_unwind_frame(exception, context) == _URC_OK ? _URC_CONTINUE_UNWIND : _URC_FAILURE;
}

#else

PERSONALITY rust_eh_personality(void);

PERSONALITY rust_eh_personality(void)
{
	return _URC_CONTINUE_UNWIND;
}

#endif
