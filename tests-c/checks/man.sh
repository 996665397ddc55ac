#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the manual pages: every function has one, with the prototype of the header; they are up to date with the
# headers, mandoc's lint reports nothing, every reference resolves, and their examples work with the installed library.
# Usage: man.sh STAGE (from the top of the sources)
set -eu
export LC_ALL=C

stage=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
export PKG_CONFIG_PATH="$stage/lib/pkgconfig" LD_LIBRARY_PATH="$stage/lib"

fail() {
	echo "man: $1"
	failures=$((failures + 1))
}

# --- up to date. The date of a package build is not that of the pages in the tree.
(
	unset SOURCE_DATE_EPOCH
	${PYTHON:-python3} -B man/make-pages.py mmsysio include man/pages "$scratch/mmsysio" \
		mmlib mmlib/include mmlib/man/pages "$scratch/mmlib"
	${PYTHON:-python3} -B man/make-function-list.py mmsysio include "$scratch/mmsysio_functions.7"
	${PYTHON:-python3} -B man/make-function-list.py mmlib mmlib/include "$scratch/mmlib_functions.7"
)
manual_of() { # the directory of the pages of a library
	[ "$1" = mmsysio ] && echo man || echo mmlib/man
}
for library in mmsysio mmlib; do
	manual=$(manual_of $library)
	diff -ru "$manual/man3" "$scratch/$library" >"$scratch/diff" ||
		fail "$manual/man3 is not what the headers and $manual/pages say: run 'make man'
$(head -40 "$scratch/diff")"
	cmp "$manual/man7/${library}_functions.7" "$scratch/${library}_functions.7" ||
		fail "$manual/man7/${library}_functions.7 does not list what the headers declare: run 'make man'"
done

# --- a page for every name. An alias is one line that names a page that is not an alias.
for library in mmsysio mmlib; do
	manual=$(manual_of $library)
	map=src/$library.map
	[ $library = mmsysio ] || map=$library/$map
	for name in $(sed -n 's/^ *\(_*mm_[a-z0-9_]*\);$/\1/p' "$map"); do
		[ -s "$manual/man3/$name.3" ] || fail "$name() has no page"
		grep -qx "\.It Xr $name 3" "$manual/man7/${library}_functions.7" ||
			fail "${library}_functions(7) does not list $name()"
	done
done
pages=""
for page in man/man3/*.3 man/man7/*.7 mmlib/man/man3/*.3 mmlib/man/man7/*.7; do
	manual=${page%/man[37]/*}
	target=$(sed -n 's/^\.so //p' "$page")
	if [ -z "$target" ]; then
		pages="$pages $page"
		continue
	fi
	[ "$(wc -l <"$page")" -eq 1 ] || fail "$page has more than the alias line"
	if [ ! -s "$manual/$target" ] || grep -q '^\.so' "$manual/$target"; then
		fail "$page is an alias of $target, which is not a page"
	elif ! grep -qx "\.Nm $(basename "$page" .3)\( ,\)\{0,1\}" "$manual/$target"; then
		fail "$page is an alias of $target, which does not name it"
	fi
done

# --- lint, except for references to pages of other packages, which need not be installed.
for page in $pages tool/man/mmipc.1; do
	mandoc -Tlint -Wstyle "$page" 2>/dev/null | grep -v 'referenced manual not found' >"$scratch/lint" || true
	[ ! -s "$scratch/lint" ] || fail "$(cat "$scratch/lint")"
done

# --- the synopsis, as rendered: it compiles after the header, and both are the same text after preprocessing,
# including the names of arguments.
normalised() { # C on stdin, its prototypes of mm_ functions on stdout, one a line
	tr '\n\t' '  ' | sed ':again; s/{[^{}]*}/;/g; t again' | tr ';' '\n' |
		sed -n 's/^ *//; s/^static //; s/^inline //; s/  */ /g
			s/ *\([*(),]\) */\1/g
			s/ $//; /^[^(]*[ *]_*mm_[a-z0-9_]*(.*)$/p'
}
for header in include/*.h mmlib/include/*.h; do
	printf '#include "%s"\n' "$(basename "$header")" >"$scratch/header.c"
	${CC:-cc} -E -P -D_GNU_SOURCE -Iinclude -Immlib/include "$scratch/header.c" | normalised
done | sort -u >"$scratch/declared"
: >"$scratch/shown"
for page in $pages; do
	mandoc -Tascii -O width=1000 "$page" 2>/dev/null | sed 's/.\x08//g' |
		sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed '1d;$d' >"$scratch/synopsis"
	grep -v '^ *#define' "$scratch/synopsis" >"$scratch/synopsis.c" || continue
	${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -Iinclude -Immlib/include "$scratch/synopsis.c" \
		2>"$scratch/errors" ||
		fail "the SYNOPSIS of $page differs from the header: $(cat "$scratch/errors")"
	# Only the part after the header's text.
	{
		grep '^ *#include' "$scratch/synopsis.c"
		echo 'char mm_begin_synopsis;'
		grep -v '^ *#include' "$scratch/synopsis.c" || true
	} >"$scratch/page.c"
	${CC:-cc} -E -P -D_GNU_SOURCE -Iinclude -Immlib/include "$scratch/page.c" | sed '1,/mm_begin_synopsis/d' |
		normalised >>"$scratch/shown"
done
sort "$scratch/shown" | uniq -d >"$scratch/twice"
[ ! -s "$scratch/twice" ] || fail "in the SYNOPSIS of two pages: $(cat "$scratch/twice")"
sort "$scratch/shown" | diff -u "$scratch/declared" - >"$scratch/diff" ||
	fail "SYNOPSIS sections (+) differ from the headers (-):
$(grep '^[-+][^-+]' "$scratch/diff")"

# --- references to pages of this package.
# shellcheck disable=SC2086
sed -n 's/^\.Xr \(_*mm_[a-z0-9_]*\|mmsysio[a-z_]*\|mmlib[a-z_]*\) \([0-9]\).*/\1 \2/p' $pages tool/man/mmipc.1 | sort -u | while read -r name section; do
	[ -s "man/man$section/$name.$section" ] || [ -s "mmlib/man/man$section/$name.$section" ] || echo "$name($section)"
