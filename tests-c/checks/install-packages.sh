#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the packages that a part of the build or of the tests needs, as root on Debian or Ubuntu; otherwise prints what
# is missing and how to install it. If nothing is missing, it prints nothing. CARGO, RUSTC, CC, LD, AR and OBJCOPY name
# other tools than the usual ones.
# Usage: install-packages.sh build|check|lint|html|bench|model|deb|rpm|dist|chroot
set -eu

part=${1:-check}
missing=""
packages=""
need() { # need COMMAND PACKAGE
	command -v "$1" >/dev/null 2>&1 || missing="$missing, $2"
}

# --- Rust, and the tools that every build needs -----------------------------------------------------------------------

wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
cargo=${CARGO:-cargo}
rustc=${RUSTC:-${CARGO_BUILD_RUSTC:-rustc}}
# "cargo +1.85" selects a toolchain of rustup, and its rustc.
case $cargo in
*" +"*) rustc="$rustc +${cargo##* +}" ;;
esac
rust=""

new_enough() { # new_enough VERSION: is it at least the one that Cargo.toml names?
	rest=${1#*.} minor=${wanted#*.}
	[ "${1%%.*}" -gt "${wanted%%.*}" ] || { [ "${1%%.*}" -eq "${wanted%%.*}" ] && [ "${rest%%.*}" -ge "${minor%%.*}" ]; }
}

# Programs that no package replaces, since they are not Debian's but were chosen by a variable or by PATH.
chosen=""

need_rust() { # need_rust NAME COMMAND
	path=$(command -v "${2%% *}") || path=""
	# shellcheck disable=SC2086
	found=$($2 --version 2>/dev/null | sed -n 's/^[a-z]* \([0-9]*\.[0-9][0-9.]*\).*/\1/p') || found=""
	[ -z "$found" ] || ! new_enough "$found" || return 0
	missing="$missing, $1 $wanted or newer${found:+ ($path is $found)}"
	rust=missing
	case $2:$path in
	"$1:" | "$1:/usr/bin/"* | "$1:/bin/"*) ;;
	*) chosen="$chosen, ${path:-$2}" ;;
	esac
}

need_tool() { # need_tool NAME COMMAND
	command -v "${2%% *}" >/dev/null 2>&1 && return 0
	missing="$missing, $2"
	[ "$1" = "$2" ] || chosen="$chosen, $2"
	return 1
}

need_build() {
	need_rust rustc "$rustc"
	need_rust cargo "$cargo"
	packages=" gcc libc6-dev binutils"
	# The test program needs the C library and its headers, and ld.bfd.
	# shellcheck disable=SC2086
	if need_tool cc "${CC:-cc}" && ! error=$(printf '#include <stdio.h>\nint main(void) { return 0; }\n' |
		${CC:-cc} ${CFLAGS:-} ${LDFLAGS:-} -fuse-ld=bfd -x c - -o /dev/null 2>&1); then
		error=$(echo "$error" | grep -m 1 error || echo "$error" | head -n 1)
		missing="$missing, what ${CC:-cc} needs to link a program with ld.bfd ($error)"
	fi
	need_tool ld "${LD:-ld}" || :
	need_tool ar "${AR:-ar}" || :
	need_tool objcopy "${OBJCOPY:-objcopy}" || :
	# cargo downloads the crates, unless they are in vendor/ or were downloaded before. Debian's cargo only recommends
	# the certificates.
	if [ ! -e vendor ] && [ ! -e "${CARGO_HOME:-$HOME/.cargo}/registry" ] && [ -e /etc/debian_version ] &&
		[ ! -e /etc/ssl/certs/ca-certificates.crt ] && [ -z "${SSL_CERT_FILE:-}${CARGO_HTTP_CAINFO:-}" ]; then
		packages="$packages ca-certificates"
		missing="$missing, ca-certificates"
	fi
}

