// SPDX-License-Identifier: Apache-2.0
// `nic` in v1model: the only place that knows standard_metadata. It gives the program what came with the packet,
// and turns the program's verdict into what simple_switch understands. Each packet's end is counted here, once.
#ifndef ARCH_V1MODEL_NIC_SHELL_P4
#define ARCH_V1MODEL_NIC_SHELL_P4

#include <arrival.p4>

const bit<32> CPU_CLONE_SESSION = 1;

// simple_switch's values of standard_metadata.instance_type
const bit<32> INSTANCE_INGRESS_CLONE = 1;
const bit<32> INSTANCE_REPLICATION   = 5;

control IngressPipe(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t standard_metadata) {
    COUNTER(drop_reason, drop_reason_t, DROP_REASONS);
    COUNTER(outcome, outcome_t, OUTCOMES);
    Pipeline() pipeline;

    apply {
        meta.frame.too_short = standard_metadata.parser_error != error.NoError;  // the parser can fail in no other way
        meta.frame.ipv4_checksum_bad = standard_metadata.checksum_error == 1;
        COUNT(outcome, outcome_t.RECEIVED);

        pipeline.apply(hdr, meta);

        if (meta.punt.copy) {
            clone_preserving_field_list(CloneType.I2E, CPU_CLONE_SESSION, PUNT_FIELDS);
        } else if (meta.punt.copy_policed) {
            COUNT(outcome, outcome_t.COPY_POLICED);
        }

        if (meta.verdict.kind == verdict_t.SEND) {
            COUNT(outcome, outcome_t.SENT);
            standard_metadata.egress_spec = (bit<9>)meta.verdict.egress_port;
        } else if (meta.verdict.kind == verdict_t.DELIVER) {
            COUNT(outcome, outcome_t.DELIVERED);
            standard_metadata.egress_spec = (bit<9>)meta.verdict.egress_port;
        } else if (meta.verdict.kind == verdict_t.PUNT) {
            COUNT(outcome, outcome_t.PUNTED);
            standard_metadata.egress_spec = (bit<9>)CPU_PORT;
        } else if (meta.verdict.kind == verdict_t.REPLICATE) {
            COUNT(outcome, outcome_t.REPLICATED);
            standard_metadata.mcast_grp = meta.verdict.group_id;
        } else {
            COUNT(outcome, outcome_t.DROPPED);
            COUNT(drop_reason, meta.verdict.drop_reason);
            mark_to_drop(standard_metadata);
        }
    }
}

control EgressPipe(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t standard_metadata) {
    COUNTER(copy_outcome, outcome_t, OUTCOMES);
    EgressPipeline() pipeline;

    apply {
        meta.copy.is_clone = standard_metadata.instance_type == INSTANCE_INGRESS_CLONE;
        meta.copy.is_replica = standard_metadata.instance_type == INSTANCE_REPLICATION;
        meta.copy.vnic_id = standard_metadata.egress_rid;
        meta.verdict.egress_port = (port_id_t)standard_metadata.egress_port;

        pipeline.apply(hdr, meta);

        if (meta.copy.is_clone) {
            COUNT(copy_outcome, outcome_t.COPY_PUNTED);
        } else if (meta.copy.prune) {
            COUNT(copy_outcome, outcome_t.COPY_PRUNED);
            mark_to_drop(standard_metadata);
        } else if (meta.copy.is_replica && meta.copy.vnic_id == UPLINK_COPY) {
            COUNT(copy_outcome, outcome_t.COPY_SENT);
        } else if (meta.copy.is_replica) {
            COUNT(copy_outcome, outcome_t.COPY_DELIVERED);
        }
    }
}

// TTL changes carry the checksum along (see rewrite): nothing to compute afresh.
control ShellComputeChecksum(inout headers_t hdr, inout meta_t meta) {
    apply {}
}

V1Switch(ShellParser(), ShellVerifyChecksum(), IngressPipe(), EgressPipe(), ShellComputeChecksum(), FrameDeparser()) main;

#endif
