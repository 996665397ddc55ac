/* SPDX-License-Identifier: Apache-2.0 */
/* slots.h: taking the slots at which clients wait */
#ifndef SLOTS_H
#define SLOTS_H

#include "slot_address.h"
#include "suite.h"

/* A datagram socket bound to a slot, which no other process can bind then. */
static inline int occupy_slot(const char *name, unsigned slot)
{
	struct sockaddr_un address = slot_address(name, slot);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

#endif