# choose_rust: sets $rust to the packages of a cargo and a rustc that are new enough, and $variables to the variables of
# make that they need.
choose_rust() {
	rust="" variables=""
	for suffix in "" -web; do
		enough=yes
		for program in cargo rustc; do
			candidate=$(apt-cache policy $program$suffix 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9][0-9.]*\).*/\1/p')
			[ -n "$candidate" ] && new_enough "$candidate" || enough=no
		done
		[ $enough = no ] || { rust="cargo$suffix rustc$suffix"; return 0; }
	done
	# The programs of Ubuntu's versioned packages have the version in their names.
	for version in $(apt-cache pkgnames rustc- 2>/dev/null | sed -n 's/^rustc-\([0-9]*\.[0-9]*\)$/\1/p' | sort -V); do
		if new_enough "$version"; then
			rust="cargo-$version rustc-$version" variables="CARGO=cargo-$version RUSTC=rustc-$version"
			return 0
		fi
	done
	return 1
}

# --- the parts --------------------------------------------------------------------------------------------------------

# The tests of the HTML manual, the model and the chroots do not compile the library.
case $part in
html | model | chroot) ;;
*) need_build ;;
esac

case $part in
build) ;;
check)
	packages="$packages g++ clang make pkg-config check libfuse3-dev valgrind strace perl python3 mandoc diffutils netbase patchelf cmake libclang-rt-dev socat zsh fish"
	# Some tests use gcc and ld.bfd, whatever CC and LD are.
	need gcc gcc
	need g++ g++
	need clang clang
	need ld.bfd binutils
	need pkg-config pkg-config
	need valgrind valgrind
	need strace strace
	need prove perl
	need python3 python3
	need mandoc mandoc
	need diff diffutils
	need patchelf patchelf
	need cmake cmake
	# A peer of the command-line tool, and the shells that check its completions.
	need socat socat
	need zsh zsh
	need fish fish
	# Names of services.
	[ -e /etc/services ] || missing="$missing, netbase"
	pkg-config --exists check 2>/dev/null || missing="$missing, check"
	pkg-config --exists fuse3 2>/dev/null || missing="$missing, libfuse3-dev"
	# libFuzzer is part of clang's runtime, which is not a separate package in every distribution.
	echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
		clang -fsanitize=fuzzer,address -x c - -o /dev/null 2>/dev/null || missing="$missing, libFuzzer of clang"
	# The library of gcc's address sanitizer is in a separate package.
	echo 'int main(void) { return 0; }' | gcc -fsanitize=address,undefined -x c - -o /dev/null 2>/dev/null ||
		missing="$missing, libasan and libubsan of gcc"
	;;
lint)
	packages="$packages clang-format python3 git"
	need clang-format clang-format
	need python3 python3
	need git git
	;;
html)
	# The test of the HTML manual. Any Chromium will do, whatever the name of the program.
	packages="$packages chromium mandoc python3"
	need mandoc mandoc
	need python3 python3
	command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
		command -v google-chrome >/dev/null 2>&1 || missing="$missing, chromium"
	;;
bench)
	# The other libraries that the benchmarks measure, and the tool that counts instructions.
	packages="$packages make pkg-config valgrind python3 libqb-dev libnng-dev libzmq3-dev libsystemd-dev"
	need gcc gcc
	need pkg-config pkg-config
	need valgrind valgrind
	need python3 python3
	need readelf binutils
	for peer in libqb libzmq libsystemd; do
		pkg-config --exists "$peer" 2>/dev/null || missing="$missing $peer"
	done
	# Debian's nng has no pkg-config file.
	echo '#include <nng/nng.h>' | gcc -E -x c - -o /dev/null 2>/dev/null || missing="$missing, libnng-dev"
	;;
model)
	# The model checker. It generates a C program.
	packages="$packages spin gcc libc6-dev python3"
	need spin spin
	need gcc gcc
	need python3 python3
	;;
dist)
	packages="$packages git xz-utils util-linux patchelf"
	need xz xz-utils
	need unshare util-linux
	need patchelf patchelf
	;;
