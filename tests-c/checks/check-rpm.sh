#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks that each RPM package has the expected files, and provides and requires the expected names. Usage: check-rpm.sh
# DIRECTORY-OF-THE-PACKAGES
set -eu
export LC_ALL=C

packages=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
	echo "rpm: $1"
	exit 1
}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
mmlib=$(sed -n 's/^MMLIB_VERSION *:= *//p' mmlib/mmlib.mk)
one() {
	case $1 in
	mmlib*) find "$packages/RPMS" -name "$1-$mmlib+mmsysio$version-*.rpm" ;;
	*) find "$packages/RPMS" -name "$1-$version-*.rpm" ;;
	esac
}
libdir=$(rpm --eval '%{_libdir}')
docs=/usr/share/doc

contents() { # contents PACKAGE, the expected files on standard input
	sort >"$scratch/expected"
	# The many manual pages are not listed: rpmbuild fails if one is not packaged. Directories of build ids belong
	# to rpm, and some versions of rpm append the version to the names of documentation directories.
	rpm -qlp "$(one "$1")" 2>/dev/null | grep -vE '/\.build-id|^/usr/share/man/' |
		sed -E "s#^(/usr/share/(doc|licenses)/mmsysio(-devel|-doc|-tools)?)-$version#\1#; s#^(/usr/share/(doc|licenses)/mmlib(-devel)?)-$mmlib[^/]*#\1#" | sort | diff -u "$scratch/expected" - ||
		fail "the files of $1 differ from those expected"
}
licenses=/usr/share/licenses
contents mmsysio <<END
$libdir/libmmsysio.so.1
$libdir/libmmsysio.so.1.${version#*.}
$docs/mmsysio
$docs/mmsysio/CHANGELOG.md
$docs/mmsysio/COMPATIBILITY.md
$docs/mmsysio/README.md
$licenses/mmsysio
$licenses/mmsysio/LICENSE
END
contents mmsysio-devel <<END
$docs/mmsysio-devel
$docs/mmsysio-devel/examples
$docs/mmsysio-devel/examples/activated_server.c
$docs/mmsysio-devel/examples/client.c
$docs/mmsysio-devel/examples/demo.sh
$docs/mmsysio-devel/examples/epoll_server.c
$docs/mmsysio-devel/examples/frames.c
$docs/mmsysio-devel/examples/frames.h
$docs/mmsysio-devel/examples/group_server.c
$docs/mmsysio-devel/examples/private_server.c
$docs/mmsysio-devel/examples/reconnecting_client.c
$docs/mmsysio-devel/examples/server.c
/usr/include/mmerrno.h
/usr/include/mmipc.h
/usr/include/mmlog.h
/usr/include/mmpredefs.h
/usr/include/mmsysio.h
/usr/include/mmtime.h
$libdir/cmake/mmsysio
$libdir/cmake/mmsysio/mmsysioConfig.cmake
$libdir/cmake/mmsysio/mmsysioConfigVersion.cmake
$libdir/libmmsysio.so
$libdir/pkgconfig/mmsysio.pc
END
contents mmlib <<END
$libdir/libmmlib.so.1
$libdir/libmmlib.so.$mmlib
$licenses/mmlib
$licenses/mmlib/LICENSE
/usr/share/mmlib
/usr/share/mmlib/mmlib.bash
END
contents mmlib-devel <<END
$docs/mmlib-devel
$docs/mmlib-devel/examples
$docs/mmlib-devel/examples/arguments.c
/usr/include/mmargparse.h
/usr/include/mmdlfcn.h
/usr/include/mmlib.h
/usr/include/mmprofile.h
/usr/include/mmthread.h
$libdir/cmake/mmlib
$libdir/cmake/mmlib/mmlibConfig.cmake
$libdir/cmake/mmlib/mmlibConfigVersion.cmake
$libdir/libmmlib.so
$libdir/pkgconfig/mmlib.pc
END
contents mmsysio-tools <<END
/usr/bin/mmipc
/usr/share/bash-completion/completions/mmipc
/usr/share/fish/vendor_completions.d/mmipc.fish
$licenses/mmsysio-tools
$licenses/mmsysio-tools/LICENSE
/usr/share/zsh/site-functions/_mmipc
END
contents mmsysio-static <<END
$libdir/libmmsysio.a
END
{
	cat <<-END
		$docs/mmsysio-doc
		$docs/mmsysio-doc/html
		$docs/mmsysio-doc/html/index.html
		$docs/mmsysio-doc/html/search-index.js
		$docs/mmsysio-doc/html/search.js
		$docs/mmsysio-doc/html/style.css
		$licenses/mmsysio-doc
		$licenses/mmsysio-doc/LICENSE
	END
	# A page for each manual page, except for those that only link to another one.
	grep -L '^\.so ' man/man3/*.3 man/man7/*.7 mmlib/man/man3/*.3 mmlib/man/man7/*.7 | sed "s|.*/\(.*\)|$docs/mmsysio-doc/html/\1.html|"
} | contents mmsysio-doc
[ "$(rpm -qp --qf '%{ARCH}' "$(one mmsysio-doc)" 2>/dev/null)" = noarch ] || fail "-doc is not noarch"

provides() { # provides PACKAGE PATTERN
	rpm -qp --provides "$(one "$1")" 2>/dev/null | grep -qE "$2" || fail "$1 does not provide $2"
}
provides mmsysio '^libmmsysio\.so\.1\(MMLIB_1\.0\)'
provides mmsysio '^libmmsysio\.so\.1\(MMSYSIO_1\.1\)'
provides mmsysio '^bundled\(crate\(libc\)\)'
provides mmsysio-devel '^pkgconfig\(mmsysio\) = '"$version"
provides mmlib '^libmmlib\.so\.1\(MMLIB_1\.0\)'
provides mmlib-devel '^pkgconfig\(mmlib\) = 1\.4\.2'
rpm -qp --requires "$(one mmlib)" 2>/dev/null | grep -qE '^libmmsysio\.so\.1\(MMLIB_1\.0\)' ||
	fail "mmlib does not require the library"
provides mmsysio-tools '^bundled\(crate\(lexopt\)\)'
rpm -qp --requires "$(one mmsysio-tools)" 2>/dev/null | grep -qE '^libmmsysio\.so\.1\(MMSYSIO_1\.1\)' ||
	fail "the tool does not require the library"
rpm -qp --requires "$(one mmsysio-devel)" 2>/dev/null | grep -qE '^mmsysio.* = '"$version" ||
	fail "-devel does not require the library package"

cd "$scratch"
rpm2cpio "$(one mmsysio)" | cpio -idm --quiet
readelf -dW ".$libdir/libmmsysio.so.1" | grep -q 'SONAME.*libmmsysio\.so\.1' || fail "the library has a different SONAME"
[ -n "$(find "$packages/SRPMS" -name "mmsysio-$version-*.src.rpm")" ] || fail "the source package is missing"
echo "rpm: seven packages with the expected files and names"
