// SPDX-License-Identifier: Apache-2.0
// Credits tenants and rules, at one place for either path: a cached packet counts where the stages would have counted it.
#ifndef STAGES_GATEWAY_ACCOUNTING_P4
#define STAGES_GATEWAY_ACCOUNTING_P4

control Accounting(inout headers_t hdr, inout meta_t meta) {
    COUNTER(cache_outcome, bit<16>, CACHE_OUTCOMES);
    COUNTER(tenant_traffic, bit<16>, TENANT_DIRECTIONS);
    COUNTER(firewall_rule_hits, rule_id_t, FIREWALL_RULES);

    apply {
        if (meta.flow.cache_outcome != cache_outcome_t.NOT_LOOKED_UP) {
            bit<1> from_outside = meta.tenant.segment_id == 0 ? 1w1 : 1w0;
            COUNT(cache_outcome, 1w0 ++ meta.tenant.id[11:0] ++ ((bit<8>)meta.flow.cache_outcome)[2:0]);
            COUNT(tenant_traffic, 3w0 ++ meta.tenant.id[11:0] ++ from_outside);
            if (meta.flow.rule_id != 0) {
                COUNT(firewall_rule_hits, meta.flow.rule_id);
            }
        }
    }
}

#endif
