# The source tarball, the packages made of it, and their tests. Not parts of `make check`: they build the library anew,
# and install packages.
#
# make dist             build/libmmsysio-VERSION.tar.xz, with the crates in it
# make deb              Debian packages in build/deb
# make rpm              RPM packages in build/rpm
# make debian-symbols   after a change of src/mmsysio.map: the symbols file of Debian's package

.PHONY: dist deb rpm debian-symbols check-packaging check-dist check-reproducible check-deb check-rpm check-ship

TARBALL := $(B)/libmmsysio-$(VERSION).tar.xz

dist:
	tests-c/checks/install-packages.sh dist
	CARGO="$(CARGO)" tests-c/checks/dist.sh $(TARBALL)

# Unpacked from the tarball, and built without network, as a builder of a distribution does.
deb: dist
	tests-c/checks/install-packages.sh deb
	tests-c/checks/deb.sh $(TARBALL) $(B)/deb

rpm: dist
	tests-c/checks/install-packages.sh rpm
	tests-c/checks/rpm.sh $(TARBALL) $(B)/rpm

debian-symbols:
	tests-c/checks/symbols.sh debian/libmmsysio1.symbols >$(B)/symbols
	mv $(B)/symbols debian/libmmsysio1.symbols

check-packaging:
	tests-c/checks/packaging.sh

check-dist: dist
	tests-c/checks/check-dist.sh $(TARBALL)

check-reproducible: dist
	tests-c/checks/check-reproducible.sh $(TARBALL)

check-deb: deb
	tests-c/checks/check-deb.sh $(B)/deb

check-rpm: rpm
	tests-c/checks/check-rpm.sh $(B)/rpm

check-ship: check-packaging check-dist check-reproducible check-deb check-rpm
	@echo "Ready to ship."
