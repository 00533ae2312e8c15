# SPDX-License-Identifier: Apache-2.0
"""What the controller sends: out of a port, into a tunnel, in a host's name, or as a router itself.

- SEND: by a port, as it is. ENCAPSULATE: a finished frame, through a tunnel, as it is.
- TENANT: as if received in a segment, or on an uplink: the whole pipeline, and its cache. What a packet-in says is
  enough to submit its frame again.
- ROUTED: by the routes of a tenant or of a central router; no cache, rules, translation, and no hop is counted.
"""

from __future__ import annotations

from ipaddress import ip_address

from harness.dut import Dut
from harness.frames import BROADCAST, FAMILIES, IPV4, Family, arp, tagged, udp
from harness.gateway import gateway_test
from harness.gateway.counted import cache_outcomes, tenant_traffic
from harness.gateway.firewall import guarded
from harness.gateway.flows import host_flow
from harness.gateway.nat import mapping, nat, translated
from harness.gateway.ports import CPU, PACKETS, TRUNK, UPLINK
from harness.gateway.rack import (
    BLACKHOLE,
    BLUE,
    HOST,
    RACK,
    REMOTE_MAC,
    ROUTER,
    SEGMENT_MAC,
    SEGMENT_ROUTER,
    TENANTS,
    TRUNK_HOST,
    UNRESOLVED,
    UNROUTED,
    UPLINK_ADDRESS,
    WORLD,
    WORLD_NEXT_HOP,
    Tenant,
    entry,
    remote,
)
from harness.gateway.traffic import (
    assert_in_tunnel,
    at_host,
    at_trunk,
    at_world,
    from_host,
    from_remote,
    from_world,
)
from harness.gateway.tunnels import TUNNELS, Tunnel
from headgate.vocabulary import CacheOutcome, Consulted, DropReason, PacketOutMode, PuntReason

SEND, ENCAPSULATE, TENANT, ROUTED = (
    PacketOutMode.SEND, PacketOutMode.ENCAPSULATE, PacketOutMode.TENANT, PacketOutMode.ROUTED,
)  # fmt: skip
NOBODY = "00:00:00:00:00:00"


# ---- SEND, ENCAPSULATE


@gateway_test(RACK, port={str(port): port for port in PACKETS}, ip=FAMILIES)
def test_frame_leaves_by_its_port_as_it_is(dut: Dut, port: int, ip: Family) -> None:
    frame = tagged(from_host(ip, WORLD[ip], hops=1), 7, pcp=3)
    dut.packet_out(frame, SEND, port=port).assert_out({port: frame})


@gateway_test(RACK, port={"host": 509, "cpu": CPU, "drop": 511, "beyond": 600})
def test_port_that_is_no_wire_is_refused(dut: Dut, port: int) -> None:
    dut.packet_out(from_host(IPV4, WORLD[IPV4]), SEND, port=port).assert_dropped(DropReason.PACKET_OUT_INVALID)


@gateway_test(
    RACK, mode={mode.name.lower(): mode for mode in (PacketOutMode.NONE, PacketOutMode.TRANSMIT, PacketOutMode.ROUTE)}
)
def test_mode_that_is_not_this_programs_is_refused(dut: Dut, mode: PacketOutMode) -> None:
    dut.packet_out(from_host(IPV4, WORLD[IPV4]), mode).assert_dropped(DropReason.PACKET_OUT_INVALID)


@gateway_test(RACK, tunnel=TUNNELS, ip=FAMILIES, tenant=TENANTS)
def test_finished_frame_goes_through_a_tunnel_as_it_is(dut: Dut, tunnel: Tunnel, ip: Family, tenant: Tenant) -> None:
    frame = udp(ip, (SEGMENT_MAC, REMOTE_MAC), (SEGMENT_ROUTER[ip], remote(tunnel, ip)), hops=1)
    network_id = tenant.network_id(tunnel)
    observed = dut.packet_out(frame, ENCAPSULATE, tunnel_id=tunnel.tunnel_id, network_id=network_id)
    assert_in_tunnel(observed, tenant, tunnel, [frame])


