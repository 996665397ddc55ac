/* SPDX-License-Identifier: Apache-2.0 */
#include "shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* glibc does not declare these functions; its headers and static parts refer to them. */
extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);
extern int __xpg_strerror_r(int, char *, size_t);

/* --- the functions and their errors ------------------------------------------------------------------------------- */

enum {
#define CALL(type, name, ...) OF_##name,
#define SPECIAL(name, ...) OF_##name,
#define SYSTEM_CALL(...)
#include "calls.h"
#undef CALL
#undef SPECIAL
#undef SYSTEM_CALL
};

struct function {
	const char *name;
	int number;
	const int *errors;
};

#define ERRORS(...) ((const int[]){__VA_ARGS__ __VA_OPT__(, ) 0})

static const struct function functions[] = {
#define CALL(type, name, parameters, arguments, failure, ...) {#name, -1, ERRORS(__VA_ARGS__)},
#define SPECIAL(name, ...) {#name, -1, ERRORS(__VA_ARGS__)},
#define SYSTEM_CALL(...)
#include "calls.h"
#undef CALL
#undef SPECIAL
#undef SYSTEM_CALL
};

static const struct function system_calls[] = {
#define SPECIAL(...)
#define SYSTEM_CALL(name, ...) {#name, name, ERRORS(__VA_ARGS__)},
#include "calls.h"
#undef SPECIAL
#undef SYSTEM_CALL
};

static const char *const infallible[] = {
#define INFALLIBLE(name) #name,
#include "calls.h"
#undef INFALLIBLE
};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct function *function_of(struct shim_call call)
{
	for (int i = 0; call.function == OF_syscall && i < COUNT(system_calls); i++)
		if (system_calls[i].number == call.number)
			return &system_calls[i];
	return &functions[call.function];
}

const char *shim_name(struct shim_call call)
{
	return function_of(call)->name;
}

const int *shim_errors(struct shim_call call)
{
	return function_of(call)->errors;
}

bool shim_is_allocation(struct shim_call call)
{
	return call.function == OF_malloc || call.function == OF_calloc || call.function == OF_realloc ||
	       call.function == OF_posix_memalign;
}

static bool is_used[COUNT(functions)];

void shim_note_use(struct shim_call call)
{
	is_used[call.function] = true;
}

static bool is_spare(const char *name)
{
	static const char *const spare[] = {
#define SPARE(name) #name,
#include "calls.h"
#undef SPARE
	};

	for (int i = 0; i < COUNT(spare); i++)
		if (strcmp(name, spare[i]) == 0)
			return true;
	return false;
}

int shim_tell_unused(void)
{
	int unused = 0;

	for (int i = 0; i < COUNT(functions); i++) {
		if (!is_used[i] && functions[i].errors[0] != 0 && !is_spare(functions[i].name)) {
			printf("not ok: no scenario calls %s()\n", functions[i].name);
			unused++;
		}
	}
	return unused;
}

/* --- the fault ---------------------------------------------------------------------------------------------------- */

/* Calls of children that share the memory of their parent are counted with it; children of fork() count separately. */
static struct {
	bool is_open, is_lasting, has_struck;
	int calls, position, error;
	struct shim_call call;
	struct shim_trace *trace;
} window = {.position = -1};

void shim_set_fault(int position, struct shim_call call, int error, bool is_lasting)
{
	window.position = position;
	window.call = call;
	window.error = error;
	window.is_lasting = is_lasting;
	window.has_struck = false;
}

void shim_open_window(struct shim_trace *trace)
{
	window.trace = trace;
	window.calls = 0;
	window.is_open = true;
}

void shim_close_window(void)
{
	window.is_open = false;
}

bool shim_has_struck(void)
{
	return window.has_struck;
}

/* The error with which the next call must fail, 0 if it is to be made. */
static int fault(int function, long number)
{
	struct shim_call call = {(short)function, (short)number};

	if (!window.is_open)
		return 0;

	int position = window.calls++;

	if (window.trace != NULL && position < SHIM_MAX_CALLS) {
		window.trace->calls[position] = call;
		window.trace->count = position + 1;
	}
	if ((position != window.position || function != window.call.function || call.number != window.call.number) &&
	    !(window.is_lasting && window.has_struck && shim_is_allocation(call)))
		return 0;
	window.has_struck = true;
	return window.error;
}

/* --- resources of the library ------------------------------------------------------------------------------------- */

static struct {
	const void *pointer;
	int function;
} held[1024];
static int held_count;

static void *record(const void *pointer, int function)
{
	if (pointer == NULL || pointer == MAP_FAILED)
		return (void *)pointer;
	if (held_count == COUNT(held))
		abort();
	held[held_count].pointer = pointer;
	held[held_count++].function = function;
	return (void *)pointer;
}

/* A released resource need not have come from the library: a list of addresses may belong to the program. */
static void give_back(const void *pointer)
{
	for (int i = held_count - 1; i >= 0; i--) {
		if (held[i].pointer == pointer) {
			memmove(&held[i], &held[i + 1], (size_t)(--held_count - i) * sizeof(held[0]));
			return;
		}
	}
}

