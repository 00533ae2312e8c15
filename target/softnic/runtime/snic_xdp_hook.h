/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The XDP program that leads each of an interface's receive queues to its AF_XDP socket, by bpf(2) alone.
 *
 * Threads: one. The program leaves the interface when the hook is closed, or with the process.
 */
#ifndef SNIC_XDP_HOOK_H
#define SNIC_XDP_HOOK_H

#include "snic_link.h"

struct snic_xdp_hook {
    int map;  /* queue -> socket */
    int link; /* holds the program on the interface */
};

/*
 * Puts the program on the interface, into its driver if that can, else behind it. What comes for a queue without a
 * socket goes on to the kernel. 0 or a negative errno, with nothing left open. -EBUSY: there is another XDP program.
 */
int snic_xdp_hook_open(const struct snic_interface *interface, struct snic_xdp_hook *hook);
int snic_xdp_hook_set(const struct snic_xdp_hook *hook, uint32_t queue, int socket);
void snic_xdp_hook_close(struct snic_xdp_hook *hook);

#endif
