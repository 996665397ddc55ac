# SPDX-License-Identifier: Apache-2.0
# Functions for checks that need another release of Debian, to be sourced. They need root and debootstrap.
#
# A chroot is created once, in CHROOTS, and reused. Commands run in namespaces of their own: when the last process of a
# command ends, its mounts, processes and binfmt_misc entries are gone. The kernel kills these processes if the script
# ends before them: setpriv for unshare, and --kill-child for the others.

CHROOTS=${CHROOTS:-$PWD/build/chroots}

# chroot_begin CHECK
# Begins a check that writes its output to $log, and needs a directory for sources, $scratch, which is removed at its end.
chroot_begin() {
	chroot_check=$1
	[ "$(id -u)" -eq 0 ] || chroot_fail "root is required to create a chroot"
	tests-c/checks/install-packages.sh chroot
	tests-c/checks/install-packages.sh dist
	scratch=$CHROOTS/$chroot_check.sources log=$CHROOTS/$chroot_check.log
	rm -rf "$scratch"
	mkdir -p "$scratch"
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 1' INT
}

# chroot_fail WHY
chroot_fail() {
	echo "$chroot_check: $1" >&2
	exit 1
}

# chroot_show WHY
# The same, after the end of the log.
chroot_show() {
	grep -v "^cc " "$log" | tail -n 40 >&2
	chroot_fail "$1; the whole output is in $log"
}

# source_tarball DIRECTORY
# Puts the committed sources into DIRECTORY/source, and makes DIRECTORY/libmmsysio-VERSION.tar.xz from them. Where the
# sources are not in a repository but were unpacked from the tarball, all of them are used.
source_tarball() {
	if [ -e .git ]; then
		git clone --quiet . "$1/source"
		[ -z "$(git status --porcelain)" ] || echo "Changes that are not committed are not tested."
	else
		mkdir "$1/source"
		tar -c --exclude=./build --exclude=./target . | tar -x -C "$1/source"
	fi
	(cd "$1/source" && tests-c/checks/dist.sh "$1/libmmsysio-$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml).tar.xz")
}

# chroot_create NAME SUITE [PACKAGE...]
# Creates the chroot and installs the packages, unless that was done before. DEBIAN_MIRROR is the mirror, if not
# debootstrap's default. The new system is kept as an archive, from which other chroots of the suite are made.
chroot_create() {
	chroot_name=$1 chroot_suite=$2
	shift 2
	chroot_root=$CHROOTS/$chroot_name
	if [ ! -e "$chroot_root.created" ]; then
		chroot_bootstrap "$chroot_suite"
		chroot_remove "$chroot_name"
		mkdir -p "$chroot_root"
		tar -x -C "$chroot_root" -f "$CHROOTS/$chroot_suite.base.tar"
		touch "$chroot_root.created"
	fi
	[ $# -eq 0 ] || chroot_install "$chroot_name" "$@"
}

# chroot_remove NAME
chroot_remove() {
	rm -rf "${CHROOTS:?}/${1:?}" "$CHROOTS/$1.created" "$CHROOTS/$1.packages" "$CHROOTS/$1.log"
}

# chroot_bootstrap SUITE
# Creates the archive of a new system. debootstrap mounts /proc: the namespace removes the mount even if it is killed.
chroot_bootstrap() {
	chroot_base=$CHROOTS/$1.base
	[ ! -e "$chroot_base.tar" ] || return 0
	rm -rf "$chroot_base"
	mkdir -p "$chroot_base"
	setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc -- \
		debootstrap --variant=minbase "$1" "$chroot_base" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$chroot_base.log" 2>&1 || {
		tail -n 5 "$chroot_base.log" >&2
		return 1
	}
	# A mirror may be older than its release file permits.
	cat >"$chroot_base/etc/apt/apt.conf.d/99checks" <<-'EOF'
		Acquire::Check-Valid-Until "false";
		Acquire::Retries "3";
		APT::Install-Recommends "false";
	EOF
	printf '#!/bin/sh\nexit 101\n' >"$chroot_base/usr/sbin/policy-rc.d"
	chmod 755 "$chroot_base/usr/sbin/policy-rc.d"
	# Certification authorities that were added to this machine may be needed to reach a registry from it.
	if [ -e /usr/local/share/ca-certificates ]; then
		mkdir -p "$chroot_base/usr/local/share/ca-certificates"
		cp -R /usr/local/share/ca-certificates/. "$chroot_base/usr/local/share/ca-certificates"
	fi
	tar -c --one-file-system -C "$chroot_base" -f "$chroot_base.tar.$$" .
	rm -rf "$chroot_base"
	mv "$chroot_base.tar.$$" "$chroot_base.tar"
}

