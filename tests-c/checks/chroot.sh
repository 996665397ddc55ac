# SPDX-License-Identifier: Apache-2.0
# Functions for checks that need another release of Debian, to be sourced. They need root and debootstrap.
#
# A chroot is created once, in CHROOTS, and reused. Commands run in namespaces of their own: when the last process of a
# command ends, its mounts, processes and binfmt_misc entries are gone.

CHROOTS=${CHROOTS:-$PWD/build/chroots}

# chroot_create NAME SUITE [PACKAGE...]
# Creates the chroot and installs the packages, unless that was done before. DEBIAN_MIRROR is the mirror, if not
# debootstrap's default.
chroot_create() {
	chroot_name=$1 chroot_suite=$2
	shift 2
	chroot_root=$CHROOTS/$chroot_name
	if [ ! -e "$chroot_root.created" ]; then
		rm -rf "$chroot_root"
		mkdir -p "$chroot_root"
		debootstrap --variant=minbase "$chroot_suite" "$chroot_root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} \
			>"$chroot_root.log" 2>&1 || {
			tail -n 5 "$chroot_root.log" >&2
			return 1
		}
		# A mirror may be older than its release file permits.
		cat >"$chroot_root/etc/apt/apt.conf.d/99checks" <<-'EOF'
			Acquire::Check-Valid-Until "false";
			Acquire::Retries "3";
			APT::Install-Recommends "false";
		EOF
		printf '#!/bin/sh\nexit 101\n' >"$chroot_root/usr/sbin/policy-rc.d"
		chmod 755 "$chroot_root/usr/sbin/policy-rc.d"
		touch "$chroot_root.created"
	fi
	[ $# -eq 0 ] || chroot_install "$chroot_name" "$@"
}

# chroot_install NAME PACKAGE...
chroot_install() {
	chroot_name=$1
	shift
	chroot_list=$CHROOTS/$chroot_name.packages
	[ "$(cat "$chroot_list" 2>/dev/null)" != "$*" ] || return 0
	chroot_run "$chroot_name" sh -c 'export DEBIAN_FRONTEND=noninteractive
		apt-get -q update && apt-get -q -y install "$@" && apt-get -q clean' sh "$@" \
		>"$CHROOTS/$chroot_name.log" 2>&1 || {
		tail -n 5 "$CHROOTS/$chroot_name.log" >&2
		return 1
	}
	echo "$*" >"$chroot_list"
}

# chroot_run NAME COMMAND [ARGUMENT...]
# Runs the command as root of the chroot, in /. If CHROOT_OFFLINE is set, without network. CHROOT_BIND is a directory
# of the host that appears as /host, read-only.
chroot_run() {
	chroot_name=$1
	shift
	unshare --mount --pid --ipc ${CHROOT_OFFLINE:+--net} --fork --kill-child -- sh -eu -c '
		root=$1 bind=$2
		shift 2
		mount --make-rprivate /
		mount --rbind /dev "$root/dev"
		mount -t proc proc "$root/proc"
		mount -t sysfs sysfs "$root/sys" 2>/dev/null || :
		mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
		if [ -n "$bind" ]; then
			mkdir -p "$root/host"
			mount --bind "$bind" "$root/host"
			mount -o remount,bind,ro "$root/host"
		fi
		cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || :
		[ -z "${CHROOT_OFFLINE:-}" ] || ip link set lo up 2>/dev/null || :
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb chroot "$root" "$@"
	' sh "$CHROOTS/$chroot_name" "${CHROOT_BIND:-}" "$@"
}
