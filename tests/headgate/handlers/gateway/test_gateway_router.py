# SPDX-License-Identifier: Apache-2.0
"""Neighbors and answers of a gateway's routers without a device: packets in, effects out."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from random import Random
from typing import Any

import pytest
from finsy import Action, P4TableEntry
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    ICMPv6PacketTooBig,
    IPv6,
)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet

from headgate.config import load_config
from headgate.config.gateway import GatewayConfig
from headgate.handlers.gateway.effects import Effect, Punted, SendFrame, WriteNeighbor
from headgate.handlers.gateway.router import GatewayRouter
from headgate.metrics import Metrics
from headgate.systems.gateway.hops import glean_identity, uplink_identity
from headgate.systems.gateway.ids import Ids
from headgate.vocabulary import PacketOutMode, PuntReason

SECOND_NS = 1_000_000_000
RED, WEB, RACK = 1, 1, 2
RACK_PORT, RACK_VLAN = 4, 10
RACK_MAC, WEB_MAC, UPLINK_MAC = "02:00:00:00:f2:01", "02:00:00:01:01:01", "02:00:00:00:f1:02"
HOST_MAC = "02:00:00:00:aa:99"
WAN_B_PORT, WAN_B_VLAN = 3, 100
FIRST_LEARNED_ID = 1 << 31
UNICAST = Ether(src=HOST_MAC, dst=RACK_MAC)


def _config() -> GatewayConfig:
    config = load_config(Path(__file__).parents[4] / "configs/gateway.yaml")
    assert isinstance(config, GatewayConfig)
    return config


CONFIG = _config()
IDS = Ids.of(CONFIG).next_hops


class Bench:
    """The routers, and a clock that only moves when told."""

    def __init__(self) -> None:
        self.metrics = Metrics("test")
        self.now_ns = 0
        self.router = GatewayRouter(CONFIG, self.metrics, 0, random=Random(1))

    def punt(self, reason: PuntReason, frame: Packet, **fields: int) -> list[Effect]:
        names = (
            *("ingress_port", "tenant_id", "segment_id", "router_id", "tunnel_id", "network_id", "pool_id"),
            *("out_segment_id", "next_hop_id", "next_hop"),
        )
        punted = Punted(reason, bytes(frame), dict.fromkeys(names, 0) | fields)
        return self.router.punted(punted, self.now_ns)

    def miss(self, address: str, segment_id: int = RACK, **fields: int) -> list[Effect]:
        """A packet from outside for a neighbor in a segment of red's."""
        version = ip_address(address).version
        packet = IP(src="198.51.100.1", dst=address) if version == 4 else IPv6(src="2001:db8:9::9", dst=address)
        where = {"tenant_id": RED, "router_id": 1, "out_segment_id": segment_id, "next_hop": int(ip_address(address))}
        return self.punt(PuntReason.NEIGHBOR_MISS, UNICAST / packet / UDP(), **(where | fields))

    def hear(self, packet: Packet, **fields: int) -> list[Effect]:
        """ARP or neighbor discovery from the rack."""
        where = {"ingress_port": RACK_PORT, "tenant_id": RED, "segment_id": RACK, "router_id": 1}
        frame = Ether(src=HOST_MAC, dst=RACK_MAC) / Dot1Q(vlan=RACK_VLAN) / packet
        return self.punt(PuntReason.NEIGHBOR_HEARD, frame, **(where | fields))

    def expire(self, seconds: float) -> list[Effect]:
        self.now_ns += int(seconds * SECOND_NS)
        return self.router.expire(self.now_ns)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def frame_of(effect: Effect) -> Packet:
    assert isinstance(effect, SendFrame)
    return Ether(effect.frame)


def is_at(address: str, mac: str = HOST_MAC) -> Packet:
    return ARP(op="is-at", hwsrc=mac, psrc=address, hwdst=RACK_MAC, pdst="10.0.2.1")


def action_of(entry: P4TableEntry) -> tuple[str, dict[str, Any]]:
    assert isinstance(entry.action, Action)
    return entry.action.name.rpartition(".")[2], entry.action.args


