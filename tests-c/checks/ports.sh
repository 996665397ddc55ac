#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The C tests on other architectures, built with the cross compilers of Debian testing and emulated by qemu; programs of
# i386 run without emulation. Usage: ports.sh PORT... (from the top of the sources)
#
# Two more runs show what the emulation itself cannot do: native runs the tests of this machine, and control runs the
# same under the emulator. A test that passes natively and fails in the control fails because of the emulator. A test
# that fails on a port alone is either in ports.known, with its cause, or makes this check fail. A test whose cause
# begins with "it never ends" is not started.
set -eu
export LC_ALL=C

here=$(dirname "$0")
. "$here/chroot.sh"
known=$here/ports.known
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
results=$PWD/build/ports
rm -rf "$results"
mkdir -p "$results"

[ "$(uname -m)" = x86_64 ] || {
	echo "ports.sh: the control run needs an x86-64 machine" >&2
	exit 1
}
"$here/install-packages.sh" chroot
source_tarball "$scratch"
mv "$scratch"/libmmsysio-*.tar.xz "$scratch/sources.tar.xz"
cp "$here/port.sh" "$scratch"

# --- chroot --------------------------------------------------------------------------------------------------------

chroot_create ports testing
# A file that packages share has a different timestamp on each architecture. dpkg would treat it as another file.
echo 'path-exclude=/usr/share/info/*' >"$CHROOTS/ports/etc/dpkg/dpkg.cfg.d/ports"
for port; do
	chroot_run ports dpkg --add-architecture "$port"
done

# --- runs ----------------------------------------------------------------------------------------------------------

# Prints nothing if the port was run; otherwise why not.
run() {
	# shellcheck disable=SC2046
	chroot_install ports $("$here/port.sh" packages "$1") 2>"$results/$1.log" || {
		echo "its packages cannot be installed: $(tail -n 1 "$results/$1.log")"
		return
	}
	CHROOT_BIND=$scratch chroot_run_emulated ports /host/port.sh run "$1" /host/sources.tar.xz >"$results/$1.log" 2>&1 || {
		built=$CHROOTS/ports/srv/ports/$1.build
		cat "$built" >>"$results/$1.log" 2>/dev/null || :
		echo "it failed: $(grep -m 1 -e 'error' -e 'Error' "$results/$1.log" || tail -n 1 "$results/$1.log")"
		return
	}
	cp "$CHROOTS/ports/srv/ports/$1.results" "$CHROOTS/ports/srv/ports/$1.versions" "$results"
}

names() { # names ok|failed PORT
	sed -n "s/^$1 \([^ ]*\).*/\1/p" "$results/$2.results" | sort
}

# The lines of ports.known for $port.
known_here() {
	while read -r ports name cause; do
		case $name in '' | '#'*) continue ;; esac
		# shellcheck disable=SC2254
		case $port in $ports) echo "$ports $name $cause" ;; esac
	done <"$known"
}

failed=0
: >"$scratch/control-failures"
: >"$scratch/control-timeouts"
for port in native control "$@"; do
	echo "$port: $(date -u +%H:%M:%S)" >&2
	known_here | cut -d' ' -f2 | cat "$scratch/control-failures" - >"$scratch/expected-failures"
	known_here | sed -n 's/^[^ ]* \([^ ]*\) it never ends: .*/\1/p' |
		cat "$scratch/control-timeouts" - >"$scratch/tests-without-end"
	problem=$(run "$port")
	if [ -n "$problem" ]; then
		echo "$port: $problem; see $results/$port.log" >&2
		failed=1
		case $port in native | control) exit 1 ;; esac
	fi
	if [ "$port" = control ]; then
		names failed control >"$scratch/control-failures"
		sed -n 's/^failed \([^ ]*\) *Test timeout expired.*/\1/p' "$results/control.results" >"$scratch/control-timeouts"
	fi
done

# --- comparison ----------------------------------------------------------------------------------------------------

# The tests of this machine that pass; all of them must.
names ok native >"$scratch/all"
names failed native >"$scratch/failed.native"
while read -r name; do
	echo "native: $name fails: $(grep -F " $name " "$results/native.results" | cut -d' ' -f3-)"
	failed=1
done <"$scratch/failed.native"

[ -s "$scratch/all" ]

# What the emulator cannot do.
names ok control | comm -23 "$scratch/all" - >"$scratch/control"

: >"$scratch/applied"
: >"$scratch/used"
row='%-8s  %-44s  %6s  %6s  %6s  %6s\n'
# shellcheck disable=SC2059
printf "$row" port compilers passed "as in control" known new >"$scratch/table"
# shellcheck disable=SC2059
for port in native control "$@"; do
	[ -e "$results/$port.results" ] || {
		printf "$row" "$port" "not run" - - - - >>"$scratch/table"
		continue
	}
	names ok "$port" >"$scratch/passed"
	comm -23 "$scratch/all" "$scratch/passed" >"$scratch/failed"
	: >"$scratch/explained"
	known_here >"$scratch/known_here"
	while read -r ports name cause; do
		if [ -z "$cause" ]; then
			echo "ports.known: no cause is given for $name"
			failed=1
		fi
		case $port in native | control) continue ;; esac
		echo "$ports $name" >>"$scratch/applied"
		if grep -qxF -- "$name" "$scratch/failed"; then
			echo "$name" >>"$scratch/explained"
			echo "$ports $name" >>"$scratch/used"
		fi
	done <"$scratch/known_here"
	sort -o "$scratch/explained" "$scratch/explained"
	# Failures of a port that is not emulated are its own.
	: >"$scratch/as_control"
	! grep -q qemu "$results/$port.versions" || comm -12 "$scratch/failed" "$scratch/control" >"$scratch/as_control"
	comm -23 "$scratch/failed" "$scratch/as_control" | comm -12 - "$scratch/explained" >"$scratch/known"
	comm -23 "$scratch/failed" "$scratch/as_control" | comm -23 - "$scratch/explained" >"$scratch/new"
	while read -r name; do
		echo "$port: $name: $(grep -F " $name " "$results/$port.results" | cut -d' ' -f3- | grep . || echo 'it did not end')"
		failed=1
	done <"$scratch/new"
	printf "$row" "$port" "$(cat "$results/$port.versions")" "$(wc -l <"$scratch/passed")" \
		"$(wc -l <"$scratch/as_control")" "$(wc -l <"$scratch/known")" "$(wc -l <"$scratch/new")" >>"$scratch/table"
done
cp "$scratch/control" "$results/control.failed"
for list in applied used; do
	sort -u -o "$scratch/$list" "$scratch/$list"
done
comm -23 "$scratch/applied" "$scratch/used" | sed 's/^/ports.known: no longer needed: /'
cat "$scratch/table"
exit $failed
