// SPDX-License-Identifier: Apache-2.0
// The classifier: destination address and VLAN say which VNIC a frame is for, or that it is for every member of the
// VLAN, for the wire, or for nobody here. One VNIC has as many addresses as it has entries.
#ifndef STAGES_NIC_VNIC_P4
#define STAGES_NIC_VNIC_P4

control Vnic(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(l2_classify_counter);

    action to_vnic(vnic_id_t vnic_id) {
        meta.vnic.destination = destination_t.VNIC;
        meta.vnic.vnic_id = vnic_id;
    }

    action unknown_unicast() {}

    table l2_classify {
        key = {
            meta.vlan.vlan_id     : exact @name("vlan_id");
            hdr.ethernet.dst_addr : exact @name("dst_mac") @format(MAC_ADDRESS);
        }
        actions = { to_vnic; @defaultonly unknown_unicast; }
        const default_action = unknown_unicast;
        size = MACS;
        COUNTED_BY(l2_classify_counter);
    }

    apply {
        bool from_uplink = meta.source.role == port_role_t.UPLINK;

        if (meta.source.transmit == transmit_t.ROUTED) {
            to_vnic(meta.source.vnic_id);
        } else if (hdr.ethernet.dst_addr[47:4] == RESERVED_GROUP_PREFIX) {
            // Link-constrained control protocols (LLDP, LACP, STP): no bridge passes them on (IEEE 802.1Q 8.6.3).
            if (from_uplink) {
                meta.vnic.destination = destination_t.DEFAULT_RING;
            } else {
                drop_packet(meta, drop_reason_t.RESERVED_GROUP_ADDRESS);
            }
        } else if (hdr.ethernet.dst_addr[40:40] == 1) {
            meta.vnic.destination = destination_t.FLOOD;
        } else if (l2_classify.apply().hit) {
            if (!from_uplink && meta.vnic.vnic_id == meta.source.vnic_id) {
                drop_packet(meta, drop_reason_t.DST_IS_SOURCE);
            }
        } else if (from_uplink) {
            meta.vnic.destination = destination_t.DEFAULT_RING;
        } else {
            meta.vnic.destination = destination_t.WIRE;
        }
    }
}

#endif
