# SPDX-License-Identifier: Apache-2.0
"""A VNIC's router without a device: packets in, effects out."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from random import Random

import pytest
from finsy import Action, MACAddress, Match, P4TableEntry
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet

from headgate.config import NicConfig, parse_config
from headgate.handlers.nic.effects import DeleteNeighbor, Effect, Punt, SendFrame, WriteNeighbor
from headgate.handlers.nic.router import Router, RouterLimits
from headgate.handlers.nic.router_view import router_views
from headgate.metrics import Metrics
from headgate.protocols import arp, nd
from headgate.protocols.ethernet import Frame
from headgate.protocols.neighbor_cache import NeighborLimits, NextHop
from headgate.systems import LEARNED
from headgate.vocabulary import PacketOutMode, PuntReason

SECOND_NS = 1_000_000_000
ROUTER_ID, VM_ID = 7, 1
ROUTER_MAC = MACAddress("02:00:00:00:07:01")
VM_MAC = MACAddress("02:00:00:00:01:01")
HOST_MAC = MACAddress("02:00:00:00:ff:01")

CONFIG: NicConfig = parse_config(
    {
        "ports": [{"name": "wan", "port": 0, "role": "uplink"}],
        "vlans": [{"vlan_id": 10, "uplink": "wan"}, {"vlan_id": 20, "uplink": "wan"}],
        "vnics": [
            {
                "name": "vm",
                "vnic_id": VM_ID,
                "vlan": 10,
                "macs": [str(VM_MAC)],
                "rings": {"local": [{"ring_id": 1, "port": "host"}]},
            },
            {
                "name": "router",
                "vnic_id": ROUTER_ID,
                "vlan": 10,
                "tagged_vlans": [20],
                "macs": [str(ROUTER_MAC), "02:00:00:00:07:02"],
                "addresses": [
                    "10.0.0.1/24",
                    "2001:db8::1/64",
                    {"address": "10.0.20.1/24", "vlan": 20},
                    {"address": "2001:db8:20::1/64", "vlan": 20},
                ],
                "rings": {"local": [{"ring_id": 2, "port": "host"}], "forwarding": [{"ring_id": 3, "port": "host"}]},
                "forwarding": {"routed_by": "nic_on_receive", "mtu": 1400},
            },
        ],
    },
    NicConfig,
)


class Bench:
    """A router, its metrics, and a clock that only moves when told."""

    def __init__(self, **limits: int) -> None:
        self.metrics = Metrics("test")
        self.now_ns = 0
        (view,) = router_views(CONFIG)
        self.router = Router(view, self.metrics, 0, limits=replace(RouterLimits(), **limits), random=Random(1))

    def punt(
        self, reason: PuntReason, frame: Packet | bytes, *, vlan_id: int = 10, next_hop: str = "::"
    ) -> list[Effect]:
        punt = Punt(reason, ROUTER_ID, vlan_id, int(ip_address(next_hop)), bytes(frame))
        return self.router.punted(punt, self.now_ns)

    def miss(self, next_hop: str, vlan_id: int = 10) -> list[Effect]:
        frame = to_router(DATA_V4 if "." in next_hop else DATA_V6)
        return self.punt(PuntReason.NEIGHBOR_MISS, frame, vlan_id=vlan_id, next_hop=next_hop)

    def hear(self, frame: Packet, vlan_id: int = 10) -> list[Effect]:
        return self.punt(PuntReason.NEIGHBOR_HEARD, frame, vlan_id=vlan_id)

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"headgate_{name}_total", labels) or 0


DATA_V4 = IP(src="192.0.2.9", dst="10.0.0.50", ttl=2) / UDP() / b"data"
DATA_V6 = IPv6(src="2001:db8:9::9", dst="2001:db8::50", hlim=2) / UDP() / b"data"


def to_router(packet: Packet) -> Packet:
    return Ether(src=str(HOST_MAC), dst=str(ROUTER_MAC)) / packet


def arp_reply(address: str, mac: MACAddress, op: str = "is-at") -> Packet:
    return to_router(ARP(op=op, hwsrc=str(mac), psrc=address, hwdst=str(ROUTER_MAC), pdst="10.0.0.1"))


def advertisement(address: str, mac: MACAddress, hop_limit: int = 255) -> Packet:
    message = ICMPv6ND_NA(tgt=address, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=str(mac))
    return to_router(IPv6(src=address, dst="2001:db8::1", hlim=hop_limit) / message)


def answer(address: str, mac: MACAddress) -> Packet:
    return arp_reply(address, mac) if "." in address else advertisement(address, mac)


def transmit(frame: Frame, vlan_id: int = 10) -> SendFrame:
    return SendFrame(PacketOutMode.TRANSMIT, ROUTER_ID, vlan_id, frame.pack())


def route(frame: Packet, vlan_id: int = 10) -> SendFrame:
    return SendFrame(PacketOutMode.ROUTE, ROUTER_ID, vlan_id, bytes(frame))


def only_frame(effects: list[Effect]) -> Packet:
    (effect,) = effects
    assert isinstance(effect, SendFrame)
    assert effect.mode is PacketOutMode.ROUTE
    return Ether(effect.frame)


# ---- neighbors


@pytest.mark.parametrize(
    ("next_hop", "vlan_id", "request_frame"),
    [
        ("10.0.0.50", 10, arp.request(ROUTER_MAC, IPv4Address("10.0.0.1"), IPv4Address("10.0.0.50"), None)),
        ("10.0.20.50", 20, arp.request(ROUTER_MAC, IPv4Address("10.0.20.1"), IPv4Address("10.0.20.50"), None)),
        (
            "2001:db8::50",
            10,
            nd.solicitation(ROUTER_MAC, IPv6Address("2001:db8::1"), IPv6Address("2001:db8::50"), None),
        ),
        ("fe80::50", 20, nd.solicitation(ROUTER_MAC, IPv6Address("2001:db8:20::1"), IPv6Address("fe80::50"), None)),
    ],
)
def test_a_missing_neighbor_is_asked_for_from_the_routers_address_on_its_link(
    next_hop: str, vlan_id: int, request_frame: Frame
) -> None:
    assert Bench().miss(next_hop, vlan_id) == [transmit(request_frame, vlan_id)]


@pytest.mark.parametrize(
    ("next_hop", "vlan_id"),
    [
        ("10.0.0.1", 10),  # the router itself
        ("10.0.0.255", 10),  # the subnet's broadcast address, RFC 2644
        ("10.0.20.50", 10),  # on another VLAN
        ("192.0.2.1", 10),
        ("224.0.0.5", 10),
        ("2001:db8::1", 10),
        ("ff02::1", 10),
    ],
)
def test_what_can_not_be_a_neighbor_is_never_asked_for(next_hop: str, vlan_id: int) -> None:
    bench = Bench()

    assert bench.miss(next_hop, vlan_id) == []
    assert bench.count("waiting_frames_lost", reason="not_a_neighbor") == 1


@pytest.mark.parametrize("address", ["10.0.0.50", "2001:db8::50"])
def test_an_answer_is_written_and_what_waited_is_routed(address: str) -> None:
    bench = Bench()
    bench.miss(address)
    (effect,) = bench.hear(answer(address, HOST_MAC))

    assert isinstance(effect, WriteNeighbor)
    assert effect.entry.table_id == f"ipv{ip_address(address).version}_neighbor"
    assert effect.entry.match == {"vnic_id": ROUTER_ID, "vlan_id": 10, "next_hop": ip_address(address)}
    assert effect.entry.action == Action("to_wire", src_mac=int(ROUTER_MAC), dst_mac=int(HOST_MAC))
    assert effect.entry.metadata == LEARNED
    assert effect.waiting == (route(to_router(DATA_V4 if "." in address else DATA_V6)),)
    assert bench.count("neighbor_resolutions", result="resolved") == 1


def test_a_neighbor_that_is_a_vnic_of_this_nic_is_reached_without_the_wire() -> None:
    bench = Bench()
    bench.miss("10.0.0.50")
    (effect,) = bench.hear(arp_reply("10.0.0.50", VM_MAC))

    assert isinstance(effect, WriteNeighbor)
    assert isinstance(effect.entry.action, Action)
    assert effect.entry.action.name.endswith("to_vnic")
    assert effect.entry.action.args["vnic_id"] == VM_ID


def test_the_same_mac_in_another_vlan_is_on_the_wire() -> None:
    bench = Bench()
    bench.miss("10.0.20.50", vlan_id=20)
    (effect,) = bench.hear(arp_reply("10.0.20.50", VM_MAC), vlan_id=20)

    assert isinstance(effect, WriteNeighbor)
    assert isinstance(effect.entry.action, Action)
    assert effect.entry.action.name == "to_wire"


@pytest.mark.parametrize("address", ["10.0.0.50", "2001:db8::50"])
def test_nobody_is_learned_who_was_not_asked_for(address: str) -> None:
    assert Bench().hear(answer(address, HOST_MAC)) == []


@pytest.mark.parametrize(
    "frame",
    [
        arp_reply("10.0.0.50", MACAddress("ff:ff:ff:ff:ff:ff")),
        arp_reply("10.0.0.50", MACAddress("01:00:5e:00:00:01")),
        arp_reply("10.0.0.50", MACAddress(0)),
        arp_reply("10.0.0.50", ROUTER_MAC),
        arp_reply("10.0.0.50", MACAddress("02:00:00:00:07:02")),
        arp_reply("10.0.0.1", HOST_MAC),
        arp_reply("192.0.2.1", HOST_MAC),
        advertisement("2001:db8:20::50", HOST_MAC),
        advertisement("2001:db8::1", HOST_MAC),
    ],
    ids=lambda frame: frame.summary(),
)
def test_an_impossible_neighbor_is_ignored_and_counted(frame: Packet) -> None:
    bench = Bench()
    bench.miss("10.0.0.50")

    assert bench.hear(frame) == []
    assert bench.count("neighbor_messages_ignored") == 1


@pytest.mark.parametrize(
    ("frame", "layer"),
    [
        (arp_reply("10.0.0.50", HOST_MAC, op="who-has"), "ARP"),
        (advertisement("2001:db8::50", HOST_MAC, hop_limit=254), "ND"),
        (to_router(DATA_V6), "ND"),
        (bytes(arp_reply("10.0.0.50", HOST_MAC))[:41], "ARP"),
        (b"short", "Ethernet"),
    ],
    ids=["request", "from afar", "not ND", "cut", "no frame"],
)
def test_a_malformed_message_is_counted_and_changes_nothing(frame: Packet | bytes, layer: str) -> None:
    bench = Bench()
    bench.miss("10.0.0.50")
    bench.miss("2001:db8::50")

    assert bench.punt(PuntReason.NEIGHBOR_HEARD, frame) == []
    assert bench.count("malformed_packets", layer=layer) == 1


@pytest.mark.parametrize(
    ("address", "icmp_type", "code"), [("10.0.0.50", 3, 1), ("2001:db8::50", 1, 3)], ids=["ipv4", "ipv6"]
)
def test_who_does_not_answer_is_told_to_the_sender_as_unreachable(address: str, icmp_type: int, code: int) -> None:
    bench = Bench()
    bench.miss(address)
    for second in (1, 2):
        assert len(bench.router.expire(second * SECOND_NS)) == 1  # asks again
    frame = only_frame(bench.router.expire(3 * SECOND_NS))

    message = bytes(frame.payload.payload)
    assert (message[0], message[1]) == (icmp_type, code)
    assert bench.count("neighbor_resolutions", result="failed") == 1


def test_frames_beyond_the_queue_are_counted_as_lost() -> None:
    bench = Bench()
    waiting = NeighborLimits().waiting_packets
    for _ in range(waiting + 2):
        bench.miss("10.0.0.50")

    assert bench.count("waiting_frames_lost", reason="queue_full") == 2
    assert len(bench.router.waiting()) == waiting


def adopted(bench: Bench) -> None:
    entry = P4TableEntry(
        "ipv4_neighbor",
        match=Match(vnic_id=ROUTER_ID, vlan_id=10, next_hop=IPv4Address("10.0.0.50")),
        action=Action("to_wire", src_mac=int(ROUTER_MAC), dst_mac=int(HOST_MAC)),
        metadata=LEARNED,
    )
    bench.router.adopt(entry, 0)


def test_an_adopted_neighbor_is_verified_in_time_and_deleted_when_silent() -> None:
    bench = Bench()
    adopted(bench)
    late_ns = 2 * NeighborLimits().reachable_ns
    probe = arp.request(ROUTER_MAC, IPv4Address("10.0.0.1"), IPv4Address("10.0.0.50"), HOST_MAC)

    for second in range(3):
        assert bench.router.expire(late_ns + second * SECOND_NS) == [transmit(probe)]
    (effect,) = bench.router.expire(late_ns + 3 * SECOND_NS)
    assert isinstance(effect, DeleteNeighbor)
    assert effect.entry.match == {"vnic_id": ROUTER_ID, "vlan_id": 10, "next_hop": IPv4Address("10.0.0.50")}
    assert bench.count("neighbor_resolutions", result="lost") == 1


def test_a_neighbor_whose_entry_was_refused_is_asked_for_again() -> None:
    bench = Bench()
    adopted(bench)
    bench.router.refused(NextHop(10, IPv4Address("10.0.0.50")))

    assert bench.router.known_neighbors == 0
    assert bench.miss("10.0.0.50") == [
        transmit(arp.request(ROUTER_MAC, IPv4Address("10.0.0.1"), IPv4Address("10.0.0.50"), None))
    ]


# ---- ICMP errors


def test_time_exceeded_comes_from_the_address_nearest_to_the_sender() -> None:
    subject = IP(src="10.0.20.9", dst="192.0.2.7", ttl=1) / UDP() / b"data"
    frame = only_frame(Bench().punt(PuntReason.TTL_EXPIRED, to_router(subject)))

    assert bytes(frame) == bytes(
        Ether(src=str(ROUTER_MAC), dst=str(ROUTER_MAC))
        / IP(src="10.0.20.1", dst="10.0.20.9", ttl=64, tos=0xC0, id=0, flags="DF")
        / ICMP(type=11, code=0)
        / bytes(subject)
    )


def test_an_error_to_somebody_far_away_comes_from_the_vlan_the_packet_was_in() -> None:
    subject = IP(src="192.0.2.9", dst="198.51.100.7", ttl=1) / UDP()
    frame = only_frame(Bench().punt(PuntReason.TTL_EXPIRED, to_router(subject), vlan_id=20))

    assert frame[IP].src == "10.0.20.1"


@pytest.mark.parametrize(
    ("reason", "error", "v4", "v6"),
    [
        (PuntReason.TTL_EXPIRED, "time_exceeded", (11, 0), (3, 0)),
        (PuntReason.PACKET_TOO_BIG, "packet_too_big", (3, 4), (2, 0)),
        (PuntReason.NO_ROUTE, "no_route", (3, 0), (1, 0)),
    ],
    ids=["ttl expired", "too big", "no route"],
)
def test_each_reason_has_its_error_in_either_family(
    reason: PuntReason, error: str, v4: tuple[int, int], v6: tuple[int, int]
) -> None:
    bench = Bench()
    messages = [bytes(only_frame(bench.punt(reason, to_router(data))).payload.payload) for data in (DATA_V4, DATA_V6)]

    assert [(message[0], message[1]) for message in messages] == [v4, v6]
    assert bench.count("icmp_errors_sent", error=error) == 2


def test_too_big_tells_the_mtu_of_the_link() -> None:
    bench = Bench()
    v4 = only_frame(bench.punt(PuntReason.PACKET_TOO_BIG, to_router(DATA_V4)))
    v6 = only_frame(bench.punt(PuntReason.PACKET_TOO_BIG, to_router(DATA_V6)))

    assert v4[ICMP].nexthopmtu == 1400
    assert v6[ICMPv6PacketTooBig].mtu == 1400


def test_a_tagged_packet_is_answered_untagged_in_its_vlan() -> None:
    tagged = Ether(src=str(HOST_MAC), dst=str(ROUTER_MAC)) / Dot1Q(vlan=20) / DATA_V6
    (effect,) = Bench().punt(PuntReason.TTL_EXPIRED, tagged, vlan_id=20)

    assert isinstance(effect, SendFrame)
    assert effect.vlan_id == 20
    assert Frame.parse(effect.frame).tags == ()
    assert ICMPv6TimeExceeded in Ether(effect.frame)


def test_an_error_is_not_answered_with_an_error() -> None:
    bench = Bench()
    subject = to_router(IP(src="10.0.0.9", dst="192.0.2.7", ttl=1) / ICMP(type=3, code=1))

    assert bench.punt(PuntReason.TTL_EXPIRED, subject) == []
    assert bench.count("icmp_errors_suppressed", error="time_exceeded", reason="icmp_error") == 1


def test_errors_are_limited_to_a_burst_and_a_rate() -> None:
    bench = Bench(icmp_errors_per_s=10, icmp_errors_burst=3)
    sent = [len(bench.punt(PuntReason.NO_ROUTE, to_router(DATA_V4))) for _ in range(5)]
    bench.now_ns = SECOND_NS // 10
    later = [len(bench.punt(PuntReason.NO_ROUTE, to_router(DATA_V4))) for _ in range(2)]

    assert (sent, later) == ([1, 1, 1, 0, 0], [1, 0])
    assert bench.count("icmp_errors_suppressed", error="no_route", reason="rate_limited") == 3


@pytest.mark.parametrize("reason", [reason for reason in PuntReason if reason is not PuntReason.NONE])
@pytest.mark.parametrize("length", range(len(to_router(DATA_V4))))
def test_a_frame_cut_at_any_byte_is_answered_by_nothing(reason: PuntReason, length: int) -> None:
    bench = Bench()
    frame = bytes(to_router(DATA_V4))[:length]

    assert bench.punt(reason, frame, next_hop="0.0.0.1") == []


@given(
    reason=st.sampled_from(PuntReason),
    ether_type=st.sampled_from([b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x81\x00"]),
    start=st.sampled_from([b"", b"\x45", b"\x60", b"\x00\x01\x08\x00\x06\x04\x00\x02"]),
    rest=st.binary(max_size=100),
    now_s=st.integers(0, 100),
)
def test_no_octets_whatever_are_an_exception(
    reason: PuntReason, ether_type: bytes, start: bytes, rest: bytes, now_s: int
) -> None:
    bench = Bench()
    frame = ROUTER_MAC.packed + HOST_MAC.packed + ether_type + start + rest
    bench.punt(reason, frame, next_hop="10.0.0.50")
    bench.router.expire(now_s * SECOND_NS)

    assert bench.router.known_neighbors == 0