def test_a_neighbor_on_an_interface_is_asked_for_in_its_vlan(bench: Bench) -> None:
    [asked] = bench.miss("10.0.2.50")
    assert isinstance(asked, SendFrame)
    assert (asked.mode, asked.fields) == (PacketOutMode.SEND, {"port": RACK_PORT})
    frame = frame_of(asked)
    assert (frame[Dot1Q].vlan, frame[ARP].psrc, frame[ARP].pdst) == (RACK_VLAN, "10.0.2.1", "10.0.2.50")


def test_a_neighbor_nobody_knows_is_asked_for_through_all_tunnels_of_its_segment(bench: Bench) -> None:
    asked = [effect for effect in bench.miss("10.0.1.77", WEB) if isinstance(effect, SendFrame)]
    assert {effect.mode for effect in asked} == {PacketOutMode.ENCAPSULATE}
    assert {(effect.fields["tunnel_id"], effect.fields["network_id"]) for effect in asked} == {
        (tunnel_id, 5001) for tunnel_id in (1, 2, 3)
    }


def test_an_answer_writes_next_hop_and_way_and_sends_what_waited(bench: Bench) -> None:
    bench.miss("10.0.2.50")
    [write] = bench.hear(is_at("10.0.2.50"))
    assert isinstance(write, WriteNeighbor)
    next_hop, neighbor = write.entries
    assert (next_hop["next_hop_id"], neighbor["next_hop"]) == (FIRST_LEARNED_ID, ip_address("10.0.2.50"))
    assert action_of(next_hop)[0] == "to_port"
    assert action_of(neighbor) == ("to_next_hop", {"next_hop_id": FIRST_LEARNED_ID})
    assert next_hop.metadata == b"learned tenant 1 segment 2 10.0.2.50"
    [waited] = write.waiting
    assert (waited.mode, waited.fields) == (
        PacketOutMode.TENANT,
        {"tenant_id": RED, "segment_id": 0, "router_id": 1},
    )


def test_a_neighbor_behind_a_tunnel_is_where_it_answered(bench: Bench) -> None:
    bench.miss("10.0.1.77", WEB)
    answer = is_at("10.0.1.77")
    where = {"ingress_port": 0, "segment_id": WEB, "tunnel_id": 2, "network_id": 5001}
    frame = Ether(src=HOST_MAC, dst=WEB_MAC) / answer
    [write] = bench.punt(PuntReason.NEIGHBOR_HEARD, frame, tenant_id=RED, router_id=1, **where)
    assert isinstance(write, WriteNeighbor)
    name, args = action_of(write.entries[0])
    assert (name, args["tunnel_id"], args["network_id"]) == ("to_tunnel", 2, 5001)


def test_ipv6_neighbors_are_solicited_and_believed(bench: Bench) -> None:
    [asked] = bench.miss("2001:db8:1:2::50")
    assert frame_of(asked)[ICMPv6ND_NS].tgt == "2001:db8:1:2::50"
    message = ICMPv6ND_NA(tgt="2001:db8:1:2::50", S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=HOST_MAC)
    [write] = bench.hear(IPv6(src="2001:db8:1:2::50", dst="2001:db8:1:2::1", hlim=255) / message)
    assert isinstance(write, WriteNeighbor)
    assert write.entries[1].table_id == "neighbor_ipv6"


def test_a_next_hop_of_an_uplink_is_known_by_its_number(bench: Bench) -> None:
    number = IDS[uplink_identity(1, "wan-b", ip_address("203.0.113.9"))]
    [asked] = bench.miss("203.0.113.9", 0, next_hop_id=number)
    assert isinstance(asked, SendFrame)
    assert (frame_of(asked)[ARP].psrc, asked.fields) == ("203.0.113.10", {"port": WAN_B_PORT})


