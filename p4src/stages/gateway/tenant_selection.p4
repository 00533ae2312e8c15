// SPDX-License-Identifier: Apache-2.0
// Whose packet it is: the interface or the tunnel said so, or the destination does when it comes from outside. With the
// tenant and its central router come the epochs that their cache entries have to be of.
#ifndef STAGES_GATEWAY_TENANT_SELECTION_P4
#define STAGES_GATEWAY_TENANT_SELECTION_P4

control TenantSelection(inout headers_t hdr, inout meta_t meta) {
    action to_tenant(tenant_id_t tenant_id) {
        meta.tenant.id = tenant_id;
    }

    // An address of the tenant's translation: nothing of the tenant's has it.
    action to_tenant_nat(tenant_id_t tenant_id) {
        meta.tenant.id = tenant_id;
        meta.tenant.destination_is_translated = true;
    }

    // Perhaps for the router itself: see local_address.
    action no_tenant() {}

    table tenant_destination_ipv4 {
        key = {
            meta.source.router_id : exact @name("router_id");
            hdr.ipv4.dst_addr     : lpm   @name("dst_addr") @format(IPV4_ADDRESS);
        }
        actions = { to_tenant; to_tenant_nat; @defaultonly no_tenant; }
        const default_action = no_tenant;
        size = TENANT_DESTINATIONS;
    }

    table tenant_destination_ipv6 {
        key = {
            meta.source.router_id : exact @name("router_id");
            hdr.ipv6.dst_addr     : lpm   @name("dst_addr") @format(IPV6_ADDRESS);
        }
        actions = { to_tenant; @defaultonly no_tenant; }
        const default_action = no_tenant;
        size = TENANT_DESTINATIONS;
    }

    action set_tenant(epoch_t epoch, router_id_t router_id, bit<1> firewall, bit<1> nat, bit<8> firewall_fields) {
        meta.tenant.epoch = epoch;
        meta.tenant.router_id = router_id;
        meta.tenant.firewall = firewall == 1;
        meta.tenant.nat = nat == 1;
        meta.tenant.firewall_fields = firewall_fields;
    }

    action unknown_tenant() {
        drop_packet(meta, drop_reason_t.TENANT_UNKNOWN);
    }

    table tenant {
        key = { meta.tenant.id : exact @name("tenant_id"); }
        actions = { set_tenant; @defaultonly unknown_tenant; }
        const default_action = unknown_tenant;
        size = TENANTS;
    }

    action set_router(epoch_t epoch) {
        meta.tenant.router_epoch = epoch;
    }

    action unknown_router() {
        drop_packet(meta, drop_reason_t.ROUTER_UNKNOWN);
    }

    table router {
        key = { meta.tenant.router_id : exact @name("router_id"); }
        actions = { set_router; @defaultonly unknown_router; }
        const default_action = unknown_router;
        size = ROUTERS;
    }

    apply {
        if (meta.source.kind == source_t.UNDERLAY || meta.source.kind == source_t.UPLINK
                || meta.source.kind == source_t.SEGMENT) {
            bool for_us = meta.frame.any_mac || hdr.ethernet.dst_addr == meta.source.mac;
            bool neighbor_discovery = hdr.icmp.isValid() && meta.lookup.protocol == ip_protocol_t.ICMPV6
                && hdr.ipv6.isValid() && hdr.ipv6.hop_limit == ND_HOP_LIMIT
                && (hdr.icmp.type == icmpv6_type_t.NEIGHBOR_SOLICITATION
                    || hdr.icmp.type == icmpv6_type_t.NEIGHBOR_ADVERTISEMENT);
            if ((hdr.arp.isValid() || neighbor_discovery) && (for_us || hdr.ethernet.dst_addr[40:40] == 1)) {
                punt_packet(meta, punt_reason_t.NEIGHBOR_HEARD);
            } else if (!for_us) {
                drop_packet(meta, drop_reason_t.DST_MAC_NOT_OURS);
            } else if (meta.source.kind == source_t.UNDERLAY) {
                drop_packet(meta, drop_reason_t.UNDERLAY_NOT_TUNNEL);
            } else if (hdr.ipv4.isValid()) {
                if (meta.source.kind == source_t.UPLINK) {
                    tenant_destination_ipv4.apply();
                    consult(meta, consulted_t.DST_ADDR);
                }
            } else if (hdr.ipv6.isValid()) {
                if (meta.source.kind == source_t.UPLINK) {
                    tenant_destination_ipv6.apply();
                    consult(meta, consulted_t.DST_ADDR);
                }
            } else {
                drop_packet(meta, drop_reason_t.NOT_ROUTABLE);
            }
        }

        if (meta.verdict.kind == verdict_t.UNDECIDED) {
            meta.tenant.router_id = meta.source.router_id;
            if (meta.tenant.id != 0) {
                tenant.apply();
            }
        }
        if (meta.verdict.kind == verdict_t.UNDECIDED && meta.tenant.router_id != 0) {
            router.apply();
        }
    }
}

#endif
