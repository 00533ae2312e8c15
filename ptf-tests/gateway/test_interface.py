# SPDX-License-Identifier: Apache-2.0
"""interface: a port and a VLAN say where a frame comes from, and whom it may be for.

- What comes by a port and VLAN that nobody named is refused; a priority tag names no VLAN.
- A frame has to be sent to the gateway's MAC address in its network, or to a group if it is a neighbor's word.
- What is no packet that can be routed is refused.
"""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS
from scapy.packet import Packet

from harness.dut import Dut
from harness.frames import BROADCAST, FAMILIES, IPV4, IPV6, Family, arp, ether, probe, tagged, udp
from harness.gateway import gateway_test
from harness.gateway.ports import SECOND_UPLINK, TRUNK, UNDERLAY, UNUSED, UPLINK, UPLINK_VLAN
from harness.gateway.rack import (
    BLUE,
    HOST,
    HOST_MAC,
    RACK,
    RED,
    ROUTER,
    SEGMENT_MAC,
    SEGMENT_ROUTER,
    TENANTS,
    TRUNK_HOST,
    TRUNK_HOST_MAC,
    UPLINK_ADDRESS,
    UPLINK_MAC,
    UPLINK_NEIGHBOR,
    WORLD,
    WORLD_MAC,
    Tenant,
    entry,
    remote,
)
from harness.gateway.traffic import FROM_HOST, FROM_REMOTE, at_host, at_trunk, at_world, from_host, from_world
from harness.gateway.tunnels import FABRIC_MAC, TUNNELS, UNDERLAY_MAC, Tunnel
from headgate.vocabulary import DropReason, PuntReason

IN_FRAMES = {name: tunnel for name, tunnel in TUNNELS.items() if tunnel.carries_ethernet}

# ---- port and VLAN


@gateway_test(RACK, ip=FAMILIES)
def test_port_that_nobody_named_is_refused(dut: Dut, ip: Family) -> None:
    dut.send(UNUSED, from_host(ip, WORLD[ip])).assert_dropped(DropReason.INTERFACE_UNKNOWN)


@gateway_test(
    RACK, ip=FAMILIES, where={"port_without_vlans": BLUE.port, "trunk": TRUNK, "second_uplink": SECOND_UPLINK}
)
def test_vlan_that_nobody_named_is_refused(dut: Dut, ip: Family, where: int) -> None:
    dut.send(where, tagged(from_host(ip, WORLD[ip]), 999)).assert_dropped(DropReason.INTERFACE_UNKNOWN)


@gateway_test(RACK, ip=FAMILIES, where={"trunk": TRUNK, "second_uplink": SECOND_UPLINK})
def test_untagged_frame_where_all_have_tags_is_refused(dut: Dut, ip: Family, where: int) -> None:
    dut.send(where, from_host(ip, WORLD[ip])).assert_dropped(DropReason.INTERFACE_UNKNOWN)


@gateway_test(RACK, ip=FAMILIES, pcp={"0": 0, "7": 7})
def test_priority_tag_names_no_vlan(dut: Dut, ip: Family, pcp: int) -> None:
    frame = from_host(ip, WORLD[ip])
    dut.send(BLUE.port, tagged(frame, 0, pcp=pcp)).assert_out({UPLINK: at_world(frame)})


@gateway_test(RACK, ip=FAMILIES, tenant=TENANTS)
def test_vlan_of_a_trunk_is_its_tenants_segment(dut: Dut, ip: Family, tenant: Tenant) -> None:
    frame = udp(ip, (TRUNK_HOST_MAC, SEGMENT_MAC), (TRUNK_HOST[ip], HOST[ip]))
    dut.send(TRUNK, tagged(frame, tenant.vlan_id, pcp=3)).assert_out({tenant.port: at_host(frame)})


