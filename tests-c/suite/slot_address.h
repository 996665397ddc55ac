/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot_address.h: the addresses at which clients wait, computed independently: they are the same in all versions of the
 * library
 */
#ifndef SLOT_ADDRESS_H
#define SLOT_ADDRESS_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SLOTS 255
#define FRONT_SLOTS 4

/* A datagram socket with this name is a slot; a stream socket is an anchor, if the slot is a front slot. */
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

#endif
