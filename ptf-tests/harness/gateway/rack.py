# SPDX-License-Identifier: Apache-2.0
"""The gateway that most tests are about: two tenants who use the same addresses, behind every kind of tunnel.

Blue and red are alike but for their numbers: a plain segment on a port of its own, another on a VLAN of the trunk, and
one behind each tunnel, told apart by the network's id. Hosts have the same MAC and IP addresses in both. Both use one
central router with two uplinks. Only the networks of `PUBLIC` are one tenant's alone, for the outside to reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Any

from finsy import (
    Action,
    Match,
    P4ActionProfileGroup,
    P4ActionProfileMember,
    P4IndirectAction,
    P4Member,
    P4MeterConfig,
    P4MeterEntry,
    P4TableEntry,
)

from harness.frames import FAMILIES, IPV4, IPV6, Family
from harness.gateway.ports import (
    BLUE_HOSTS,
    BLUE_VLAN,
    RED_HOSTS,
    RED_VLAN,
    SECOND_UPLINK,
    TRUNK,
    UNDERLAY,
    UNDERLAY_TAGGED,
    UNDERLAY_VLAN,
    UPLINK,
    UPLINK_VLAN,
)
from harness.gateway.tunnels import FABRIC_MAC, TUNNEL_TTL, TUNNELS, UNDERLAY_MAC, Tunnel
from headgate.systems import Entity
from headgate.vocabulary import CacheOutcome, PuntReason, TunnelType

EPOCH = 7
"""Of both tenants."""
ROUTER_EPOCH = 3

ROUTER = 1
"""The central router of both tenants."""
HOST_MAC = "02:00:00:00:00:10"
"""Of the host in each tenant's plain segment."""
TRUNK_HOST_MAC = "02:00:00:00:00:20"
REMOTE_MAC = "02:00:00:00:00:30"
"""Of the host behind each tunnel."""
SEGMENT_MAC = "02:00:00:00:00:fe"
"""The gateway's own in every segment of a tenant."""
UPLINK_MAC = "02:00:00:00:bb:01"
"""The gateway's own on both uplinks."""
WORLD_MAC, SECOND_WORLD_MAC = "00:00:5e:00:53:01", "00:00:5e:00:53:02"
"""The next hops beyond the uplinks."""

HOST: dict[Family, str] = {IPV4: "10.1.0.10", IPV6: "2001:db8:1::10"}
SEGMENT_ROUTER: dict[Family, str] = {IPV4: "10.1.0.1", IPV6: "2001:db8:1::1"}
"""The gateway's own address in the plain segment."""
TRUNK_HOST: dict[Family, str] = {IPV4: "10.3.0.10", IPV6: "2001:db8:3::10"}
UNRESOLVED: dict[Family, str] = {IPV4: "10.1.0.99", IPV6: "2001:db8:1::99"}
"""A host of the plain segment that nobody has seen yet."""
BLACKHOLE: dict[Family, str] = {IPV4: "10.9.0.1", IPV6: "2001:db8:9::1"}
WORLD: dict[Family, str] = {IPV4: "203.0.113.9", IPV6: "2001:db8:f::9"}
"""A host beyond the first uplink."""
SECOND_WORLD: dict[Family, str] = {IPV4: "203.0.114.9", IPV6: "2001:db8:f:2::9"}
"""Beyond the second uplink."""
UNROUTED: dict[Family, str] = {IPV4: "192.0.2.77", IPV6: "3fff::77"}
"""Neither a tenant nor the central router has a route for it but to the router."""
EVERYWHERE: dict[Family, str] = {IPV4: "0.0.0.0/0", IPV6: "::/0"}
UPLINK_ADDRESS: dict[Family, str] = {IPV4: "192.0.2.129", IPV6: "2001:db8:fe::1"}
"""The central router's own."""
UPLINK_NEIGHBOR: dict[Family, str] = {IPV4: "192.0.2.130", IPV6: "2001:db8:fe::2"}

MTU = 1500
TUNNEL_MTU = 1400
"""Of what a tunnel carries, from the tenant's IP header on."""

WORLD_NEXT_HOP, SECOND_WORLD_NEXT_HOP = 1, 2