@gateway_test(RACK, tunnel={name: tunnel for name, tunnel in TUNNELS.items() if tunnel.carries_ethernet})
def test_arp_goes_through_a_tunnel(dut: Dut, tunnel: Tunnel) -> None:
    frame = arp(SEGMENT_MAC, BROADCAST, SEGMENT_ROUTER[IPV4], remote(tunnel, IPV4))
    network_id = BLUE.network_id(tunnel)
    observed = dut.packet_out(frame, ENCAPSULATE, tunnel_id=tunnel.tunnel_id, network_id=network_id)
    assert_in_tunnel(observed, BLUE, tunnel, [frame])


@gateway_test(RACK)
def test_tunnel_that_is_not_there_is_refused(dut: Dut) -> None:
    frame = from_host(IPV4, WORLD[IPV4])
    dut.packet_out(frame, ENCAPSULATE, tunnel_id=999).assert_dropped(DropReason.TUNNEL_UNKNOWN)


# ---- TENANT


@gateway_test(RACK, ip=FAMILIES, tenant=TENANTS)
def test_frame_in_a_hosts_name_passes_the_whole_pipeline(dut: Dut, ip: Family, tenant: Tenant) -> None:
    frame = from_host(ip, TRUNK_HOST[ip])
    us = {"tenant_id": tenant.tenant_id, "segment_id": tenant.segment}
    observed = dut.packet_out(frame, TENANT, **us)
    observed.assert_out({TRUNK: at_trunk(frame, tenant)})
    assert cache_outcomes(observed, tenant) == {CacheOutcome.MISS: 1}
    assert tenant_traffic(observed, tenant) == (1, 0)
    flow = host_flow(tenant, ip, TRUNK_HOST[ip])
    observed.assert_learned(flow.learned(consulted=Consulted.DST_ADDR, next_hop_id=tenant.next_hop(2)))


