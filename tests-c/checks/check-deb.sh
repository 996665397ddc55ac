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
mmlib=$(sed -n 's/^MMLIB_VERSION *:= *//p' mmlib/mmlib.mk)
mmlib_version=$mmlib+mmsysio$version
changes=$packages/mmsysio_${version}_$arch.changes

lintian --allow-root --fail-on error,warning --tag-display-limit 0 --info "$changes" || fail "lintian reports problems"

package() { # package NAME: its file
	case $1 in
	libmmlib1* | libmmlib-dev) echo "$packages/$1_${mmlib_version}_$arch.deb" ;;
	libmmlib-common | libmmsysio-doc) echo "$packages/$1_${version}_all.deb" ;;
	*) echo "$packages/$1_${version}_$arch.deb" ;;
	esac
}
for name in libmmsysio1 libmmlib1; do
	rm -rf "$scratch/symbols"
	mkdir -p "$scratch/symbols/debian"
	cp debian/control debian/changelog "$scratch/symbols/debian"
	dpkg-deb -R "$(package $name)" "$scratch/symbols/package"
	(
		symbols=$PWD/debian/$name.symbols
		cd "$scratch/symbols"
		dpkg-gensymbols -c4 -p$name -v"$(dpkg-deb -f "$(package $name)" Version)" -Ppackage -I"$symbols" -Oout 2>&1
	) || fail "dpkg-gensymbols reports differences in $name"
done

all="libmmsysio1 libmmsysio-dev libmmsysio-doc libmmlib1 libmmlib-dev libmmlib-common mmsysio-tools"
for name in $all; do
	dpkg-deb -c "$(package $name)" | awk '!/\/$/ { print $6 }' >>"$scratch/files"
done
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
./usr/include/mmargparse.h
./usr/include/mmdlfcn.h
./usr/include/mmlib.h
./usr/include/mmprofile.h
./usr/include/mmthread.h
./usr/lib/$multiarch/cmake/mmlib/mmlibConfig.cmake
./usr/lib/$multiarch/cmake/mmlib/mmlibConfigVersion.cmake
./usr/lib/$multiarch/libmmlib.so
./usr/lib/$multiarch/libmmlib.so.1
./usr/lib/$multiarch/libmmlib.so.$mmlib
./usr/lib/$multiarch/pkgconfig/mmlib.pc
./usr/share/doc/libmmlib-common/changelog.gz
./usr/share/doc/libmmlib-common/copyright
./usr/share/doc/libmmlib-dev/changelog.gz
./usr/share/doc/libmmlib-dev/copyright
./usr/share/doc/libmmlib-dev/examples/arguments.c
./usr/share/doc/libmmlib1/changelog.gz
./usr/share/doc/libmmlib1/copyright
./usr/share/lintian/overrides/libmmlib1
./usr/share/mmlib/mmlib.bash
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
find man/man3 man/man7 mmlib/man -name '*.[37]' | sed 's|.*man/\(man.*\)|./usr/share/man/\1.gz|' >>"$scratch/expected"
sort "$scratch/expected" >"$scratch/expected-sorted"
sort "$scratch/files" | diff -u "$scratch/expected-sorted" - || fail "the list of files differs"

for name in libmmsysio1 libmmlib1; do
	dpkg-deb -I "$(package $name)" | grep -q '^ Multi-Arch: same' || fail "$name is not Multi-Arch: same"
	dpkg-deb --ctrl-tarfile "$(package $name)" | tar -xO ./symbols | grep '^ _*mm_' >"$scratch/names" || :
	grep '^ _*mm_' debian/$name.symbols | diff - "$scratch/names" ||
		fail "the symbols of $name differ from those in debian/"
	[ -e "$(package $name-dbgsym)" ] || fail "the debug symbol package of $name is missing"
done
dpkg-deb -f "$(package libmmlib1)" Depends | grep -q "libmmsysio1 (>= " || fail "libmmlib1 does not depend on libmmsysio1"