done >"$scratch/dangling"
[ ! -s "$scratch/dangling" ] || fail "unresolved references in the pages: $(tr '\n' ' ' <"$scratch/dangling")"

# --- examples: compiled as documented, run in an empty directory, where they must leave nothing behind.
count=0
shared() { find /dev/shm -mindepth 1 -maxdepth 1 -name '*example*' 2>/dev/null || true; }
shared >"$scratch/shared"
for page in $pages; do
	name=$(basename "$page")
	[ "${name%_functions.7}" = "$name" ] || continue # a list
	library=mmsysio
	[ "${page#mmlib/}" = "$page" ] || library=mmlib
	# The programs of a page as they are shown; each begins with its first #include.
	awk '/^\.Sh / { examples = $2 == "EXAMPLES" }
	     /^\.Ed/ { inside = 0 }
	     inside { print }
	     examples && /^\.Bd/ { inside = 1 }' "$page" |
		sed 's/^\\&//; s/\\e/\\/g' >"$scratch/example.c"
	if ! grep -q '^int main' "$scratch/example.c"; then
		fail "$name has no program in EXAMPLES"
		continue
	fi
	# shellcheck disable=SC2046
	if ! ${CC:-cc} -O1 -Wall -Wextra -Werror "$scratch/example.c" $(pkg-config --cflags --libs $library) \
		-o "$scratch/example" 2>"$scratch/errors"; then
		fail "the example of $name does not compile: $(cat "$scratch/errors")"
		continue
	fi
	mkdir "$scratch/empty"
	(cd "$scratch/empty" && EXAMPLE_IN="$scratch/$name" timeout 10 ../example </dev/null) >"$scratch/output" 2>&1 ||
		fail "the example of $name exits with status $?: $(cat "$scratch/output")"
	left=$(find "$scratch/empty" -mindepth 1)
	[ -z "$left" ] || fail "the example of $name leaves files behind: $left"
	running=$(grep -lszF "EXAMPLE_IN=$scratch/$name" /proc/[0-9]*/environ || true)
	[ -z "$running" ] || fail "the example of $name leaves a process behind: $running"
	shared >"$scratch/shared-now"
	cmp -s "$scratch/shared" "$scratch/shared-now" || fail "the example of $name leaves shared memory behind"
	mv "$scratch/shared-now" "$scratch/shared"
	rm -rf "$scratch/empty"
	count=$((count + 1))
done

[ "$failures" -eq 0 ] || exit 1
echo "man: $(echo $pages | wc -w) pages for $(wc -l <"$scratch/declared") functions, with $count working examples"