deb)
	# The build dependencies of debian/control, without cargo and rustc, which may come from rustup.
	packages="$packages build-essential dpkg-dev debhelper fakeroot lintian autopkgtest check libfuse3-dev mandoc patchelf pkg-config perl python3 netbase xz-utils iproute2"
	need dpkg-buildpackage dpkg-dev
	need dh debhelper
	need fakeroot fakeroot
	need lintian lintian
	need autopkgtest autopkgtest
	need mandoc mandoc
	need prove perl
	need patchelf patchelf
	need xz xz-utils
	need python3 python3
	need ip iproute2
	[ -e /etc/services ] || missing="$missing, netbase"
	[ -e /usr/share/doc/build-essential ] || missing="$missing, build-essential"
	pkg-config --exists check 2>/dev/null || missing="$missing, check"
	pkg-config --exists fuse3 2>/dev/null || missing="$missing, libfuse3-dev"
	;;
rpm)
	packages="$packages rpm xz-utils cpio make check libfuse3-dev mandoc patchelf perl python3 netbase pkg-config iproute2"
	need gcc gcc
	need prove perl
	need patchelf patchelf
	pkg-config --exists check 2>/dev/null || missing="$missing, check pkg-config"
	pkg-config --exists fuse3 2>/dev/null || missing="$missing, libfuse3-dev"
	need rpmbuild rpm
	need mandoc mandoc
	need python3 python3
	need ip iproute2
	[ -e /etc/services ] || missing="$missing, netbase"
	need rpm2cpio rpm
	need cpio cpio
	need xz xz-utils
	;;
chroot)
	packages="$packages debootstrap util-linux"
	need debootstrap debootstrap
	need unshare util-linux
	;;
*)
	echo "install-packages.sh: unknown part $part" >&2
	exit 2
	;;
esac

# --- install, or say how ----------------------------------------------------------------------------------------------

[ -n "$missing" ] || exit 0
missing=$(echo "$missing" | sed 's/^[, ]*//')

fail() { # fail WHAT-TO-DO...
	echo "Missing: $missing" >&2
	printf '%s\n' "$@" >&2
	exit 1
}
if [ -n "${INSTALLED_BEFORE:-}" ]; then
	fail "These packages are installed:$INSTALLED_BEFORE" \
		"Look for other programs in PATH, and in the variables CARGO, RUSTC, CC, LD, AR, OBJCOPY, CFLAGS and LDFLAGS."
fi
if [ -n "$chosen" ]; then
	fail "No package is installed in place of ${chosen#, }, which PATH or CARGO, RUSTC, CC, LD, AR or OBJCOPY names." \
		"Install or update it; if it is rustup's:  rustup toolchain install stable"
fi
if ! command -v apt-get >/dev/null 2>&1; then
	fail "Install them with the package manager of this system. Debian's names of the packages are:" \
		" $packages${rust:+ cargo rustc}" \
		${rust:+"If the packaged Rust is older than $wanted, install Rust with rustup."}
fi
as_root=yes
[ "$(id -u)" -eq 0 ] || as_root=""
[ -z "$as_root" ] || apt-get update -qq
if [ -n "$rust" ]; then
	choose_rust || fail "apt-get knows no packages of cargo and rustc $wanted or newer. As root, after apt-get update:" \
		"  Debian 13 and newer:  apt-get install$packages cargo rustc" \
		"  Debian 12:            apt-get install$packages cargo-web rustc-web" \
		"  Ubuntu:               apt-get install$packages cargo-$wanted rustc-$wanted, or of a newer version," \
		"                        then make CARGO=cargo-$wanted RUSTC=rustc-$wanted" \
		"  older releases:       apt-get install$packages, and Rust with rustup"
	packages="$packages $rust"
	[ -z "$variables" ] || fail "As root:  apt-get install$packages" "Then:     make $variables"
fi
[ -n "$as_root" ] || fail "As root:  apt-get install$packages"
echo "Installing: $missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $packages >/dev/null
INSTALLED_BEFORE=$packages exec "$0" "$@"
