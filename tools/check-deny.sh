#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the crates in Cargo.lock against deny.toml: licences, sources, duplicates. Requires cargo-deny, which is not
# installed automatically since it takes minutes to compile; without it, the check is skipped. Usage: check-deny.sh
set -eu
cd "$(dirname "$0")/.."

CARGO=${CARGO:-cargo}

if ! "$CARGO" deny --version >/dev/null 2>&1; then
	echo "check-deny: SKIPPED, cargo-deny is not installed (cargo install cargo-deny --locked)"
	exit 0
fi
# The checks look into the sources of all crates, also of those that are for other systems.
# shellcheck disable=SC2086
"$CARGO" fetch ${CARGO_FLAGS:---locked} --quiet
# Advisories are not checked, since they require a database from the network.
exec "$CARGO" deny --offline --locked check bans licenses sources
