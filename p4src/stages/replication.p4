// SPDX-License-Identifier: Apache-2.0
// In egress, a copy of a flooded frame learns whose it is, and is pruned where the frame came from.
#ifndef STAGES_REPLICATION_P4
#define STAGES_REPLICATION_P4

control Replication(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(replica_counter);

    action for_vnic(vnic_id_t vnic_id) {
        meta.vnic.vnic_id = vnic_id;
        meta.copy.prune = meta.source.role == port_role_t.VNIC && meta.source.vnic_id == vnic_id;
    }

    // A ring that is no longer anybody's.
    action for_nobody() {
        meta.copy.prune = true;
    }

    table replica {
        key = { meta.copy.ring_id : exact @name("ring_id"); }
        actions = { for_vnic; @defaultonly for_nobody; }
        const default_action = for_nobody;
        size = RINGS;
        COUNTED_BY(replica_counter);
    }

    apply {
        if (meta.copy.is_replica) {
            if (meta.copy.ring_id == 0) {
                meta.copy.prune = meta.source.role == port_role_t.UPLINK;
            } else {
                meta.ring.type = ring_type_t.LOCAL;
                meta.ring.ring_id = meta.copy.ring_id;
                replica.apply();
            }
        }
    }
}

#endif
