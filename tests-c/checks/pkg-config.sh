#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks that the pkg-config file is valid and relocatable, and lists the private libraries that rustc reports. Usage:
# pkg-config.sh INSTALLED-TREE FILE-WITH-RUSTC'S-LIBRARIES
set -eu

tree=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
	echo "pkg-config: $1"
	exit 1
}

cp -R "$tree" "$scratch/moved"
export PKG_CONFIG_PATH="$scratch/moved/lib/pkgconfig"
file=$PKG_CONFIG_PATH/mmsysio.pc
# Only pkgconf has --validate; the other implementation checks the file whenever it is queried.
! pkg-config --help | grep -q -e --validate || pkg-config --validate mmsysio || fail "pkgconf finds $file invalid"
pkg-config --print-errors --exists mmsysio || fail "$file cannot be used"
for field in Name Description Version Libs Libs.private Cflags; do
	grep -q "^$field: ." "$file" || fail "$file has no $field"
done
if grep -q '@[A-Z]' "$file"; then fail "a placeholder in $file was not replaced"; fi
[ "$(grep -c "^[a-z]*dir=\${prefix}/" "$file")" -eq 2 ] || fail "directories are not relative to the prefix in $file"

flags=$(pkg-config --define-prefix --cflags --libs mmsysio)
[ "$flags" = "-I$scratch/moved/include -L$scratch/moved/lib -lmmsysio" ] ||
	[ "$flags" = "-I$scratch/moved/include -L$scratch/moved/lib -lmmsysio " ] || fail "after relocation, the flags are $flags"

# The C compiler adds gcc_s and c itself, in the shared or static form.
tr ' ' '\n' <"$2" | grep -e '^-l' | grep -vx -e -lgcc_s -e -lc | sort -u >"$scratch/rustc"
sed -n 's/^Libs.private: *//p' "$file" | tr ' ' '\n' | sed '/^$/d' | sort >"$scratch/private"
diff "$scratch/rustc" "$scratch/private" || fail "Libs.private differs from the list that rustc reports"
# That of mmlib, as mmlib itself installs it.
sed -n '/^[A-Z]/p' "$scratch/moved/lib/pkgconfig/mmlib.pc" >"$scratch/mmlib.pc"
cat >"$scratch/expected.pc" <<'END'
Name: mmlib
Description: mmlib: mmlib
Version: 1.4.2
Libs: -L${libdir} -lmmlib
Cflags: -I${includedir}
END
diff -u "$scratch/expected.pc" "$scratch/mmlib.pc" || fail "mmlib.pc differs from that of mmlib"
flags=$(pkg-config --define-prefix --cflags --libs mmlib | xargs)
[ "$flags" = "-I$scratch/moved/include -L$scratch/moved/lib -lmmlib" ] || fail "after relocation, mmlib's flags are $flags"
echo "pkg-config: mmsysio.pc is valid, relocatable, and lists $(wc -l <"$scratch/private") private libraries"