def test_a_host_on_an_uplinks_prefix_gets_a_route_of_its_own(bench: Bench) -> None:
    number = IDS[glean_identity(1, "wan-b")]
    bench.miss("203.0.113.11", 0, next_hop_id=number, next_hop=0)
    answer = Ether(src=HOST_MAC, dst=UPLINK_MAC) / Dot1Q(vlan=WAN_B_VLAN) / is_at("203.0.113.11")
    [write] = bench.punt(PuntReason.NEIGHBOR_HEARD, answer, ingress_port=WAN_B_PORT, router_id=1)
    assert isinstance(write, WriteNeighbor)
    next_hop, route = write.entries
    assert next_hop["next_hop_id"] >= FIRST_LEARNED_ID
    assert (route.table_id, str(route["dst_addr"]), route.metadata) == (
        "central_route_ipv4",
        "203.0.113.11/32",
        b"learned",
    )


def test_a_lost_neighbor_keeps_its_number_and_is_punted_for_again(bench: Bench) -> None:
    bench.miss("10.0.2.50")
    bench.hear(is_at("10.0.2.50"))
    effects: list[Effect] = []
    for _ in range(200):
        effects += bench.expire(1)
    [lost] = [effect for effect in effects if isinstance(effect, WriteNeighbor)]
    [entry] = lost.entries
    assert (entry["next_hop_id"], action_of(entry)[0]) == (FIRST_LEARNED_ID, "unresolved")
    assert bench.miss("10.0.2.50", next_hop_id=FIRST_LEARNED_ID, out_segment_id=0) != []
    [found] = bench.hear(is_at("10.0.2.50"))
    assert isinstance(found, WriteNeighbor)
    assert found.entries[0]["next_hop_id"] == FIRST_LEARNED_ID


def test_a_restart_gives_no_number_twice(bench: Bench) -> None:
    bench.miss("10.0.2.50")
    [write] = bench.hear(is_at("10.0.2.50"))
    assert isinstance(write, WriteNeighbor)
    again = Bench()
    again.router.adopt(write.entries[0], 0)
    assert again.router.known_neighbors == 1
    again.miss("10.0.2.51")
    [other] = again.hear(is_at("10.0.2.51"))
    assert isinstance(other, WriteNeighbor)
    assert other.entries[0]["next_hop_id"] == FIRST_LEARNED_ID + 1


def test_who_does_not_answer_is_reported_unreachable(bench: Bench) -> None:
    bench.punt(
        PuntReason.NEIGHBOR_MISS,
        UNICAST / Dot1Q(vlan=RACK_VLAN) / IP(src="10.0.2.10", dst="10.0.2.50") / UDP(),
        ingress_port=RACK_PORT,
        tenant_id=RED,
        segment_id=RACK,
        out_segment_id=RACK,
        next_hop=int(ip_address("10.0.2.50")),
    )
    effects = [effect for _ in range(5) for effect in bench.expire(1)]
    error = frame_of(effects[-1])
    assert (error[ICMP].type, error[ICMP].code, error[IP].dst) == (3, 1, "10.0.2.10")


@pytest.mark.parametrize(
    "heard",
    [
        is_at("10.0.2.66"),
        is_at("10.0.2.50", "ff:ff:ff:ff:ff:ff"),
        is_at("10.0.2.50", RACK_MAC),
        is_at("10.9.9.9"),
        is_at("10.0.2.1"),
    ],
    ids=["unasked", "group address", "our own MAC", "off link", "our own address"],
)
def test_nonsense_is_not_believed(bench: Bench, heard: Packet) -> None:
    bench.miss("10.0.2.50")
    assert bench.hear(heard) == []
    assert bench.router.known_neighbors == 0


def test_who_asks_for_an_ipv6_address_of_the_gateway_is_answered(bench: Bench) -> None:
    question = ICMPv6ND_NS(tgt="2001:db8:1:2::1") / ICMPv6NDOptSrcLLAddr(lladdr=HOST_MAC)
    [answer] = bench.hear(IPv6(src="2001:db8:1:2::50", dst="ff02::1:ff00:1", hlim=255) / question)
    frame = frame_of(answer)
    assert (frame.dst, frame[ICMPv6ND_NA].tgt, frame[ICMPv6ND_NA].S, frame[ICMPv6ND_NA].R) == (
        HOST_MAC,
        "2001:db8:1:2::1",
        1,
        1,
    )
    assert frame[ICMPv6NDOptDstLLAddr].lladdr == RACK_MAC