int shim_held(void)
{
	return held_count;
}

const char *shim_last_held(void)
{
	return held_count == 0 ? "nothing" : functions[held[held_count - 1].function].name;
}

/* --- the replacement functions ------------------------------------------------------------------------------------ */

/* How a function reports the failure e, and what happens to its result if it is called. */
#define MINUS_ONE(e, name, call) ((e) ? (errno = (e), -1) : (call))
#define ZERO(e, name, call) ((e) ? (errno = (e), 0) : (call))
#define NOTHING(e, name, call) ((e) ? (errno = (e), NULL) : (call))
#define HELD_OR_NOTHING(e, name, call) ((e) ? (errno = (e), NULL) : record(call, OF_##name))
#define NUMBER(e, name, call) ((e) ? (e) : (call))

#define CALL(type, name, parameters, arguments, failure, ...) \
	static type faulty_##name parameters                  \
	{                                                     \
		int error = fault(OF_##name, 0);              \
		return failure(error, name, name arguments);  \
	}
#define SPECIAL(...)
#define SYSTEM_CALL(...)
#include "calls.h"
#undef CALL
#undef SPECIAL
#undef SYSTEM_CALL

/* close() closes the descriptor whatever it returns, except for EBADF, which reports that it was not open. */
static int faulty_close(int fd)
{
	int error = fault(OF_close, 0), result = close(fd);

	return MINUS_ONE(error, close, result);
}

static int faulty_closedir(DIR *dir)
{
	int error = fault(OF_closedir, 0);
	int result;

	give_back(dir);
	result = closedir(dir);
	return MINUS_ONE(error, closedir, result);
}

#define SHORT_CALL(name, parameters, arguments)                \
	static ssize_t faulty_##name parameters                \
	{                                                      \
		int error = fault(OF_##name, 0);               \
		if (error == FAULT_SHORT && size > 1) {        \
			size /= 2;                             \
			error = 0;                             \
		}                                              \
		return MINUS_ONE(error, name, name arguments); \
	}
SHORT_CALL(read, (int fd, void *buffer, size_t size), (fd, buffer, size))
SHORT_CALL(write, (int fd, const void *buffer, size_t size), (fd, buffer, size))

/* The full size can be a gigabyte, half of which would not be short. */
static ssize_t faulty_copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t size, unsigned flags)
{
	int error = fault(OF_copy_file_range, 0);

	if (error == FAULT_SHORT) {
		size = 7;
		error = 0;
	}
	return MINUS_ONE(error, copy_file_range, copy_file_range(from, from_at, to, to_at, size, flags));
}

static void *faulty_realloc(void *memory, size_t size)
{
	int error = fault(OF_realloc, 0);
	void *moved;

	if (error != 0) {
		errno = error;
		return NULL;
	}
	give_back(memory);
	moved = realloc(memory, size);
	return record(moved, OF_realloc);
}

static int faulty_posix_memalign(void **memory, size_t alignment, size_t size)
{
	int error = fault(OF_posix_memalign, 0);

	if (error == 0 && (error = posix_memalign(memory, alignment, size)) == 0)
		record(*memory, OF_posix_memalign);
	return error;
}

static void faulty_free(void *memory)
{
	give_back(memory);
	free(memory);
}

static void *faulty_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	int error = fault(OF_mmap, 0);

	if (error != 0) {
		errno = error;
		return MAP_FAILED;
	}
	return record(mmap(address, size, protection, flags, fd, offset), OF_mmap);
}

static int faulty_munmap(void *address, size_t size)
{
	int error = fault(OF_munmap, 0);

	if (error == 0)
		give_back(address);
	return MINUS_ONE(error, munmap, munmap(address, size));
}

static int faulty___clone(int (*run)(void *), void *stack, int flags, void *argument, pid_t *tid, void *tls,
                          pid_t *cleared_tid)
{
	int error = fault(OF___clone, 0);

	return MINUS_ONE(error, clone, clone(run, stack, flags, argument, tid, tls, cleared_tid));
}

static bool is_renameat2_refused;

void shim_refuse_renameat2(bool is_refused)
{
	is_renameat2_refused = is_refused;
}

static long faulty_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	int error = fault(OF_syscall, number);

	if (error == 0 && number == SYS_renameat2 && is_renameat2_refused && e != 0)
		error = EINVAL;
	return MINUS_ONE(error, syscall, syscall(number, a, b, c, d, e, f));
}

/* The list that continues the one in which this is the last entry. */
static bool are_addresses_doubled;
static struct addrinfo *last_address;

void shim_double_addresses(bool is_doubled)
{
	are_addresses_doubled = is_doubled;
}

/* EAI_SYSTEM refers to errno, which need not be set. */
static int faulty_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                              struct addrinfo **list)
{
	int error = fault(OF_getaddrinfo, 0);

	if (error == 0 && (error = getaddrinfo(node, service, hints, list)) == 0) {
		record(*list, OF_getaddrinfo);
		if (are_addresses_doubled) {
			for (last_address = *list; last_address->ai_next != NULL;)
				last_address = last_address->ai_next;
			if (getaddrinfo(node, service, hints, &last_address->ai_next) != 0)
				abort();
		}
	}
	if (error <= 0 && error != FAULT_NO_ERRNO)
		return error;
	errno = error > 0 ? error : 0;
	return EAI_SYSTEM;
}

