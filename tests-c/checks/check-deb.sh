#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tests the Debian packages: lintian reports nothing; symbols, hardening and files are as expected; with the packages
# installed, the examples compile and run under autopkgtest; after a purge, no file remains. Requires root, and a
# machine without mmlib's packages. Usage: check-deb.sh DIRECTORY-OF-THE-PACKAGES
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

packages=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
	echo "deb: $1"
	exit 1
}
[ "$(id -u)" -eq 0 ] || fail "root is required to install packages"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
arch=$(dpkg --print-architecture)
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
changes=$packages/mmsysio_${version}_$arch.changes

lintian --allow-root --fail-on error,warning --tag-display-limit 0 --info "$changes" || fail "lintian reports problems"
mkdir -p "$scratch/symbols/debian"
cp debian/control debian/changelog "$scratch/symbols/debian"
dpkg-deb -R "$packages/libmmsysio1_${version}_$arch.deb" "$scratch/symbols/package"
(
	symbols=$PWD/debian/libmmsysio1.symbols
	cd "$scratch/symbols"
	dpkg-gensymbols -c4 -plibmmsysio1 -v"$version" -Ppackage -I"$symbols" -Oout 2>&1
) || fail "dpkg-gensymbols reports differences"

dpkg-deb -c "$packages/libmmsysio1_${version}_$arch.deb" | awk '!/\/$/ { print $6 }' | sort >"$scratch/files"
dpkg-deb -c "$packages/libmmsysio-dev_${version}_$arch.deb" | awk '!/\/$/ { print $6 }' | sort >>"$scratch/files"
dpkg-deb -c "$packages/libmmsysio-doc_${version}_all.deb" | awk '!/\/$/ { print $6 }' | sort >>"$scratch/files"
dpkg-deb -c "$packages/mmsysio-tools_${version}_$arch.deb" | awk '!/\/$/ { print $6 }' | sort >>"$scratch/files"
cat >"$scratch/expected" <<END
./usr/lib/$multiarch/libmmsysio.so.1
./usr/lib/$multiarch/libmmsysio.so.1.${version#*.}
./usr/share/doc/libmmsysio1/changelog.gz
./usr/share/doc/libmmsysio1/copyright
./usr/include/mmerrno.h
./usr/include/mmipc.h
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
./usr/share/doc/libmmsysio-dev/examples/activated_server.c
./usr/share/doc/libmmsysio-dev/examples/client.c
./usr/share/doc/libmmsysio-dev/examples/demo.sh
./usr/share/doc/libmmsysio-dev/examples/epoll_server.c
./usr/share/doc/libmmsysio-dev/examples/frames.c
./usr/share/doc/libmmsysio-dev/examples/frames.h
./usr/share/doc/libmmsysio-dev/examples/group_server.c
./usr/share/doc/libmmsysio-dev/examples/private_server.c
./usr/share/doc/libmmsysio-dev/examples/reconnecting_client.c
./usr/share/doc/libmmsysio-dev/examples/server.c
./usr/share/doc-base/libmmsysio-doc.libmmsysio
./usr/share/doc/libmmsysio-doc/changelog.gz
./usr/share/doc/libmmsysio-doc/copyright
./usr/share/doc/libmmsysio-doc/html/index.html
./usr/share/doc/libmmsysio-doc/html/search-index.js
./usr/share/doc/libmmsysio-doc/html/search.js
./usr/share/doc/libmmsysio-doc/html/style.css
./usr/bin/mmipc
./usr/share/bash-completion/completions/mmipc
./usr/share/doc/mmsysio-tools/changelog.gz
./usr/share/doc/mmsysio-tools/copyright
./usr/share/fish/vendor_completions.d/mmipc.fish
./usr/share/man/man1/mmipc.1.gz
./usr/share/zsh/vendor-completions/_mmipc
END
# A page for each manual page, except for those that only link to another one.
grep -L '^\.so ' man/man3/*.3 man/man7/*.7 mmlib/man/man3/*.3 mmlib/man/man7/*.7 | sed 's|.*/\(.*\)|./usr/share/doc/libmmsysio-doc/html/\1.html|' \
	>>"$scratch/expected"
find man/man3 man/man7 -name '*.[37]' | sed 's|.*|./usr/share/&.gz|' >>"$scratch/expected"
sort "$scratch/expected" >"$scratch/expected-sorted"
sort "$scratch/files" | diff -u "$scratch/expected-sorted" - || fail "the list of files differs"

library=$packages/libmmsysio1_${version}_$arch.deb
dpkg-deb -I "$library" | grep -q '^ Multi-Arch: same' || fail "not Multi-Arch: same"
dpkg-deb --ctrl-tarfile "$library" | tar -xO ./symbols | grep '^ mm_' >"$scratch/names" || :
grep '^ mm_' debian/libmmsysio1.symbols | diff - "$scratch/names" ||
	fail "the package's symbols differ from those in debian/"
[ -e "$packages/libmmsysio1-dbgsym_${version}_$arch.deb" ] || fail "the debug symbol package is missing"

# Any file that exists afterwards must have existed before.
left() { find /usr /etc /var/lib/dpkg/info /var/cache/ldconfig -xdev \( -name '*mmsysio*' -o -name '*mmipc*' \) 2>/dev/null | sort; }
purge() { dpkg --purge mmsysio-tools-dbgsym mmsysio-tools libmmsysio1-dbgsym libmmsysio-doc libmmsysio-dev libmmsysio1 >/dev/null 2>&1 || :; }
# A test must not remove packages that somebody uses.
if dpkg -s libmmsysio1 >/dev/null 2>&1; then fail "libmmsysio1 is installed on this machine: purge it first"; fi
left >"$scratch/before"
trap 'purge; rm -rf "$scratch"' EXIT
dpkg -i "$packages"/libmmsysio*_"${version}_$arch".deb "$packages/libmmsysio-doc_${version}_all.deb" \
	"$packages/mmsysio-tools_${version}_$arch.deb" \
	>"$scratch/log" 2>&1 || {
	cat "$scratch/log"
	fail "the packages cannot be installed"
}
flags=$(pkg-config --cflags --libs mmsysio | xargs)
[ "$flags" = "-lmmsysio" ] || fail "pkg-config prints $flags"
tests-c/checks/check-html.py /usr/share/doc/libmmsysio-doc/html src/mmsysio.map >"$scratch/log" || {
	cat "$scratch/log"
	fail "the HTML manual is damaged"
}
ldconfig -p | grep -q "libmmsysio.so.1 .*/$multiarch/" || fail "the dynamic loader does not find the library"

dpkg-deb -f "$packages/mmsysio-tools_${version}_$arch.deb" Depends | grep -q "libmmsysio1 (>= 1\.1" ||
	fail "the tool does not depend on the version of the library that has its functions"
[ "$(mmipc --version)" = "mmipc $version" ] || fail "the installed tool does not run"

mkdir "$scratch/source"
dpkg-source -x "$packages/mmsysio_$version.dsc" "$scratch/source/tree" >/dev/null 2>&1
autopkgtest --no-built-binaries "$scratch/source/tree/" -- null \
	>"$scratch/log" 2>&1 || { tail -30 "$scratch/log"; fail "autopkgtest fails"; }
grep -E ' PASS|the examples work' "$scratch/log"

purge
left | diff "$scratch/before" - || fail "files remain after the purge"
if dpkg -l 'libmmsysio*' 2>/dev/null | grep -qE '^(ii|rc) '; then fail "dpkg still lists the package after the purge"; fi
echo "deb: built, accepted by lintian, installed, tested and purged"
