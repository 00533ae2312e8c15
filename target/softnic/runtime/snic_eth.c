/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "snic_eth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "snic_offload.h"
#include "snic_sender.h"

#define RING_BYTES (16u << 20)
#define BLOCK_BYTES (1u << 18)
#define BIG_QUEUE_BYTES (4 << 20)
/* Ethernet header, two tags, and what a tunnel or a wrong MTU may add before a frame has to take the slow way. */
#define FRAME_OVERHEAD_BYTES 256u
#define BIG_ROOM ((ssize_t)(sizeof(struct snic_vnet_header) + SNIC_MAX_FRAME_BYTES))
/* Room for a burst of segments of usual size, or for one of the largest. */
#define SEGMENT_ROOM_BYTES (64u * (SNIC_HEADROOM + 2048u))

struct eth {
    struct snic_link link; /* its fd is the receiving socket */
    struct snic_sender *sender;
    uint8_t *ring;
    uint32_t slots, slot_bytes, slots_per_block;
    uint32_t head;     /* next slot to look at */
    uint32_t released; /* first slot that is still the caller's */
    uint8_t *big;      /* one frame that did not fit a slot */
    bool big_in_use;
    bool segmenting;
    struct snic_segments segments; /* of the frame in `big` */
    uint8_t *segment_room;         /* buffers of segment_stride bytes, each with headroom */
    uint32_t segment_stride;
};

static struct eth *of(struct snic_link *link)
{
    return (struct eth *)link;
}

/* ---- opening ---- */

static int option(int fd, int name, int value)
{
    return setsockopt(fd, SOL_PACKET, name, &value, sizeof value) ? -errno : 0;
}

static int bind_to(int fd, unsigned index)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)index};

    return bind(fd, (struct sockaddr *)&address, sizeof address) ? -errno : 0;
}

/* What the system's bound allows, where we may not go beyond it. */
static int set_queue(int fd, int bytes)
{
    if (!setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes))
        return 0;
    return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) ? -errno : 0;
}

static uint32_t slot_size(uint32_t mtu)
{
    uint32_t usual = mtu + FRAME_OVERHEAD_BYTES, frame = usual < SNIC_MAX_FRAME_BYTES ? usual : SNIC_MAX_FRAME_BYTES;

    /* A multiple of the cache line, but an odd one: equal offsets in all slots would share few cache sets. */
    return ((TPACKET2_HDRLEN + SNIC_HEADROOM + frame + 63) / 64 | 1) * 64;
}

static int open_ring(struct eth *eth, uint32_t mtu)
{
    int fd = eth->link.fd, error = 0;

    if ((error = option(fd, PACKET_VERSION, TPACKET_V2)) || (error = set_queue(fd, BIG_QUEUE_BYTES)) ||
        (error = option(fd, PACKET_VNET_HDR, 1)) || (error = option(fd, PACKET_RESERVE, SNIC_HEADROOM)) ||
        (error = option(fd, PACKET_COPY_THRESH, 1)) || (error = option(fd, PACKET_IGNORE_OUTGOING, 1)))
        return error;
    eth->slot_bytes = slot_size(mtu);
    eth->slots_per_block = BLOCK_BYTES / eth->slot_bytes;
    eth->slots = RING_BYTES / BLOCK_BYTES * eth->slots_per_block;
    struct tpacket_req request = {.tp_block_size = BLOCK_BYTES,
                                  .tp_block_nr = RING_BYTES / BLOCK_BYTES,
                                  .tp_frame_size = eth->slot_bytes,
                                  .tp_frame_nr = eth->slots};
    if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request))
        return -errno;
    void *ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (ring == MAP_FAILED)
        return -errno;
    eth->ring = ring;
    return 0;
}

/* Without PACKET_FANOUT_FLAG_DEFRAG: a switch passes fragments on as they are. */
static int join(int fd, uint16_t *fanout)
{
    int make = *fanout ? 0 : PACKET_FANOUT_FLAG_UNIQUEID;
    int group = *fanout | (PACKET_FANOUT_HASH | make) << 16;
    socklen_t length = sizeof group;

    if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &group, sizeof group) ||
        getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &group, &length))
        return -errno;
    *fanout = (uint16_t)group;
    return 0;
}

/* Nothing comes in before all is set: until it is in its group, a socket gets what is the others'. */
static int begin(int fd, const struct snic_interface *interface, uint16_t *fanout)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = {.len = 1, .filter = &nothing};
    struct packet_mreq promiscuous = {.mr_ifindex = (int)interface->index, .mr_type = PACKET_MR_PROMISC};
    int error = 0, none = 0;

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter))
        return -errno;
    if ((error = bind_to(fd, interface->index)) || (fanout && (error = join(fd, fanout))))
        return error;
    if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) ||
        setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none))
        return -errno;
    return 0;
}

