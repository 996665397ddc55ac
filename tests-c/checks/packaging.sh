#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks that version, names, bundled crates and files in the packaging match the sources. Usage: packaging.sh (from the
# top of the sources)
set -eu
export LC_ALL=C

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
fail() {
	echo "packaging: $1"
	failures=$((failures + 1))
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
debian=$(sed -n '1s/^mmsysio (\([^)]*\)).*/\1/p' debian/changelog)
[ "$debian" = "$version" ] || fail "debian/changelog has version $debian, Cargo.toml $version"
spec=$(sed -n 's/^Version: *//p' rpm/mmsysio.spec | head -1)
[ "$spec" = "$version" ] || fail "rpm/mmsysio.spec has version $spec, Cargo.toml $version"
sed -n '/^%changelog/,$p' rpm/mmsysio.spec | sed -n '2p' | grep -q -e "- $version-" ||
	fail "the newest changelog entry of the spec is not for $version"
changelog=$(sed -n 's/^## \[\{0,1\}\([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -1)
[ "$changelog" = "$version" ] || fail "CHANGELOG.md has version $changelog, Cargo.toml $version"

for file in debian/libmmsysio1.symbols debian/libmmlib1.symbols; do
	tests-c/checks/symbols.sh $file >"$scratch/symbols"
	diff -u $file "$scratch/symbols" || fail "$file differs from the map: run 'make debian-symbols'"
done
grep -qx "%global mmsysio_version $version" rpm/mmsysio.spec || fail "mmsysio_version in the spec is not $version"
mmlib=$(sed -n 's/^MMLIB_VERSION *:= *//p' mmlib/mmlib.mk)
grep -q "^Version: *$mmlib+mmsysio%{mmsysio_version}\$" rpm/mmsysio.spec || fail "the spec has another version of mmlib than $mmlib"

rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
for file in debian/control rpm/mmsysio.spec; do
	grep -qE "cargo .*>= $rust" $file || fail "$file does not require cargo $rust"
	grep -qE "rust(c)? .*>= $rust" $file || fail "$file does not require rustc $rust"
done
# bundled CRATE RANGE: the crates that are linked into CRATE are those of the lines of the spec between these expressions.
bundled() {
	sed -n "$2 s/^Provides: *bundled(crate(\(.*\))) = \(.*\)/\1 \2/p" rpm/mmsysio.spec | sort >"$scratch/provided"
	${CARGO:-cargo} tree --locked -p "$1" -e normal --prefix none | sed '1d; s/ v/ /; s/ (.*//' | sort -u >"$scratch/linked"
	diff -u "$scratch/linked" "$scratch/provided" || fail "the crates of $1 in the spec differ from those of Cargo.lock"
}
bundled mmsysio '1,/^%package/'
bundled mmipc '/^%package tools/,/^%package/'
bundled mmlib '/^%package -n mmlib$/,/^%package -n mmlib-devel/'

for header in include/*.h mmlib/include/*.h; do
	grep -q "^%{_includedir}/$(basename "$header")\$" rpm/mmsysio.spec || fail "the spec does not list $header"
done
[ "$failures" -eq 0 ] || exit 1
echo "packaging: all versions are $version, with the $(grep -c '^ mm_' debian/libmmsysio1.symbols) names of the map, and $(grep -c '^ _*mm_' debian/libmmlib1.symbols) of libmmlib"
