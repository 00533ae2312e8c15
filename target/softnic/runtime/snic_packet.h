/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every program's `struct packet` starts with: where the packet's bytes are and what it has asked the target for.
 *
 * Ownership: the bytes belong to a received frame or to the machine's memory (snic_machine.h) and outlive the packet.
 * They are not written to while a packet that refers to them is on its way. Lengths are in bytes.
 * All zero is a packet that has asked for nothing, but for `truncate_to`.
 */
#ifndef SNIC_PACKET_H
#define SNIC_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "snic_bits.h"

#define SNIC_NOT_TRUNCATED UINT32_MAX

struct snic_packet {
    const uint8_t *bytes;   /* as they entered this pass of ingress: what a clone or a resubmission starts from */
    const uint8_t *payload; /* what the parser left */
    uint32_t bytes_length;
    uint32_t payload_length;
    uint32_t received_length; /* what counters and meters count, in ingress and egress alike */
    uint32_t length;          /* follows headers that are added and removed, modulo 2^32 */
    uint32_t truncate_to;     /* SNIC_NOT_TRUNCATED: no limit */
    uint32_t port;            /* of arrival; from egress on, of departure */
    uint32_t parser_error;
    uint32_t clone_session;
    uint16_t clone_fields; /* this and those below: 0 none, else 1 + index in the program */
    uint16_t digest;
    uint16_t resubmit;
    uint16_t recirculate;
    bool clone_requested;
    bool exited;  /* the pipeline ends once the running action is over */
    bool aborted; /* an assert or assume failed: the packet goes no further */
};

/* How much of the payload `truncate_to` leaves. */
static inline uint32_t snic_visible_payload(const struct snic_packet *packet)
{
    return packet->payload_length < packet->truncate_to ? packet->payload_length : packet->truncate_to;
}

/* The low `bytes` bytes of `value`, big-endian, from byte `at` on of a word of a key in memory. */
SNIC_FOLDED uint64_t snic_key_bytes(uint64_t value, uint32_t bytes, uint32_t at)
{
    return snic_swapped(value, bytes) << (8 * at);
}

#endif
