# SPDX-License-Identifier: Apache-2.0
"""What was learned from packets and may stay: neighbors and translations that would be learned like that again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address

from finsy import Action, P4TableEntry

from headgate.config import GatewayConfig
from headgate.config.gateway import Segment, Tenant, Via
from headgate.config.scalars import IpAddress
from headgate.systems import LEARNED, Entity
from headgate.systems.gateway.hops import NextHop, host_next_hop, next_hops, uplink_next_hop
from headgate.systems.gateway.next_hops import may_be_learned

_NEXT_HOP = "next_hop"
_MAPPINGS = ("nat_mapping_in", "nat_mapping_out")
_NEIGHBORS = ("neighbor_ipv4", "neighbor_ipv6")
_CENTRAL_ROUTES = ("central_route_ipv4", "central_route_ipv6")

_Key = tuple[object, ...]


def keeper(config: GatewayConfig, held: Iterable[Entity]) -> Callable[[Entity, Entity | None], bool]:
    """Says of what is held, with what is wanted under the same key, whether it was learned and stays.

    What leads to a learned next hop stays only with it.
    """
    entries = [entity for entity in held if isinstance(entity, P4TableEntry) and entity.metadata.startswith(LEARNED)]
    ways = _ways_to_hosts(config, entries) | _ways_to_stations(config, entries)
    hops = next_hops(config) | {hop.identity: hop for hop in ways.values()}
    found = {entry["next_hop_id"]: _identity(entry) for entry in entries if _is_found(hops, entry)}

    def stays(entity: Entity, replacement: Entity | None) -> bool:
        if not isinstance(entity, P4TableEntry) or not entity.metadata.startswith(LEARNED):
            return False
        if entity.table_id == _NEXT_HOP:
            return entity["next_hop_id"] in found
        if replacement is not None or not isinstance(entity.action, Action):
            return False
        if entity.table_id in _MAPPINGS:
            return _is_of_a_pool(config, entity, entity.action)
        way = ways.get(_key(entity))
        return way is not None and found.get(entity.action.args["next_hop_id"]) == way.identity

    return stays


def _is_found(hops: Mapping[str, NextHop], entry: P4TableEntry) -> bool:
    hop = hops.get(_identity(entry)) if entry.table_id == _NEXT_HOP else None
    return hop is not None and may_be_learned(hop, entry)


def _identity(next_hop: P4TableEntry) -> str:
    return next_hop.metadata.removeprefix(LEARNED + b" ").decode(errors="replace")


def _ways_to_hosts(config: GatewayConfig, entries: Iterable[P4TableEntry]) -> dict[_Key, NextHop]:
    """The neighbors in segments that could be learned again."""
    found: dict[_Key, NextHop] = {}
    for entry in (entry for entry in entries if entry.table_id in _NEIGHBORS):
        tenant = config.tenants_by_id.get(entry["tenant_id"])
        segment = _segment(tenant, entry["segment_id"]) if tenant is not None else None
        if tenant is not None and segment is not None and _is_neighbor(segment, entry["next_hop"]):
            hop = host_next_hop(config, tenant, segment, entry["next_hop"])
            if hop is not None:
                found[_key(entry)] = hop
    return found


def _ways_to_stations(config: GatewayConfig, entries: Iterable[P4TableEntry]) -> dict[_Key, NextHop]:
    """The neighbors on uplinks that could be learned again: each has a route of its own."""
    routers = {router.router_id: router for router in config.routers}
    found: dict[_Key, NextHop] = {}
    for entry in (entry for entry in entries if entry.table_id in _CENTRAL_ROUTES):
        router = routers.get(entry["router_id"])
        address = entry["dst_addr"].network_address
        for uplink in router.uplinks if router is not None else ():
            is_own = any(address == own.ip for own in uplink.addresses)
            if router is not None and uplink.is_connected(address) and not is_own:
                hop = uplink_next_hop(config, router, Via.model_construct(address=address, on=uplink.interface))
                if hop is not None:
                    found[_key(entry)] = hop
    return found


def _segment(tenant: Tenant, segment_id: int) -> Segment | None:
    return next((segment for segment in tenant.segments if segment.segment_id == segment_id), None)


def _is_neighbor(segment: Segment, ip: IpAddress) -> bool:
    is_own = any(ip == address.ip for address in segment.addresses)
    return not is_own and (segment.is_connected(ip) or (ip.version == 6 and ip.is_link_local))


def _key(entry: P4TableEntry) -> _Key:
    return entry.table_id, *(entry.match or {}).items()


def _is_of_a_pool(config: GatewayConfig, entry: P4TableEntry, action: Action) -> bool:
    """Whether a translation is one that a pool of its tenant could make."""
    tenant = config.tenants_by_id.get(entry["tenant_id"])
    if tenant is None or tenant.nat is None:
        return False
    translated = IPv4Address(action.args["addr"])
    if entry.table_id == "nat_mapping_in":
        outside, inside = entry["dst_addr"], translated
    else:
        outside, inside = translated, entry["src_addr"]
    return any(pool.covers(outside) and any(inside in prefix for prefix in pool.inside) for pool in tenant.nat.pools)