static int open_all(struct eth *eth, const struct snic_interface *interface, uint16_t *fanout)
{
    int error = snic_sender_open(interface, &eth->link.counts, &eth->sender);

    if (error)
        return error;
    eth->link.fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (eth->link.fd < 0)
        return -errno;
    eth->segment_room = malloc(SEGMENT_ROOM_BYTES);
    eth->big = malloc(SNIC_HEADROOM + BIG_ROOM);
    if (!eth->segment_room || !eth->big)
        return -ENOMEM;
    if ((error = open_ring(eth, interface->mtu)))
        return error;
    return begin(eth->link.fd, interface, fanout);
}

static void close_eth(struct snic_link *link)
{
    struct eth *eth = of(link);

    if (eth->ring)
        munmap(eth->ring, RING_BYTES);
    if (link->fd >= 0)
        close(link->fd);
    snic_sender_close(eth->sender);
    free(eth->segment_room);
    free(eth->big);
    free(eth);
}

/* ---- receiving ---- */

static struct tpacket2_hdr *slot(const struct eth *eth, uint32_t number)
{
    uint32_t block = number / eth->slots_per_block, within = number % eth->slots_per_block;

    return (void *)(eth->ring + (size_t)block * BLOCK_BYTES + (size_t)within * eth->slot_bytes);
}

static uint32_t next(const struct eth *eth, uint32_t number)
{
    return number + 1 == eth->slots ? 0 : number + 1;
}

static _Atomic uint32_t *status_of(struct tpacket2_hdr *header)
{
    return (_Atomic uint32_t *)(void *)&header->tp_status;
}

static bool lose(struct eth *eth)
{
    snic_link_refuse(&eth->link, 1);
    return false;
}

static uint8_t *with_tag(uint8_t *data, uint32_t *length, const struct tpacket2_hdr *header, uint32_t status)
{
    if (!(status & TP_STATUS_VLAN_VALID))
        return data;
    *length += 4;
    return snic_insert_vlan_tag(data, status & TP_STATUS_VLAN_TPID_VALID ? header->tp_vlan_tpid : ETH_P_8021Q,
                                header->tp_vlan_tci);
}

static bool complete(uint8_t *data, uint32_t length, const struct snic_vnet_header *offload)
{
    return !(offload->flags & SNIC_VNET_NEEDS_CHECKSUM) ||
           snic_complete_checksum(data, length, offload->checksum_start, offload->checksum_offset);
}

/* The frame behind its virtio_net_hdr. Its turn must not be missed for an error that is not its own (link down). */
static ssize_t next_big(struct eth *eth)
{
    ssize_t received = recv(eth->link.fd, eth->big + SNIC_HEADROOM, BIG_ROOM, MSG_DONTWAIT | MSG_TRUNC);

    if (received < 0 && errno == ENETDOWN)
        received = recv(eth->link.fd, eth->big + SNIC_HEADROOM, BIG_ROOM, MSG_DONTWAIT | MSG_TRUNC);
    return received;
}

/* A frame that fits its slot, or the beginning of one that does not and comes whole through the socket's queue. */
static uint8_t *whole_frame(struct eth *eth, struct tpacket2_hdr *header, uint32_t status, uint32_t *length,
                            struct snic_vnet_header *offload)
{
    if (!(status & TP_STATUS_COPY)) {
        uint8_t *data = (uint8_t *)header + header->tp_mac;
        if (header->tp_snaplen < header->tp_len)
            return NULL;
        memcpy(offload, data - sizeof *offload, sizeof *offload);
        *length = header->tp_snaplen;
        return data;
    }
    ssize_t received = next_big(eth);
    if (received < (ssize_t)sizeof *offload || received > BIG_ROOM)
        return NULL;
    memcpy(offload, eth->big + SNIC_HEADROOM, sizeof *offload);
    *length = (uint32_t)received - (uint32_t)sizeof *offload;
    return eth->big + SNIC_HEADROOM + sizeof *offload;
}

