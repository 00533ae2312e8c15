// SPDX-License-Identifier: Apache-2.0
// A datacentre edge gateway: tunnels of many tenants, each with routers, translation and a firewall of its own, behind a
// cache of what they decided for a flow.
#include <externs.p4>  // of the architecture the compiler is pointed at: -I p4src/arch/v1model
#include "../core/checksum.p4"
#include "../core/gateway/sizes.p4"
#include "../core/gateway/headers.p4"
#include "../core/gateway/metadata.p4"
#include "../core/gateway/parser.p4"

#include "../stages/gateway/interface.p4"
#include "../stages/gateway/tunnel_termination.p4"
#include "../stages/gateway/decapsulation.p4"
#include "../stages/gateway/flow_key.p4"
#include "../stages/validation.p4"
#include "../stages/gateway/tenant_selection.p4"
#include "../stages/gateway/flow_cache.p4"
#include "../stages/gateway/local_address.p4"
#include "../stages/gateway/nat_inbound.p4"
#include "../stages/gateway/firewall.p4"
#include "../stages/gateway/distributed_routing.p4"
#include "../stages/gateway/nat_outbound.p4"
#include "../stages/gateway/central_routing.p4"
#include "../stages/gateway/ecmp.p4"
#include "../stages/gateway/neighbor.p4"
#include "../stages/gateway/next_hop.p4"
#include "../stages/gateway/mtu_guard.p4"
#include "../stages/gateway/accounting.p4"
#include "../stages/gateway/learning.p4"
#include "../stages/gateway/punt.p4"
#include "../stages/gateway/translation.p4"
#include "../stages/gateway/rewrite.p4"
#include "../stages/gateway/encapsulation.p4"

// A stage that decides a packet's fate ends the list for it. What the cache knows goes from there to its next hop.
control Pipeline(inout headers_t hdr, inout meta_t meta) {
    Interface()          interface;
    TunnelTermination()  tunnel_termination;
    Decapsulation()      decapsulation;
    FlowKey()            flow_key;
    Validation()         validation;
    TenantSelection()    tenant_selection;
    FlowCache()          flow_cache;
    LocalAddress()       local_address;
    NatInbound()         nat_inbound;
    Firewall()           firewall;
    DistributedRouting() distributed_routing;
    NatOutbound()        nat_outbound;
    CentralRouting()     central_routing;
    Ecmp()               ecmp;
    Neighbor()           neighbor;
    NextHop()            next_hop;
    MtuGuard()           mtu_guard;
    Accounting()         accounting;
    Learning()           learning;
    Punt()               punt;

    apply {
        interface.apply(hdr, meta);
        if (meta.verdict.kind == verdict_t.UNDECIDED) { tunnel_termination.apply(hdr, meta); }
        if (meta.verdict.kind == verdict_t.UNDECIDED) {
            if (meta.tunnel.ends_here) { decapsulation.apply(hdr, meta); }
            flow_key.apply(hdr, meta);
            validation.apply(hdr, meta);
        }
        if (meta.verdict.kind == verdict_t.UNDECIDED) { tenant_selection.apply(hdr, meta); }
        if (meta.verdict.kind == verdict_t.UNDECIDED) { flow_cache.apply(hdr, meta); }

        bool cached = meta.flow.cache_outcome == cache_outcome_t.HIT
            || meta.flow.cache_outcome == cache_outcome_t.AGGREGATE_HIT;
        if (!cached && meta.source.kind != source_t.CONTROLLER) {
            if (meta.verdict.kind == verdict_t.UNDECIDED) { local_address.apply(hdr, meta); }
            if (meta.verdict.kind == verdict_t.UNDECIDED) { nat_inbound.apply(hdr, meta); }
            if (meta.verdict.kind == verdict_t.UNDECIDED) { firewall.apply(hdr, meta); }
            if (meta.verdict.kind == verdict_t.UNDECIDED) { distributed_routing.apply(hdr, meta); }
            if (meta.verdict.kind == verdict_t.UNDECIDED) { nat_outbound.apply(hdr, meta); }
            if (meta.verdict.kind == verdict_t.UNDECIDED) { central_routing.apply(hdr, meta); }
            if (meta.verdict.kind == verdict_t.UNDECIDED) { ecmp.apply(hdr, meta); }
            if (meta.verdict.kind == verdict_t.UNDECIDED) { neighbor.apply(hdr, meta); }
        }

        if (meta.verdict.kind == verdict_t.UNDECIDED) {
            next_hop.apply(hdr, meta);
            mtu_guard.apply(hdr, meta);
        }
        accounting.apply(hdr, meta);
        if (!cached) { learning.apply(hdr, meta); }
        if (meta.verdict.kind == verdict_t.PUNT) { punt.apply(hdr, meta); }
    }
}

control EgressPipeline(inout headers_t hdr, inout meta_t meta) {
    Translation()   translation;
    Rewrite()       rewrite;
    Encapsulation() encapsulation;

    apply {
        if (meta.verdict.kind == verdict_t.SEND) { translation.apply(hdr, meta); }
        rewrite.apply(hdr, meta);
        if (meta.verdict.kind == verdict_t.SEND) { encapsulation.apply(hdr, meta); }
    }
}

#include <gateway/shell.p4>
