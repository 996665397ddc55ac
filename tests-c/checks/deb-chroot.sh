#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian packages as a build daemon does, in new chroots of Debian 13 and testing: with the build
# dependencies of the source package and nothing else, by an ordinary user, without network. check-deb.sh inspects the
# result with lintian of the same release. In another new chroot, the packages are installed and programs are compiled
# with them.
# Requires root. Usage: deb-chroot.sh [SUITE...] (from the top of the sources)
set -eu
export LC_ALL=C

# shellcheck source-path=SCRIPTDIR/../..
. tests-c/checks/chroot.sh
chroot_begin deb-chroot
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
name=libmmsysio-$version
source_tarball "$scratch"

[ $# -gt 0 ] || set -- trixie testing
for suite in "$@"; do
	build=$suite-deb-build use=$suite-deb-use
	chroot_remove "$build"
	chroot_create "$build" "$suite" build-essential fakeroot xz-utils

	# The source package, and its build dependencies.
	# shellcheck disable=SC2016
	CHROOT_BIND=$scratch chroot_run "$build" sh -eu -c '
		useradd --create-home builder
		cd /home/builder
		runuser -u builder -- tar -x -f "/host/$1.tar.xz"
		runuser -u builder -- dpkg-source --build "$1"
		rm -rf "$1"
		runuser -u builder -- dpkg-source --extract "mmsysio_$2.dsc" source
		DEBIAN_FRONTEND=noninteractive apt-get -q -y build-dep "./mmsysio_$2.dsc"
	' sh "$name" "$version" >"$log" 2>&1 || chroot_show "$suite: cannot install the build dependencies"

	# shellcheck disable=SC2016
	CHROOT_OFFLINE=yes chroot_run "$build" sh -eu -c '
		for program in rustc cargo gcc; do
			dpkg -S "$(command -v $program)" >/dev/null
			$program --version | head -n 1
		done
		[ "$(tail -n +3 /proc/net/dev | grep -vc lo:)" = 0 ]
		cd ~builder/source
		runuser -u builder -- dpkg-buildpackage -us -uc --jobs=auto
	' >"$log" 2>&1 || chroot_show "$suite: the packages do not build"
	tests=$(sed -n 's/^Files=\([0-9]*\), Tests=\([0-9]*\),.*/\2 C tests of \1 programs/p' "$log")
	[ -n "$tests" ] || chroot_show "$suite: the build ran no tests"
	compilers=$(sed -n 's/^\(rustc\|gcc\) \(([^)]*) \)\{0,1\}\([0-9.]*\).*/\1 \3/p' "$log" | xargs)

	# lintian, symbols, files, autopkgtest, purge.
	chroot_run "$build" sh -eu -c '
		DEBIAN_FRONTEND=noninteractive apt-get -q -y install lintian autopkgtest
	' >"$log" 2>&1 || chroot_show "$suite: cannot install lintian"
	# shellcheck disable=SC2016
	CHROOT_OFFLINE=yes chroot_run "$build" sh -eu -c '
		echo "lintian $(dpkg-query --show --showformat "\${Version}" lintian)"
		cd ~builder/source
		tests-c/checks/check-deb.sh ..
	' >"$log" 2>&1 || chroot_show "$suite: check-deb fails"
	lintian=$(sed -n 's/^lintian \([0-9].*\)/lintian \1/p' "$log")
	sed -n "s/^\\([IPX]: .*\\)/deb-chroot: $suite: \\1/p" "$log"

	# The packages on a machine that has nothing but them and what their autopkgtest needs.
	rm -rf "$scratch/packages"
	mkdir "$scratch/packages"
	cp "$CHROOTS/$build/home/builder"/*.deb debian/tests/examples debian/tests/mmlib "$scratch/packages"
	chroot_remove "$use"
	chroot_create "$use" "$suite"
	needed=$(sed -n 's/^Depends: libmm[a-z]*-dev, *//p' debian/tests/control | tr -d ,)
	# shellcheck disable=SC2016,SC2086
	CHROOT_BIND=$scratch chroot_run "$use" sh -eu -c '
		export DEBIAN_FRONTEND=noninteractive
		apt-get -q update
		cp /host/packages/*.deb /tmp
		apt-get -q -y install /tmp/*.deb "$@"
		for package in cargo rustc libstd-rust-dev; do
			! dpkg --status $package >/dev/null 2>&1 || exit 1
		done
	' sh $needed >"$log" 2>&1 || chroot_show "$suite: cannot install the packages"
	CHROOT_OFFLINE=yes CHROOT_BIND=$scratch chroot_run "$use" sh -eu -c '
		mkdir /tmp/source
		cd /tmp/source
		cp -R /usr/share/doc/libmmsysio-dev/examples .
		gzip -dc /usr/share/doc/libmmsysio-dev/README.md.gz >README.md
		/host/packages/examples
		/host/packages/mmlib
	' >"$log" 2>&1 || chroot_show "$suite: the installed packages cannot be used"
	[ "$(grep -c 'client and server communicate' "$log")" -eq 2 ] || chroot_show "$suite: the examples did not run"
	[ "$(grep -c ': works$' "$log")" -eq 5 ] || chroot_show "$suite: the programs of libmmlib did not run"
	chroot_remove "$use"
	chroot_remove "$build"
	echo "deb-chroot: $suite: built without network with $compilers; $tests passed;" \
		"$lintian reports no error or warning; installed, used and purged"
done
