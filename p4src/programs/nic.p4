// SPDX-License-Identifier: Apache-2.0
// A host's SmartNIC: which VNIC a frame is for, which of its receive rings, or where it is routed to.
#include <externs.p4>  // of the architecture the compiler is pointed at: -I p4src/arch/v1model
#include <nic/clone.p4>
#include "../core/nic/sizes.p4"
#include "../core/nic/headers.p4"
#include "../core/nic/metadata.p4"
#include "../core/nic/parser.p4"

#include "../stages/nic/port_admission.p4"
#include "../stages/validation.p4"
#include "../stages/nic/transmit_guard.p4"
#include "../stages/nic/vnic.p4"
#include "../stages/nic/receive_rings.p4"
#include "../stages/nic/routing.p4"
#include "../stages/nic/vlan_forwarding.p4"
#include "../stages/nic/ring_delivery.p4"
#include "../stages/nic/punt.p4"
#include "../stages/nic/replication.p4"
#include "../stages/nic/rewrite.p4"

// A stage that decides a packet's fate ends the list for it; `punt` sees those that go to the controller.
control Pipeline(inout headers_t hdr, inout meta_t meta) {
    PortAdmission()  port_admission;
    Validation()     validation;
    TransmitGuard()  transmit_guard;
    Vnic()           vnic;
    ReceiveRings()   receive_rings;
    Routing()        routing;
    VlanForwarding() vlan_forwarding;
    RingDelivery()   ring_delivery;
    Punt()           punt;

    apply {
        port_admission.apply(hdr, meta);
        if (meta.verdict.kind == verdict_t.UNDECIDED) { validation.apply(hdr, meta); }
        if (meta.verdict.kind == verdict_t.UNDECIDED) { transmit_guard.apply(hdr, meta); }
        if (meta.verdict.kind == verdict_t.UNDECIDED) { vnic.apply(hdr, meta); }
        if (meta.verdict.kind == verdict_t.UNDECIDED) { receive_rings.apply(hdr, meta); }
        if (meta.verdict.kind == verdict_t.UNDECIDED) { routing.apply(hdr, meta); }
        if (meta.verdict.kind == verdict_t.UNDECIDED) { vlan_forwarding.apply(hdr, meta); }
        if (meta.verdict.kind == verdict_t.UNDECIDED) { ring_delivery.apply(hdr, meta); }
        punt.apply(hdr, meta);
    }
}

control EgressPipeline(inout headers_t hdr, inout meta_t meta) {
    Replication() replication;
    Rewrite()     rewrite;

    apply {
        replication.apply(hdr, meta);
        rewrite.apply(hdr, meta);
    }
}

#include <nic/shell.p4>
