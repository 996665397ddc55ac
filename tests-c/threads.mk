# SPDX-License-Identifier: Apache-2.0
# Tests of threads and of unsafe code: the programs that `make check` needs for them, and their long forms.

##@ Threads and unsafe code: not parts of make check

.PHONY: check-threads check-tsan check-unsafe

# Tests with several threads, by the functions that they call. Excluded are tests of libmmlib that misuse mutexes and
# threads, or whose calls are not serialised; mmlib/thread_races is the one for helgrind. In mmlib/basedir, threads use
# values that the library publishes by an atomic operation, which neither tool sees.
THREADED := $(filter-out mmlib/thread mmlib/thread_mutex mmlib/thread_cond mmlib/profile mmlib/basedir, \
    $(patsubst tests-c/%.c,%,$(shell grep -lwE \
    'pthread_create|mm_thr_create|start_(thread|waiter|acceptor|interrupting)' $(TESTS:%=tests-c/%.c))))
HELGRIND := valgrind --quiet --tool=helgrind --error-exitcode=99 --trace-children=no --fair-sched=yes \
            --suppressions=tests-c/helgrind.supp

# The tests with threads under helgrind, which is first verified to find a race; then a million threads in sequence.
## check-threads: check-tsan, tests with threads under helgrind, and a million threads
check-threads: check-tsan $(THREADED:%=$(B)/tests/%) $(B)/tests-programs/race
	$(HELGRIND) $(B)/tests-programs/race 2>/dev/null; [ $$? -eq 99 ]
	MMSYSIO_TEST_HELGRIND=1 CK_TIMEOUT_MULTIPLIER=8 $(RUN_TESTS) --exec '$(HELGRIND)' $(THREADED:%=$(B)/tests/%)
	MMSYSIO_TEST_THREADS=1000000 CK_TIMEOUT_MULTIPLIER=8 $(RUN_TESTS) --verbose --exec env $(B)/tests/threads/fork_exit

# Programs under ThreadSanitizer of clang, which intercepts calls of the C library by the programs and the library.
# Excluded are tests that pass invalid pointers (it dereferences them), one that measures memory and has threads write
# to the same buffer, those that use or close descriptors of other threads (intentional races), one that counts the
# threads of its process, one that replaces the sanitizer's poll(), one that ends a thread in a constructor, and one
# in which the last of several threads closes a server at a path (it does not see the count of references in the
# library). It is first verified to find a race.
CLANG      ?= clang
TSAN_TESTS := $(sort $(filter-out fs/file net/socket threads/fork_exit ipc/hidden ipc/paths_hidden ipc/message \
              ipc/receive_races ipc/wakeups ipc/event_loop error/log_forks mmlib/dlfcn, \
              $(THREADED) $(filter process/%,$(TESTS))))
TSAN       := $(CLANG) $(TEST_FLAGS) -O1 -fsanitize=thread

$(B)/tests-tsan/%: tests-c/%.c $(TEST_PARTS)
	@mkdir -p $(@D)
	$(TSAN) $$($(STAGED) --cflags $(PACKAGE) check) $(filter %.c,$^) -o $@ $$($(STAGED) --libs $(PACKAGE) check)

$(B)/tests-tsan/race: tests-c/programs/race.c
	@mkdir -p $(@D)
	$(TSAN) $< -o $@

## check-tsan: tests of threads and processes with ThreadSanitizer
check-tsan: $(TSAN_TESTS:%=$(B)/tests-tsan/%) $(B)/tests-tsan/race
	$(B)/tests-tsan/race 2>/dev/null; [ $$? -eq 66 ]
	TSAN_OPTIONS=die_after_fork=0:atexit_sleep_ms=0 CK_TIMEOUT_MULTIPLIER=4 $(RUN_TESTS) --exec env $(TSAN_TESTS:%=$(B)/tests-tsan/%)

# The unit tests of Rust under memcheck, instead of Miri, which requires a nightly toolchain. Memory kept by the test
# harness is only reported as possibly lost.
## check-unsafe: the unit tests of Rust under memcheck
check-unsafe:
	$(VALGRIND) --errors-for-leak-kinds=definite,indirect --show-leak-kinds=definite,indirect \
	    $$($(CARGO) test $(CARGO_FLAGS) --lib --no-run --message-format=json | \
	        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p') --test-threads=1 --quiet

# It finds the library through the environment, so it is not linked with it.
$(B)/tests/threads/fork_exit $(B)/tests-asan/threads/fork_exit: $(B)/tests-programs/loader

# Linked with the static library: in a set-user-ID program the dynamic linker ignores the library path of the
# environment.
$(B)/tests-programs/privileged: tests-c/programs/privileged.c tests-c/suite/privileged.h $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) -O1 $(CFLAGS) $$($(STAGED) --cflags mmsysio) $< -o $@ $(B)/libmmsysio.a $$(cat $(B)/private-libs)

$(B)/tests/ipc/security $(B)/tests-asan/ipc/security: $(B)/tests-programs/privileged $(B)/examples/private_server

$(B)/tests/process/daemon $(B)/tests-asan/process/daemon $(B)/tests-tsan/process/daemon: $(B)/tests-programs/daemonize