@gateway_test(RACK, ip=FAMILIES)
def test_frame_in_a_hosts_name_hits_the_cache(dut: Dut, ip: Family) -> None:
    dut.controller.write([+host_flow(BLUE, ip, BLACKHOLE[ip]).cached("forward", next_hop_id=WORLD_NEXT_HOP)])
    frame = from_host(ip, BLACKHOLE[ip])
    observed = dut.packet_out(frame, TENANT, tenant_id=BLUE.tenant_id, segment_id=BLUE.segment)
    observed.assert_out({UPLINK: at_world(frame)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.HIT: 1}


@gateway_test(RACK, ip=FAMILIES)
def test_frame_in_a_hosts_name_needs_no_mac_addresses(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (NOBODY, NOBODY), (HOST[ip], WORLD[ip]))
    dut.packet_out(frame, TENANT, tenant_id=BLUE.tenant_id, segment_id=BLUE.segment).assert_out(
        {UPLINK: at_world(frame)}
    )


@gateway_test(RACK, ip=FAMILIES, tenant=TENANTS)
def test_frame_in_the_outsides_name_finds_its_tenant(dut: Dut, ip: Family, tenant: Tenant) -> None:
    frame = from_world(ip, tenant.public[ip])
    observed = dut.packet_out(frame, TENANT, router_id=ROUTER)
    observed.assert_out({tenant.port: at_host(frame)})
    assert tenant_traffic(observed, tenant) == (0, 1)


RESUBMITTED = {
    "from_a_port": lambda ip: (BLUE.port, from_host(ip, UNRESOLVED[ip])),
    "from_a_vlan": lambda ip: (TRUNK, tagged(from_host(ip, UNRESOLVED[ip]), BLUE.vlan_id)),
    **{
        f"from_{name}": lambda ip, tunnel=tunnel: (
            tunnel.port,
            tunnel.received(from_remote(tunnel, ip, UNRESOLVED[ip]), BLUE.network_id(tunnel)),
        )
        for name, tunnel in TUNNELS.items()
    },
}
FIELDS = ("tenant_id", "segment_id", "router_id", "tunnel_id", "network_id")


@gateway_test(RACK, ip=FAMILIES, way=RESUBMITTED)
def test_what_a_packet_in_says_is_enough_to_submit_its_frame_again(dut: Dut, ip: Family, way: object) -> None:
    port, frame = way(ip)  # type: ignore[operator]
    (punt,) = dut.send(port, frame).punts
    assert punt.metadata["reason"] == PuntReason.NEIGHBOR_MISS
    key = {"tenant_id": BLUE.tenant_id, "segment_id": BLUE.segment, "next_hop": UNRESOLVED[ip]}
    dut.controller.write([+entry(f"neighbor_{ip.name}", key, "neighbor.to_next_hop", next_hop_id=BLUE.next_hop(1))])
    first = dut.packet_out(punt.payload, TENANT, **{name: punt.metadata[name] for name in FIELDS})
    second = dut.send(port, frame)
    assert first.frames == second.frames
    assert second.frames


@gateway_test(RACK, nat(BLUE))
def test_frame_that_missed_a_mapping_is_translated_when_it_is_submitted_again(dut: Dut) -> None:
    frame = from_host(IPV4, WORLD[IPV4])
    (punt,) = dut.send(BLUE.port, frame).punts
    dut.controller.write(+each for each in mapping(BLUE, (HOST[IPV4], 4000), (BLUE.nat_address, 20000)))
    observed = dut.packet_out(punt.payload, TENANT, **{name: punt.metadata[name] for name in FIELDS})
    observed.assert_out({UPLINK: at_world(translated(frame, src=BLUE.nat_address, sport=20000))})


@gateway_test(RACK)
def test_frame_in_the_name_of_a_tenant_that_does_not_exist_is_refused(dut: Dut) -> None:
    frame = from_host(IPV4, WORLD[IPV4])
    dut.packet_out(frame, TENANT, tenant_id=77, segment_id=1).assert_dropped(DropReason.TENANT_UNKNOWN)


@gateway_test(RACK)
def test_tenant_id_beyond_the_counters_is_refused(dut: Dut) -> None:
    frame = from_host(IPV4, WORLD[IPV4])
    dut.packet_out(frame, TENANT, tenant_id=0xFFFF, segment_id=1).assert_dropped(DropReason.TENANT_UNKNOWN)


# ---- ROUTED


@gateway_test(RACK, ip=FAMILIES, hops={"1": 1, "255": 255})
def test_routers_own_packet_leaves_with_all_its_hops(dut: Dut, ip: Family, hops: int) -> None:
    frame = udp(ip, (NOBODY, NOBODY), (SEGMENT_ROUTER[ip], TRUNK_HOST[ip]), hops=hops)
    observed = dut.packet_out(frame, ROUTED, tenant_id=BLUE.tenant_id)
    macs = at_trunk(from_host(ip, TRUNK_HOST[ip]), BLUE)[:12]
    observed.assert_out({TRUNK: tagged(macs + frame[12:], BLUE.vlan_id)})
    observed.assert_learned()
    assert cache_outcomes(observed, BLUE) == {}


@gateway_test(RACK, ip=FAMILIES)
def test_central_routers_own_packet_goes_by_its_routes(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (NOBODY, NOBODY), (UPLINK_ADDRESS[ip], WORLD[ip]))
    macs = at_world(from_host(ip, WORLD[ip]))[:12]
    dut.packet_out(frame, ROUTED, router_id=ROUTER).assert_out({UPLINK: macs + frame[12:]})


@gateway_test(RACK, [*nat(BLUE), *guarded(BLUE, nat=1)], ip=FAMILIES)
def test_routers_own_packet_is_neither_judged_nor_translated(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (NOBODY, NOBODY), (SEGMENT_ROUTER[ip], WORLD[ip]))
    macs = at_world(from_host(ip, WORLD[ip]))[:12]
    dut.packet_out(frame, ROUTED, tenant_id=BLUE.tenant_id).assert_out({UPLINK: macs + frame[12:]})


@gateway_test(RACK, ip=FAMILIES)
def test_routers_own_packet_without_a_route_comes_back(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (NOBODY, NOBODY), (UPLINK_ADDRESS[ip], UNROUTED[ip]))
    dut.packet_out(frame, ROUTED, router_id=ROUTER).assert_punted(PuntReason.NO_ROUTE, frame, router_id=ROUTER)


@gateway_test(RACK, ip=FAMILIES)
def test_routers_own_packet_to_an_unknown_neighbor_comes_back(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (NOBODY, NOBODY), (SEGMENT_ROUTER[ip], UNRESOLVED[ip]))
    dut.packet_out(frame, ROUTED, tenant_id=BLUE.tenant_id).assert_punted(
        PuntReason.NEIGHBOR_MISS,
        frame,
        tenant_id=BLUE.tenant_id,
        out_segment_id=BLUE.segment,
        next_hop=int(ip_address(UNRESOLVED[ip])),
    )