# chroot_install NAME PACKAGE...
# Installs the packages, unless the same list was installed before.
chroot_install() {
	chroot_name=$1
	shift
	chroot_list=$CHROOTS/$chroot_name.packages
	! grep -qxF -- "$*" "$chroot_list" 2>/dev/null || return 0
	chroot_run "$chroot_name" sh -c 'export DEBIAN_FRONTEND=noninteractive
		apt-get -q update && apt-get -q -y install "$@" && apt-get -q clean' sh "$@" \
		>"$CHROOTS/$chroot_name.log" 2>&1 || {
		tail -n 5 "$CHROOTS/$chroot_name.log" >&2
		return 1
	}
	echo "$*" >>"$chroot_list"
}

# chroot_run NAME COMMAND [ARGUMENT...]
# Runs the command as root of the chroot, in /. If CHROOT_OFFLINE is set, without network. CHROOT_BIND is a directory
# of the host that appears as /host, read-only. Of the environment, only proxies are passed on.
chroot_run() {
	chroot_name=$1
	shift
	setpriv --pdeathsig KILL unshare --mount --pid --ipc ${CHROOT_OFFLINE:+--net} --fork --kill-child -- \
		sh -eu -c "$chroot_script" sh "$CHROOTS/$chroot_name" "${CHROOT_BIND:-}" "$@"
}

# chroot_run_emulated NAME COMMAND [ARGUMENT...]
# The same, without network, in a user namespace that has the users of the host and a binfmt_misc of its own: what the
# command writes to /proc/sys/fs/binfmt_misc/register has no effect outside, and ends with the command.
chroot_run_emulated() {
	chroot_name=$1
	shift
	chroot_pipes=$(mktemp -d)
	mkfifo "$chroot_pipes/pid" "$chroot_pipes/mapped"
	# The shell continues when this process, which is privileged outside, has written the maps of users and groups.
	CHROOT_OFFLINE=1 CHROOT_BINFMT=1 setpriv --pdeathsig KILL unshare --user -- sh -eu -c '
		pipes=$1
		shift
		echo $$ >"$pipes/pid"
		read -r _ <"$pipes/mapped"
		exec setpriv --pdeathsig KILL unshare --mount --pid --ipc --net --fork --kill-child -- sh -eu -c "$@"
	' sh "$chroot_pipes" "$chroot_script" sh "$CHROOTS/$chroot_name" "${CHROOT_BIND:-}" "$@" &
	read -r chroot_pid <"$chroot_pipes/pid"
	echo '0 0 65536' >"/proc/$chroot_pid/uid_map"
	echo '0 0 65536' >"/proc/$chroot_pid/gid_map"
	echo >"$chroot_pipes/mapped"
	rm -r "$chroot_pipes"
	wait $!
}

# shellcheck disable=SC2016
chroot_script='
	root=$1 bind=$2
	shift 2
	mount --make-rprivate /
	# Tests mount filesystems, for which the root directory must be a mount point.
	mount --bind "$root" "$root"
	mount --rbind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	mount -t sysfs sysfs "$root/sys" 2>/dev/null || :
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	if [ -n "${CHROOT_BINFMT:-}" ]; then
		mount -t binfmt_misc binfmt_misc "$root/proc/sys/fs/binfmt_misc"
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	fi
	if [ -n "$bind" ]; then
		mkdir -p "$root/host"
		mount --bind "$bind" "$root/host"
		mount -o remount,bind,ro "$root/host"
	fi
	cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || :
	[ -z "${CHROOT_OFFLINE:-}" ] || ip link set lo up 2>/dev/null || :
	proxies=$(env | grep -E "^(http|https|ftp|all|no)_proxy=[^ ]*$" || :)
	# shellcheck disable=SC2086
	exec env -i $proxies PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb chroot "$root" "$@"
'
