# SPDX-License-Identifier: Apache-2.0
"""In which order a gateway is changed, so that a policy or route changes for all of a tenant's packets at once.

A recorded result of the flow cache counts as long as its tenant and router are in the epoch it was recorded in. So
everything a result may depend on is changed first, under the old epoch, and then the epoch:

1. *Announce*: the tenants and routers concerned are marked. Should the change be broken off before it is committed, the
   next one finds the mark, and moves their epochs although it may find nothing else to do.
2. *Close*: the ways in that go (interfaces, peers, networks, destinations), then tenants that go. What a number that
   changes hands stands for is deleted (see `headgate.reconcile.gateway.handover`).
3. *Build*: what is pointed at by number: underlay, tunnels, next hops, groups; routers that are new.
4. *Decide*: what decides on packets. First what is new or changed, then what goes: in between both are there, so that
   packets allowed before and after are allowed all the while. What packets meet in the meantime is recorded under the
   old epoch.
5. *Commit*: the epochs of the tenants and routers concerned, in one request; new tenants.
6. *Open*: the ways in that are new.
7. *Retire*: what was pointed at by number and is no longer, what points before what is pointed at.
8. *Attach*: what changed hands is inserted again: recorded results of the one before don't count any more.

A device may carry out the updates of one request in any order (P4Runtime 12.1), so each stage is a request of its own.
"""

from __future__ import annotations

from finsy.proto import p4r

from headgate.reconcile.transition import Stage

_ANNOUNCE, _CLOSE, _BUILD, _DECIDE, _COMMIT, _OPEN, _RETIRE, _ATTACH = range(8)
FIRST: Stage = (_ANNOUNCE, 0, 0)

LIMITS = ("punt_meter", "learning_meter_total", "learning_meter", "flow_ipv4_t", "flow_ipv6_t")
"""How much the controller is given, and how: nothing else depends on it."""

NUMBERED = ("underlay", "tunnel", "geneve_option", "next_hop", "ecmp", "router")
"""What other entries know by its number, what is pointed at first. Recorded results do too: these entries are changed
in place, and no epoch changes. A router has an epoch itself."""

DECIDING = (
    "local_address_ipv4",
    "local_address_ipv6",
    "neighbor_ipv4",
    "neighbor_ipv6",
    "nat_static_in",
    "nat_static_out",
    "nat_mapping_in",
    "nat_mapping_out",
    "nat_pool",
    "firewall_rule_ipv4",
    "firewall_rule_ipv6",
    "central_route_ipv4",
    "central_route_ipv6",
    "tenant_route_ipv4",
    "tenant_route_ipv6",
    "tenant_destination_ipv4",
    "tenant_destination_ipv6",
)
"""What results depend on."""

COMMITTING = ("tenant", "router")
"""What has an epoch."""

WAYS_IN = ("tunnel_network", "tunnel_peer_ipv4", "tunnel_peer_ipv6", "interface")
"""What says whose a packet is, before any result is looked up."""

_RANK = {name: rank for rank, name in enumerate(dict.fromkeys((*LIMITS, *NUMBERED, *DECIDING, *COMMITTING, *WAYS_IN)))}
_CLOSED_EARLY = (*WAYS_IN, "tenant_destination_ipv4", "tenant_destination_ipv6")


def stage_of(update_type: p4r.Update.Type.ValueType, name: str, *, handed_over: bool = False) -> Stage:
    """The stage of an update to a table, meter, digest or kind of replication entry. Raises: KeyError (a stranger)."""
    rank = _RANK[name]
    if update_type == p4r.Update.DELETE:
        if name in _CLOSED_EARLY:
            return _CLOSE, 0, -rank
        if name == "tenant":
            return _CLOSE, 1, 0
        if handed_over:
            return _CLOSE, 2, -rank
        return (_DECIDE, 1, -rank) if name in DECIDING else (_RETIRE, 0, -rank)
    if handed_over:
        return _ATTACH, 0, rank
    if name == "tenant" or (name == "router" and update_type == p4r.Update.MODIFY):
        return _COMMIT, 0, 0
    if name in DECIDING:
        return _DECIDE, 0, rank
    return (_OPEN, 0, rank) if name in WAYS_IN else (_BUILD, 0, rank)


def is_commit(stage: Stage) -> bool:
    """Whether it is the stage in which epochs change."""
    return stage[0] == _COMMIT
