/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link by AF_XDP: frames of one receive queue of an interface, in memory shared with the kernel (UMEM).
 *
 * The memory is of chunks of 4 KiB; some travel between the fill and the receive ring, the others are for sending. The
 * kernel is woken only where it asks for that. Where the driver can, frames are not copied; else the kernel copies.
 *
 * Unlike a link of snic_eth.h, it takes frames away from the kernel, and gets nothing but their bytes: what a local
 * sender leaves to its NIC (checksums, segmentation, VLAN tags) is missing. Frames that do not fit a chunk are counted
 * and gone. What the kernel will not send (the interface is down, its queue is full) waits, up to 1024 frames; further
 * ones are counted and gone.
 */
#ifndef SNIC_XDP_H
#define SNIC_XDP_H

#include "snic_xdp_hook.h"

/* 0, or a negative errno with `*link` unset. -ENOBUFS: beyond RLIMIT_MEMLOCK. */
int snic_xdp_open(const struct snic_interface *interface, const struct snic_xdp_hook *hook, uint32_t queue,
                  struct snic_link **link);

#endif
