/* SPDX-License-Identifier: Apache-2.0 */
/*
 * old_kernel.c: runs a program as an older version of Linux would
 *
 *     old_kernel VERSION[,CALL=ERROR...] PROGRAM [ARGUMENT...]
 *     old_kernel VERSION[,CALL=ERROR...] --self-test
 *
 * A seccomp filter, which children inherit, makes system calls fail that VERSION does not have, and flags, options and
 * operations that it does not know, with the error of that version. The versions are the kernels of Debian 9 to 12: 4.9,
 * 4.19, 5.10 and 6.1. CALL=ERROR makes a call fail always; the call "new" means all calls that VERSION does not have,
 * except those which the C library makes by itself, and replaces only after ENOSYS.
 *
 * A filter sees the values of arguments, not the memory that they refer to, and cannot change them. If the old version
 * ignores a flag, the filter cannot do that; it kills the process. copy_file_range() between filesystems cannot be
 * recognised: use copy_file_range=EXDEV.
 *
 * --self-test calls everything that the filter must reject, and what is similar but must not be rejected, first outside
 * of the filter, then in a program that was executed in it. It prints TAP.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The last system calls of Linux 4.9 and 4.19, and the position of the flags among the arguments of clone(). From number 424 on, all architectures have the same numbers.
 */
#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define LAST_IN_4_9 331
#define LAST_IN_4_19 334
/* uretprobe() and uprobe(), which the kernel exempts from filters, kill processes that are not traced. */
#define IS_UNFILTERED(call) ((call) == 335 || (call) == 336)
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#define LAST_IN_4_9 382
#define LAST_IN_4_19 386
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define LAST_IN_4_9 290
#define LAST_IN_4_19 293
#elif defined(__arm__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_ARM
#define LAST_IN_4_9 396
#define LAST_IN_4_19 399
/* set_tls() and others. */
#define PRIVATE_CALLS 0x0f0000
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#define LAST_IN_4_9 381
#define LAST_IN_4_19 388
#elif defined(__s390x__)
#define ARCHITECTURE AUDIT_ARCH_S390X
#define LAST_IN_4_9 377
#define LAST_IN_4_19 383
#define CLONE_FLAGS 1
#elif defined(__riscv) && __riscv_xlen == 64
/* Linux 4.9 did not run there. */
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#define LAST_IN_4_9 290
#define LAST_IN_4_19 293
#elif defined(__loongarch64)
#ifndef AUDIT_ARCH_LOONGARCH64
#define AUDIT_ARCH_LOONGARCH64 (258 | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE)
#endif
#define ARCHITECTURE AUDIT_ARCH_LOONGARCH64
#define LAST_IN_4_9 290
#define LAST_IN_4_19 293
#else
#error "the last system calls of old kernels are not known for this architecture"
#endif

#ifndef CLONE_FLAGS
#define CLONE_FLAGS 0 /* the argument of clone() */
#endif
#ifndef PRIVATE_CALLS
#define PRIVATE_CALLS UINT32_MAX
#endif
#ifndef IS_UNFILTERED
#define IS_UNFILTERED(call) false
#endif

#ifndef CLONE_FLAGS
#define CLONE_FLAGS 0
#endif
#ifndef PRIVATE_CALLS
#define PRIVATE_CALLS UINT32_MAX
#endif
#ifndef IS_UNFILTERED
#define IS_UNFILTERED(call) false
#endif

/* The call that has the arguments of mmap(). On s390x they are in memory. */
#if defined(SYS_mmap2)
#define MMAP SYS_mmap2
#elif !defined(__s390x__)
#define MMAP SYS_mmap
#endif

#ifdef SYS_fcntl64
#define FCNTL SYS_fcntl64
#else
#define FCNTL SYS_fcntl
#endif

/* Calls that the headers of an older distribution do not have. */
#define PIDFD_OPEN 434
#define CLONE3 435
#define CLOSE_RANGE 436
#define OPENAT2 437
#define FACCESSAT2 439
#define EPOLL_PWAIT2 441
#define FUTEX_WAITV 449
#define CACHESTAT 451
#define FCHMODAT2 452

#define ALL UINT32_MAX
/* The result of a rule that is not an errno value. */
#define KILLED 0

enum version { V4_9, V4_19, V5_10, V6_1 };

static const struct {
	const char *name;
	uint32_t last_call;
} versions[] = {
	[V4_9] = {"4.9", LAST_IN_4_9},
	[V4_19] = {"4.19", LAST_IN_4_19},
	[V5_10] = {"5.10", 440},
	[V6_1] = {"6.1", 450},
};

