#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian packages: nothing for lintian to warn of; symbols, hardening and files as they should be; installed, the
# examples compile and run, by autopkgtest; purged, nothing is left. Needs root, and a machine without mmlib's packages.
# Usage: check-deb.sh DIRECTORY-OF-THE-PACKAGES
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

packages=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
	echo "deb: $1"
	exit 1
}
[ "$(id -u)" -eq 0 ] || fail "installing packages takes root"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
arch=$(dpkg --print-architecture)
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
changes=$packages/mmsysio_${version}_$arch.changes

lintian --allow-root --fail-on error,warning --tag-display-limit 0 --info "$changes" || fail "lintian is not content"
mkdir -p "$scratch/symbols/debian"
cp debian/control debian/changelog "$scratch/symbols/debian"
dpkg-deb -R "$packages/libmmsysio1_${version}_$arch.deb" "$scratch/symbols/package"
(
	symbols=$PWD/debian/libmmsysio1.symbols
	cd "$scratch/symbols"
	dpkg-gensymbols -c4 -plibmmsysio1 -v"$version" -Ppackage -I"$symbols" -Oout 2>&1
) || fail "dpkg-gensymbols is not content"

dpkg-deb -c "$packages/libmmsysio1_${version}_$arch.deb" | awk '!/\/$/ { print $6 }' | sort >"$scratch/files"
dpkg-deb -c "$packages/libmmsysio-dev_${version}_$arch.deb" | awk '!/\/$/ { print $6 }' | sort >>"$scratch/files"
cat >"$scratch/expected" <<END
./usr/lib/$multiarch/libmmsysio.so.1
./usr/lib/$multiarch/libmmsysio.so.1.${version#*.}
./usr/share/doc/libmmsysio1/changelog.gz
./usr/share/doc/libmmsysio1/copyright
./usr/include/mmerrno.h
./usr/include/mmlog.h
./usr/include/mmpredefs.h
./usr/include/mmsysio.h
./usr/include/mmtime.h
./usr/lib/$multiarch/cmake/mmsysio/mmsysioConfig.cmake
./usr/lib/$multiarch/cmake/mmsysio/mmsysioConfigVersion.cmake
./usr/lib/$multiarch/libmmsysio.a
./usr/lib/$multiarch/libmmsysio.so
./usr/lib/$multiarch/pkgconfig/mmsysio.pc
./usr/share/doc/libmmsysio-dev/COMPATIBILITY.md.gz
./usr/share/doc/libmmsysio-dev/README.md.gz
./usr/share/doc/libmmsysio-dev/changelog.gz
./usr/share/doc/libmmsysio-dev/copyright
./usr/share/doc/libmmsysio-dev/examples/client.c
./usr/share/doc/libmmsysio-dev/examples/demo.sh
./usr/share/doc/libmmsysio-dev/examples/private_server.c
./usr/share/doc/libmmsysio-dev/examples/server.c
END
find man/man3 man/man7 -name '*.[37]' | sed 's|.*|./usr/share/&.gz|' >>"$scratch/expected"
sort "$scratch/expected" >"$scratch/expected-sorted"
sort "$scratch/files" | diff -u "$scratch/expected-sorted" - || fail "the files are not those expected"

library=$packages/libmmsysio1_${version}_$arch.deb
dpkg-deb -I "$library" | grep -q '^ Multi-Arch: same' || fail "not Multi-Arch: same"
dpkg-deb --ctrl-tarfile "$library" | tar -xO ./symbols | grep '^ mm_' >"$scratch/names" || :
grep '^ mm_' debian/libmmsysio1.symbols | diff - "$scratch/names" ||
	fail "the package's symbols are not those of debian/"
[ -e "$packages/libmmsysio1-dbgsym_${version}_$arch.deb" ] || fail "no package of debug symbols"

# Whatever is there afterwards must have been there before.
left() { find /usr /etc /var/lib/dpkg/info /var/cache/ldconfig -xdev -name '*mmsysio*' 2>/dev/null | sort; }
purge() { dpkg --purge libmmsysio1-dbgsym libmmsysio-dev libmmsysio1 >/dev/null 2>&1 || :; }
# Packages that somebody uses are not for a test to take away.
if dpkg -s libmmsysio1 >/dev/null 2>&1; then fail "libmmsysio1 is installed on this machine: purge it first"; fi
left >"$scratch/before"
trap 'purge; rm -rf "$scratch"' EXIT
dpkg -i "$packages"/libmmsysio*_"${version}_$arch".deb >"$scratch/log" 2>&1 || {
	cat "$scratch/log"
	fail "cannot be installed"
}
flags=$(pkg-config --cflags --libs mmsysio | xargs)
[ "$flags" = "-lmmsysio" ] || fail "pkg-config says $flags"
ldconfig -p | grep -q "libmmsysio.so.1 .*/$multiarch/" || fail "the loader does not know the library"

mkdir "$scratch/source"
dpkg-source -x "$packages/mmsysio_$version.dsc" "$scratch/source/tree" >/dev/null 2>&1
autopkgtest --no-built-binaries "$scratch/source/tree/" -- null \
	>"$scratch/log" 2>&1 || { tail -30 "$scratch/log"; fail "autopkgtest fails"; }
grep -E ' PASS|client and server talk' "$scratch/log"

purge
left | diff "$scratch/before" - || fail "purged, something is left"
if dpkg -l 'libmmsysio*' 2>/dev/null | grep -qE '^(ii|rc) '; then fail "purged, dpkg still knows it"; fi
echo "deb: built, without a word from lintian, installed, used, and gone again"
