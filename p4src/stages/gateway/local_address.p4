// SPDX-License-Identifier: Apache-2.0
// A packet for an address of the router it is sent to is the controller's to answer.
#ifndef STAGES_GATEWAY_LOCAL_ADDRESS_P4
#define STAGES_GATEWAY_LOCAL_ADDRESS_P4

control LocalAddress(inout headers_t hdr, inout meta_t meta) {
    // The tenant's router in a segment, or the central router of an uplink.
    tenant_id_t tenant_id = 0;
    bit<16>     owner_id = 0;

    action local() {
        punt_packet(meta, punt_reason_t.LOCAL);
    }

    action not_local() {}

    table local_address_ipv4 {
        key = {
            tenant_id         : exact @name("tenant_id");
            owner_id          : exact @name("owner_id");
            hdr.ipv4.dst_addr : exact @name("dst_addr") @format(IPV4_ADDRESS);
        }
        actions = { local; @defaultonly not_local; }
        const default_action = not_local;
        size = LOCAL_ADDRESSES;
    }

    table local_address_ipv6 {
        key = {
            tenant_id         : exact @name("tenant_id");
            owner_id          : exact @name("owner_id");
            hdr.ipv6.dst_addr : exact @name("dst_addr") @format(IPV6_ADDRESS);
        }
        actions = { local; @defaultonly not_local; }
        const default_action = not_local;
        size = LOCAL_ADDRESSES;
    }

    apply {
        if (meta.source.kind == source_t.SEGMENT) {
            tenant_id = meta.tenant.id;
            owner_id = meta.tenant.segment_id;
        } else {
            owner_id = meta.source.router_id;
        }

        if (meta.source.kind == source_t.SEGMENT || meta.source.kind == source_t.UPLINK) {
            consult(meta, consulted_t.DST_ADDR);
            if (hdr.ipv4.isValid()) {
                local_address_ipv4.apply();
            } else {
                local_address_ipv6.apply();
            }
            if (meta.verdict.kind == verdict_t.UNDECIDED && meta.tenant.id == 0) {
                drop_packet(meta, drop_reason_t.NO_TENANT);
            }
        }
    }
}

#endif
