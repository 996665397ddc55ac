# SPDX-License-Identifier: Apache-2.0
# Coverage-guided fuzzing of the C interface, described in fuzz/README.md.

.PHONY: fuzz check-fuzz fuzz-corpus

check: check-fuzz

##@ Fuzzing

SECONDS      ?= 60
FUZZ_TARGETS := calls messages uris formats paths mmlib
FUZZ         := $(B)/fuzz
FUZZ_CC      := clang
# Seconds for each target in check-fuzz.
FUZZ_SHORTLY := 1

# The library, built with LLVM's coverage pass, which is available in stable Rust, in a separate directory, with all
# run-time checks of Rust enabled. Cargo's environment variables change the profile there. The C parts are also built
# with the sanitizers.
FUZZ_PASS    := -C passes=sancov-module $(addprefix -C llvm-args=-sanitizer-coverage-, \
                level=4 inline-8bit-counters pc-table trace-compares)
FUZZ_PROFILE := LTO=off CODEGEN_UNITS=4 DEBUG=1 OVERFLOW_CHECKS=true DEBUG_ASSERTIONS=true
FUZZ_CHECKS  := -fsanitize=address,undefined -fsanitize-trap=undefined
FUZZ_FLAGS   := -std=gnu11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Werror -Iinclude -Immlib/include -I$(FUZZ) -Ifuzz/world $(FUZZ_CHECKS)

# The functions that fuzz/libc.c defines.
FUZZ_LIBC    := $(shell sed -n "s/^OWN.[^,]*, \([a-z_]*\),.*/\1/p" fuzz/libc.c)

$(FUZZ)/rust/release/libmmsysio.a: $(SOURCES) fuzz/fuzz.mk
	@mkdir -p $(FUZZ)
	env $(addprefix CARGO_PROFILE_RELEASE_,$(FUZZ_PROFILE)) CC=$(FUZZ_CC) \
	    CFLAGS='-g $(FUZZ_CHECKS) -fsanitize=fuzzer-no-link' \
	    $(CARGO) rustc $(CARGO_FLAGS) --lib --release --crate-type staticlib --target-dir $(FUZZ)/rust \
	    -- $(FUZZ_PASS)
	@touch $@

$(FUZZ)/libmmsysio.a: $(FUZZ)/rust/release/libmmsysio.a fuzz/libc.c
	$(OBJCOPY) $(foreach name,$(FUZZ_LIBC),--redefine-sym $(name)=libc_$(name)) $< $@

# libmmlib, built in the same way. Only its exported names are global, so that the Rust runtimes of the two archives do
# not collide.
$(FUZZ)/rust/release/libmmlib.a: $(MMLIB_SOURCES) $(FUZZ)/rust/release/libmmsysio.a
	env $(addprefix CARGO_PROFILE_RELEASE_,$(FUZZ_PROFILE)) CC=$(FUZZ_CC) \
	    CFLAGS='-g $(FUZZ_CHECKS) -fsanitize=fuzzer-no-link' \
	    $(CARGO) rustc $(CARGO_FLAGS) -p mmlib --lib --release --target-dir $(FUZZ)/rust -- $(FUZZ_PASS)
	@touch $@

$(FUZZ)/libmmlib.o: $(FUZZ)/rust/release/libmmlib.a mmlib/src/mmlib.map
	@printf '%s\n' $(MMLIB_NAMES) >$(FUZZ)/mmlib-names
	@sed 's/^/-u /' $(FUZZ)/mmlib-names >$(FUZZ)/mmlib-roots
	$(LD) -r --force-group-allocation @$(FUZZ)/mmlib-roots -o $@ $<
	$(OBJCOPY) --keep-global-symbols=$(FUZZ)/mmlib-names -R .llvmbc -R .llvmcmd $@

# One line for each exported function, so that none is missing.
$(FUZZ)/functions.h: src/mmsysio.map
	@mkdir -p $(FUZZ)
	printf 'FUNCTION(%s)\n' $(NAMES) >$@

# A target is one file, or all files of its directory.
FUZZ_SOURCES = $(wildcard fuzz/$(1).c fuzz/$(1)/*.c)
FUZZ_OBJECTS = $(patsubst fuzz/%.c,$(FUZZ)/objects/%.o,$(FUZZ_SOURCES))

$(FUZZ)/objects/%.o: fuzz/%.c $(wildcard fuzz/*/*.h) $(FUZZ)/functions.h $(addprefix include/,$(HEADERS)) \
    $(addprefix mmlib/include/,$(MMLIB_HEADERS))
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) -c $< -o $@

$(FUZZ)/mmlib: $(FUZZ)/libmmlib.o

# The coverage of the target's own code is not measured.
$(foreach target,$(FUZZ_TARGETS),$(eval $(FUZZ)/$(target): $(call FUZZ_OBJECTS,$(target))))
$(FUZZ_TARGETS:%=$(FUZZ)/%): $(call FUZZ_OBJECTS,world) $(FUZZ)/objects/libc.o $(FUZZ)/libmmsysio.a $(FUZZ)/child
	$(FUZZ_CC) -fsanitize=fuzzer,address $(filter %.o %.a,$^) -o $@ -lm -ldl -lpthread

$(FUZZ)/child: fuzz/child.c
	@mkdir -p $(FUZZ)
	$(CC) -static -O1 $< -o $@

## fuzz: fuzz each target for SECONDS=60; a single one: FUZZ_TARGETS=uris
fuzz: $(FUZZ_TARGETS:%=$(FUZZ)/%)
	fuzz/run.sh $(FUZZ) fuzz $(SECONDS) $(FUZZ_TARGETS)

## check-fuzz: replay the corpus, then fuzz each target for one second; a part of check
check-fuzz: $(FUZZ_TARGETS:%=$(FUZZ)/%)
	fuzz/run.sh $(FUZZ) check $(FUZZ_SHORTLY) $(FUZZ_TARGETS)

## fuzz-corpus: minimize the corpus and the inputs found by fuzz, keeping the coverage
fuzz-corpus: $(FUZZ_TARGETS:%=$(FUZZ)/%)
	fuzz/run.sh $(FUZZ) corpus 0 $(FUZZ_TARGETS)