/* Condition for an argument: the bits selected by the mask have a value in this range. */
struct range {
	unsigned arg;
	uint32_t mask, low, high;
};

#define IS(arg, value)                 \
	{                              \
		arg, ALL, value, value \
	}
#define BETWEEN(arg, low, high)     \
	{                           \
		arg, ALL, low, high \
	}
#define HAS_BITS(arg, bits)       \
	{                         \
		arg, bits, 1, ALL \
	}
#define ANYTHING           \
	{                  \
		0, 0, 0, 0 \
	}

/* What is rejected in this version and those before it, and how: with an errno value, or KILLED. */
struct rule {
	enum version last;
	uint32_t call;
	struct range first, second;
	int result;
};

static const struct rule rules[] = {
	{V4_9, SYS_memfd_create, HAS_BITS(1, ~3U), ANYTHING, EINVAL},
	{V6_1, SYS_memfd_create, HAS_BITS(1, 0x18), ANYTHING, EINVAL},
	{V4_9, SYS_madvise, BETWEEN(2, 18, 99), ANYTHING, EINVAL},
	{V4_19, SYS_madvise, BETWEEN(2, 20, 99), ANYTHING, EINVAL},
	{V5_10, SYS_madvise, BETWEEN(2, 22, 99), ANYTHING, EINVAL},
	{V6_1, SYS_madvise, BETWEEN(2, 102, ALL), ANYTHING, EINVAL},
	{V5_10, CLOSE_RANGE, HAS_BITS(2, ~2U), ANYTHING, EINVAL},
	{V4_19, SYS_waitid, IS(0, 3), ANYTHING, EINVAL},
	{V4_19, SYS_getrandom, HAS_BITS(2, ~3U), ANYTHING, EINVAL},
	{V4_9, SYS_preadv2, HAS_BITS(5, ~7U), ANYTHING, EINVAL},
	{V4_9, SYS_pwritev2, HAS_BITS(5, ~7U), ANYTHING, EINVAL},
	{V4_9, SYS_fallocate, HAS_BITS(1, ~0x3fU), ANYTHING, EOPNOTSUPP},
	{V4_9, SYS_getsockopt, IS(1, SOL_SOCKET), BETWEEN(2, 54, ALL), ENOPROTOOPT},
	{V4_9, SYS_setsockopt, IS(1, SOL_SOCKET), BETWEEN(2, 54, ALL), ENOPROTOOPT},
	{V4_19, SYS_getsockopt, IS(1, SOL_SOCKET), BETWEEN(2, 62, ALL), ENOPROTOOPT},
	{V4_19, SYS_setsockopt, IS(1, SOL_SOCKET), BETWEEN(2, 62, ALL), ENOPROTOOPT},
	{V5_10, SYS_getsockopt, IS(1, SOL_SOCKET), BETWEEN(2, 69, ALL), ENOPROTOOPT},
	{V5_10, SYS_setsockopt, IS(1, SOL_SOCKET), BETWEEN(2, 69, ALL), ENOPROTOOPT},
	{V6_1, SYS_getsockopt, IS(1, SOL_SOCKET), BETWEEN(2, 76, ALL), ENOPROTOOPT},
	{V6_1, SYS_setsockopt, IS(1, SOL_SOCKET), BETWEEN(2, 76, ALL), ENOPROTOOPT},
	{V4_9, FCNTL, BETWEEN(1, 1035, ALL), ANYTHING, EINVAL},
	{V4_19, FCNTL, IS(1, 1033), HAS_BITS(2, ~0xfU), EINVAL},
	{V6_1, FCNTL, IS(1, 1033), HAS_BITS(2, ~0x1fU), EINVAL},
	{V6_1, FCNTL, BETWEEN(1, 1027, 1028), ANYTHING, EINVAL},
	/* Operations with greater numbers are older, except PR_SET_VMA. */
	{V4_9, SYS_prctl, BETWEEN(0, 48, 0x50000000), ANYTHING, EINVAL},
	{V5_10, SYS_prctl, IS(0, 0x53564d41), ANYTHING, EINVAL},
	/* CLONE_PIDFD, MAP_SHARED_VALIDATE, MAP_FIXED_NOREPLACE. */
	{V4_19, SYS_clone, HAS_BITS(CLONE_FLAGS, 0x1000), ANYTHING, KILLED},
#ifdef MMAP
	{V4_9, MMAP, {3, 0xf, 3, 3}, ANYTHING, EINVAL},
	{V4_9, MMAP, HAS_BITS(3, 0x100000), ANYTHING, KILLED},
#endif
};

