# SPDX-License-Identifier: Apache-2.0
# The command-line tool. It is built apart from the library, which needs none of its crates.

BINDIR      ?= $(PREFIX)/bin
BASHDIR     ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR      ?= $(PREFIX)/share/zsh/site-functions
FISHDIR     ?= $(PREFIX)/share/fish/vendor_completions.d

##@ Command-line tool

.PHONY: tool install-tool uninstall-tool check-tool

## tool: build the command-line tool build/mmipc
tool: $(B)/mmipc

TOOL_SOURCES := Cargo.toml Cargo.lock tool/Cargo.toml tool/build.rs $(shell find tool/src -type f)

# The flags of the C compiler driver, which links the tool.
TOOL_LINK_ARGS = $(foreach flag,$(LDFLAGS),-C link-arg=$(flag))

# It is linked with the shared library in the build directory, which it finds at run time only where it is installed.
$(B)/mmipc: $(TOOL_SOURCES) $(B)/$(REALNAME)
	MMSYSIO_LIBDIR=$(abspath $(B)) $(CARGO) rustc $(CARGO_FLAGS) -p mmipc --release $(CARGO_CONFIG) -- $(TOOL_LINK_ARGS)
	cp $(CARGO_OUT)/mmipc $@

## install-tool: install the tool into BINDIR=PREFIX/bin, its page and completions; also BASHDIR, ZSHDIR, FISHDIR
install-tool: tool
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	$(INSTALL) -m 755 $(B)/mmipc $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 644 tool/man/mmipc.1 $(DESTDIR)$(MANDIR)/man1
	$(INSTALL) -m 644 tool/completions/mmipc.bash $(DESTDIR)$(BASHDIR)/mmipc
	$(INSTALL) -m 644 tool/completions/_mmipc $(DESTDIR)$(ZSHDIR)
	$(INSTALL) -m 644 tool/completions/mmipc.fish $(DESTDIR)$(FISHDIR)

## uninstall-tool: remove the installed files of the tool; use the same variables as for install-tool
uninstall-tool:
	rm -f $(DESTDIR)$(BINDIR)/mmipc $(DESTDIR)$(MANDIR)/man1/mmipc.1 $(DESTDIR)$(BASHDIR)/mmipc $(DESTDIR)$(ZSHDIR)/_mmipc \
	    $(DESTDIR)$(FISHDIR)/mmipc.fish

$(STAGE)/.tool-installed: $(STAGE)/.installed $(B)/mmipc $(wildcard tool/man/* tool/completions/*)
	$(MAKE) install-tool PREFIX=$(STAGE) MANDIR=$(STAGE)/share/man DESTDIR= >/dev/null
	@touch $@

## check-tool: the tests of the tool, which run the installed tool
check-tool: $(STAGE)/.tool-installed $(EXAMPLES)
	MMSYSIO_LIBDIR=$(abspath $(B)) LD_LIBRARY_PATH=$(STAGE)/lib $(CARGO) test $(CARGO_FLAGS) -p mmipc
	PYTHON="$(PYTHON)" EXAMPLES=$(abspath $(B))/examples tool/tests/run.sh $(STAGE)
