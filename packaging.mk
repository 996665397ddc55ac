# SPDX-License-Identifier: Apache-2.0
# The source tarball, the packages built from it, and their tests. They are not part of `make check`, since they rebuild
# the library and install packages.

##@ Packaging: not parts of make check

.PHONY: dist deb rpm debian-symbols check-packaging check-dist check-reproducible check-deb check-rpm \
        check-html-browser check-ship

TARBALL := $(B)/libmmsysio-$(VERSION).tar.xz

## dist: the source tarball build/libmmsysio-VERSION.tar.xz, including the crates
dist:
	tests-c/checks/install-packages.sh dist
	CARGO="$(CARGO)" tests-c/checks/dist.sh $(TARBALL)

# Packages are built from the unpacked tarball without network, as a distribution's build daemon does.
## deb: Debian packages in build/deb
deb: dist
	tests-c/checks/install-packages.sh deb
	tests-c/checks/deb.sh $(TARBALL) $(B)/deb

## rpm: RPM packages in build/rpm
rpm: dist
	tests-c/checks/install-packages.sh rpm
	tests-c/checks/rpm.sh $(TARBALL) $(B)/rpm

## debian-symbols: update debian/*.symbols; needed after src/mmsysio.map has changed
debian-symbols:
	for file in debian/libmmsysio1.symbols debian/libmmlib1.symbols; do \
	    tests-c/checks/symbols.sh $$file >$(B)/symbols && mv $(B)/symbols $$file || exit 1; done

## check-packaging: versions, names and crates of the packages match the sources
check-packaging:
	tests-c/checks/packaging.sh

## check-dist: the tarball is reproducible and builds without network
check-dist: dist
	tests-c/checks/check-dist.sh $(TARBALL)

## check-reproducible: builds in two directories are identical
check-reproducible: dist
	tests-c/checks/check-reproducible.sh $(TARBALL)

## check-deb: build, inspect, install, use and purge the Debian packages
check-deb: deb
	tests-c/checks/check-deb.sh $(B)/deb

## check-rpm: build and inspect the RPM packages
check-rpm: rpm
	tests-c/checks/check-rpm.sh $(B)/rpm

## check-html-browser: the HTML manual in headless Chromium; screenshots in build/html-screenshots
check-html-browser: html
	tests-c/checks/install-packages.sh html
	$(PYTHON) -B tests-c/checks/check-html-browser.py $(B)/html $(B)/html-screenshots src/mmsysio.map mmlib/src/mmlib.map

## check-ship: all checks of this section
check-ship: check-packaging check-dist check-reproducible check-deb check-rpm check-html-browser
	@echo "Ready to ship."
