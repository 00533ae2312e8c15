// SPDX-License-Identifier: Apache-2.0
// Out of the NIC: the wire a VLAN uses, and the group of its members.
#ifndef STAGES_NIC_VLAN_FORWARDING_P4
#define STAGES_NIC_VLAN_FORWARDING_P4

control VlanForwarding(inout headers_t hdr, inout meta_t meta) {
    action send_to_uplink(port_id_t port) {
        send_packet(meta, port);
    }

    action no_uplink() {
        drop_packet(meta, drop_reason_t.NO_UPLINK);
    }

    table vlan_uplink {
        key = { meta.vlan.vlan_id : exact @name("vlan_id"); }
        actions = { send_to_uplink; @defaultonly no_uplink; }
        const default_action = no_uplink;
        size = VLANS;
    }

    action replicate(group_id_t group_id) {
        meta.verdict.kind = verdict_t.REPLICATE;
        meta.verdict.group_id = group_id;
    }

    action no_members() {
        drop_packet(meta, drop_reason_t.VLAN_WITHOUT_MEMBERS);
    }

    table vlan_flood {
        key = { meta.vlan.vlan_id : exact @name("vlan_id"); }
        actions = { replicate; @defaultonly no_members; }
        const default_action = no_members;
        size = VLANS;
    }

    apply {
        if (meta.vnic.destination == destination_t.WIRE) {
            vlan_uplink.apply();
        } else if (meta.vnic.destination == destination_t.FLOOD) {
            vlan_flood.apply();
        }
    }
}

#endif
