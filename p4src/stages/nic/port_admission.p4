// SPDX-License-Identifier: Apache-2.0
// Who sends on a port, and in which VLAN: a port has a role, and a tag (or its absence) names a VLAN of this NIC.
#ifndef STAGES_NIC_PORT_ADMISSION_P4
#define STAGES_NIC_PORT_ADMISSION_P4

control PortAdmission(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(port_counter);
    DIRECT_COUNTER(uplink_vlan_counter);

    action admit_uplink() {
        meta.source.role = port_role_t.UPLINK;
    }

    // A port wired to a ring: all it sends is the VNIC's.
    action admit_vnic(vnic_id_t vnic_id, transmit_t transmit) {
        meta.source.role = port_role_t.VNIC;
        meta.source.vnic_id = vnic_id;
        meta.source.transmit = transmit;
    }

    action admit_host() {
        meta.source.role = port_role_t.VNIC;
        meta.source.vnic_id = hdr.nic_tx_desc.vnic_id;
        meta.source.transmit = hdr.nic_tx_desc.transmit;
    }

    action admit_cpu() {
        meta.source.role = port_role_t.CPU;
    }

    action refuse_port() {
        drop_packet(meta, drop_reason_t.PORT_NOT_ADMITTED);
    }

    table port {
        key = { meta.frame.ingress_port : exact @name("port"); }
        actions = { admit_uplink; admit_vnic; admit_host; admit_cpu; @defaultonly refuse_port; }
        const default_action = refuse_port;
        size = PORTS;
        COUNTED_BY(port_counter);
    }

    action set_vlan(vlan_id_t vlan_id) {
        meta.vlan.vlan_id = vlan_id;
    }

    action refuse_uplink_vlan() {
        drop_packet(meta, drop_reason_t.VLAN_NOT_ADMITTED);
    }

    action refuse_vnic_vlan() {
        drop_packet(meta, drop_reason_t.VNIC_VLAN_NOT_ALLOWED);
    }

    table uplink_vlan {
        key = {
            meta.frame.ingress_port : exact @name("port");
            meta.vlan.tag_type      : exact @name("tag_type");
            meta.vlan.tag_vlan_id   : exact @name("tag_vlan_id");
        }
        actions = { set_vlan; @defaultonly refuse_uplink_vlan; }
        const default_action = refuse_uplink_vlan;
        size = UPLINK_VLANS;
        COUNTED_BY(uplink_vlan_counter);
    }

    table vnic_vlan {
        key = {
            meta.source.vnic_id   : exact @name("vnic_id");
            meta.vlan.tag_type    : exact @name("tag_type");
            meta.vlan.tag_vlan_id : exact @name("tag_vlan_id");
        }
        actions = { set_vlan; @defaultonly refuse_vnic_vlan; }
        const default_action = refuse_vnic_vlan;
        size = VNIC_VLANS;
    }

    // The tag is taken off for good once it has named a VLAN; `rewrite` puts on what the way out asks for. A tenant's
    // inner tag is not ours to touch.
    action read_tag(tag_type_t tag_type) {
        meta.vlan.tag_type = tag_type;
        meta.vlan.tag_vlan_id = hdr.outer_tag.vlan_id;
        meta.vlan.pcp = hdr.outer_tag.pcp;
        meta.vlan.dei = hdr.outer_tag.dei;
    }

    // The controller is trusted with the identity it speaks for, and has named the VLAN already.
    action speak_for_vnic(transmit_t transmit) {
        meta.source.role = port_role_t.VNIC;
        meta.source.vnic_id = hdr.packet_out.vnic_id;
        meta.source.transmit = transmit;
        meta.vlan.vlan_id = (vlan_id_t)hdr.packet_out.vlan_id;
    }

    apply {
        if (hdr.outer_tag.isValid()) {
            // A priority tag names no VLAN. With a second tag behind it, VID 0 counts as a VLAN, which nobody is
            // admitted to: where the frame left untagged, the second tag would name a VLAN of its sender's choice.
            if (hdr.outer_tag.vlan_id == 0 && hdr.outer_tag.ether_type != ether_type_t.VLAN
                    && hdr.outer_tag.ether_type != ether_type_t.QINQ) {
                read_tag(tag_type_t.UNTAGGED);
            } else if (hdr.ethernet.ether_type == ether_type_t.QINQ) {
                read_tag(tag_type_t.S_TAG);
            } else {
                read_tag(tag_type_t.C_TAG);
            }
        }

        if (meta.frame.ingress_port == HOST_PORT && !hdr.nic_tx_desc.isValid()
                || meta.frame.ingress_port == CPU_PORT && !hdr.packet_out.isValid()) {
            drop_packet(meta, drop_reason_t.PARSE_TOO_SHORT);  // nothing says who sent it
            return;
        }

        port.apply();
        if (meta.source.role == port_role_t.UPLINK) {
            uplink_vlan.apply();
        } else if (meta.source.role == port_role_t.VNIC) {
            vnic_vlan.apply();
        } else if (meta.source.role == port_role_t.CPU) {
            if (hdr.packet_out.port >= HOST_PORT || hdr.packet_out.vlan_id > MAX_VLAN_ID) {
                drop_packet(meta, drop_reason_t.PACKET_OUT_INVALID);
            } else if (hdr.packet_out.mode == packet_out_mode_t.SEND) {
                send_packet(meta, hdr.packet_out.port);
            } else if (hdr.packet_out.mode == packet_out_mode_t.TRANSMIT) {
                speak_for_vnic(transmit_t.SWITCHED);
            } else if (hdr.packet_out.mode == packet_out_mode_t.ROUTE) {
                speak_for_vnic(transmit_t.ROUTED);
            } else {
                drop_packet(meta, drop_reason_t.PACKET_OUT_INVALID);
            }
        }
    }
}

#endif
