#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the files of the hosted CI against the schema in check-jsonschema, without network if that is installed.
# Otherwise it is installed below build/ from PyPI; if that fails, the check is skipped. Usage: check-ci-file.sh
set -eu
cd "$(dirname "$0")/.."

VERSION=0.39.0
PYTHON=${PYTHON:-python3}
venv=build/check-jsonschema

if command -v check-jsonschema >/dev/null 2>&1; then
	check="check-jsonschema"
else
	check=$venv/bin/check-jsonschema
	if ! "$check" --version >/dev/null 2>&1; then
		rm -rf "$venv"
		mkdir -p build
		if ! { "$PYTHON" -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 0 \
			--timeout 10 "check-jsonschema==$VERSION"; } >"$venv.log" 2>&1; then
			rm -rf "$venv"
			echo "check-ci-file: SKIPPED, check-jsonschema is not installed, and installing it failed (see $venv.log)"
			exit 0
		fi
	fi
fi
exec "$check" --builtin-schema vendor.github-workflows .github/workflows/*.yml
