/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "snic_xdp.h"

#include <errno.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#define CHUNK_BYTES 4096u
#define RX_CHUNKS 4096u /* powers of 2, as all sizes of rings */
#define TX_CHUNKS 1024u
#define UMEM_BYTES ((size_t)(RX_CHUNKS + TX_CHUNKS) * CHUNK_BYTES)
/* Code that looks a few bytes past the last frame must find memory. */
#define UMEM_MAPPED_BYTES (UMEM_BYTES + CHUNK_BYTES)
/* The kernel sends no more than about this many at a time, by copying. */
#define KICK_FRAMES 32u

/* One producer, one consumer, one of them the kernel. `head` is our own position: as producer or as consumer. */
struct ring {
    _Atomic uint32_t *producer, *consumer, *flags;
    void *entries;
    uint32_t mask;
    uint32_t head;
    void *mapped;
    size_t mapped_bytes;
};

struct xdp {
    struct snic_link link;
    uint8_t *umem;
    struct ring fill, completion, rx, tx;
    uint32_t taken;   /* of the receive ring, by `receive`, and not yet released */
    uint32_t counted; /* position in the ring of frames to send: those before it are counted */
    uint32_t free_count;
    uint64_t free_chunks[TX_CHUNKS]; /* offsets in umem */
    _Atomic uint64_t lost_before;
};

static struct xdp *of(struct snic_link *link)
{
    return (struct xdp *)link;
}

static uint32_t produced(const struct ring *ring)
{
    return atomic_load_explicit(ring->producer, memory_order_acquire);
}

static void publish(_Atomic uint32_t *position, uint32_t value)
{
    atomic_store_explicit(position, value, memory_order_release);
}

static bool asks_for_wakeup(const struct ring *ring)
{
    return atomic_load_explicit(ring->flags, memory_order_relaxed) & XDP_RING_NEED_WAKEUP;
}

static uint64_t *address_at(const struct ring *ring, uint32_t position)
{
    return (uint64_t *)ring->entries + (position & ring->mask);
}

static struct xdp_desc *descriptor_at(const struct ring *ring, uint32_t position)
{
    return (struct xdp_desc *)ring->entries + (position & ring->mask);
}

/* ---- opening ---- */

static int map_ring(int fd, struct ring *ring, const struct xdp_ring_offset *offset, uint32_t size, size_t entry_bytes,
                    off_t page_offset)
{
    size_t bytes = offset->desc + size * entry_bytes;
    uint8_t *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, page_offset);

    if (mapped == MAP_FAILED)
        return -errno;
    *ring = (struct ring){
        .producer = (void *)(mapped + offset->producer),
        .consumer = (void *)(mapped + offset->consumer),
        .flags = (void *)(mapped + offset->flags),
        .entries = mapped + offset->desc,
        .mask = size - 1,
        .mapped = mapped,
        .mapped_bytes = bytes,
    };
    return 0;
}

static int set_size(int fd, int name, uint32_t size)
{
    return setsockopt(fd, SOL_XDP, name, &size, sizeof size) ? -errno : 0;
}

static int open_rings(struct xdp *xdp)
{
    int fd = xdp->link.fd, error = 0;
    struct xdp_mmap_offsets offsets;
    socklen_t length = sizeof offsets;

    if ((error = set_size(fd, XDP_UMEM_FILL_RING, RX_CHUNKS)) ||
        (error = set_size(fd, XDP_UMEM_COMPLETION_RING, TX_CHUNKS)) ||
        (error = set_size(fd, XDP_RX_RING, RX_CHUNKS)) || (error = set_size(fd, XDP_TX_RING, TX_CHUNKS)))
        return error;
    if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length))
        return -errno;
    if ((error = map_ring(fd, &xdp->fill, &offsets.fr, RX_CHUNKS, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING)) ||
        (error = map_ring(fd, &xdp->completion, &offsets.cr, TX_CHUNKS, sizeof(uint64_t),
                          XDP_UMEM_PGOFF_COMPLETION_RING)) ||
        (error = map_ring(fd, &xdp->rx, &offsets.rx, RX_CHUNKS, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING)))
        return error;
    return map_ring(fd, &xdp->tx, &offsets.tx, TX_CHUNKS, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING);
}