/* --- the filter --------------------------------------------------------------------------------------------------- */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the command line requests. */
static enum version version;
static int error_of_new_calls = ENOSYS;
static struct {
	uint32_t call;
	int error;
} failing[8];
static size_t failing_count;

/* pthread_create(); faccessat(), which shells call. */
static const uint32_t calls_of_c_library[] = {CLONE3, FACCESSAT2};

static int error_of_new_call(uint32_t call)
{
	for (size_t i = 0; i < COUNT(calls_of_c_library); i++)
		if (call == calls_of_c_library[i])
			return ENOSYS;
	return error_of_new_calls;
}

static struct sock_filter code[1024];
static unsigned short length;

static void append(uint16_t operation, uint32_t value, uint8_t if_true, uint8_t if_false)
{
	if (length == COUNT(code))
		abort();
	code[length++] = (struct sock_filter){operation, if_true, if_false, value};
}

static void load(size_t offset)
{
	append(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void reject(int error)
{
	append(BPF_RET | BPF_K, error == KILLED ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | (uint32_t)error, 0, 0);
}

static void reject_call(uint32_t call, int error)
{
	append(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
	reject(error);
}

/* Number of instructions of a condition. */
#define RANGE_LENGTH 4

/* Skips that many instructions after it, unless the condition is true. */
static void require(const struct range *range, uint8_t skipped)
{
	const size_t low_half = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;

	load(offsetof(struct seccomp_data, args) + range->arg * sizeof(uint64_t) + low_half);
	append(BPF_ALU | BPF_AND | BPF_K, range->mask, 0, 0);
	append(BPF_JMP | BPF_JGE | BPF_K, range->low, 0, (uint8_t)(skipped + 1));
	append(BPF_JMP | BPF_JGT | BPF_K, range->high, skipped, 0);
}

static void add_rule(const struct rule *rule)
{
	load(offsetof(struct seccomp_data, nr));
	append(BPF_JMP | BPF_JEQ | BPF_K, rule->call, 0, 2 * RANGE_LENGTH + 1);
	require(&rule->first, RANGE_LENGTH + 1);
	require(&rule->second, 1);
	reject(rule->result);
}

static void install(void)
{
	struct sock_fprog program = {.filter = code};

	load(offsetof(struct seccomp_data, arch));
	append(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	reject(ENOSYS);
	load(offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < failing_count; i++)
		reject_call(failing[i].call, failing[i].error);
	for (size_t i = 0; i < COUNT(calls_of_c_library); i++)
		if (versions[version].last_call < calls_of_c_library[i])
			reject_call(calls_of_c_library[i], ENOSYS);
	append(BPF_JMP | BPF_JGE | BPF_K, PRIVATE_CALLS, 2, 0);
	append(BPF_JMP | BPF_JGT | BPF_K, versions[version].last_call, 0, 1);
	reject(error_of_new_calls);
	for (size_t i = 0; i < COUNT(rules); i++)
		if (version <= rules[i].last)
			add_rule(&rules[i]);
	append(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	program.len = length;
	/* With the capability CAP_SYS_ADMIN, set-user-ID programs need not be disabled. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
		return;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
		perror("old_kernel: cannot install the filter");
		exit(126);
	}
}

/* --- the command line --------------------------------------------------------------------------------------------- */

static int usage(void)
{
	fprintf(stderr, "usage: old_kernel 4.9|4.19|5.10|6.1[,new=ERROR][,copy_file_range=ERROR] "
	                "--self-test|PROGRAM [ARGUMENT...]\n");
	return 125;
}

static int error_named(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} errors[] = {{"ENOSYS", ENOSYS}, {"EPERM", EPERM}, {"EXDEV", EXDEV}};

	for (size_t i = 0; i < COUNT(errors); i++)
		if (strcmp(name, errors[i].name) == 0)
			return errors[i].number;
	return 0;
}

static bool parse(const char *text)
{
	char copy[256];
	bool is_known = false;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	char *word = strtok(copy, ",");

	for (size_t i = 0; word != NULL && i < COUNT(versions); i++) {
		if (strcmp(word, versions[i].name) == 0) {
			version = (enum version)i;
			is_known = true;
		}
	}
	while (is_known && (word = strtok(NULL, ",")) != NULL) {
		char *value = strchr(word, '=');
		int error = value != NULL ? error_named(value + 1) : 0;

		if (error == 0)
			return false;
		*value = '\0';
		if (strcmp(word, "new") == 0) {
			error_of_new_calls = error;
		} else if (strcmp(word, "copy_file_range") == 0 && failing_count < COUNT(failing)) {
			failing[failing_count].call = SYS_copy_file_range;
			failing[failing_count++].error = error;
		} else {
			return false;
		}
	}
	return is_known;
}

/* --- the self-test ------------------------------------------------------------------------------------------------ */

/*
 * A call that the self-test makes, the last version whose rules reject it, and the result. It is also rejected if the
 * version does not have the call.
 */
struct probe {
	const char *name;
	int last;
	int result;
	long call;
	long args[6];
};

#define IN_NONE (-1)
/* The number of a process that does not exist, and a descriptor that is not open. */
#define ABSENT 999999999

static char memory[16];

#define ADDRESS ((long)(uintptr_t)memory)

/* The arguments are such that a kernel that knows the call or flag changes nothing, or fails with another error. */
static const struct probe probes[] = {
#ifdef SYS_statx
	{"statx", IN_NONE, 0, SYS_statx, {ABSENT, ADDRESS, 0, 0, 0}},
#endif
	{"pidfd_open", IN_NONE, 0, PIDFD_OPEN, {ABSENT}},
	{"close_range", IN_NONE, 0, CLOSE_RANGE, {ABSENT, ABSENT}},
	{"openat2", IN_NONE, 0, OPENAT2, {ABSENT}},
	{"faccessat2", IN_NONE, 0, FACCESSAT2, {ABSENT, ADDRESS}},
	{"epoll_pwait2", IN_NONE, 0, EPOLL_PWAIT2, {ABSENT}},
	{"futex_waitv", IN_NONE, 0, FUTEX_WAITV, {0}},
	{"cachestat", IN_NONE, 0, CACHESTAT, {ABSENT}},
	{"fchmodat2", IN_NONE, 0, FCHMODAT2, {ABSENT, ADDRESS}},
	{"clone3", IN_NONE, 0, CLONE3, {0}},
	{"copy_file_range", IN_NONE, 0, SYS_copy_file_range, {ABSENT, 0, ABSENT, 0, 1, 0}},
	{"memfd_create(MFD_HUGETLB)", V4_9, EINVAL, SYS_memfd_create, {1, 4}},
	{"memfd_create(MFD_NOEXEC_SEAL)", V6_1, EINVAL, SYS_memfd_create, {ADDRESS, 8}},
	{"memfd_create(MFD_ALLOW_SEALING)", IN_NONE, 0, SYS_memfd_create, {ADDRESS, 3}},
	{"madvise(MADV_WIPEONFORK)", V4_9, EINVAL, SYS_madvise, {0, 0, 18}},
	{"madvise(MADV_COLD)", V4_19, EINVAL, SYS_madvise, {0, 0, 20}},
	{"madvise(MADV_POPULATE_READ)", V5_10, EINVAL, SYS_madvise, {0, 0, 22}},
	{"madvise(MADV_GUARD_INSTALL)", V6_1, EINVAL, SYS_madvise, {0, 0, 102}},
	{"madvise(MADV_DODUMP)", IN_NONE, 0, SYS_madvise, {0, 0, 17}},
	{"close_range(CLOSE_RANGE_CLOEXEC)", V5_10, EINVAL, CLOSE_RANGE, {ABSENT, ABSENT, 4}},
	{"waitid(P_PIDFD)", V4_19, EINVAL, SYS_waitid, {3, ABSENT, 0, 4}},
	{"waitid(P_PID)", IN_NONE, 0, SYS_waitid, {1, ABSENT, 0, 4}},
	{"getrandom(GRND_INSECURE)", V4_19, EINVAL, SYS_getrandom, {ADDRESS, 1, 4}},
	{"getrandom(GRND_NONBLOCK)", IN_NONE, 0, SYS_getrandom, {ADDRESS, 1, 1}},
	{"preadv2(RWF_NOWAIT)", V4_9, EINVAL, SYS_preadv2, {ABSENT, 0, 0, 0, 0, 8}},
	{"preadv2(RWF_SYNC)", IN_NONE, 0, SYS_preadv2, {ABSENT, 0, 0, 0, 0, 4}},
	{"pwritev2(RWF_APPEND)", V4_9, EINVAL, SYS_pwritev2, {ABSENT, 0, 0, 0, 0, 16}},
	{"pwritev2(RWF_SYNC)", IN_NONE, 0, SYS_pwritev2, {ABSENT, 0, 0, 0, 0, 4}},
	{"fallocate(FALLOC_FL_UNSHARE_RANGE)", V4_9, EOPNOTSUPP, SYS_fallocate, {ABSENT, 0x40, 0, 1, 1}},
	{"fallocate(FALLOC_FL_INSERT_RANGE)", IN_NONE, 0, SYS_fallocate, {ABSENT, 0x20, 0, 1, 1}},
	{"getsockopt(SO_COOKIE)", V4_9, ENOPROTOOPT, SYS_getsockopt, {ABSENT, SOL_SOCKET, 57}},
	{"getsockopt(SO_BINDTOIFINDEX)", V4_19, ENOPROTOOPT, SYS_getsockopt, {ABSENT, SOL_SOCKET, 62}},
	{"getsockopt(SO_NETNS_COOKIE)", V5_10, ENOPROTOOPT, SYS_getsockopt, {ABSENT, SOL_SOCKET, 71}},
	{"getsockopt(SO_PEERPIDFD)", V6_1, ENOPROTOOPT, SYS_getsockopt, {ABSENT, SOL_SOCKET, 77}},
	{"getsockopt(SO_ATTACH_REUSEPORT_CBPF)", IN_NONE, 0, SYS_getsockopt, {ABSENT, SOL_SOCKET, 51}},
	{"getsockopt(IPPROTO_IPV6)", IN_NONE, 0, SYS_getsockopt, {ABSENT, 41, 77}},
	{"setsockopt(SO_ZEROCOPY)", V4_9, ENOPROTOOPT, SYS_setsockopt, {ABSENT, SOL_SOCKET, 60}},
	{"setsockopt(SO_RCVTIMEO_NEW)", V4_19, ENOPROTOOPT, SYS_setsockopt, {ABSENT, SOL_SOCKET, 66}},
	{"setsockopt(SO_BUF_LOCK)", V5_10, ENOPROTOOPT, SYS_setsockopt, {ABSENT, SOL_SOCKET, 72}},
	{"setsockopt(SO_PASSPIDFD)", V6_1, ENOPROTOOPT, SYS_setsockopt, {ABSENT, SOL_SOCKET, 76}},
	{"setsockopt(SO_CNX_ADVICE)", IN_NONE, 0, SYS_setsockopt, {ABSENT, SOL_SOCKET, 53}},
	{"fcntl(F_GET_RW_HINT)", V4_9, EINVAL, FCNTL, {ABSENT, 1035}},
	{"fcntl(F_SEAL_FUTURE_WRITE)", V4_19, EINVAL, FCNTL, {ABSENT, 1033, 0x10}},
	{"fcntl(F_SEAL_EXEC)", V6_1, EINVAL, FCNTL, {ABSENT, 1033, 0x20}},
	{"fcntl(F_DUPFD_QUERY)", V6_1, EINVAL, FCNTL, {ABSENT, 1027}},
	{"fcntl(F_SEAL_WRITE)", IN_NONE, 0, FCNTL, {ABSENT, 1033, 8}},
	{"fcntl(F_DUPFD_CLOEXEC)", IN_NONE, 0, FCNTL, {ABSENT, 1030}},
	{"prctl(PR_GET_SPECULATION_CTRL)", V4_9, EINVAL, SYS_prctl, {52}},
	{"prctl(PR_SET_VMA)", V5_10, EINVAL, SYS_prctl, {0x53564d41}},
	{"prctl(PR_GET_NAME)", IN_NONE, 0, SYS_prctl, {16, ADDRESS}},
	/* With CLONE_DETACHED, which a kernel that knows CLONE_PIDFD rejects. */
	{"clone(CLONE_PIDFD)", V4_19, KILLED, SYS_clone, {0x401000, 0x401000}},
#ifdef MMAP
	{"mmap(MAP_SHARED_VALIDATE)", V4_9, EINVAL, MMAP, {0, 1, 0, 3, ABSENT}},
	{"mmap(MAP_FIXED_NOREPLACE)", V4_9, KILLED, MMAP, {0, 1, 0, 0x100001, ABSENT}},
	{"mmap(MAP_SHARED)", IN_NONE, 0, MMAP, {0, 1, 0, 1, ABSENT}},
#endif
};

/* Makes a call in a child; returns its errno, 0 if it succeeds, KILLED_BY the signal. */
#define KILLED_BY 256

static int try_call(long call, const long *args)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		long result = syscall(call, args[0], args[1], args[2], args[3], args[4], args[5]);

		_exit(result == -1 ? errno & 0xff : 0);
	}
	if (child == -1 || waitpid(child, &status, 0) != child)
		abort();
	return WIFSIGNALED(status) ? KILLED_BY + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Far beyond the last call of the running kernel. */
#define END_OF_CALLS 600

/*
 * Prints the result of each probe and, inside of the filter, the number of the last call of a newer version that does
 * not fail as new, or 0.
 */
static int print_results(bool is_filtered)
{
	static const long no_args[6];
	uint32_t other = 0;

	for (size_t i = 0; i < COUNT(probes); i++)
		printf("%d\n", try_call(probes[i].call, probes[i].args));
	for (uint32_t call = versions[version].last_call + 1; is_filtered && call < END_OF_CALLS; call++)
		if (!IS_UNFILTERED(call) && try_call(call, no_args) != error_of_new_call(call))
			other = call;
	printf("%u\n", (unsigned)other);
	return fflush(stdout) == 0 ? 0 : 1;
}

static void read_results(bool is_filtered, char *options, int results[COUNT(probes) + 1])
{
	char *program[] = {"old_kernel", options, is_filtered ? "--results-inside" : "--results-outside", NULL};
	int fds[2], status;

	if (pipe(fds) == -1)
		abort();
	pid_t child = fork();

	if (child == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		if (is_filtered)
			install();
		execv("/proc/self/exe", program);
		_exit(127);
	}
	close(fds[1]);
	FILE *output = fdopen(fds[0], "r");

	for (size_t i = 0; i <= COUNT(probes); i++) {
		if (fscanf(output, "%d", &results[i]) != 1) {
			printf("Bail out! The results could not be read.\n");
			exit(1);
		}
	}
	fclose(output);
	if (waitpid(child, &status, 0) != child || status != 0)
		exit(1);
}

static int self_test(char *options)
{
	int outside[COUNT(probes) + 1], inside[COUNT(probes) + 1];
	int failures = 0;

	read_results(false, options, outside);
	read_results(true, options, inside);
	printf("1..%zu\n", COUNT(probes) + 1);
	for (size_t i = 0; i < COUNT(probes); i++) {
		const struct probe *probe = &probes[i];
		bool is_new = (uint32_t)probe->call > versions[version].last_call;
		bool is_rejected = is_new || (int)version <= probe->last;
		int expected = outside[i];
		const char *note = "";

		if (is_rejected) {
			expected = is_new                    ? error_of_new_call((uint32_t)probe->call)
			           : probe->result == KILLED ? KILLED_BY + SIGSYS
			                                     : probe->result;
			/* Then the result does not show that the filter works. */
			if (outside[i] == expected)
				note = " # SKIP this kernel rejects it, too";
		} else if (outside[i] == ENOSYS) {
			note = " # SKIP this kernel does not have it";
		}
		for (size_t k = 0; k < failing_count; k++) {
			if (failing[k].call == probe->call) {
				expected = failing[k].error;
				is_rejected = true;
			}
		}
		bool is_ok = inside[i] == expected;

		failures += !is_ok;
		printf("%sok %zu - %s: %s%s\n", is_ok ? "" : "not ", i + 1, probe->name,
		       is_rejected ? "rejected" : "as outside", note);
		if (!is_ok)
			printf("# result %d, expected %d, outside %d\n", inside[i], expected, outside[i]);
	}
	failures += inside[COUNT(probes)] != 0;
	printf("%sok %zu - all calls after number %u\n", inside[COUNT(probes)] == 0 ? "" : "not ", COUNT(probes) + 1,
	       (unsigned)versions[version].last_call);
	if (inside[COUNT(probes)] != 0)
		printf("# %d did not fail as expected\n", inside[COUNT(probes)]);
	return failures == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc < 3 || !parse(argv[1]))
		return usage();
	if (strncmp(argv[2], "--results-", strlen("--results-")) == 0)
		return print_results(strcmp(argv[2], "--results-inside") == 0);
	if (strcmp(argv[2], "--self-test") == 0)
		return self_test(argv[1]);
	install();
	execvp(argv[2], argv + 2);
	fprintf(stderr, "old_kernel: cannot execute %s: %s\n", argv[2], strerror(errno));
	return 127;
}
