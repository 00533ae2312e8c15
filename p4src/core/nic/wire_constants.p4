// SPDX-License-Identifier: Apache-2.0
// Numbers that standards bodies assign, and only `nic` needs.
#ifndef CORE_NIC_WIRE_CONSTANTS_P4
#define CORE_NIC_WIRE_CONSTANTS_P4

#include "../wire_constants.p4"

const bit<44>     RESERVED_GROUP_PREFIX = 0x0180_c200_000;  // 01-80-C2-00-00-0X, IEEE 802.1Q table 8-1
const bit<16>     MAX_VLAN_ID           = 4094;               // 4095 is reserved, IEEE 802.1Q table 9-2

#endif
