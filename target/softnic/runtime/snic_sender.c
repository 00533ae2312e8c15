/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "snic_sender.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64u
#define SLOT_BYTES (2048u + 64u)

struct snic_sender {
    int fd;
    uint32_t count;
    struct snic_link_counts *counts;
    struct mmsghdr messages[BATCH];
    struct iovec vectors[BATCH];
    uint8_t slots[BATCH][SLOT_BYTES];
};

static int open_socket(unsigned interface_index)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)interface_index};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

    if (fd < 0)
        return -errno;
    if (!setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one) &&
        !bind(fd, (struct sockaddr *)&address, sizeof address))
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

int snic_sender_open(const struct snic_interface *interface, struct snic_link_counts *counts,
                     struct snic_sender **out)
{
    int fd = open_socket(interface->index);
    struct snic_sender *sender = fd < 0 ? NULL : calloc(1, sizeof *sender);

    if (fd < 0)
        return fd;
    if (!sender) {
        close(fd);
        return -ENOMEM;
    }
    sender->fd = fd;
    sender->counts = counts;
    for (uint32_t i = 0; i < BATCH; i++) {
        sender->vectors[i].iov_base = sender->slots[i];
        sender->messages[i].msg_hdr.msg_iov = &sender->vectors[i];
        sender->messages[i].msg_hdr.msg_iovlen = 1;
    }
    *out = sender;
    return 0;
}

void snic_sender_close(struct snic_sender *sender)
{
    if (!sender)
        return;
    close(sender->fd);
    free(sender);
}

static void count(struct snic_sender *sender, uint64_t frames, uint64_t bytes)
{
    snic_add(&sender->counts->tx_packets, frames);
    snic_add(&sender->counts->tx_bytes, bytes);
}

static void count_batch(struct snic_sender *sender, uint32_t first, uint32_t frames)
{
    uint64_t bytes = 0;

    for (uint32_t i = first; i < first + frames; i++)
        bytes += sender->vectors[i].iov_len;
    count(sender, frames, bytes);
}

void snic_sender_flush(struct snic_sender *sender)
{
    uint32_t first = 0;

    while (first < sender->count) {
        int sent = sendmmsg(sender->fd, sender->messages + first, sender->count - first, MSG_DONTWAIT);
        if (sent > 0) {
            count_batch(sender, first, (uint32_t)sent);
            first += (uint32_t)sent;
        } else {
            /* The error is the first frame's; the others may do better. */
            snic_add(&sender->counts->tx_dropped, 1);
            first++;
        }
    }
    sender->count = 0;
}

/* Longer than a slot: behind what waits, without the copy. */
static void send_alone(struct snic_sender *sender, const uint8_t *data, uint32_t length)
{
    snic_sender_flush(sender);
    if (send(sender->fd, data, length, MSG_DONTWAIT) == (ssize_t)length)
        count(sender, 1, length);
    else
        snic_add(&sender->counts->tx_dropped, 1);
}

void snic_sender_put(struct snic_sender *sender, const uint8_t *data, uint32_t length)
{
    if (length > SLOT_BYTES) {
        send_alone(sender, data, length);
        return;
    }
    memcpy(sender->slots[sender->count], data, length);
    sender->vectors[sender->count].iov_len = length;
    if (++sender->count == BATCH)
        snic_sender_flush(sender);
}
