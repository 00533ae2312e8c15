// SPDX-License-Identifier: Apache-2.0
// A VNIC speaks for its own addresses only. Who it is was settled by the port or ring, not by anything in the frame.
#ifndef STAGES_NIC_TRANSMIT_GUARD_P4
#define STAGES_NIC_TRANSMIT_GUARD_P4

control TransmitGuard(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(transmit_mac_counter);

    action allow() {}

    action refuse_mac() {
        drop_packet(meta, drop_reason_t.SRC_MAC_SPOOFED);
    }

    table transmit_mac {
        key = {
            meta.source.vnic_id : exact @name("vnic_id");
            hdr.ethernet.src_addr : exact @name("src_mac") @format(MAC_ADDRESS);
        }
        actions = { allow; @defaultonly refuse_mac; }
        const default_action = refuse_mac;
        size = MACS;
        COUNTED_BY(transmit_mac_counter);
    }

    // A frame on a forwarding ring is as it was received: the VNIC's own address is where it was sent to.
    table forwarded_mac {
        key = {
            meta.source.vnic_id : exact @name("vnic_id");
            hdr.ethernet.dst_addr : exact @name("dst_mac") @format(MAC_ADDRESS);
        }
        actions = { allow; @defaultonly refuse_mac; }
        const default_action = refuse_mac;
        size = MACS;
    }

    apply {
        if (meta.source.role == port_role_t.VNIC) {
            if (meta.source.transmit == transmit_t.ROUTED) {
                forwarded_mac.apply();
            } else {
                transmit_mac.apply();
            }
        }
    }
}

#endif