/* Keeps the frame in `big` and begins to cut it; the slot is free at once. */
static bool begin_segments(struct eth *eth, uint8_t *data, uint32_t length, struct snic_vnet_header *offload,
                           const struct tpacket2_hdr *header, uint32_t status)
{
    uint8_t *kept = eth->big + SNIC_HEADROOM + sizeof *offload;

    if (data != kept)
        memcpy(kept, data, length);
    uint32_t tag_bytes = status & TP_STATUS_VLAN_VALID ? 4 : 0;
    kept = with_tag(kept, &length, header, status);
    offload->checksum_start = (uint16_t)(offload->checksum_start + tag_bytes);
    if (!snic_segments_begin(&eth->segments, kept, length, offload))
        return lose(eth);
    eth->segment_stride = (SNIC_HEADROOM + eth->segments.payload + offload->gso_bytes + 63) / 64 * 64;
    eth->segmenting = true;
    return true;
}

static uint32_t more_segments(struct eth *eth, uint32_t port, struct snic_frame *frames, uint32_t room)
{
    uint32_t count = 0, buffers = eth->segmenting ? SEGMENT_ROOM_BYTES / eth->segment_stride : 0;

    while (eth->segmenting && count < room && count < buffers) {
        uint8_t *out = eth->segment_room + (size_t)count * eth->segment_stride + SNIC_HEADROOM;
        uint32_t length = snic_segments_next(&eth->segments, out);
        if (length)
            frames[count++] = (struct snic_frame){.data = out, .length = length, .port = port};
        else
            eth->segmenting = false;
    }
    return count;
}

/* One slot. True: `frame` is set. */
static bool receive_one(struct eth *eth, struct tpacket2_hdr *header, uint32_t status, uint32_t port,
                        struct snic_frame *frame)
{
    struct snic_vnet_header offload;
    uint32_t length = 0;
    uint8_t *data = whole_frame(eth, header, status, &length, &offload);

    if (!data)
        return lose(eth);
    if (snic_needs_segmentation(&offload)) {
        begin_segments(eth, data, length, &offload, header, status);
        return false;
    }
    if (!complete(data, length, &offload))
        return lose(eth);
    eth->big_in_use = status & TP_STATUS_COPY;
    data = with_tag(data, &length, header, status);
    *frame = (struct snic_frame){.data = data, .length = length, .port = port};
    return true;
}

static uint32_t receive(struct snic_link *link, uint32_t port, struct snic_frame *frames, uint32_t room)
{
    struct eth *eth = of(link);
    uint32_t count = more_segments(eth, port, frames, room);

    /* Segments and a big frame have one buffer each: what follows them waits for the next call. */
    if (count)
        return count;
    for (uint32_t looked = 0; looked < room && !eth->segmenting && !eth->big_in_use; looked++) {
        struct tpacket2_hdr *header = slot(eth, eth->head);
        uint32_t status = atomic_load_explicit(status_of(header), memory_order_acquire);
        if (!(status & TP_STATUS_USER))
            break;
        eth->head = next(eth, eth->head);
        __builtin_prefetch(slot(eth, eth->head));
        count += receive_one(eth, header, status, port, &frames[count]);
    }
    return count ? count : more_segments(eth, port, frames, room);
}

static void release(struct snic_link *link)
{
    struct eth *eth = of(link);

    eth->big_in_use = false;
    for (; eth->released != eth->head; eth->released = next(eth, eth->released))
        atomic_store_explicit(status_of(slot(eth, eth->released)), TP_STATUS_KERNEL, memory_order_release);
}

/* ---- the rest ---- */

static void send_eth(struct snic_link *link, const uint8_t *data, uint32_t length)
{
    snic_sender_put(of(link)->sender, data, length);
}

static uint32_t flush(struct snic_link *link)
{
    snic_sender_flush(of(link)->sender);
    return 0;
}

static uint64_t lost_by_kernel(struct snic_link *link)
{
    struct tpacket_stats kernel = {0};
    socklen_t length = sizeof kernel;

    /* The kernel forgets the figure when it tells it. */
    return getsockopt(link->fd, SOL_PACKET, PACKET_STATISTICS, &kernel, &length) ? 0 : kernel.tp_drops;
}

static const struct snic_link_kind eth_kind = {receive, release, send_eth, flush, lost_by_kernel, close_eth};

int snic_eth_open(const struct snic_interface *interface, uint16_t *fanout, struct snic_link **link)
{
    struct eth *eth = calloc(1, sizeof *eth);
    int error = 0;

    if (!eth)
        return -ENOMEM;
    eth->link.kind = &eth_kind;
    eth->link.fd = -1;
    if ((error = open_all(eth, interface, fanout))) {
        close_eth(&eth->link);
        return error;
    }
    *link = &eth->link;
    return 0;
}
