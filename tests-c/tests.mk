# SPDX-License-Identifier: Apache-2.0
# The parts of `make check`, and `make demo`. Tests use the library as its users do: installed, through pkg-config.

.PHONY: check check-packages check-builds test-programs check-rust check-header check-headers check-abi check-c check-install \
        check-static check-pkg-config check-cmake check-man check-html check-strace check-valgrind check-asan \
        check-demo lint

##@ Tests: make check and its parts

## check: all parts of this section, and check-faults-short, -fuzz, -torture-short and -soak-short
check: check-packages check-builds check-c check-man check-install check-pkg-config check-cmake check-strace \
       check-faults-short check-demo check-tool check-valgrind check-asan
	@echo "All checks passed."

## check-packages: install what the tests need, as root on Debian or Ubuntu; otherwise print what is missing
check-packages:
	tests-c/checks/install-packages.sh check

STAGE      := $(abspath $(B)/stage)
STAGED     := PKG_CONFIG_PATH=$(STAGE)/lib/pkgconfig $(PKG_CONFIG)
# Test programs, as SUBSYSTEM/NAME. The other directories with C sources contain no test programs.
TESTS      := $(patsubst tests-c/%.c,%,$(filter-out $(patsubst %,tests-c/%/%,suite programs faults torture mixed mmlib-model), \
              $(wildcard tests-c/*/*.c)))
TEST_FLAGS := -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -g -Wall -Wextra -Werror -pthread -Itests-c/suite -DSOURCE_DIR='"$(abspath .)"' \
              -DPROGRAMS_DIR='"$(abspath $(B)/tests-programs)"'
# The pkg-config package of a test program.
PACKAGE    := mmsysio
$(B)/tests/mmlib/% $(B)/tests-asan/mmlib/% $(B)/tests-tsan/mmlib/%: PACKAGE := mmlib
# The command that runs a test program, for example in an emulator.
RUN_IN     := env
# How many test programs run at the same time. Most of their time is waiting.
TEST_JOBS  ?= 3
RUN_TESTS  := LD_LIBRARY_PATH=$(STAGE)/lib prove --timer --jobs $(TEST_JOBS)

# The installed tree that the tests use.
$(STAGE)/.installed: $(B)/$(REALNAME) $(B)/libmmsysio.a $(addprefix include/,$(HEADERS)) pkgconfig/mmsysio.pc.in \
    $(wildcard cmake/*.in) Makefile $(B)/$(MMLIB_REALNAME) $(addprefix mmlib/include/,$(MMLIB_HEADERS)) $(wildcard mmlib/*.in mmlib/completions/* mmlib/examples/*)
	rm -rf $(STAGE)
	$(MAKE) install install-mmlib PREFIX=$(STAGE) LIBDIR=$(STAGE)/lib INCLUDEDIR=$(STAGE)/include MANDIR=$(STAGE)/share/man DESTDIR= \
	    >/dev/null
	@touch $@

TEST_PARTS := tests-c/suite/suite.c $(wildcard tests-c/suite/*.h) $(B)/tests-programs/child $(STAGE)/.installed

$(B)/tests/%: tests-c/%.c $(TEST_PARTS)
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) -O1 $(CFLAGS) $$($(STAGED) --cflags $(PACKAGE) check) $(filter %.c,$^) -o $@ $$($(STAGED) --libs $(PACKAGE) check)

$(B)/tests-asan/%: tests-c/%.c $(TEST_PARTS)
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all $$($(STAGED) --cflags $(PACKAGE) check) \
	    $(filter %.c,$^) -o $@ $$($(STAGED) --libs $(PACKAGE) check)

# The parts of check run one after the other, except those that mostly compile, and have no test that depends on time.
## check-builds: check-header, -rust, -abi, -static, -headers and -html in parallel with building the test programs
check-builds: $(STAGE)/.installed
	@$(MAKE) --no-print-directory --output-sync $(if $(findstring --jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) \
	    check-header check-rust check-abi check-static check-headers check-html test-programs $(B)/mmipc $(EXAMPLES) \
	    $(B)/faults/faults $(B)/torture/torture $(B)/torture/waiters $(B)/torture/soak $(FUZZ_TARGETS:%=$(FUZZ)/%)

## test-programs: compile the programs of check-c, check-valgrind and check-asan
test-programs: $(STAGE)/.installed
	@$(MAKE) --no-print-directory $(if $(findstring --jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) \
	    $(TESTS:%=$(B)/tests/%) $(TESTS:%=$(B)/tests-asan/%)

## check-c: the C tests; a single program: make build/tests/ipc/connect
check-c: $(TESTS:%=$(B)/tests/%)
	$(RUN_TESTS) --exec '$(RUN_IN)' $^

.PRECIOUS: $(B)/tests-programs/%
$(B)/tests-programs/%: tests-c/programs/%.c $(wildcard tests-c/suite/*.h) $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) -O1 $(CFLAGS) $$($(STAGED) --cflags mmsysio $(PROGRAM_PACKAGES)) $< -o $@ -Wl,--as-needed \
	    $$($(STAGED) --libs mmsysio $(PROGRAM_PACKAGES))

# Libraries that tests open.
$(B)/tests-programs/%.so: tests-c/programs/%.c
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) -O1 $(CFLAGS) -fPIC -shared -Wl,-z,lazy $< -o $@

MODULES := $(B)/tests-programs/module.so $(B)/tests-programs/incomplete.so
$(B)/tests/mmlib/dlfcn $(B)/tests-asan/mmlib/dlfcn $(B)/tests-tsan/mmlib/dlfcn: $(MODULES)

$(B)/tests-programs/placeholders: PROGRAM_PACKAGES := fuse3
$(B)/tests/fs/copy_fuse $(B)/tests-asan/fs/copy_fuse: $(B)/tests-programs/placeholders

## check-install: installation, use of the installed tree, and uninstallation
check-install: all
	MAKE="$(MAKE)" tests-c/checks/install.sh

## check-strace: the system calls made by each function
check-strace: $(B)/tests-programs/syscalls
	LD_LIBRARY_PATH=$(STAGE)/lib tests-c/checks/strace.sh $<

VALGRIND := valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible \
            --errors-for-leak-kinds=definite,indirect,possible --trace-children=no --fair-sched=yes \
            --suppressions=tests-c/valgrind.supp

## check-valgrind: the C tests under valgrind
check-valgrind: $(TESTS:%=$(B)/tests/%)
	CK_TIMEOUT_MULTIPLIER=4 $(RUN_TESTS) --exec '$(VALGRIND)' $^

# A missing sanitizer would report nothing, so check first that the programs contain it.
## check-asan: the C tests with the address and undefined behaviour sanitizers
check-asan: $(TESTS:%=$(B)/tests-asan/%)
	for program in $^; do nm $$program | grep -q __asan_init || { echo "$$program is not instrumented"; exit 1; }; done
	CK_TIMEOUT_MULTIPLIER=4 $(RUN_TESTS) --exec env $^

## check-rust: the unit tests of Rust
check-rust: $(B)/$(REALNAME)
	$(CARGO) test $(CARGO_FLAGS) --lib
	MMSYSIO_LIBDIR=$(abspath $(B)) LD_LIBRARY_PATH=$(abspath $(B)) $(CARGO) test $(CARGO_FLAGS) --lib -p mmlib

GENERATED  := include/mmsysio.h include/mmipc.h $(patsubst %,mmlib/include/%.h,mmlib mmdlfcn mmprofile)

## check-header: the generated headers match the output of make header
check-header:
	@MMSYSIO_HEADERS=$(B)/headers $(CARGO) build $(CARGO_FLAGS) --features header --target-dir $(B)/header
	@for header in $(GENERATED); do diff -u $$header $(B)/headers/$$header || \
	    { echo "$$header differs from the entry points: run 'make header'"; exit 1; }; done

## check-headers: each header compiles alone, as C and C++ of several standards, with gcc and clang
check-headers:
	tests-c/checks/headers.sh $(HEADERS) $(MMLIB_HEADERS)

## check-man: each function has its manual page; the examples of the pages run
check-man: $(STAGE)/.installed
	PYTHON="$(PYTHON)" CC="$(CC)" tests-c/checks/man.sh $(STAGE)

## check-html: the HTML manual is complete and reproducible, and every link in it resolves
check-html: html
	PYTHON="$(PYTHON)" tests-c/checks/html.sh $(B)/html

## check-abi: names, versions, SONAME and hardening of the libraries; a program linked against mmlib runs
check-abi: $(B)/$(REALNAME) $(B)/libmmsysio.a $(B)/$(MMLIB_REALNAME)
	$(CARGO_RUSTC) --crate-type cdylib
	MAKE="$(MAKE)" tests-c/checks/abi.sh $(B)/$(REALNAME) $(B)/libmmsysio.a $(CARGO_OUT)/libmmsysio.so
	CC="$(CC)" tests-c/checks/mmlib.sh $(B)/$(REALNAME)
	CC="$(CC)" tests-c/checks/mmlib-abi.sh $(B)

## check-static: the static library alone, with another Rust library, and in a static program
check-static: $(STAGE)/.installed
	CC="$(CC)" CARGO="$(CARGO)" PKG_CONFIG_PATH=$(STAGE)/lib/pkgconfig tests-c/checks/static.sh $(B)/libmmsysio.a

## check-pkg-config: the output of pkg-config, also for a relocated tree
check-pkg-config: $(STAGE)/.installed
	tests-c/checks/pkg-config.sh $(STAGE) $(B)/rust-libs

## check-cmake: find_package(mmsysio), also in a relocated tree
check-cmake: $(STAGE)/.installed
	tests-c/checks/cmake.sh $(STAGE) $(VERSION)

## lint: rustfmt and clippy; not a part of check
lint:
	$(CARGO) fmt --all --check
	@mkdir -p $(B)/headers-of-lint
	MMSYSIO_HEADERS=$(abspath $(B))/headers-of-lint $(CARGO) clippy $(CARGO_FLAGS) --workspace --all-targets \
	    --features mmsysio/header -- -D warnings

# --- examples ---------------------------------------------------------------------------------------------------------

EXAMPLES := $(patsubst examples/%.c,$(B)/examples/%,$(wildcard examples/*.c))

$(B)/examples/%: examples/%.c examples/frames.h $(STAGE)/.installed
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra $(CFLAGS) $$($(STAGED) --cflags mmsysio) $< -o $@ $(LDFLAGS) $$($(STAGED) --libs mmsysio)

## demo: build and run the example programs
## check-demo: like demo
demo check-demo: $(EXAMPLES)
	LD_LIBRARY_PATH=$(STAGE)/lib examples/demo.sh $(B)/examples README.md
