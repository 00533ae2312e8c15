# SPDX-License-Identifier: Apache-2.0
"""In which order a device is changed, so that every packet on the way finds either the old or the new.

1. *Withdraw*: the classifier entries that go are deleted first. From then on no packet is on its way to what goes with
   them. So is what changes hands between two VNICs (see `headgate.reconcile.nic.handover`).
2. *Build*: table by table, what is pointed at before what points to it, so classifiers come last. In each table MODIFY
   goes before INSERT: who gives something up does so before another takes it.
3. *Retire*: all else that goes is deleted, what points before what is pointed at.
4. *Attach*: what changed hands is inserted again, now that nothing leads there any more on its former owner's behalf.

A device may carry out the updates of one request in any order (P4Runtime 12.1), so each stage is a request of its own.
"""

from __future__ import annotations

from finsy.proto import p4r

from headgate.reconcile.transition import Stage

CLASSIFIERS = ("l2_classify", "port")
"""What decides which VNIC a packet is for, or from."""

BUILD_ORDER = (
    "punt_meter",
    "clone_session",
    # Rings, and what is spread over them
    "ring",
    "replica",
    "ring_pick",
    "ring_group",
    "default_ring",
    # VLANs, and how frames of theirs look
    "uplink_tag",
    "vnic_tag",
    "multicast_group",
    "vlan_flood",
    "vlan_uplink",
    # Who passes on what; an address is local before the prefix it brings along is routed
    "next_local_ipv4",
    "next_local_ipv6",
    "own_source_ipv4",
    "own_source_ipv6",
    "local_ipv4",
    "local_ipv6",
    "ipv4_neighbor",
    "ipv6_neighbor",
    "ipv4_route",
    "ipv6_route",
    "steering",
    # Who may send what, then who is sent something
    "transmit_mac",
    "forwarded_mac",
    "vnic_vlan",
    "uplink_vlan",
    *CLASSIFIERS,
)
"""Tables, meters and replication entries by name, what is pointed at first."""

_RANK = {name: index for index, name in enumerate(BUILD_ORDER)}


_WITHDRAW, _BUILD, _RETIRE, _ATTACH = range(4)
FIRST: Stage = (-1, 0, 0)


def stage_of(update_type: p4r.Update.Type.ValueType, name: str, *, handed_over: bool = False) -> Stage:
    """The stage of an update to a table, meter or kind of replication entry. Raises: KeyError (one unknown here)."""
    rank = _RANK[name]
    if update_type == p4r.Update.DELETE:
        return _WITHDRAW if handed_over or name in CLASSIFIERS else _RETIRE, -rank, 0
    return _ATTACH if handed_over else _BUILD, rank, 0 if update_type == p4r.Update.MODIFY else 1
