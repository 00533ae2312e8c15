// SPDX-License-Identifier: Apache-2.0
// In egress, a copy of a flooded frame learns whose it is, and is pruned where the frame came from.
#ifndef STAGES_NIC_REPLICATION_P4
#define STAGES_NIC_REPLICATION_P4

control Replication(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(replica_counter);

    action copy_to_ring(ring_id_t ring_id) {
        meta.vnic.vnic_id = meta.copy.vnic_id;
        meta.ring.type = ring_type_t.LOCAL;
        meta.ring.ring_id = ring_id;
        meta.copy.prune = meta.source.role == port_role_t.VNIC && meta.source.vnic_id == meta.copy.vnic_id;
    }

    // A VNIC that is no longer there.
    action copy_to_nobody() {
        meta.copy.prune = true;
    }

    table replica {
        key = { meta.copy.vnic_id : exact @name("vnic_id"); }
        actions = { copy_to_ring; @defaultonly copy_to_nobody; }
        const default_action = copy_to_nobody;
        size = VNICS;
        COUNTED_BY(replica_counter);
    }

    apply {
        if (meta.copy.is_replica) {
            if (meta.copy.vnic_id == UPLINK_COPY) {
                meta.copy.prune = meta.source.role == port_role_t.UPLINK;
            } else {
                replica.apply();
            }
        }
    }
}

#endif
