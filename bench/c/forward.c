/* SPDX-License-Identifier: Apache-2.0 */
/* The least that a forwarder over AF_PACKET does: TPACKET_V3 in, MACs swapped, sendmmsg out; until it is killed.
 *
 * forward IN_INTERFACE OUT_INTERFACE
 */
#define _GNU_SOURCE
#include "link.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCKS = 64, BLOCK_BYTES = 1 << 18, RETIRE_MS = 1 };

static struct mmsghdr messages[BATCH];
static struct iovec vectors[BATCH];

static uint8_t *open_ring(const char *interface, int *fd)
{
    int version = TPACKET_V3;
    struct tpacket_req3 request = {.tp_block_size = BLOCK_BYTES, .tp_block_nr = BLOCKS, .tp_frame_size = 2048,
                                   .tp_frame_nr = BLOCKS * (BLOCK_BYTES / 2048), .tp_retire_blk_tov = RETIRE_MS};

    *fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    if (*fd < 0 || setsockopt(*fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version)
        || setsockopt(*fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request))
        die("PACKET_RX_RING");
    uint8_t *ring = mmap(NULL, (size_t)BLOCKS * BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (ring == MAP_FAILED)
        die("mmap");
    bind_to(*fd, interface, ETH_P_ALL);
    return ring;
}

static void swap_macs(uint8_t *frame)
{
    uint8_t dst[ETH_ALEN];

    memcpy(dst, frame, ETH_ALEN);
    memcpy(frame, frame + ETH_ALEN, ETH_ALEN);
    memcpy(frame + ETH_ALEN, dst, ETH_ALEN);
}

static void send_all(int fd, int count)
{
    for (int done = 0, more; done < count; done += more) {
        more = sendmmsg(fd, messages + done, (unsigned)(count - done), 0);
        if (more < 0)
            more = 1; /* the link's queue is full: this one is lost, as on any link */
    }
}

static void forward_block(uint8_t *block, uint32_t packets, uint32_t first_offset, int out)
{
    struct tpacket3_hdr *header = (struct tpacket3_hdr *)(block + first_offset);
    int count = 0;

    for (; packets; packets--) {
        uint8_t *frame = (uint8_t *)header + header->tp_mac;
        swap_macs(frame);
        vectors[count] = (struct iovec){frame, header->tp_snaplen};
        messages[count].msg_hdr = (struct msghdr){.msg_iov = &vectors[count], .msg_iovlen = 1};
        if (++count == BATCH) {
            send_all(out, count);
            count = 0;
        }
        header = (struct tpacket3_hdr *)((uint8_t *)header + header->tp_next_offset);
    }
    send_all(out, count);
}

int main(int argc, char **argv)
{
    int in, out;

    if (argc != 3)
        die("arguments");
    uint8_t *ring = open_ring(argv[1], &in);
    out = open_sender(argv[2]);
    puts("ready");
    fflush(stdout);
    for (int number = 0;; number = (number + 1) % BLOCKS) {
        struct tpacket_block_desc *block = (struct tpacket_block_desc *)(ring + (size_t)number * BLOCK_BYTES);
        struct pollfd waiting = {.fd = in, .events = POLLIN | POLLERR};

        while (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            poll(&waiting, 1, -1);
        forward_block((uint8_t *)block, block->hdr.bh1.num_pkts, block->hdr.bh1.offset_to_first_pkt, out);
        __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    }
}