static int open_umem(struct xdp *xdp)
{
    void *umem = mmap(NULL, UMEM_MAPPED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (umem == MAP_FAILED)
        return -errno;
    xdp->umem = umem;
    struct xdp_umem_reg registration = {
        .addr = (uintptr_t)umem, .len = UMEM_BYTES, .chunk_size = CHUNK_BYTES, .headroom = SNIC_HEADROOM};
    return setsockopt(xdp->link.fd, SOL_XDP, XDP_UMEM_REG, &registration, sizeof registration) ? -errno : 0;
}

static void share_out_chunks(struct xdp *xdp)
{
    for (uint32_t i = 0; i < RX_CHUNKS; i++)
        *address_at(&xdp->fill, i) = (uint64_t)i * CHUNK_BYTES;
    xdp->fill.head = RX_CHUNKS;
    publish(xdp->fill.producer, xdp->fill.head);
    for (uint32_t i = 0; i < TX_CHUNKS; i++)
        xdp->free_chunks[xdp->free_count++] = (uint64_t)(RX_CHUNKS + i) * CHUNK_BYTES;
}

static int open_all(struct xdp *xdp, const struct snic_interface *interface, const struct snic_xdp_hook *hook,
                    uint32_t queue)
{
    struct sockaddr_xdp address = {.sxdp_family = AF_XDP,
                                   .sxdp_flags = XDP_USE_NEED_WAKEUP,
                                   .sxdp_ifindex = interface->index,
                                   .sxdp_queue_id = queue};
    int error = 0;

    xdp->link.fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (xdp->link.fd < 0)
        return -errno;
    if ((error = open_umem(xdp)) || (error = open_rings(xdp)))
        return error;
    share_out_chunks(xdp);
    if (bind(xdp->link.fd, (struct sockaddr *)&address, sizeof address))
        return -errno;
    return snic_xdp_hook_set(hook, queue, xdp->link.fd);
}

static void close_ring(struct ring *ring)
{
    if (ring->mapped)
        munmap(ring->mapped, ring->mapped_bytes);
}

static void close_xdp(struct snic_link *link)
{
    struct xdp *xdp = of(link);

    close_ring(&xdp->fill);
    close_ring(&xdp->completion);
    close_ring(&xdp->rx);
    close_ring(&xdp->tx);
    if (link->fd >= 0)
        close(link->fd);
    if (xdp->umem)
        munmap(xdp->umem, UMEM_MAPPED_BYTES);
    free(xdp);
}

/* ---- receiving ---- */

static uint32_t receive(struct snic_link *link, uint32_t port, struct snic_frame *frames, uint32_t room)
{
    struct xdp *xdp = of(link);
    uint32_t waiting = produced(&xdp->rx) - xdp->rx.head;

    xdp->taken = waiting < room ? waiting : room;
    for (uint32_t i = 0; i < xdp->taken; i++) {
        const struct xdp_desc *descriptor = descriptor_at(&xdp->rx, xdp->rx.head + i);
        frames[i] =
            (struct snic_frame){.data = xdp->umem + descriptor->addr, .length = descriptor->len, .port = port};
    }
    return xdp->taken;
}

static void release(struct snic_link *link)
{
    struct xdp *xdp = of(link);

    if (!xdp->taken)
        return;
    for (; xdp->taken; xdp->taken--) {
        uint64_t address = descriptor_at(&xdp->rx, xdp->rx.head++)->addr;
        *address_at(&xdp->fill, xdp->fill.head++) = address & ~(uint64_t)(CHUNK_BYTES - 1);
    }
    publish(xdp->rx.consumer, xdp->rx.head);
    publish(xdp->fill.producer, xdp->fill.head);
    if (asks_for_wakeup(&xdp->fill))
        recv(link->fd, NULL, 0, MSG_DONTWAIT);
}

/* ---- sending ---- */

static void reap(struct xdp *xdp)
{
    uint32_t done = produced(&xdp->completion);

    for (; xdp->completion.head != done; xdp->completion.head++)
        xdp->free_chunks[xdp->free_count++] = *address_at(&xdp->completion, xdp->completion.head);
    publish(xdp->completion.consumer, done);
}

/* Counts what the kernel has taken since the last call. Returns how many frames it has not. */
static uint32_t count_taken(struct xdp *xdp, bool last_was_dropped)
{
    uint32_t taken = atomic_load_explicit(xdp->tx.consumer, memory_order_acquire);
    uint32_t dropped = last_was_dropped && xdp->counted != taken; /* of 32 bits, as positions are, which wrap */
    uint64_t frames = 0, bytes = 0;

    for (; xdp->counted + dropped != taken; xdp->counted++, frames++)
        bytes += descriptor_at(&xdp->tx, xdp->counted)->len;
    xdp->counted = taken;
    snic_add(&xdp->link.counts.tx_packets, frames);
    snic_add(&xdp->link.counts.tx_bytes, bytes);
    snic_add(&xdp->link.counts.tx_dropped, dropped);
    return xdp->tx.head - taken;
}

/* Has the kernel send. EAGAIN: not all at a time; EBUSY: the device dropped one; otherwise it will not send now. */
static bool kick(struct xdp *xdp)
{
    int error = send(xdp->link.fd, NULL, 0, MSG_DONTWAIT) < 0 ? errno : 0;

    count_taken(xdp, error == EBUSY);
    return !error || error == EAGAIN || error == EBUSY;
}

static uint32_t flush(struct snic_link *link)
{
    struct xdp *xdp = of(link);

    publish(xdp->tx.producer, xdp->tx.head);
    for (uint32_t kicks = 0; kicks < TX_CHUNKS / KICK_FRAMES; kicks++)
        if (!count_taken(xdp, false) || !asks_for_wakeup(&xdp->tx) || !kick(xdp))
            break;
    reap(xdp);
    return count_taken(xdp, false);
}

static void send_xdp(struct snic_link *link, const uint8_t *data, uint32_t length)
{
    struct xdp *xdp = of(link);

    if (!xdp->free_count)
        flush(link);
    if (!xdp->free_count || length > CHUNK_BYTES) {
        snic_add(&link->counts.tx_dropped, 1);
        return;
    }
    uint64_t address = xdp->free_chunks[--xdp->free_count];
    memcpy(xdp->umem + address, data, length);
    *descriptor_at(&xdp->tx, xdp->tx.head++) = (struct xdp_desc){.addr = address, .len = length};
}

/* ---- the rest ---- */

static uint64_t lost_by_kernel(struct snic_link *link)
{
    struct xdp_statistics statistics = {0};
    socklen_t length = sizeof statistics;

    getsockopt(link->fd, SOL_XDP, XDP_STATISTICS, &statistics, &length);
    uint64_t lost = statistics.rx_dropped + statistics.rx_ring_full;
    return lost - atomic_exchange(&of(link)->lost_before, lost);
}

static const struct snic_link_kind xdp_kind = {receive, release, send_xdp, flush, lost_by_kernel, close_xdp};

int snic_xdp_open(const struct snic_interface *interface, const struct snic_xdp_hook *hook, uint32_t queue,
                  struct snic_link **link)
{
    struct xdp *xdp = calloc(1, sizeof *xdp);
    int error = 0;

    if (!xdp)
        return -ENOMEM;
    xdp->link.kind = &xdp_kind;
    xdp->link.fd = -1;
    if ((error = open_all(xdp, interface, hook, queue))) {
        close_xdp(&xdp->link);
        return error;
    }
    *link = &xdp->link;
    return 0;
}
