#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the oldest Rust that is supported, and the set-up on a new machine, in chroots of Debian 13. With Debian's own
# Rust and without network, the tarball with the crates builds and passes the C tests and check-abi. Where only make and
# git are installed, make installs all that it needs. Requires root. Usage: msrv.sh (from the top of the sources)
set -eu
export LC_ALL=C

# shellcheck source-path=SCRIPTDIR/../..
. tests-c/checks/chroot.sh
chroot_begin msrv
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
name=libmmsysio-$version
source_tarball "$scratch"

# --- Debian's own Rust, without network -------------------------------------------------------------------------------

# The build dependencies of debian/control that the C tests and check-abi need.
chroot_create trixie-msrv trixie cargo rustc gcc libc6-dev make binutils xz-utils pkgconf check libfuse3-dev \
	netbase patchelf perl python3
# shellcheck disable=SC2016
CHROOT_OFFLINE=yes CHROOT_BIND=$scratch chroot_run trixie-msrv sh -eu -c '
	for program in rustc cargo gcc; do
		dpkg -S "$(command -v $program)" >/dev/null
		$program --version | head -n 1
	done
	ldd --version | head -n 1
	[ "$(tail -n +3 /proc/net/dev | grep -vc lo:)" = 0 ]
	cd /tmp
	tar -x -f "/host/$1.tar.xz"
	cd "$1"
	make CARGO_FLAGS=--frozen
	make CARGO_FLAGS=--frozen check-c check-abi tool
	[ ! -e $HOME/.cargo/registry ]
' sh "$name" >"$log" 2>&1 || chroot_show "the tarball does not build, or fails its tests, with Debian 13's own Rust"
grep -E '^(rustc|cargo|gcc|ldd) ' "$log"
case $(sed -n 's/^rustc \([0-9]*\.[0-9]*\).*/\1/p' "$log") in
"$wanted") ;;
*) chroot_fail "Debian 13's rustc is not $wanted, which Cargo.toml names as the oldest" ;;
esac
grep -E '^(abi|mmlib|mmlib-abi):' "$log"
tests=$(sed -n 's/^Files=\([0-9]*\), Tests=\([0-9]*\),.*/\2 C tests of \1 programs/p' "$log")
if [ -z "$tests" ] || ! grep -q "^Result: PASS" "$log"; then chroot_show "no C test was run"; fi
echo "msrv: Debian 13, Rust $wanted, without network: $tests passed, and check-abi"

# --- a new machine, with nothing but make and git ---------------------------------------------------------------------

chroot_remove trixie-new
chroot_create trixie-new trixie make git
# An ordinary user gets the command to run.
# shellcheck disable=SC2016
CHROOT_BIND=$scratch chroot_run trixie-new sh -eu -c '
	for program in cc ld cargo rustc python3; do
		! command -v $program || exit 1
	done
	git clone --quiet /host/source $HOME/libmmsysio
	cp -R $HOME/libmmsysio /tmp/libmmsysio
	chown -R nobody /tmp/libmmsysio
	cd /tmp/libmmsysio
	! setpriv --reuid=nobody make || exit 1
' >"$log" 2>&1 || chroot_show "without a compiler, make does not fail for an ordinary user"
grep -q "Missing: rustc $wanted or newer, cargo $wanted or newer, cc, ld, ar, objcopy" "$log" ||
	chroot_show "make does not print what is missing"
grep -q '^As root:  apt-get install .* cargo rustc$' "$log" || chroot_show "make does not print the command that installs Rust"
grep '^As root:' "$log" | sed 's/^/msrv: for an ordinary user, make prints: /'
# As root, make and the first part of make check install what they need. The tests run without network: names of servers
# are shared with other tests on this machine otherwise.
CHROOT_BIND=$scratch chroot_run trixie-new sh -eu -c '
	cd $HOME/libmmsysio
	make
	make check-packages
' >"$log" 2>&1 || chroot_show "on a new Debian 13, make or make check-packages fails"
CHROOT_OFFLINE=yes chroot_run trixie-new sh -eu -c '
	cd $HOME/libmmsysio
	make check-rust check-c
' >"$log" 2>&1 || chroot_show "on a new Debian 13, tests fail"
tests=$(sed -n 's/^Files=\([0-9]*\), Tests=\([0-9]*\),.*/\2 C tests of \1 programs/p' "$log")
units=$(sed -n 's/^test result: ok\. \([0-9]*\) passed; 0 failed; 0 ignored.*/\1/p' "$log" | awk '{ sum += $1 } END { if (sum) print sum " unit tests of Rust" }')
if [ -z "$tests" ] || [ -z "$units" ]; then chroot_show "no test was run"; fi
# Afterwards nothing is missing, also for an ordinary user.
# shellcheck disable=SC2016
CHROOT_OFFLINE=yes chroot_run trixie-new sh -eu -c '
	cd $HOME/libmmsysio
	[ -z "$(tests-c/checks/install-packages.sh check 2>&1)" ]
' || chroot_fail "after make check, packages are still missing"
chroot_remove trixie-new
echo "msrv: new Debian 13 with make and git: make and make check installed their packages; $units and $tests passed"