def test_duplicate_address_detection_of_a_gateways_address_is_answered_to_all(bench: Bench) -> None:
    [answer] = bench.hear(IPv6(src="::", dst="ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt="2001:db8:1:2::1"))
    frame = frame_of(answer)
    assert (frame.dst, frame[IPv6].dst, frame[ICMPv6ND_NA].S) == ("33:33:00:00:00:01", "ff02::1", 0)


def test_a_packet_that_does_not_fit_is_answered_with_the_next_hops_mtu(bench: Bench) -> None:
    number = IDS["tenant 1 segment 1 2001:db8:1:1::10"]
    frame = UNICAST / Dot1Q(vlan=RACK_VLAN) / IPv6(src="2001:db8:1:2::50", dst="2001:db8:1:1::10") / UDP() / bytes(1600)
    where = {"ingress_port": RACK_PORT, "tenant_id": RED, "segment_id": RACK, "next_hop_id": number}
    [error] = bench.punt(PuntReason.PACKET_TOO_BIG, frame, **where)
    assert isinstance(error, SendFrame)
    assert (error.mode, error.fields["tenant_id"]) == (PacketOutMode.ROUTED, RED)
    assert (frame_of(error)[ICMPv6PacketTooBig].mtu, frame_of(error)[IPv6].src) == (1500, "2001:db8:1:2::1")


def test_an_error_about_a_packet_from_outside_is_the_central_routers(bench: Bench) -> None:
    frame = UNICAST / Dot1Q(vlan=WAN_B_VLAN) / IPv6(src="2001:db8:9::9", dst="2001:db8:1::5") / UDP()
    [error] = bench.punt(PuntReason.NO_ROUTE, frame, ingress_port=WAN_B_PORT, tenant_id=RED, router_id=1)
    assert isinstance(error, SendFrame)
    assert error.fields == {"tenant_id": 0, "router_id": 1}
    assert frame_of(error)[IPv6].src == "2001:db8:b::2"
    assert ICMPv6DestUnreach in frame_of(error)


def test_an_ipv6_ping_of_the_gateway_is_answered(bench: Bench) -> None:
    ping = UNICAST / Dot1Q(vlan=RACK_VLAN) / IPv6(src="2001:db8:1:2::50", dst="2001:db8:1:2::1")
    [pong] = bench.punt(
        PuntReason.LOCAL, ping / ICMPv6EchoRequest(id=3, seq=4, data=b"abc"), tenant_id=RED, segment_id=RACK
    )
    expected = bytes(frame_of(pong)[IPv6])
    reply = IPv6(expected)
    del reply.payload.cksum
    assert (bytes(reply), reply.payload.type, reply.payload.data) == (expected, 129, b"abc")


def test_another_packet_for_the_gateway_is_not_answered(bench: Bench) -> None:
    packet = UNICAST / IP(src="10.0.2.50", dst="10.0.2.1") / UDP()
    assert bench.punt(PuntReason.LOCAL, packet, tenant_id=RED, segment_id=RACK) == []


def test_the_gateways_own_packet_that_waited_is_routed_as_its_own(bench: Bench) -> None:
    own = UNICAST / IP(src="10.0.2.1", dst="10.0.2.50") / ICMP(type=0)
    where = {"tenant_id": RED, "out_segment_id": RACK, "next_hop": int(ip_address("10.0.2.50"))}
    bench.punt(PuntReason.NEIGHBOR_MISS, own, **where)
    [write] = bench.hear(is_at("10.0.2.50"))
    assert isinstance(write, WriteNeighbor)
    assert [frame.mode for frame in write.waiting] == [PacketOutMode.ROUTED]
