// SPDX-License-Identifier: Apache-2.0
// The vocabulary of every program: ids, addresses, and the enums that cross from one stage to another.
#ifndef CORE_TYPES_P4
#define CORE_TYPES_P4

typedef bit<48>  mac_addr_t;
typedef bit<32>  ipv4_addr_t;
typedef bit<128> ipv6_addr_t;
typedef bit<12>  vlan_id_t;

// Wide enough for every architecture; the shell narrows it to the target's own width.
typedef bit<16> port_id_t;
typedef bit<16> group_id_t;

// Ports whose packets carry a header of ours in front of the Ethernet frame.
const port_id_t HOST_PORT = 509;  // of a host's rings, in `nic`: nic_tx_desc in, nic_rx_desc out
const port_id_t CPU_PORT  = 510;  // packet_out in, packet_in out

// What becomes of a packet. The shell turns it into the architecture's own words.
enum bit<8> verdict_t {
    UNDECIDED = 0,
    DROP      = 1,
    SEND      = 2,  // to a wire
    DELIVER   = 3,  // to a ring
    PUNT      = 4,  // to the controller
    REPLICATE = 5   // to a multicast group
}

// Row numbers of the `outcome` counter. Each packet is counted as RECEIVED and as one of the five that follow it;
// what replication and cloning add is counted apart, as COPY_*:
//     RECEIVED = SENT + DELIVERED + PUNTED + DROPPED + REPLICATED
enum bit<8> outcome_t {
    RECEIVED       = 0,
    SENT           = 1,
    DELIVERED      = 2,
    PUNTED         = 3,
    DROPPED        = 4,
    REPLICATED     = 5,
    COPY_SENT      = 6,
    COPY_DELIVERED = 7,
    COPY_PUNTED    = 8,
    COPY_PRUNED    = 9,   // the copy would have gone back to where the packet came from
    COPY_POLICED   = 10   // the copy for the controller exceeded its punt rate
}

// Why the controller is given a packet.
enum bit<8> punt_reason_t {
    NONE              = 0,
    NEIGHBOR_MISS     = 1,  // resolve next_hop, then submit the packet again
    NEIGHBOR_HEARD    = 2,  // ARP, neighbor solicitation or advertisement
    TTL_EXPIRED       = 3,  // make ICMP time exceeded
    PACKET_TOO_BIG    = 4,  // make ICMP fragmentation needed / packet too big
    NO_ROUTE          = 5,  // make ICMP net unreachable / no route to destination
    NAT_MAPPING_MISS  = 6,  // allocate a port of pool_id, then submit the packet again
    LOCAL             = 7,  // for an address of a router of ours
    ICMP_ERROR        = 8   // about a translated packet: translate what is in it (RFC 5508 4)
}

// What the controller asks for with a packet-out.
enum bit<8> packet_out_mode_t {
    NONE        = 0,
    SEND        = 1,  // leave by `port`, unchanged
    TRANSMIT    = 2,  // nic: as if `vnic_id` had sent it in `vlan_id`
    ROUTE       = 3,  // nic: as if `vnic_id` had put it, as received, on its forwarding ring
    ENCAPSULATE = 4,  // gateway: through `tunnel_id`, as `network_id`
    TENANT      = 5,  // gateway: as if received in `segment_id` of `tenant_id`
    ROUTED      = 6   // gateway: from the router of `tenant_id` itself, or of `router_id` when that is 0
}

#endif