@gateway_test(RACK, ip=FAMILIES)
def test_second_tag_is_no_packet_that_can_be_routed(dut: Dut, ip: Family) -> None:
    frame = tagged(tagged(from_host(ip, WORLD[ip]), 7), BLUE.vlan_id)
    dut.send(TRUNK, frame).assert_dropped(DropReason.NOT_ROUTABLE)


@gateway_test(RACK, ip=FAMILIES)
def test_interface_counts_its_frames(dut: Dut, ip: Family) -> None:
    key = {"port": SECOND_UPLINK, "vlan_id": UPLINK_VLAN}
    before = dut.controller.hits("interface", **key)
    dut.send(SECOND_UPLINK, *[tagged(from_world(ip, BLUE.public[ip]), UPLINK_VLAN) for _ in range(3)])
    assert dut.controller.hits("interface", **key) == before + 3


# ---- MAC addresses

SOMEBODY = "02:00:00:00:00:77"
WRONG_MACS = {
    "somebodys": SOMEBODY,
    "broadcast": BROADCAST,
    "multicast": "01:00:5e:00:00:09",
    "underlays": UNDERLAY_MAC,
}


@gateway_test(RACK, ip=FAMILIES, mac=WRONG_MACS)
def test_packet_from_a_segment_to_another_mac_is_refused(dut: Dut, ip: Family, mac: str) -> None:
    dut.send(BLUE.port, udp(ip, (HOST_MAC, mac), (HOST[ip], WORLD[ip]))).assert_dropped(DropReason.DST_MAC_NOT_OURS)


@gateway_test(RACK, ip=FAMILIES, mac=WRONG_MACS)
def test_packet_from_outside_to_another_mac_is_refused(dut: Dut, ip: Family, mac: str) -> None:
    frame = udp(ip, (WORLD_MAC, mac), (WORLD[ip], BLUE.public[ip]))
    dut.send(UPLINK, frame).assert_dropped(DropReason.DST_MAC_NOT_OURS)


@gateway_test(RACK, ip=FAMILIES, tunnel=IN_FRAMES, mac=WRONG_MACS)
def test_packet_in_a_tunnel_to_another_mac_is_refused(dut: Dut, ip: Family, tunnel: Tunnel, mac: str) -> None:
    inner = udp(ip, (SOMEBODY, mac), (remote(tunnel, ip), HOST[ip]))
    frame = tunnel.received(inner, BLUE.network_id(tunnel))
    dut.send(tunnel.port, frame).assert_dropped(DropReason.DST_MAC_NOT_OURS)


@gateway_test(RACK, ether_type={"experimental": 0x88B5, "lldp": 0x88CC, "length": 46})
def test_what_is_neither_ip_nor_arp_is_refused(dut: Dut, ether_type: int) -> None:
    frame = ether(*FROM_HOST, probe(46), ether_type=ether_type)
    dut.send(BLUE.port, frame).assert_dropped(DropReason.NOT_ROUTABLE)


# ---- neighbors

ND_HOPS = 255  # RFC 4861 7.1
Said = Callable[[str, str], bytes]


def ndp(src: str, dst: str, message: Packet, hops: int = ND_HOPS) -> bytes:
    return ether(src, dst, IPV6.header(HOST[IPV6], SEGMENT_ROUTER[IPV6], hops), message, probe())


NEIGHBORS_SAY: dict[str, Said] = {
    "arp_request": lambda src, dst: arp(src, dst, HOST[IPV4], SEGMENT_ROUTER[IPV4]),
    "arp_reply": lambda src, dst: arp(src, dst, HOST[IPV4], SEGMENT_ROUTER[IPV4], reply=True),
    "solicitation": lambda src, dst: ndp(src, dst, ICMPv6ND_NS(tgt=SEGMENT_ROUTER[IPV6])),
    "advertisement": lambda src, dst: ndp(src, dst, ICMPv6ND_NA(tgt=HOST[IPV6])),
}
TO = {"us": SEGMENT_MAC, "all": BROADCAST, "solicited_node": "33:33:ff:00:00:01"}


