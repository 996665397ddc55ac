/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots.h: the addresses at which clients wait, computed independently: they are the same in all versions of the
 * library
 */
#ifndef SLOTS_H
#define SLOTS_H

#include "suite.h"

#include <sys/socket.h>
#include <sys/un.h>

static inline struct sockaddr_un slot_address(const char *name, unsigned slot)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	uint64_t hash = 0xcbf29ce484222325;
	char padded[108] = "";

	memcpy(padded + 1, name, strlen(name));
	for (size_t i = 0; i < sizeof(padded); i++)
		hash = (hash ^ (unsigned char)padded[i]) * 0x100000001b3;
	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "mmsysio-waiting/%016llx/%02x",
	         (unsigned long long)hash, slot);
	return address;
}

/* A datagram socket bound to a slot, which no other process can bind then. */
static inline int occupy_slot(const char *name, unsigned slot)
{
	struct sockaddr_un address = slot_address(name, slot);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

#endif
