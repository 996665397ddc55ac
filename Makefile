# SPDX-License-Identifier: Apache-2.0
# `make help` lists the targets. A line "## target: text" above a rule, in any makefile, adds the target to the list.

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
HTMLDIR    ?= $(PREFIX)/share/doc/libmmsysio/html
DESTDIR    ?=
STATIC     ?= yes

CARGO       ?= cargo
CARGO_FLAGS ?= --locked
OBJCOPY     ?= objcopy
STRIP       ?= strip
INSTALL     ?= install
PKG_CONFIG  ?= pkg-config
PYTHON      ?= python3

# The version is defined only in Cargo.toml. The SONAME identifies mmlib's ABI and does not depend on the version. The
# file name is the SONAME followed by the minor and patch version: libmmsysio.so.1.2.3 for 1.2.3.
VERSION   := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
SOVERSION := 1
SONAME    := libmmsysio.so.$(SOVERSION)
REALNAME  := $(SONAME).$(patsubst $(firstword $(subst ., ,$(VERSION))).%,%,$(VERSION))

B         := build
CARGO_OUT := $(or $(CARGO_TARGET_DIR),target)/$(if $(CARGO_BUILD_TARGET),$(CARGO_BUILD_TARGET)/)release
HEADERS   := mmsysio.h mmipc.h mmerrno.h mmlog.h mmtime.h mmpredefs.h
MAN3      := $(notdir $(wildcard man/man3/*.3))
MAN7      := $(notdir $(wildcard man/man7/*.7))
PAGES     := $(wildcard man/pages/*.page mmlib/man/pages/*.page)
HTML      := $(patsubst %.page,%.3.html,$(notdir $(PAGES))) $(patsubst %,%.html,$(notdir $(wildcard man/man7/*.7 mmlib/man/man7/*.7))) \
             index.html style.css search.js search-index.js
NAMES     := $(shell sed -n 's/^ *\(mm_[a-z0-9_]*\);$$/\1/p' src/mmsysio.map)
SOURCES   := Cargo.toml Cargo.lock build.rs $(shell find src -type f) $(addprefix include/,$(HEADERS))

FIND_TOOLS = CARGO="$(CARGO)" CC="$(CC)" LD="$(LD)" AR="$(AR)" OBJCOPY="$(OBJCOPY)" CFLAGS='$(CFLAGS)' \
             LDFLAGS='$(LDFLAGS)' tests-c/checks/install-packages.sh build

.DELETE_ON_ERROR:
.PHONY: all build-packages help install install-strip install-html uninstall clean header man html demo

##@ Build and install

## all: build the shared and, unless STATIC=no, the static library; the default
all: $(B)/$(REALNAME) $(B)/mmsysio.pc $(B)/mmsysioConfig.cmake $(B)/mmsysioConfigVersion.cmake $(if $(filter yes,$(STATIC)),$(B)/libmmsysio.a)

## build-packages: install Rust and the C compiler, as root on Debian or Ubuntu; otherwise print what is missing
build-packages:
	@$(FIND_TOOLS)

## help: list the targets
help:
	@awk '/^##@ / { printf "%s%s\n", separator, substr($$0, 5); separator = "\n" } \
	    /^## [^ ]+: / { split($$2, name, ":"); printf "  %-26s %s\n", name[1], substr($$0, length($$2) + 5) }' $(MAKEFILE_LIST)

# --- the library ------------------------------------------------------------------------------------------------------

# The build directory must not appear in the results, not even in debug information.
REMAP := --remap-path-prefix=$(CURDIR)=. --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=cargo

# On a 32-bit machine, time_t has the size that the C compiler gives it, which depends on the distribution and on flags.
# The libc crate assumes the size of a long, unless the flag, or before version 0.2.187 the variable, says 64 bits.
# src/sys/time.rs verifies the result.
LATE_TIME := $(shell printf '\043include <time.h>\nchar ok[sizeof(time_t) > sizeof(long) ? 1 : -1];\n' | \
               $(CC) $(CPPFLAGS) $(CFLAGS) -fsyntax-only -x c - 2>/dev/null && echo yes)
ifeq ($(LATE_TIME),yes)
TIME_CFG := --cfg=libc_unstable_gnu_time_bits=\"64\"
export RUST_LIBC_UNSTABLE_GNU_TIME_BITS := 64
endif

# Flags in RUSTFLAGS replace those of cargo's configuration. Therefore our flags are added to RUSTFLAGS if the user sets
# it, and to cargo's configuration otherwise.
ifneq ($(strip $(RUSTFLAGS)),)
export RUSTFLAGS := $(RUSTFLAGS) $(REMAP) $(subst \,,$(TIME_CFG))
else
# An empty RUSTFLAGS in the environment would also replace the flags of the configuration.
unexport RUSTFLAGS
endif
CARGO_CONFIG = --config 'build.rustflags=[$(subst $(SPACE),$(COMMA),$(patsubst %,"%",$(REMAP) $(TIME_CFG)))]'
CARGO_RUSTC = CFLAGS='$(strip $(CFLAGS) $(CPPFLAGS) -ffile-prefix-map=$(CURDIR)=.)' \
    $(CARGO) rustc $(CARGO_FLAGS) --lib --release $(CARGO_CONFIG)
SPACE := $(subst ,, )
COMMA := ,

# cargo builds an archive of the library and the parts of Rust's core library that it uses, and reports the system
# libraries that it needs. The C library is removed from that list, since the C compiler driver adds it.
#
# The tools are looked for only here, when something is to be compiled: `sudo make install` after `make` needs none of
# them, and must not install any.
$(B)/rust.a: $(SOURCES)
	@$(FIND_TOOLS)
	@mkdir -p $(B)
	$(CARGO_RUSTC) --no-default-features --crate-type staticlib -- --print native-static-libs=$(abspath $(B)/rust-libs)
	@touch $(B)/rust-libs
	tr ' ' '\n' <$(B)/rust-libs | grep -vxE -e '-lgcc_s|-lc|' | sort -u | tr '\n' ' ' >$(B)/private-libs
	cp $(CARGO_OUT)/libmmsysio.a $@

# A single object in which only the exported names are global. The archive made of it can be linked together with other
# Rust archives, and the linker accepts our version script (for a cdylib, rustc passes its own). The object contains the
# archive members that the exported names need. Unused sections are removed when a program or the shared library is
# linked: with -r and --gc-sections, GNU ld corrupts unwind tables on some architectures.
$(B)/mmsysio.o: $(B)/rust.a src/mmsysio.map
	@printf '%s\n' $(NAMES) >$(B)/names
	@sed 's/^/-u /' $(B)/names >$(B)/roots
	$(LD) -r --force-group-allocation @$(B)/roots -o $@ $<
	$(OBJCOPY) --keep-global-symbols=$(B)/names -R .llvmbc -R .llvmcmd $@

$(B)/libmmsysio.a: $(B)/mmsysio.o
	rm -f $@
	$(AR) rcsD $@ $<

# GNU ld emits the symbol of the version node, which mmlib also has. pthread_atfork() is a function that glibc links
# into each library. Requesting it first places it next to the other code that runs when the library is loaded.
$(B)/$(REALNAME): $(B)/mmsysio.o src/mmsysio.map
	$(CC) -shared -fuse-ld=bfd $(CFLAGS) $(LDFLAGS) -o $@ -Wl,-u,pthread_atfork -lc $< -Wl,--version-script=src/mmsysio.map -Wl,-soname,$(SONAME) \
	    -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,defs -Wl,-z,nodelete -Wl,--as-needed $$(cat $(B)/private-libs)
	ln -sf $(REALNAME) $(B)/$(SONAME)
	ln -sf $(SONAME) $(B)/libmmsysio.so

# Directories below the prefix are written relative to it, so that the installed tree can be relocated.
$(B)/mmsysio.pc: pkgconfig/mmsysio.pc.in $(B)/rust.a Makefile FORCE
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' \
	    -e 's|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e "s|@PRIVATE_LIBS@|$$(sed 's/ *$$//' $(B)/private-libs)|" $< >$@

# The same for CMake. The file locates the headers relative to its own directory.
$(B)/%.cmake: cmake/%.cmake.in Makefile $(B)/rust.a FORCE
	@mkdir -p $(B)
	@sed -e 's|@VERSION@|$(VERSION)|' -e 's|@SONAME@|$(SONAME)|' \
	    -e "s|@PRIVATE_LIBS@|$$(sed 's/ *$$//; s/ /;/g' $(B)/private-libs)|" \
	    -e "s|@INCLUDE_FROM_HERE@|$$(realpath -m --relative-to=$(LIBDIR)/cmake/mmsysio $(INCLUDEDIR))|" $< >$@

.PHONY: FORCE
FORCE:

## header: generate the headers; needed after an entry point in src/capi or mmlib/src/capi has changed
header:
	MMSYSIO_HEADERS=. $(CARGO) build $(CARGO_FLAGS) --features header --target-dir $(B)/header

# The pages are in the tree, as the header is: building needs no Python.
## man: generate the manual pages of section 3 and the lists of functions, after a change of the headers or of man/pages
man:
	$(PYTHON) -B man/make-pages.py mmsysio include man/pages man/man3 mmlib mmlib/include mmlib/man/pages mmlib/man/man3
	$(PYTHON) -B man/make-function-list.py mmsysio include man/man7/mmsysio_functions.7
	@mkdir -p mmlib/man/man7
	$(PYTHON) -B man/make-function-list.py mmlib mmlib/include mmlib/man/man7/mmlib_functions.7

# Not part of `all`: it needs Python and mandoc.
## html: write the manual as HTML into build/html, with an index and a search box
html: $(B)/html/index.html

$(B)/html/index.html: man/make-html.py man/headers.py README.md Cargo.toml $(wildcard man/html/*) man/man3 man/man7 \
    $(wildcard man/man3/*.3 man/man7/*.7 mmlib/man/man3/*.3 mmlib/man/man7/*.7 include/*.h mmlib/include/*.h)
	$(PYTHON) -B man/make-html.py . $(B)/html

## clean: remove all build results
clean:
	rm -rf $(B)
	$(CARGO) clean

# --- install ----------------------------------------------------------------------------------------------------------

## install: install into PREFIX=/usr/local, below DESTDIR if set; also LIBDIR, INCLUDEDIR, MANDIR
install: all
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(LIBDIR)/cmake/mmsysio $(DESTDIR)$(INCLUDEDIR)
	$(INSTALL) -m 755 $(B)/$(REALNAME) $(DESTDIR)$(LIBDIR)
	ln -sf $(REALNAME) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libmmsysio.so
	$(if $(filter yes,$(STATIC)),$(INSTALL) -m 644 $(B)/libmmsysio.a $(DESTDIR)$(LIBDIR))
	$(INSTALL) -m 644 $(B)/mmsysio.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	$(INSTALL) -m 644 $(B)/mmsysioConfig.cmake $(B)/mmsysioConfigVersion.cmake $(DESTDIR)$(LIBDIR)/cmake/mmsysio
	$(INSTALL) -m 644 $(addprefix include/,$(HEADERS)) $(DESTDIR)$(INCLUDEDIR)
	$(INSTALL) -d $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(MANDIR)/man7
	$(INSTALL) -m 644 $(addprefix man/man3/,$(MAN3)) $(DESTDIR)$(MANDIR)/man3
	$(INSTALL) -m 644 $(addprefix man/man7/,$(MAN7)) $(DESTDIR)$(MANDIR)/man7

## install-strip: like install, without symbols and debug information
install-strip: install
	$(STRIP) --strip-unneeded $(DESTDIR)$(LIBDIR)/$(REALNAME)
	$(if $(filter yes,$(STATIC)),$(STRIP) --strip-debug $(DESTDIR)$(LIBDIR)/libmmsysio.a)

## install-html: install the manual as HTML into HTMLDIR=PREFIX/share/doc/libmmsysio/html
install-html: html
	$(INSTALL) -d $(DESTDIR)$(HTMLDIR)
	$(INSTALL) -m 644 $(addprefix $(B)/html/,$(HTML)) $(DESTDIR)$(HTMLDIR)

## uninstall: remove the installed files, also those of install-html; use the same variables as for install
uninstall:
	cd $(DESTDIR)$(LIBDIR) && rm -f $(REALNAME) $(SONAME) libmmsysio.so libmmsysio.a pkgconfig/mmsysio.pc \
	    cmake/mmsysio/mmsysioConfig.cmake cmake/mmsysio/mmsysioConfigVersion.cmake
	-rmdir $(DESTDIR)$(LIBDIR)/cmake/mmsysio 2>/dev/null
	cd $(DESTDIR)$(INCLUDEDIR) && rm -f $(HEADERS)
	cd $(DESTDIR)$(MANDIR)/man3 && rm -f $(MAN3)
	cd $(DESTDIR)$(MANDIR)/man7 && rm -f $(MAN7)
	rm -f $(addprefix $(DESTDIR)$(HTMLDIR)/,$(HTML))
	@rmdir $(DESTDIR)$(HTMLDIR) $(DESTDIR)$(PREFIX)/share/doc/libmmsysio 2>/dev/null || :

# --- use and test -----------------------------------------------------------------------------------------------------

# Before the tests, which use its variables in prerequisites.
include mmlib/mmlib.mk
include tests-c/tests.mk
include tool/tool.mk
include mmlib/tests.mk
include tests-c/torture/torture.mk
include tests-c/mixed/mixed.mk
include tests-c/model/model.mk
include tests-c/threads.mk
include tests-c/distributions.mk
include fuzz/fuzz.mk
include tests-c/faults/faults.mk
include packaging.mk
include tools/tools.mk
-include benches/benches.mk
