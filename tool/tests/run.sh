#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the tests of the command-line tool, installed in the tree STAGE. Usage: run.sh STAGE [TEST...] (from the top of the
# sources)
set -eu

stage=$1
shift
export MMIPC="$stage/bin/mmipc" LD_LIBRARY_PATH="$stage/lib" PYTHONPATH=tool/tests
if [ $# -eq 0 ]; then
	exec "${PYTHON:-python3}" -B -m unittest discover -s tool/tests
fi
exec "${PYTHON:-python3}" -B -m unittest "$@"
