/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work a Linux sender leaves to its NIC: checksums, TCP and UDP segmentation, VLAN tags. On a veth there is no NIC
 * behind the sender; the target is that NIC and finishes the frame.
 *
 * Pure functions over memory that the caller owns. `struct snic_segments` borrows the frame until the last segment is
 * out.
 */
#ifndef SNIC_OFFLOAD_H
#define SNIC_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

/* struct virtio_net_hdr (virtio 1.2, 5.1.6) in the host's byte order, as packet(7) sockets carry it. */
struct snic_vnet_header {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t header_bytes;
    uint16_t gso_bytes;
    uint16_t checksum_start;
    uint16_t checksum_offset;
};

#define SNIC_VNET_NEEDS_CHECKSUM 1u

/* The frames that one frame with many segments' payload stands for. */
struct snic_segments {
    const uint8_t *frame;
    uint32_t length;
    uint32_t network; /* offset of the IP header */
    uint32_t transport; /* of the TCP or UDP header */
    uint32_t payload;
    uint32_t position; /* of the next segment's payload */
    uint16_t segment_bytes;
    uint16_t index;
    bool ipv6, udp;
};

/* Whether the frame is to be cut into segments. */
bool snic_needs_segmentation(const struct snic_vnet_header *header);

/* Completes a checksum whose field holds the pseudo-header's sum. False, and nothing done: it is not in the frame. */
bool snic_complete_checksum(uint8_t *frame, uint32_t length, uint32_t start, uint32_t offset);

/* False: not TCP or UDP directly within IP, which can't be segmented here. */
bool snic_segments_begin(struct snic_segments *segments, const uint8_t *frame, uint32_t length,
                         const struct snic_vnet_header *header);

/* Writes the next segment to `out`; its length, 0 after the last. Never more than payload offset + segment_bytes. */
uint32_t snic_segments_next(struct snic_segments *segments, uint8_t *out);

/* Puts an 802.1Q tag back (IEEE 802.1Q, 9.6): the frame then begins 4 bytes earlier, where there must be room. */
uint8_t *snic_insert_vlan_tag(uint8_t *frame, uint16_t tpid, uint16_t tci);

#endif
