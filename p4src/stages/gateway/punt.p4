// SPDX-License-Identifier: Apache-2.0
// To the controller: what a stage could not do alone. Each reason has a rate of its own, so that a flood of one leaves
// room for the others (RFC 6192).
#ifndef STAGES_GATEWAY_PUNT_P4
#define STAGES_GATEWAY_PUNT_P4

control Punt(inout headers_t hdr, inout meta_t meta) {
    METER(punt_meter, punt_reason_t, PUNT_REASONS);

    apply {
        color_t color = color_t.GREEN;
        EXECUTE_METER(punt_meter, meta.punt.reason, color);
        if (color == color_t.RED) {
            drop_packet(meta, drop_reason_t.PUNT_RATE_EXCEEDED);
        }
    }
}

#endif