def entry(table: str, key: Mapping[str, Any], action: str, *, priority: int = 0, **parameters: Any) -> P4TableEntry:
    """A table entry."""
    return P4TableEntry(table, match=Match(key), action=Action(action, **parameters), priority=priority)


def remote(tunnel: Tunnel, family: Family) -> str:
    """The host behind a tunnel."""
    return f"10.2.{tunnel.tunnel_id}.10" if family is IPV4 else f"2001:db8:2:{tunnel.tunnel_id:x}::10"


@dataclass(frozen=True, slots=True, eq=False)
class Tenant:
    """One of the two, and the numbers that tell it from the other."""

    tenant_id: int
    port: int
    vlan_id: int
    public: Mapping[Family, str]
    """A host in the plain segment whose address nobody else has."""
    nat_address: str
    """Of its pool of outside addresses."""
    static_address: str
    """Stands for `HOST` one to one."""
    forwarded_address: str
    """TCP and UDP port `FORWARDED_PORT` of it is for `HOST_PORT` of `HOST`."""

    @property
    def segment(self) -> int:
        """Behind `port`."""
        return 100 * self.tenant_id

    @property
    def trunk_segment(self) -> int:
        return 100 * self.tenant_id + 1

    def remote_segment(self, tunnel: Tunnel) -> int:
        return 100 * self.tenant_id + tunnel.tunnel_id

    def network_id(self, tunnel: Tunnel) -> int:
        """Tells the tenant on the tunnel; one without ids is blue's alone."""
        return 0 if tunnel.kind is TunnelType.IPIP else 0xABC000 + self.tenant_id

    def next_hop(self, number: int) -> int:
        return 0x10000 * self.tenant_id + number

    @property
    def tunnels(self) -> Sequence[Tunnel]:
        return [tunnel for tunnel in TUNNELS.values() if self is BLUE or tunnel.kind is not TunnelType.IPIP]


BLUE = Tenant(
    1, BLUE_HOSTS, BLUE_VLAN, {IPV4: "198.51.100.10", IPV6: "2001:db8:b1::10"},
    nat_address="198.51.101.1", static_address="198.51.101.2", forwarded_address="198.51.101.3",
)  # fmt: skip
RED = Tenant(
    2, RED_HOSTS, RED_VLAN, {IPV4: "198.51.200.10", IPV6: "2001:db8:4ed::10"},
    nat_address="198.51.201.1", static_address="198.51.201.2", forwarded_address="198.51.201.3",
)  # fmt: skip
TENANTS = {"blue": BLUE, "red": RED}


# ---- what of the device is counted around each exchange

MAX_RULE_ID = 8
"""Of the rules in tests."""

WATCHED = {
    "cache_outcome": [tenant.tenant_id * 8 + outcome for tenant in (BLUE, RED) for outcome in CacheOutcome],
    "tenant_traffic": [tenant.tenant_id * 2 + outside for tenant in (BLUE, RED) for outside in (0, 1)],
    "firewall_rule_hits": list(range(1, MAX_RULE_ID + 1)),
    "learning_policed": [tenant.tenant_id for tenant in (BLUE, RED)],
}


# ---- entries


def _wide_open() -> P4MeterConfig:
    return P4MeterConfig(cir=100_000, cburst=10_000, pir=100_000, pburst=10_000)


def _rates() -> Iterator[Entity]:
    for reason in PuntReason:
        if reason is not PuntReason.NONE:
            yield P4MeterEntry("punt_meter", index=reason, config=_wide_open())
    for tenant in (BLUE, RED):
        yield P4MeterEntry("learning_meter", index=tenant.tenant_id, config=_wide_open())
    yield P4MeterEntry("learning_meter_total", index=0, config=_wide_open())


