// SPDX-License-Identifier: Apache-2.0
// How many entries each table is guaranteed to hold.
#ifndef CORE_NIC_SIZES_P4
#define CORE_NIC_SIZES_P4

const bit<32> PORTS          = 512;    // every v1model port number
const bit<32> VLANS          = 4094;   // IEEE 802.1Q: 12 bits less 0 and 4095
const bit<32> VNICS          = 1024;
const bit<32> UPLINK_VLANS   = 8192;   // two uplinks with every VLAN
const bit<32> VNIC_VLANS     = 8192;   // 8 VLANs a VNIC
const bit<32> MACS           = 16384;  // 16 addresses a VNIC
const bit<32> LOCAL_IPV4     = 8192;   // 4,096 addresses and as many subnet broadcasts
const bit<32> LOCAL_IPV6     = 8192;
const bit<32> IPV4_ROUTES    = 16384;
const bit<32> IPV6_ROUTES    = 16384;
const bit<32> IPV4_NEIGHBORS = 16384;
const bit<32> IPV6_NEIGHBORS = 16384;
const bit<32> RINGS          = 4096;   // 4 a VNIC
const bit<32> RING_GROUPS    = 2048;   // a local and a forwarding group a VNIC
const bit<32> RING_BUCKETS   = 131072; // 128 a group for half of the groups, 1 for the others, rounded up to a power of two

const bit<32> DROP_REASONS   = 256;    // every drop_reason_t
const bit<32> OUTCOMES       = 256;    // every outcome_t
const bit<32> PUNT_REASONS   = 256;    // every punt_reason_t

#endif
