// SPDX-License-Identifier: Apache-2.0
// Where a frame comes from: a port and its VLAN are an interface, with a role. The controller says for itself whom a
// packet-out is from.
#ifndef STAGES_GATEWAY_INTERFACE_P4
#define STAGES_GATEWAY_INTERFACE_P4

control Interface(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(interface_counter);
    vlan_id_t vlan_id = 0;  // also of a priority tag: VID 0 names no VLAN (IEEE 802.1Q 9.6)

    action from_underlay(mac_addr_t mac) {
        meta.source.kind = source_t.UNDERLAY;
        meta.source.mac = mac;
    }

    action uplink(router_id_t router_id, mac_addr_t mac) {
        meta.source.kind = source_t.UPLINK;
        meta.source.router_id = router_id;
        meta.source.mac = mac;
    }

    action segment(tenant_id_t tenant_id, segment_id_t segment_id, mac_addr_t mac) {
        meta.source.kind = source_t.SEGMENT;
        meta.tenant.id = tenant_id;
        meta.tenant.segment_id = segment_id;
        meta.source.mac = mac;
    }

    action refuse() {
        drop_packet(meta, drop_reason_t.INTERFACE_UNKNOWN);
    }

    table interface {
        key = {
            meta.frame.ingress_port : exact @name("port");
            vlan_id                 : exact @name("vlan_id");
        }
        actions = { from_underlay; uplink; segment; @defaultonly refuse; }
        const default_action = refuse;
        size = INTERFACES;
        COUNTED_BY(interface_counter);
    }

    // The controller is trusted with whom it speaks for.
    action speak_for_tenant() {
        meta.source.kind = hdr.packet_out.segment_id == 0 ? source_t.UPLINK : source_t.SEGMENT;
        meta.source.router_id = hdr.packet_out.router_id;
        meta.tunnel.id = hdr.packet_out.tunnel_id;
        meta.tunnel.network_id = hdr.packet_out.network_id;
        meta.tenant.id = hdr.packet_out.segment_id == 0 ? 0 : hdr.packet_out.tenant_id;
        meta.tenant.segment_id = hdr.packet_out.segment_id;
    }

    action speak_for_router() {
        meta.source.kind = source_t.ROUTER;
        meta.source.router_id = hdr.packet_out.router_id;
        meta.tenant.id = hdr.packet_out.tenant_id;
    }

    // The frame is as it has to be inside of the tunnel.
    action encapsulate() {
        meta.source.kind = source_t.CONTROLLER;
        meta.next_hop.tunnel_id = hdr.packet_out.tunnel_id;
        meta.next_hop.network_id = hdr.packet_out.network_id;
        meta.next_hop.src_mac = hdr.ethernet.src_addr;
        meta.next_hop.dst_mac = hdr.ethernet.dst_addr;
        meta.next_hop.mtu = 0xffff;
    }

    apply {
        if (meta.frame.ingress_port != CPU_PORT) {
            if (hdr.outer_tag.isValid()) {
                vlan_id = hdr.outer_tag.vlan_id;
            }
            interface.apply();
        } else if (!hdr.packet_out.isValid()) {
            drop_packet(meta, drop_reason_t.PARSE_TOO_SHORT);  // nothing says what to do with it
        } else {
            meta.frame.any_mac = true;
            if (hdr.packet_out.mode == packet_out_mode_t.SEND && hdr.packet_out.port < HOST_PORT) {
                send_packet(meta, hdr.packet_out.port);
            } else if (hdr.packet_out.mode == packet_out_mode_t.ENCAPSULATE) {
                encapsulate();
            } else if (hdr.packet_out.mode == packet_out_mode_t.TENANT) {
                speak_for_tenant();
            } else if (hdr.packet_out.mode == packet_out_mode_t.ROUTED) {
                speak_for_router();
            } else {
                drop_packet(meta, drop_reason_t.PACKET_OUT_INVALID);
            }
        }
    }
}

#endif