def _interfaces() -> Iterator[Entity]:
    yield entry("interface", {"port": UNDERLAY, "vlan_id": 0}, "from_underlay", mac=UNDERLAY_MAC)
    yield entry("interface", {"port": UNDERLAY_TAGGED, "vlan_id": UNDERLAY_VLAN}, "from_underlay", mac=UNDERLAY_MAC)
    for port, vlan_id in ((UPLINK, 0), (SECOND_UPLINK, UPLINK_VLAN)):
        yield entry("interface", {"port": port, "vlan_id": vlan_id}, "uplink", router_id=ROUTER, mac=UPLINK_MAC)
    for tenant in (BLUE, RED):
        for port, vlan_id, segment_id in (
            (tenant.port, 0, tenant.segment),
            (TRUNK, tenant.vlan_id, tenant.trunk_segment),
        ):
            who = {"tenant_id": tenant.tenant_id, "segment_id": segment_id}
            yield entry("interface", {"port": port, "vlan_id": vlan_id}, "segment", **who, mac=SEGMENT_MAC)


def tunnel_entries(tunnel: Tunnel) -> Iterator[Entity]:
    """The tunnel itself, both ways; who is on it is the tenants' business."""
    version = tunnel.underlay.name
    peer = {"tunnel_type": tunnel.kind, "src_addr": tunnel.peer, "dst_addr": tunnel.local}
    yield entry(f"tunnel_peer_{version}", peer, "accept", scope=tunnel.tunnel_id, tunnel_id=tunnel.tunnel_id)
    yield entry(
        "tunnel",
        {"tunnel_id": tunnel.tunnel_id},
        f"encap_{version}",
        tunnel_type=tunnel.kind,
        src_addr=tunnel.local,
        dst_addr=tunnel.peer,
        dscp_uniform=int(tunnel.dscp is None),
        dscp=tunnel.dscp or 0,
        ttl=TUNNEL_TTL,
        udp_checksum=int(tunnel.udp_checksum),
        underlay_id=1 + tunnel.port,
    )
    if tunnel.option:
        option_class, option_type, data = tunnel.option
        yield entry(
            "geneve_option", {"tunnel_id": tunnel.tunnel_id}, "add",
            option_class=option_class, option_type=option_type, data=data,
        )  # fmt: skip


def _tunnels() -> Iterator[Entity]:
    for port, vlan_id in ((UNDERLAY, 0), (UNDERLAY_TAGGED, UNDERLAY_VLAN)):
        out = {"port": port, "vlan_id": vlan_id, "src_mac": UNDERLAY_MAC, "dst_mac": FABRIC_MAC}
        yield entry("underlay", {"underlay_id": 1 + port}, "leave", **out)
    for tunnel in TUNNELS.values():
        yield from tunnel_entries(tunnel)


def tenant_entry(tenant: Tenant, **changes: int) -> P4TableEntry:
    """The tenant's row of table `tenant`."""
    row = {"epoch": EPOCH, "router_id": ROUTER, "firewall": 0, "nat": 0, "firewall_fields": 0, **changes}
    return entry("tenant", {"tenant_id": tenant.tenant_id}, "set_tenant", **row)


def _tenant(tenant: Tenant) -> Iterator[Entity]:
    yield tenant_entry(tenant)
    for family in FAMILIES.values():
        yield from _addresses(tenant, family)
    yield _port_next_hop(tenant.next_hop(1), tenant.port, 0, SEGMENT_MAC, HOST_MAC)
    yield _port_next_hop(tenant.next_hop(2), TRUNK, tenant.vlan_id, SEGMENT_MAC, TRUNK_HOST_MAC)
    for tunnel in tenant.tunnels:
        network_id, segment_id = tenant.network_id(tunnel), tenant.remote_segment(tunnel)
        on_tunnel = {"scope": tunnel.tunnel_id, "network_id": network_id}
        us = {"tenant_id": tenant.tenant_id, "segment_id": segment_id}
        yield entry("tunnel_network", on_tunnel, "enter", **us, mac=SEGMENT_MAC)
        way = {"tunnel_id": tunnel.tunnel_id, "network_id": network_id}
        macs = {"src_mac": SEGMENT_MAC, "dst_mac": REMOTE_MAC}
        next_hop = {"next_hop_id": tenant.next_hop(tunnel.tunnel_id)}
        yield entry("next_hop", next_hop, "to_tunnel", **{**way, **macs, "mtu": TUNNEL_MTU})


