/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Linux interface as one worker sees it, whichever way its frames cross: snic_eth.h and snic_xdp.h are the kinds.
 *
 * Threads: a link belongs to one thread. Counts have one writer, their link's owner, and may be read by any; only what
 * the kernel lost is asked for by the reader.
 */
#ifndef SNIC_LINK_H
#define SNIC_LINK_H

#include <stdatomic.h>

#include "snic_worker.h"

struct snic_port_stats {
    uint64_t rx_packets, rx_bytes, rx_dropped;
    uint64_t tx_packets, tx_bytes, tx_dropped;
};

struct snic_link_counts {
    _Atomic uint64_t rx_packets, rx_bytes, rx_dropped;
    _Atomic uint64_t tx_packets, tx_bytes, tx_dropped;
    _Atomic uint64_t rx_lost_by_kernel; /* written by readers */
};

static inline void snic_add(_Atomic uint64_t *count, uint64_t by)
{
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + by, memory_order_relaxed);
}

struct snic_link {
    const struct snic_link_kind *kind;
    int fd; /* readable while `receive` has something to do */
    struct snic_link_counts counts;
};

struct snic_link_kind {
    /* Up to `room` frames, without blocking. The caller may overwrite them until `release`, which follows each call. */
    uint32_t (*receive)(struct snic_link *link, uint32_t port, struct snic_frame *frames, uint32_t room);
    void (*release)(struct snic_link *link);
    /* Copies the frame into the batch, which goes out when it is full or flushed. */
    void (*send)(struct snic_link *link, const uint8_t *data, uint32_t length);
    /* Returns how many frames the kernel did not take: they wait for the next flush, neither sent nor lost so far. */
    uint32_t (*flush)(struct snic_link *link);
    /* How many frames the kernel lost before `receive` could see them, since the last call. From any thread. */
    uint64_t (*lost_by_kernel)(struct snic_link *link);
    void (*close)(struct snic_link *link);
};

/* What `receive` returned counts as received, or, if the port is down, as lost. */
static inline void snic_link_accept(struct snic_link *link, const struct snic_frame *frames, uint32_t count)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < count; i++)
        bytes += frames[i].length;
    snic_add(&link->counts.rx_packets, count);
    snic_add(&link->counts.rx_bytes, bytes);
}

static inline void snic_link_refuse(struct snic_link *link, uint32_t count)
{
    snic_add(&link->counts.rx_dropped, count);
}

/* Adds the sums so far. From any thread; `link` may be NULL for counts that have no kernel behind them. */
void snic_link_sum(struct snic_link *link, struct snic_link_counts *counts, struct snic_port_stats *stats);

struct snic_interface {
    unsigned index;
    uint32_t mtu;
    uint32_t receive_queues; /* in use; 1 where it can't say */
};

/* 0, or -ENODEV: no such interface; -EMEDIUMTYPE: its frames have no Ethernet header; another negative errno. */
int snic_interface_find(const char *name, struct snic_interface *interface);

#endif
