# SPDX-License-Identifier: Apache-2.0
# libmmlib, the rest of mmlib. It is a library over libmmsysio and built apart from it.

##@ The rest of mmlib: libmmlib

.PHONY: mmlib install-mmlib uninstall-mmlib

# Programs that were built for mmlib name this SONAME. mmlib's own file ends in 1.2.2; ldconfig prefers the greater
# number where both are installed, and mmlib.pc has the same one.
MMLIB_VERSION  := 1.4.2
MMLIB_SONAME   := libmmlib.so.1
MMLIB_REALNAME := libmmlib.so.$(MMLIB_VERSION)
MMLIB_HEADERS  := mmlib.h mmthread.h mmargparse.h mmdlfcn.h mmprofile.h
MMLIB_NAMES    := $(shell sed -n 's/^ *\(_*mm_[a-z0-9_]*\);$$/\1/p' mmlib/src/mmlib.map)
# The functions for completion in bash, which programs load from there.
MMLIB_DATADIR  ?= $(PREFIX)/share/mmlib
MMLIB_DOCDIR   ?= $(PREFIX)/share/doc/libmmlib
MMLIB_EXAMPLES := $(notdir $(wildcard mmlib/examples/*.c))
MMLIB_MAN3     := $(notdir $(wildcard mmlib/man/man3/*.3))
MMLIB_MAN7     := $(notdir $(wildcard mmlib/man/man7/*.7))
MMLIB_SOURCES  := Cargo.toml Cargo.lock mmlib/Cargo.toml mmlib/build.rs src/personality.c $(wildcard src/rt/*.rs) \
                  $(shell find mmlib/src -type f) $(addprefix mmlib/include/,$(MMLIB_HEADERS))

## mmlib: build the shared library build/libmmlib.so.1
mmlib: $(B)/$(MMLIB_REALNAME) $(B)/mmlib.pc $(B)/mmlibConfig.cmake $(B)/mmlibConfigVersion.cmake

# These steps are those of libmmsysio; the Makefile explains them.
$(B)/mmlib-rust.a: $(MMLIB_SOURCES) $(B)/$(REALNAME)
	CFLAGS='$(strip $(CFLAGS) $(CPPFLAGS) -ffile-prefix-map=$(CURDIR)=.)' \
	    $(CARGO) rustc $(CARGO_FLAGS) -p mmlib --lib --release $(CARGO_CONFIG)
	cp $(CARGO_OUT)/libmmlib.a $@

$(B)/mmlib.o: $(B)/mmlib-rust.a mmlib/src/mmlib.map
	@printf '%s\n' $(MMLIB_NAMES) >$(B)/mmlib-names
	@sed 's/^/-u /' $(B)/mmlib-names >$(B)/mmlib-roots
	$(LD) -r --force-group-allocation @$(B)/mmlib-roots -o $@ $<
	$(OBJCOPY) --keep-global-symbols=$(B)/mmlib-names -R .llvmbc -R .llvmcmd $@

$(B)/$(MMLIB_REALNAME): $(B)/mmlib.o $(B)/$(REALNAME) mmlib/src/mmlib.map
	$(CC) -shared -fuse-ld=bfd $(CFLAGS) $(LDFLAGS) -o $@ $< $(B)/$(REALNAME) -Wl,--version-script=mmlib/src/mmlib.map \
	    -Wl,-soname,$(MMLIB_SONAME) -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,defs -Wl,-z,nodelete \
	    -Wl,--as-needed $$(cat $(B)/private-libs)
	ln -sf $(MMLIB_REALNAME) $(B)/$(MMLIB_SONAME)
	cp mmlib/libmmlib.so.in $(B)/libmmlib.so

$(B)/mmlib.pc: mmlib/mmlib.pc.in mmlib/mmlib.mk FORCE
	@mkdir -p $(B)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' \
	    -e 's|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' -e 's|@VERSION@|$(MMLIB_VERSION)|' \
	    -e 's|@DATADIR@|$(MMLIB_DATADIR:$(PREFIX)/%=$${prefix}/%)|' $< >$@

$(B)/mmlib%.cmake: mmlib/cmake/mmlib%.cmake.in mmlib/mmlib.mk FORCE
	@mkdir -p $(B)
	@sed -e 's|@VERSION@|$(MMLIB_VERSION)|' -e 's|@SONAME@|$(MMLIB_SONAME)|' \
	    -e "s|@INCLUDE_FROM_HERE@|$$(realpath -m --relative-to=$(LIBDIR)/cmake/mmlib $(INCLUDEDIR))|" $< >$@

## install-mmlib: install libmmlib, which needs the files of install; use the same variables, and MMLIB_DATADIR
install-mmlib: mmlib
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(LIBDIR)/cmake/mmlib $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(MANDIR)/man3 \
	    $(DESTDIR)$(MANDIR)/man7
	$(INSTALL) -m 755 $(B)/$(MMLIB_REALNAME) $(DESTDIR)$(LIBDIR)
	ln -sf $(MMLIB_REALNAME) $(DESTDIR)$(LIBDIR)/$(MMLIB_SONAME)
	$(INSTALL) -m 644 $(B)/libmmlib.so $(DESTDIR)$(LIBDIR)
	$(INSTALL) -m 644 $(B)/mmlib.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	$(INSTALL) -m 644 $(B)/mmlibConfig.cmake $(B)/mmlibConfigVersion.cmake $(DESTDIR)$(LIBDIR)/cmake/mmlib
	$(INSTALL) -m 644 $(addprefix mmlib/include/,$(MMLIB_HEADERS)) $(DESTDIR)$(INCLUDEDIR)
	$(INSTALL) -d $(DESTDIR)$(MMLIB_DATADIR) $(DESTDIR)$(MMLIB_DOCDIR)/examples
	$(INSTALL) -m 644 mmlib/completions/mmlib.bash $(DESTDIR)$(MMLIB_DATADIR)
	$(INSTALL) -m 644 $(addprefix mmlib/examples/,$(MMLIB_EXAMPLES)) $(DESTDIR)$(MMLIB_DOCDIR)/examples
	$(INSTALL) -m 644 $(addprefix mmlib/man/man3/,$(MMLIB_MAN3)) $(DESTDIR)$(MANDIR)/man3
	$(INSTALL) -m 644 $(addprefix mmlib/man/man7/,$(MMLIB_MAN7)) $(DESTDIR)$(MANDIR)/man7

## uninstall-mmlib: remove the installed files of libmmlib; use the same variables as for install-mmlib
uninstall-mmlib:
	cd $(DESTDIR)$(LIBDIR) && rm -f $(MMLIB_REALNAME) $(MMLIB_SONAME) libmmlib.so pkgconfig/mmlib.pc \
	    cmake/mmlib/mmlibConfig.cmake cmake/mmlib/mmlibConfigVersion.cmake
	-rmdir $(DESTDIR)$(LIBDIR)/cmake/mmlib 2>/dev/null
	cd $(DESTDIR)$(INCLUDEDIR) && rm -f $(MMLIB_HEADERS)
	cd $(DESTDIR)$(MANDIR)/man3 && rm -f $(MMLIB_MAN3)
	rm -f $(DESTDIR)$(MMLIB_DATADIR)/mmlib.bash $(addprefix $(DESTDIR)$(MMLIB_DOCDIR)/examples/,$(MMLIB_EXAMPLES))
	@rmdir $(DESTDIR)$(MMLIB_DATADIR) $(DESTDIR)$(MMLIB_DOCDIR)/examples $(DESTDIR)$(MMLIB_DOCDIR) 2>/dev/null || :
	cd $(DESTDIR)$(MANDIR)/man7 && rm -f $(MMLIB_MAN7)