def _addresses(tenant: Tenant, family: Family) -> Iterator[Entity]:
    """The tenant's routes, and who is where."""
    us, version = {"tenant_id": tenant.tenant_id}, family.name
    hosts = [
        (tenant.segment, HOST[family], tenant.next_hop(1)),
        (tenant.segment, tenant.public[family], tenant.next_hop(1)),
        (tenant.trunk_segment, TRUNK_HOST[family], tenant.next_hop(2)),
        *((tenant.remote_segment(t), remote(t, family), tenant.next_hop(t.tunnel_id)) for t in tenant.tunnels),
    ]
    for segment_id, address, next_hop_id in hosts:
        yield route(tenant, family, network(family, address), "connected", segment_id=segment_id)
        neighbor = {**us, "segment_id": segment_id, "next_hop": address}
        yield entry(f"neighbor_{version}", neighbor, "neighbor.to_next_hop", next_hop_id=next_hop_id)
    yield route(tenant, family, network(family, BLACKHOLE[family]), "distributed_routing.blackhole")
    yield route(tenant, family, EVERYWHERE[family], "to_router")
    local = {**us, "owner_id": tenant.segment, "dst_addr": SEGMENT_ROUTER[family]}
    yield entry(f"local_address_{version}", local, "local")
    public = {"router_id": ROUTER, "dst_addr": network(family, tenant.public[family])}
    yield entry(f"tenant_destination_{version}", public, "to_tenant", **us)


def route(tenant: Tenant, family: Family, dst: str, action: str, **parameters: Any) -> P4TableEntry:
    """A route of the tenant's own."""
    key = {"tenant_id": tenant.tenant_id, "dst_addr": dst}
    return entry(f"tenant_route_{family.name}", key, action, **parameters)


def central_route(family: Family, dst: str, action: str, **parameters: Any) -> P4TableEntry:
    """A route of the central router's."""
    return entry(f"central_route_{family.name}", {"router_id": ROUTER, "dst_addr": dst}, action, **parameters)


def _port_next_hop(next_hop_id: int, port: int, vlan_id: int, src_mac: str, dst_mac: str) -> P4TableEntry:
    out = {"port": port, "vlan_id": vlan_id, "src_mac": src_mac, "dst_mac": dst_mac, "mtu": MTU}
    return entry("next_hop", {"next_hop_id": next_hop_id}, "to_port", **out)


def _router() -> Iterator[Entity]:
    yield entry("router", {"router_id": ROUTER}, "set_router", epoch=ROUTER_EPOCH)
    yield _port_next_hop(WORLD_NEXT_HOP, UPLINK, 0, UPLINK_MAC, WORLD_MAC)
    yield _port_next_hop(SECOND_WORLD_NEXT_HOP, SECOND_UPLINK, UPLINK_VLAN, UPLINK_MAC, SECOND_WORLD_MAC)
    to_next_hop = "central_routing.to_next_hop"
    for family in FAMILIES.values():
        yield central_route(family, network(family, WORLD[family]), to_next_hop, next_hop_id=WORLD_NEXT_HOP)
        yield central_route(
            family, network(family, SECOND_WORLD[family]), to_next_hop, next_hop_id=SECOND_WORLD_NEXT_HOP
        )
        local = {"tenant_id": 0, "owner_id": ROUTER, "dst_addr": UPLINK_ADDRESS[family]}
        yield entry(f"local_address_{family.name}", local, "local")


def network(family: Family, address: str) -> str:
    """The /24 or /64 that `address` is in."""
    return str(ip_interface(f"{address}/{24 if family is IPV4 else 64}").network)


def ecmp(group_id: int, next_hop_ids: Sequence[int]) -> Iterator[Any]:
    """A group that routes may lead to, with these members."""
    for next_hop_id in next_hop_ids:
        yield P4ActionProfileMember(
            "ecmp_members", member_id=next_hop_id, action=Action("ecmp.to_next_hop", next_hop_id=next_hop_id)
        )
    yield P4ActionProfileGroup(
        "ecmp_members", group_id=group_id, members=[P4Member(member_id, weight=1) for member_id in next_hop_ids]
    )
    yield P4TableEntry("ecmp", match=Match(group_id=group_id), action=P4IndirectAction(group_id=group_id))


RACK: tuple[Entity, ...] = (
    *_rates(),
    *_interfaces(),
    *_tunnels(),
    *_tenant(BLUE),
    *_tenant(RED),
    *_router(),
)