# Any file that exists afterwards must have existed before.
left() { find /usr /etc /var/lib/dpkg/info /var/cache/ldconfig -xdev \( -name '*mmsysio*' -o -name '*mmipc*' -o -name '*mmlib*' \) 2>/dev/null | sort; }
purge() { dpkg --purge mmsysio-tools-dbgsym libmmsysio1-dbgsym libmmlib1-dbgsym $all >/dev/null 2>&1 || :; }
# A test must not remove packages that somebody uses.
for name in libmmsysio1 libmmlib1; do
	if dpkg -s $name >/dev/null 2>&1; then fail "$name is installed on this machine: purge it first"; fi
done
left >"$scratch/before"
trap 'purge; rm -rf "$scratch"' EXIT

# A package of mmlib's own version is replaced: its headers are those of libmmsysio-dev.
for name in libmmlib1 libmmlib-dev; do
	old=$scratch/old/$name
	mkdir -p "$old/DEBIAN" "$old/usr/include" "$old/usr/lib/$multiarch"
	[ $name = libmmlib1 ] || touch "$old/usr/include/mmsysio.h" "$old/usr/include/mmlib.h"
	[ $name = libmmlib-dev ] || touch "$old/usr/lib/$multiarch/libmmlib.so.1.2.2"
	printf '%s\n' "Package: $name" "Version: 1.4.2-1" "Architecture: $arch" "Multi-Arch: same" \
		"Maintainer: nobody <nobody@mmsysio.example>" "Description: stub of the package that is replaced" >"$old/DEBIAN/control"
	dpkg-deb -b "$old" "$old.deb" >/dev/null
done
dpkg -i "$scratch"/old/*.deb >"$scratch/log" 2>&1 || { cat "$scratch/log"; fail "the stubs of mmlib's packages cannot be installed"; }
# shellcheck disable=SC2046
dpkg -i --auto-deconfigure $(for name in $all; do package $name; done) >"$scratch/log" 2>&1 || {
	cat "$scratch/log"
	fail "the packages cannot be installed"
}
[ ! -e "/usr/lib/$multiarch/libmmlib.so.1.2.2" ] || fail "a file of the replaced package remains"
[ "$(pkg-config --modversion mmlib)" = "$mmlib" ] || fail "pkg-config finds mmlib $(pkg-config --modversion mmlib)"
flags=$(pkg-config --cflags --libs mmlib | xargs)
[ "$flags" = "-lmmlib" ] || fail "pkg-config prints $flags for mmlib"
flags=$(pkg-config --cflags --libs mmsysio | xargs)
[ "$flags" = "-lmmsysio" ] || fail "pkg-config prints $flags"
tests-c/checks/check-html.py /usr/share/doc/libmmsysio-doc/html src/mmsysio.map >"$scratch/log" || {
	cat "$scratch/log"
	fail "the HTML manual is damaged"
}
ldconfig -p | grep -q "libmmsysio.so.1 .*/$multiarch/" || fail "the dynamic loader does not find the library"

dpkg-deb -f "$(package mmsysio-tools)" Depends | grep -q "libmmsysio1 (>= 1\.1" ||
	fail "the tool does not depend on the version of the library that has its functions"
[ "$(mmipc --version)" = "mmipc $version" ] || fail "the installed tool does not run"

mkdir "$scratch/source"
dpkg-source -x "$packages/mmsysio_$version.dsc" "$scratch/source/tree" >/dev/null 2>&1
autopkgtest --no-built-binaries "$scratch/source/tree/" -- null \
	>"$scratch/log" 2>&1 || { tail -30 "$scratch/log"; fail "autopkgtest fails"; }
grep -E ' PASS|the examples work|: works' "$scratch/log"

purge
left | diff "$scratch/before" - || fail "files remain after the purge"
if dpkg -l 'libmmsysio*' 'libmmlib*' 2>/dev/null | grep -qE '^(ii|rc) '; then fail "dpkg still lists the package after the purge"; fi
echo "deb: built, accepted by lintian, installed, tested and purged"