static void faulty_freeaddrinfo(struct addrinfo *list)
{
	give_back(list);
	if (last_address != NULL) {
		freeaddrinfo(last_address->ai_next);
		last_address->ai_next = NULL;
		last_address = NULL;
	}
	freeaddrinfo(list);
}

__attribute__((format(printf, 1, 2))) static int faulty_printf(const char *format, ...)
{
	int error = fault(OF_printf, 0);
	va_list arguments;

	va_start(arguments, format);
	int length = MINUS_ONE(error, printf, vprintf(format, arguments));
	va_end(arguments);
	return length;
}

__attribute__((format(printf, 3, 4))) static int faulty_snprintf(char *text, size_t size, const char *format, ...)
{
	int error = fault(OF_snprintf, 0);
	va_list arguments;

	va_start(arguments, format);
	int length = MINUS_ONE(error, snprintf, vsnprintf(text, size, format, arguments));
	va_end(arguments);
	return length;
}

static void trap(void)
{
	static const char message[] = "# the library called what only a panic does\n";

	(void)!write(STDOUT_FILENO, message, sizeof(message) - 1);
	abort();
}

/* --- the library's table of imports ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*function)(void);
} replacements[] = {
#define CALL(type, name, ...) {#name, (void (*)(void))faulty_##name},
#define SPECIAL(name, ...) {#name, (void (*)(void))faulty_##name},
#define SYSTEM_CALL(...)
#define TRAP(name) {#name, trap},
#include "calls.h"
};

/* The replacement of an import: NULL if the import is kept. Unknown imports are reported. */
static void (*replacement(const char *name, bool *is_known))(void)
{
	for (int i = 0; i < COUNT(replacements); i++)
		if (strcmp(name, replacements[i].name) == 0)
			return replacements[i].function;
	for (int i = 0; i < COUNT(infallible); i++)
		if (strcmp(name, infallible[i]) == 0)
			return NULL;
	/* libmmlib calls libmmsysio, whose own calls are replaced. */
	if (strncmp(name, "mm_", 3) == 0)
		return NULL;
	*is_known = false;
	return NULL;
}

static const ElfW(Dyn) * dynamic(const struct link_map *map, ElfW(Sxword) tag)
{
	const ElfW(Dyn) *entry = map->l_ld;

	while (entry->d_tag != tag && entry->d_tag != DT_NULL)
		entry++;
	return entry;
}

/* A relocation of an imported function stores its address in one word. */
static bool redirect(const struct link_map *map, const ElfW(Rela) * relocation)
{
	const ElfW(Sym) *symbols = (const ElfW(Sym) *)dynamic(map, DT_SYMTAB)->d_un.d_ptr;
	const char *names = (const char *)dynamic(map, DT_STRTAB)->d_un.d_ptr;
	const ElfW(Sym) *symbol =
		&symbols[sizeof(relocation->r_info) == 8 ? relocation->r_info >> 32 : relocation->r_info >> 8];
	bool is_known = true;

	if (symbol == symbols || symbol->st_shndx != SHN_UNDEF)
		return true;

	const char *name = names + symbol->st_name;
	void (*function)(void) = replacement(name, &is_known);

	if (function != NULL)
		*(void (**)(void))(map->l_addr + relocation->r_offset) = function;
	if (!is_known)
		printf("not ok: %s: imported by the library, and not in calls.h\n", name);
	return is_known;
}

/* The table was made read-only when the library was loaded. */
static int make_writable(struct dl_phdr_info *object, size_t size, void *map)
{
	(void)size;
	if (object->dlpi_addr != ((const struct link_map *)map)->l_addr)
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
		uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
		uintptr_t end = object->dlpi_addr + segment->p_vaddr + segment->p_memsz;

		if (segment->p_type == PT_GNU_RELRO &&
		    mprotect((void *)start, end - start, PROT_READ | PROT_WRITE) != 0)
			return -1;
	}
	return 1;
}

int shim_install(const char *library)
{
	struct link_map *map = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
	int unknown = 0;

	if (map == NULL || dl_iterate_phdr(make_writable, map) != 1)
		return -1;
	for (int table = 0; table < 2; table++) {
		const ElfW(Dyn) *first = dynamic(map, table == 0 ? DT_RELA : DT_JMPREL);
		const ElfW(Dyn) *size = dynamic(map, table == 0 ? DT_RELASZ : DT_PLTRELSZ);
		const ElfW(Rela) *relocations = (const ElfW(Rela) *)first->d_un.d_ptr;

		for (size_t i = 0; first->d_tag != DT_NULL && i < size->d_un.d_val / sizeof(*relocations); i++)
			unknown += !redirect(map, &relocations[i]);
	}
	return unknown;
}
