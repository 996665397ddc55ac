# SPDX-License-Identifier: Apache-2.0
# Tests with other compilers, architectures, C libraries and kernels. They need root and network, except check-old-kernel.
# Each installs what it needs into this machine or into a chroot below build/chroots, and leaves no mount behind.

##@ Compilers, architectures, C libraries, kernels: not parts of make check

.PHONY: check-msrv check-deb-chroot check-ports check-old-kernel check-musl

## check-msrv: build and test in Debian 13 with its own Rust, the oldest that is supported
check-msrv:
	MAKE="$(MAKE)" tests-c/checks/msrv.sh

## check-deb-chroot: build the Debian packages in clean chroots of Debian 13 and testing, without network
check-deb-chroot:
	MAKE="$(MAKE)" tests-c/checks/deb-chroot.sh

PORTS ?= arm64 armhf i386 ppc64el riscv64 s390x loong64

## check-ports: the C tests on other architectures, emulated; PORTS="arm64 armhf" selects some
check-ports:
	MAKE="$(MAKE)" tests-c/checks/ports.sh $(PORTS)

## check-old-kernel: the C tests as on the kernels of Debian 9 to 12, Linux 4.9 and later
check-old-kernel:
	MAKE="$(MAKE)" tests-c/checks/old-kernel.sh

## check-musl: build with musl in a chroot, and run the C tests
check-musl:
	MAKE="$(MAKE)" tests-c/checks/musl.sh
