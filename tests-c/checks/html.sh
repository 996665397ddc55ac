#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The HTML manual is well-formed and complete, refers to nothing outside, and does not depend on the time, the locale or
# the directory in which it is made.
# Usage: html.sh MANUAL (from the top of the sources)
set -eu

python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

$python -B tests-c/checks/check-html.py "$1" src/mmsysio.map mmlib/src/mmlib.map
$python -B tests-c/checks/check-html.py --self-test "$1" src/mmsysio.map mmlib/src/mmlib.map

sources=$(pwd)
mkdir -p "$scratch/elsewhere/mmlib"
cp -R man include README.md Cargo.toml "$scratch/elsewhere"
cp -R mmlib/man mmlib/include "$scratch/elsewhere/mmlib"
(cd / && LC_ALL=C TZ=Pacific/Auckland SOURCE_DATE_EPOCH=1 HOME=/nonexistent PYTHONHASHSEED=1 PYTHONUTF8=0 \
	"$python" -B "$scratch/elsewhere/man/make-html.py" "$scratch/elsewhere" "$scratch/html")
diff -r "$sources/$1" "$scratch/html" || { echo "html: the manual differs if it is made in another directory"; exit 1; }
if grep -rqF "$scratch" "$scratch/html"; then
	echo "html: the name of a directory is in the manual"
	exit 1
fi
