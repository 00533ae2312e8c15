# SPDX-License-Identifier: Apache-2.0
"""Next hops and neighbors: the port or tunnel that a packet leaves by, under a number that stays with the neighbor.

Cached flows know their next hop by that number alone: where a neighbor moves to another tunnel, its entry is modified
in place, and they follow.
"""

from __future__ import annotations

from collections.abc import Iterator

from finsy import Action, MACAddress, Match, P4TableEntry

from headgate.config.gateway import GatewayConfig, OnInterface
from headgate.systems.entity import LEARNED
from headgate.systems.gateway.hops import NextHop, host_identity, next_hops
from headgate.systems.gateway.ids import Ids
from headgate.systems.gateway.values import mac_value


def desired(config: GatewayConfig, ids: Ids) -> Iterator[P4TableEntry]:
    """Entries of `next_hop`, and of `neighbor_*` for the hosts among them."""
    for identity, hop in next_hops(config).items():
        yield next_hop_entry(hop, ids.next_hops[identity])
    for tenant in config.tenants:
        for segment in tenant.segments:
            for host in segment.hosts:
                identity = host_identity(tenant.tenant_id, segment.segment_id, host.address)
                yield P4TableEntry(
                    f"neighbor_ipv{host.address.version}",
                    match=Match(tenant_id=tenant.tenant_id, segment_id=segment.segment_id, next_hop=host.address),
                    action=Action("neighbor.to_next_hop", next_hop_id=ids.next_hops[identity]),
                )


def next_hop_entry(hop: NextHop, next_hop_id: int, *, learned_mac: str | None = None) -> P4TableEntry:
    """How packets to a next hop leave; as long as its MAC address is not known, they wait for it.

    Args:
        learned_mac: what the neighbor itself said; lower case with colons.
    """
    owner = hop.identity.encode()
    return P4TableEntry(
        "next_hop",
        match=Match(next_hop_id=next_hop_id),
        action=_action(hop, learned_mac or hop.dst_mac),
        metadata=owner if learned_mac is None else LEARNED + b" " + owner,
    )


def may_be_learned(hop: NextHop, entry: P4TableEntry) -> bool:
    """Whether an entry, as read, is what would be written for `hop` with the MAC address it has, or for one that was
    found and lost: cached flows know its number."""
    if not isinstance(entry.action, Action) or hop.dst_mac is not None:
        return False
    mac = str(MACAddress(entry.action.args.get("dst_mac", 0)))
    learned = next_hop_entry(hop, entry["next_hop_id"], learned_mac=mac)
    return entry.metadata == learned.metadata and entry.action in (learned.action, _action(hop, None))


def _action(hop: NextHop, dst_mac: str | None) -> Action:
    if hop.place.has_macs and dst_mac is None:
        return Action("unresolved", next_hop=int(hop.address))
    where = {"src_mac": mac_value(hop.src_mac), "dst_mac": mac_value(dst_mac), "mtu": hop.place.mtu_bytes}
    if isinstance(hop.place, OnInterface):
        interface = hop.place.interface
        return Action("to_port", port=interface.port, vlan_id=interface.vlan_id or 0, **where)
    return Action("to_tunnel", tunnel_id=hop.place.tunnel.tunnel_id, network_id=hop.place.network_id, **where)
