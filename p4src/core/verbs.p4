// SPDX-License-Identifier: Apache-2.0
// The verbs every stage shares. A program's metadata.p4 includes this behind its meta_t.
#ifndef CORE_VERBS_P4
#define CORE_VERBS_P4

action drop_packet(inout meta_t meta, in drop_reason_t reason) {
    meta.verdict.kind = verdict_t.DROP;
    meta.verdict.drop_reason = reason;
}

action send_packet(inout meta_t meta, in port_id_t port) {
    meta.verdict.kind = verdict_t.SEND;
    meta.verdict.egress_port = port;
}

action punt_packet(inout meta_t meta, in punt_reason_t reason) {
    meta.verdict.kind = verdict_t.PUNT;
    meta.punt.reason = reason;
}

#endif
