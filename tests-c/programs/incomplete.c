/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incomplete.c: a library that calls a function that no library has
 */
int function_that_nobody_defines(void);

int incomplete_number = 7;

int incomplete_call(void);

int incomplete_call(void)
{
	return function_that_nobody_defines();
}
