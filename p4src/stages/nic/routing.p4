// SPDX-License-Identifier: Apache-2.0
// Routes what a VNIC is only to pass on, by that VNIC's own tables: next hop, then the next hop's MAC address, on the
// wire or on another VNIC of this NIC. What takes an IP stack to answer is for the controller (RFC 1812, RFC 8200).
#ifndef STAGES_NIC_ROUTING_P4
#define STAGES_NIC_ROUTING_P4

control Routing(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(ipv4_route_counter);
    DIRECT_COUNTER(ipv6_route_counter);
    bool found = false;
    bit<16> mtu = 0;
    bool next_is_forwarding = false;

    action no_route() {
        punt_packet(meta, punt_reason_t.NO_ROUTE);
    }

    action blackhole() {
        drop_packet(meta, drop_reason_t.BLACKHOLE_ROUTE);
    }

    // The VNIC's own stack routes these.
    action to_ring() {
        meta.ring.route = false;
    }

    action on_link(vlan_id_t vlan_id, bit<16> mtu_bytes) {
        found = true;
        mtu = mtu_bytes;
        meta.vlan.vlan_id = vlan_id;
        meta.punt.next_hop = meta.lookup.dst_addr;
    }

    action via_ipv4(ipv4_addr_t next_hop, vlan_id_t vlan_id, bit<16> mtu_bytes) {
        found = true;
        mtu = mtu_bytes;
        meta.vlan.vlan_id = vlan_id;
        meta.punt.next_hop = (bit<128>)next_hop;
    }

    action via_ipv6(ipv6_addr_t next_hop, vlan_id_t vlan_id, bit<16> mtu_bytes) {
        found = true;
        mtu = mtu_bytes;
        meta.vlan.vlan_id = vlan_id;
        meta.punt.next_hop = next_hop;
    }

    table ipv4_route {
        key = {
            meta.vnic.vnic_id : exact @name("vnic_id");
            hdr.ipv4.dst_addr : lpm   @name("ipv4_dst") @format(IPV4_ADDRESS);
        }
        actions = { on_link; via_ipv4; to_ring; blackhole; @defaultonly no_route; }
        const default_action = no_route;
        size = IPV4_ROUTES;
        COUNTED_BY(ipv4_route_counter);
    }

    table ipv6_route {
        key = {
            meta.vnic.vnic_id : exact @name("vnic_id");
            hdr.ipv6.dst_addr : lpm   @name("ipv6_dst") @format(IPV6_ADDRESS);
        }
        actions = { on_link; via_ipv6; to_ring; blackhole; @defaultonly no_route; }
        const default_action = no_route;
        size = IPV6_ROUTES;
        COUNTED_BY(ipv6_route_counter);
    }

    action neighbor_miss() {
        punt_packet(meta, punt_reason_t.NEIGHBOR_MISS);
    }

    action to_wire(mac_addr_t src_mac, mac_addr_t dst_mac) {
        meta.route.routed = true;
        meta.route.src_mac = src_mac;
        meta.route.dst_mac = dst_mac;
        meta.vnic.destination = destination_t.WIRE;
    }

    // The neighbor is a VNIC of this NIC. One that passes nothing on takes everything as its own.
    action to_vnic(mac_addr_t src_mac, mac_addr_t dst_mac, vnic_id_t vnic_id) {
        to_wire(src_mac, dst_mac);
        meta.vnic.destination = destination_t.VNIC;
        meta.vnic.vnic_id = vnic_id;
        meta.ring.type = ring_type_t.LOCAL;
    }

    action to_forwarding_vnic(mac_addr_t src_mac, mac_addr_t dst_mac, vnic_id_t vnic_id) {
        to_vnic(src_mac, dst_mac, vnic_id);
        meta.ring.type = ring_type_t.FORWARD;
        next_is_forwarding = true;
    }

    table ipv4_neighbor {
        key = {
            meta.vnic.vnic_id         : exact @name("vnic_id");
            meta.vlan.vlan_id         : exact @name("vlan_id");
            meta.punt.next_hop[31:0]  : exact @name("next_hop") @format(IPV4_ADDRESS);
        }
        actions = { to_wire; to_vnic; to_forwarding_vnic; @defaultonly neighbor_miss; }
        const default_action = neighbor_miss;
        size = IPV4_NEIGHBORS;
    }

    table ipv6_neighbor {
        key = {
            meta.vnic.vnic_id  : exact @name("vnic_id");
            meta.vlan.vlan_id  : exact @name("vlan_id");
            meta.punt.next_hop : exact @name("next_hop") @format(IPV6_ADDRESS);
        }
        actions = { to_wire; to_vnic; to_forwarding_vnic; @defaultonly neighbor_miss; }
        const default_action = neighbor_miss;
        size = IPV6_NEIGHBORS;
    }

    // receive_rings' decision once more, for the VNIC that the packet is routed to.
    action local() {
        meta.ring.type = ring_type_t.LOCAL;
    }

    action forward() {}

    table next_local_ipv4 {
        key = {
            meta.vnic.vnic_id : exact @name("vnic_id");
            hdr.ipv4.dst_addr : exact @name("ipv4_dst") @format(IPV4_ADDRESS);
        }
        actions = { local; @defaultonly forward; }
        const default_action = forward;
        size = LOCAL_IPV4;
    }

    table next_local_ipv6 {
        key = {
            meta.vnic.vnic_id : exact @name("vnic_id");
            hdr.ipv6.dst_addr : exact @name("ipv6_dst") @format(IPV6_ADDRESS);
        }
        actions = { local; @defaultonly forward; }
        const default_action = forward;
        size = LOCAL_IPV6;
    }

    apply {
        if (meta.ring.type == ring_type_t.FORWARD && meta.ring.route) {
            vlan_id_t received_in = meta.vlan.vlan_id;
            if (hdr.ipv4.isValid()) {
                if (hdr.ipv4.src_addr == 0
                        || hdr.ipv4.src_addr[31:16] == 0xa9fe     // RFC 3927 7
                        || hdr.ipv4.dst_addr[31:16] == 0xa9fe
                        || hdr.ipv4.dst_addr[31:28] == 0xe
                        || hdr.ipv4.dst_addr == IPV4_LIMITED_BROADCAST) {
                    drop_packet(meta, drop_reason_t.NOT_ROUTABLE);
                } else if (hdr.ipv4.ttl == 1) {
                    punt_packet(meta, punt_reason_t.TTL_EXPIRED);
                } else {
                    ipv4_route.apply();
                    if (found) {
                        if (hdr.ipv4.total_length <= mtu) {
                            ipv4_neighbor.apply();
                        } else if (hdr.ipv4.do_not_fragment == 1) {
                            punt_packet(meta, punt_reason_t.PACKET_TOO_BIG);
                        } else if (meta.source.transmit == transmit_t.ROUTED) {
                            drop_packet(meta, drop_reason_t.FRAGMENTATION_NEEDED);
                        } else {
                            meta.vlan.vlan_id = received_in;
                            to_ring();  // for the VNIC's own stack to fragment
                        }
                    }
                }
            } else if (hdr.ipv6.isValid()) {
                if (hdr.ipv6.src_addr == 0
                        || hdr.ipv6.src_addr[127:118] == 0x3fa    // RFC 4291 2.5.6
                        || hdr.ipv6.dst_addr[127:118] == 0x3fa
                        || hdr.ipv6.dst_addr[127:120] == 0xff) {
                    drop_packet(meta, drop_reason_t.NOT_ROUTABLE);
                } else if (hdr.ipv6.hop_limit == 1) {
                    punt_packet(meta, punt_reason_t.TTL_EXPIRED);
                } else {
                    ipv6_route.apply();
                    if (found) {
                        if (hdr.ipv6.payload_length <= mtu - IPV6_BYTES) {
                            ipv6_neighbor.apply();
                        } else {
                            punt_packet(meta, punt_reason_t.PACKET_TOO_BIG);
                        }
                    }
                }
            } else {
                drop_packet(meta, drop_reason_t.NOT_ROUTABLE);
            }

            if (meta.verdict.kind == verdict_t.UNDECIDED && !meta.ring.route
                    && meta.source.transmit == transmit_t.ROUTED) {
                drop_packet(meta, drop_reason_t.NOT_ROUTABLE);  // the ring it would go to is the one it came from
            } else if (next_is_forwarding && hdr.ipv4.isValid()) {
                next_local_ipv4.apply();
            } else if (next_is_forwarding) {
                next_local_ipv6.apply();
            }
        }
    }
}

#endif
