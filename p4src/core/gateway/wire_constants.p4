// SPDX-License-Identifier: Apache-2.0
// Numbers that standards bodies assign, and only `gateway` needs.
#ifndef CORE_GATEWAY_WIRE_CONSTANTS_P4
#define CORE_GATEWAY_WIRE_CONSTANTS_P4

#include "../wire_constants.p4"

const bit<16> IPV4_MIN_BYTES       = 20;
const bit<16> IPV6_FRAGMENT_BYTES  = 8;
const bit<16> VXLAN_BYTES          = 8;
const bit<16> GENEVE_BYTES         = 8;
const bit<16> GENEVE_OPTION_BYTES  = 8;    // with 4 bytes of data
const bit<16> GRE_BYTES            = 4;
const bit<16> GRE_KEY_BYTES        = 4;
const bit<16> GRE_SEQUENCE_BYTES   = 4;
const bit<16> GTPU_BYTES           = 8;
const bit<16> GTPU_OPTIONAL_BYTES  = 4;
const bit<16> GTPU_EXTENSION_BYTES = 4;    // of one unit

const bit<8>  GTPU_G_PDU           = 255;   // message type, 3GPP TS 29.281 6.1
const bit<8>  GTPU_PDU_SESSION     = 0x85;  // extension header type, 3GPP TS 29.281 5.2.1

#endif
