/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link by AF_PACKET: a memory-mapped receive ring, and a sender.
 *
 * The ring is TPACKET_V2: version 3 hands over whole blocks, so that a frame on a quiet link waits for a timer, which
 * TCP feels; version 2 hands over each frame as it comes. Each slot has SNIC_HEADROOM in front of the frame
 * (PACKET_RESERVE), so that programs work on the frame where the kernel put it. What does not fit a slot (a sender's
 * unsegmented TCP, or all once the MTU was raised) comes through the socket's queue.
 *
 * With several workers each has its own link in a fanout group (packet(7)): the kernel spreads flows by hash and keeps
 * each flow's order.
 */
#ifndef SNIC_ETH_H
#define SNIC_ETH_H

#include "snic_link.h"

/*
 * Opens the interface, promiscuously. `fanout`: NULL; or the number of the group to join, 0 to make one and be told.
 * 0, or a negative errno with `*link` unset.
 */
int snic_eth_open(const struct snic_interface *interface, uint16_t *fanout, struct snic_link **link);

#endif
