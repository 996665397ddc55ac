/* SPDX-License-Identifier: Apache-2.0 */
/* child.c: the program that the fuzzer has the library execute; it is /bin/true in the world, which has no other */
int main(void)
{
	return 7;
}
