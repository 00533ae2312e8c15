// SPDX-License-Identifier: Apache-2.0
// The vocabulary of `nic`: ids, and the enums that cross from one stage to another.
#ifndef CORE_NIC_TYPES_P4
#define CORE_NIC_TYPES_P4

#include "../types.p4"

typedef bit<16> vnic_id_t;
typedef bit<16> ring_id_t;

// The instance of a replica that leaves by the VLAN's uplink; any other is the VNIC's that it is for.
const vnic_id_t UPLINK_COPY = 0;

enum bit<8> port_role_t {
    NONE   = 0,
    UPLINK = 1,
    VNIC   = 2,  // a guest, by the host port, by a wired port, or spoken for by the controller
    CPU    = 3
}

// How a frame that a VNIC transmits is treated: decided by the ring it was put on.
enum bit<8> transmit_t {
    SWITCHED = 0,
    ROUTED   = 1
}

enum bit<8> tag_type_t {
    UNTAGGED = 0,  // also priority-tagged frames: VID 0 names no VLAN (IEEE 802.1Q 9.6)
    C_TAG    = 1,  // 802.1Q
    S_TAG    = 2   // 802.1ad
}

enum bit<8> ring_type_t {
    NONE    = 0,
    LOCAL   = 1,
    FORWARD = 2,
    DEFAULT = 3    // nobody's address: the host's default ring
}

// Where a frame is headed within this NIC, before it is known by which port or ring.
enum bit<8> destination_t {
    NONE         = 0,
    VNIC         = 1,
    DEFAULT_RING = 2,
    WIRE         = 3,  // the VLAN's uplink
    FLOOD        = 4   // every member of the VLAN
}

#endif
