#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks that find_package(mmsysio) defines the targets mmsysio::mmsysio and mmsysio::mmsysio_static in a relocated
# tree, and find_package(mmlib) mmlib::mmlib, that programs built with them run, and that other versions are rejected.
# Usage: cmake.sh INSTALLED-TREE VERSION
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
version=$2
cp -R "$1" "$scratch/moved"
mkdir "$scratch/project"
cat >"$scratch/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.13)
project(user C)
find_package(mmsysio ${WANTED} REQUIRED CONFIG)
find_package(mmsysio REQUIRED CONFIG)
add_executable(user user.c)
target_link_libraries(user PRIVATE mmsysio::mmsysio)
if(TARGET mmsysio::mmsysio_static)
  add_executable(static_user user.c)
  target_link_libraries(static_user PRIVATE mmsysio::mmsysio_static)
  add_executable(fully_static_user user.c)
  target_link_libraries(fully_static_user PRIVATE mmsysio::mmsysio_static -static)
endif()
file(WRITE ${CMAKE_BINARY_DIR}/found "${mmsysio_VERSION}")
END
cat >"$scratch/project/user.c" <<'END'
#include <mmsysio.h>
int main(void)
{
	int fds[2];
	return mm_ipc_connected_pair(fds) || mm_close(fds[0]) || mm_close(fds[1]);
}
END

configure() { # configure WANTED-VERSION
	rm -rf "$scratch/build"
	cmake -S "$scratch/project" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/moved" -DWANTED="$1" >"$scratch/log" 2>&1
}
fail() {
	echo "cmake: $1"
	cat "$scratch/log"
	exit 1
}

for wanted in "" "$version" "${version%%.*}"; do
	configure "$wanted" || fail "version '$wanted' is not found"
done
[ "$(cat "$scratch/build/found")" = "$version" ] || fail "the version found is $(cat "$scratch/build/found")"
cmake --build "$scratch/build" >"$scratch/log" 2>&1 || fail "the program cannot be built"
"$scratch/build/user" || fail "the program exited with status $?"
readelf -dW "$scratch/build/user" | grep -qF "$scratch/moved/lib" || fail "the program does not use the relocated tree"
for user in static_user fully_static_user; do
	"$scratch/build/$user" || fail "the program $user exited with status $?"
	if readelf -dW "$scratch/build/$user" | grep -q libmmsysio; then fail "the program $user needs the shared library"; fi
done
for unwanted in 0.9 "${version%%.*}.999" "$((${version%%.*} + 1))"; do
	if configure "$unwanted"; then fail "version $unwanted is found, although $version is installed"; fi
	grep -q 'compatible with requested' "$scratch/log" || fail "version $unwanted is rejected for another reason"
done

# find_package(mmlib).
mkdir "$scratch/mmlib"
cat >"$scratch/mmlib/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.13)
project(user C)
find_package(mmlib ${WANTED} REQUIRED CONFIG)
add_executable(user user.c)
target_link_libraries(user PRIVATE mmlib::mmlib)
END
cat >"$scratch/mmlib/user.c" <<'END'
#include <mmlib.h>
#include <mmsysio.h>
int main(void)
{
	return mm_basename(NULL, "a") != 1 || mm_close(mm_anon_shm());
}
END
for wanted in "" 1.4 1.4.2; do
	rm -rf "$scratch/build"
	cmake -S "$scratch/mmlib" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/moved" -DWANTED="$wanted" >"$scratch/log" 2>&1 ||
		fail "mmlib, version '$wanted', is not found"
done
cmake --build "$scratch/build" >"$scratch/log" 2>&1 || fail "the program of mmlib cannot be built"
"$scratch/build/user" || fail "the program of mmlib exited with status $?"
readelf -dW "$scratch/build/user" | grep -qF "$scratch/moved/lib" || fail "the program of mmlib does not use the relocated tree"
rm -rf "$scratch/build"
cmake -S "$scratch/mmlib" -B "$scratch/build" -Dmmlib_DIR="$scratch/moved/lib/cmake/mmlib" >"$scratch/log" 2>&1 ||
	fail "mmlib's own directory does not suffice to find it"
if cmake -S "$scratch/mmlib" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/moved" -DWANTED=2 >"$scratch/log" 2>&1; then
	fail "version 2 of mmlib is found"
fi

rm "$scratch/moved/lib/libmmsysio.a"
configure "" || fail "not found without the static library"
cmake --build "$scratch/build" >"$scratch/log" 2>&1 || fail "the program cannot be built without the static library"
[ ! -e "$scratch/build/static_user" ] || fail "the target of the static library exists although the library does not"
rm "$scratch/moved/lib/libmmsysio.so"
if configure ""; then fail "found although the library is missing"; fi
echo "cmake: find_package() finds mmsysio $version and mmlib in a relocated tree, and rejects other versions"