@gateway_test(RACK, said=NEIGHBORS_SAY, to=TO, tenant=TENANTS)
def test_what_a_segments_neighbor_says_is_for_the_controller(dut: Dut, said: Said, to: str, tenant: Tenant) -> None:
    frame = said(HOST_MAC, to)
    dut.send(tenant.port, frame).assert_punted(
        PuntReason.NEIGHBOR_HEARD,
        frame,
        ingress_port=tenant.port,
        tenant_id=tenant.tenant_id,
        segment_id=tenant.segment,
        tunnel_id=0,
    )


@gateway_test(RACK, said=NEIGHBORS_SAY, tunnel=IN_FRAMES, tenant=TENANTS)
def test_what_a_neighbor_behind_a_tunnel_says_is_for_the_controller(
    dut: Dut, said: Said, tunnel: Tunnel, tenant: Tenant
) -> None:
    inner = said(FROM_REMOTE[0], BROADCAST)
    network_id = tenant.network_id(tunnel)
    dut.send(tunnel.port, tunnel.received(inner, network_id)).assert_punted(
        PuntReason.NEIGHBOR_HEARD,
        inner,
        ingress_port=tunnel.port,
        tenant_id=tenant.tenant_id,
        segment_id=tenant.remote_segment(tunnel),
        tunnel_id=tunnel.tunnel_id,
        network_id=network_id,
    )


@gateway_test(RACK, said=NEIGHBORS_SAY)
def test_what_an_uplinks_neighbor_says_is_for_the_controller(dut: Dut, said: Said) -> None:
    frame = said(WORLD_MAC, UPLINK_MAC)
    dut.send(UPLINK, frame).assert_punted(
        PuntReason.NEIGHBOR_HEARD, frame, ingress_port=UPLINK, tenant_id=0, segment_id=0, router_id=ROUTER
    )


@gateway_test(RACK, said=NEIGHBORS_SAY)
def test_what_a_neighbor_in_a_vlan_says_keeps_its_tag(dut: Dut, said: Said) -> None:
    frame = tagged(said(HOST_MAC, BROADCAST), RED.vlan_id, pcp=2)
    dut.send(TRUNK, frame).assert_punted(
        PuntReason.NEIGHBOR_HEARD, frame, ingress_port=TRUNK, tenant_id=RED.tenant_id, segment_id=RED.trunk_segment
    )


@gateway_test(RACK, said=NEIGHBORS_SAY)
def test_what_the_underlays_neighbor_says_is_for_the_controller(dut: Dut, said: Said) -> None:
    frame = said(FABRIC_MAC, UNDERLAY_MAC)
    dut.send(UNDERLAY, frame).assert_punted(
        PuntReason.NEIGHBOR_HEARD, frame, ingress_port=UNDERLAY, tenant_id=0, segment_id=0, router_id=0
    )


@gateway_test(RACK, said=NEIGHBORS_SAY)
def test_what_neighbors_say_to_each_other_is_none_of_ours(dut: Dut, said: Said) -> None:
    dut.send(BLUE.port, said(HOST_MAC, SOMEBODY)).assert_dropped(DropReason.DST_MAC_NOT_OURS)


@gateway_test(RACK, message={"solicitation": ICMPv6ND_NS, "advertisement": ICMPv6ND_NA})
def test_neighbor_discovery_that_crossed_a_router_is_an_ordinary_packet(
    dut: Dut, message: Callable[..., Packet]
) -> None:
    frame = ndp(HOST_MAC, SEGMENT_MAC, message(tgt=HOST[IPV6]), hops=254)
    dut.send(BLUE.port, frame).assert_punted(PuntReason.LOCAL, frame, tenant_id=BLUE.tenant_id)


# ---- for the router itself


