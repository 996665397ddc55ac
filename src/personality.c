/* SPDX-License-Identifier: Apache-2.0 */
/*
 * personality.c: the personality function that the unwind tables of Rust's core library refer to
 *
 * The core library is compiled for unwinding panics. In this library a panic aborts, so no frame has a cleanup. The C
 * library calls the function only to unwind the frames of a cancelled thread. The function then continues with the next
 * frame. It is weak, because the standard library, which the unit tests use, also defines it.
 */
#include <unwind.h>

#define PERSONALITY __attribute__((visibility("hidden"), weak)) _Unwind_Reason_Code

#ifdef __ARM_EABI_UNWINDER__

/* Restores the registers that the frame has saved. libgcc defines this but does not declare it. */
_Unwind_Reason_Code __gnu_unwind_frame(_Unwind_Control_Block *exception, struct _Unwind_Context *context);

PERSONALITY rust_eh_personality(_Unwind_State state, _Unwind_Control_Block *exception, struct _Unwind_Context *context);

/* On ARM, the personality function must unwind the frame. Otherwise it is called for the same frame forever. */
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
