/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.c: the program that the library executes under the fuzzer: it is installed as /bin/true, the only program there
 */
int main(void)
{
	return 7;
}