@gateway_test(RACK, ip=FAMILIES, tenant=TENANTS)
def test_packet_for_the_segments_router_is_the_controllers(dut: Dut, ip: Family, tenant: Tenant) -> None:
    frame = from_host(ip, SEGMENT_ROUTER[ip])
    dut.send(tenant.port, frame).assert_punted(
        PuntReason.LOCAL, frame, ingress_port=tenant.port, tenant_id=tenant.tenant_id, segment_id=tenant.segment
    )


@gateway_test(RACK, ip=FAMILIES)
def test_packet_for_the_central_router_is_the_controllers(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (WORLD_MAC, UPLINK_MAC), (UPLINK_NEIGHBOR[ip], UPLINK_ADDRESS[ip]))
    dut.send(UPLINK, frame).assert_punted(
        PuntReason.LOCAL, frame, ingress_port=UPLINK, tenant_id=0, segment_id=0, router_id=ROUTER
    )


@gateway_test(RACK, ip=FAMILIES)
def test_routers_address_of_one_segment_is_not_its_own_in_another(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (TRUNK_HOST_MAC, SEGMENT_MAC), (TRUNK_HOST[ip], SEGMENT_ROUTER[ip]))
    observed = dut.send(TRUNK, tagged(frame, BLUE.vlan_id))
    observed.assert_punted(
        PuntReason.NEIGHBOR_MISS,
        tagged(frame, BLUE.vlan_id),
        segment_id=BLUE.trunk_segment,
        out_segment_id=BLUE.segment,
    )


@gateway_test(RACK, ip=FAMILIES)
def test_last_hop_is_enough_to_reach_the_router_itself(dut: Dut, ip: Family) -> None:
    frame = from_host(ip, SEGMENT_ROUTER[ip], hops=1)
    dut.send(BLUE.port, frame).assert_punted(PuntReason.LOCAL, frame)


# ---- who is there at all


@gateway_test(RACK, ip=FAMILIES)
def test_destination_outside_that_no_tenant_has_is_refused(dut: Dut, ip: Family) -> None:
    dut.send(UPLINK, from_world(ip, HOST[ip])).assert_dropped(DropReason.NO_TENANT)


@gateway_test(
    RACK,
    [entry("interface", {"port": UNUSED, "vlan_id": 0}, "segment", tenant_id=77, segment_id=1, mac=SEGMENT_MAC)],
    ip=FAMILIES,
)
def test_segment_of_a_tenant_that_does_not_exist_is_refused(dut: Dut, ip: Family) -> None:
    dut.send(UNUSED, from_host(ip, WORLD[ip])).assert_dropped(DropReason.TENANT_UNKNOWN)


@gateway_test(
    RACK,
    [entry("interface", {"port": UNUSED, "vlan_id": 0}, "uplink", router_id=77, mac=UPLINK_MAC)],
    ip=FAMILIES,
)
def test_uplink_of_a_router_that_does_not_exist_is_refused(dut: Dut, ip: Family) -> None:
    dut.send(UNUSED, from_world(ip, BLUE.public[ip])).assert_dropped(DropReason.ROUTER_UNKNOWN)


@gateway_test(RACK, ip=FAMILIES, tenant=TENANTS)
def test_destination_outside_names_the_tenant(dut: Dut, ip: Family, tenant: Tenant) -> None:
    frame = from_world(ip, tenant.public[ip])
    dut.send(UPLINK, frame).assert_out({tenant.port: at_host(frame)})


@gateway_test(RACK, ip=FAMILIES)
def test_hosts_with_the_same_addresses_reach_their_own_tenants_hosts(dut: Dut, ip: Family) -> None:
    frames = {tenant: from_host(ip, TRUNK_HOST[ip]) for tenant in (BLUE, RED)}
    observed = dut.exchange([(tenant.port, frame) for tenant, frame in frames.items()])
    out = [at_trunk(frame, tenant) for tenant, frame in frames.items()]
    observed.assert_out({TRUNK: out})
