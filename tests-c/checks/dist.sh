#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Creates the source tarball: the files in git, or those of the unpacked tarball in which it runs, and the crates in
# vendor/. The result is reproducible; its timestamp is SOURCE_DATE_EPOCH, or else the time of the last commit. Usage:
# dist.sh TARBALL (from the top of the sources)
set -eu
export LC_ALL=C

mkdir -p "$(dirname "$1")"
tarball=$(realpath "$1")
name=$(basename "$tarball" .tar.xz)
cargo=${CARGO:-cargo}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/$name
mkdir "$tree"

if [ -e .git ]; then
	epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
	git ls-files -z | tar -c --null -T - | tar -x -C "$tree"
else
	epoch=${SOURCE_DATE_EPOCH:-$(stat -c %Y Cargo.toml)}
	tar -c --exclude=./build --exclude=./target --exclude=./debian/cargo-home . | tar -x -C "$tree"
fi

if [ ! -e vendor ]; then
	(cd "$tree" && $cargo vendor --quiet --locked vendor >/dev/null)
	mkdir -p "$tree/.cargo"
	cat >"$tree/.cargo/config.toml" <<-'END'
	# The crates are in vendor/, so nothing is downloaded.
	[source.crates-io]
	replace-with = "vendored"

	[source.vendored]
	directory = "vendor"
	END

	# Most crates in Cargo.lock are needed only by `make header`. cargo requires all of them to be present, but
	# empty crates suffice.
	(cd "$tree" && $cargo tree --workspace --frozen --edges normal,build --prefix none) |
		sed 's/ v/ /; s/ (.*//' | sort -u >"$scratch/needed"
	for crate in "$tree"/vendor/*; do
		manifest=$crate/Cargo.toml
		# The original manifests from before cargo normalized them: they are not needed, and Debian's tools take
		# them for leftovers of patch.
		rm -f "$manifest.orig"
		sed -i 's/"Cargo.toml.orig":"[0-9a-f]*",\{0,1\}//' "$crate/.cargo-checksum.json"
		this=$(sed -n '/^\[package\]/,/^\[[a-z]/{ s/^name = "\(.*\)"/\1/p; }' "$manifest" | head -1)
		this="$this $(sed -n '/^\[package\]/,/^\[[a-z]/{ s/^version = "\(.*\)"/\1/p; }' "$manifest" | head -1)"
		! grep -qxF "$this" "$scratch/needed" || continue
		paths=$(sed -n -e 's/^path = "\(.*\.rs\)"/\1/p' -e 's/^build = "\(.*\)"/\1/p' "$manifest")
		find "$crate" -type f ! -path "$manifest" ! -name .cargo-checksum.json -delete
		for path in src/lib.rs $paths; do
			mkdir -p "$crate/$(dirname "$path")"
			: >"$crate/$path"
		done
		find "$crate" -mindepth 1 -type d -empty -delete
		sed -i 's/"files":{[^}]*}/"files":{}/' "$crate/.cargo-checksum.json"
	done
fi

tar -c -C "$scratch" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mode=u+rw,go+r,go-w,a-st,a+X \
	--mtime="@$epoch" "$name" | xz -6 -T1 >"$tarball.$$"
mv "$tarball.$$" "$tarball"
echo "dist: $tarball, $(stat -c %s "$tarball") bytes"
