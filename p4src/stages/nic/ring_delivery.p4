// SPDX-License-Identifier: Apache-2.0
// Into the host: a ring of the VNIC's group by flow, then the host port or whatever port the ring is wired to.
#ifndef STAGES_NIC_RING_DELIVERY_P4
#define STAGES_NIC_RING_DELIVERY_P4

control RingDelivery(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(ring_group_counter);
    DIRECT_COUNTER(ring_counter);
    bit<7> bucket = 0;

    action no_ring() {
        drop_packet(meta, drop_reason_t.NO_RING);
    }

    // One bucket, or 128 of them, as receive-side scaling has it.
    action spread(bit<7> bucket_mask) {
        bucket = meta.ring.flow_hash[6:0] & bucket_mask;
    }

    table ring_group {
        key = {
            meta.vnic.vnic_id : exact @name("vnic_id");
            meta.ring.type    : exact @name("ring_type");
        }
        actions = { spread; @defaultonly no_ring; }
        const default_action = no_ring;
        size = RING_GROUPS;
        COUNTED_BY(ring_group_counter);
    }

    action set_ring(ring_id_t ring_id) {
        meta.ring.ring_id = ring_id;
    }

    table ring_pick {
        key = {
            meta.vnic.vnic_id : exact @name("vnic_id");
            meta.ring.type    : exact @name("ring_type");
            bucket            : exact @name("bucket");
        }
        actions = { set_ring; @defaultonly no_ring; }
        const default_action = no_ring;
        size = RING_BUCKETS;
    }

    action no_default_ring() {
        drop_packet(meta, drop_reason_t.NO_DEFAULT_RING);
    }

    action set_default_ring(vnic_id_t vnic_id, ring_id_t ring_id) {
        meta.ring.type = ring_type_t.DEFAULT;
        meta.ring.ring_id = ring_id;
        meta.vnic.vnic_id = vnic_id;
    }

    table default_ring {
        actions = { set_default_ring; no_default_ring; }
        default_action = no_default_ring;
    }

    action not_attached() {
        drop_packet(meta, drop_reason_t.RING_NOT_ATTACHED);
    }

    action to_host() {
        meta.verdict.kind = verdict_t.DELIVER;
        meta.verdict.egress_port = HOST_PORT;
    }

    action to_port(port_id_t port) {
        meta.verdict.kind = verdict_t.DELIVER;
        meta.verdict.egress_port = port;
    }

    table ring {
        key = { meta.ring.ring_id : exact @name("ring_id"); }
        actions = { to_host; to_port; @defaultonly not_attached; }
        const default_action = not_attached;
        size = RINGS;
        COUNTED_BY(ring_counter);
    }

    // Both directions of a flow hash alike: the endpoint with the smaller address (then port) stands first. Fragments
    // have neither ports nor protocol to hash, so that the first one goes where the others go: only in the first can
    // extension headers behind the IPv6 fragment header be followed to the transport.
    action hash_flow() {
        bit<16> src_port = meta.lookup.is_fragment ? 0 : meta.lookup.src_port;
        bit<16> dst_port = meta.lookup.is_fragment ? 0 : meta.lookup.dst_port;
        bit<8>  protocol = meta.lookup.is_fragment ? 0 : meta.lookup.protocol;
        bool in_order = meta.lookup.src_addr < meta.lookup.dst_addr
            || (meta.lookup.src_addr == meta.lookup.dst_addr && src_port <= dst_port);
        bit<128> low_addr  = in_order ? meta.lookup.src_addr : meta.lookup.dst_addr;
        bit<128> high_addr = in_order ? meta.lookup.dst_addr : meta.lookup.src_addr;
        bit<16>  low_port  = in_order ? src_port : dst_port;
        bit<16>  high_port = in_order ? dst_port : src_port;
        CRC32(meta.ring.flow_hash, low_addr, high_addr, low_port, high_port, protocol);

        // CRC is linear: addresses and ports that count up together cancel out in some of its bits. A multiplicative
        // finalizer makes each bit depend on all.
        meta.ring.flow_hash = meta.ring.flow_hash ^ (meta.ring.flow_hash >> 16);
        meta.ring.flow_hash = meta.ring.flow_hash * 0x7feb352d;
        meta.ring.flow_hash = meta.ring.flow_hash ^ (meta.ring.flow_hash >> 15);
        meta.ring.flow_hash = meta.ring.flow_hash * 0x846ca68b;
        meta.ring.flow_hash = meta.ring.flow_hash ^ (meta.ring.flow_hash >> 16);
    }

    apply {
        if (meta.vnic.destination == destination_t.VNIC) {
            hash_flow();
            if (ring_group.apply().hit) {
                ring_pick.apply();
            }
        } else if (meta.vnic.destination == destination_t.DEFAULT_RING) {
            default_ring.apply();
        }

        if (meta.vnic.destination == destination_t.VNIC || meta.vnic.destination == destination_t.DEFAULT_RING) {
            if (meta.verdict.kind == verdict_t.UNDECIDED) {
                ring.apply();
            }
        }
    }
}

#endif
