# SPDX-License-Identifier: Apache-2.0
"""nat_inbound, nat_outbound and translation: the tenants' private addresses meet the outside's.

- Outbound: a mapping of a pool, a 1:1 address, or the controller is asked for a mapping. Inbound the same backwards.
- A port forward is a mapping that stands from the first.
- Addresses, ports and the identifier of an echo are exchanged, and every checksum they are part of (RFC 3022 4.1): what
  leaves is what Scapy computes afresh. A UDP checksum that is not there stays away; one that was wrong stays wrong.
- What has no mapping is dropped, or the controller's to translate: ICMP errors have the packet they are about in them.
- Only what goes through the central router is translated, and only IPv4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from harness.dut import Dut
from harness.frames import IPV4, IPV6, ether, patched, probe
from harness.gateway import gateway_test
from harness.gateway.counted import cache_outcomes, tenant_traffic
from harness.gateway.flows import ICMP as ICMP_PROTOCOL
from harness.gateway.flows import TCP as TCP_PROTOCOL
from harness.gateway.flows import UDP as UDP_PROTOCOL
from harness.gateway.flows import Flow, host_flow
from harness.gateway.nat import FORWARDED_PORT, HOST_PORT, STATIC_HOST, mapping, nat, pool_id, translated
from harness.gateway.ports import TRUNK, UPLINK
from harness.gateway.rack import (
    BLUE,
    HOST,
    RACK,
    RED,
    TENANTS,
    TRUNK_HOST,
    WORLD,
    WORLD_NEXT_HOP,
    Tenant,
    entry,
    remote,
    tenant_entry,
)
from harness.gateway.traffic import FROM_HOST, FROM_WORLD, at_host, at_trunk, at_world, from_host, from_remote
from harness.gateway.tunnels import TUNNELS, Tunnel
from headgate.vocabulary import CacheOutcome, Consulted, DropReason, FlowResult, PuntReason

BOTH = [*nat(BLUE), *nat(RED)]
INSIDE_PORT, OUTSIDE_PORT, WORLD_PORT = 4000, 20000, 5000
PROBES = 64


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a packet of it is written between two ports, of which an echo has one."""

    number: int
    build: Callable[[int, int], Packet]

    def out(self, host: str = HOST[IPV4], *, port: int = INSIDE_PORT, payload: int = 0, **fields: Any) -> bytes:
        """From inside to the world."""
        layers = self.build(port, 0 if self.number == ICMP_PROTOCOL else WORLD_PORT), probe(payload)
        return ether(*FROM_HOST, IPV4.header(host, WORLD[IPV4], **fields), *layers)

    def back(self, dst: str, *, port: int = OUTSIDE_PORT, payload: int = 0, **fields: Any) -> bytes:
        """From the world to an outside address."""
        layers = self.build(0 if self.number == ICMP_PROTOCOL else WORLD_PORT, port), probe(payload)
        return ether(*FROM_WORLD, IPV4.header(WORLD[IPV4], dst, **fields), *layers)


def _echo(request_id: int, reply_id: int) -> Packet:
    return ICMP(type=8 if request_id else 0, id=request_id or reply_id, seq=7)


WITH_PORTS = {
    "udp": Protocol(UDP_PROTOCOL, lambda src, dst: UDP(sport=src, dport=dst)),
    "tcp": Protocol(TCP_PROTOCOL, lambda src, dst: TCP(sport=src, dport=dst, flags="A", seq=1, ack=2)),
    "echo": Protocol(ICMP_PROTOCOL, _echo),
}
SCTP = 132


def mappings(tenant: Tenant) -> list[Any]:
    """One of each protocol, for the host's port."""
    return [
        direction
        for protocol in WITH_PORTS.values()
        for direction in mapping(
            tenant, (HOST[IPV4], INSIDE_PORT), (tenant.nat_address, OUTSIDE_PORT), protocol=protocol.number
        )
    ]


MAPPED = [*BOTH, *mappings(BLUE), *mappings(RED)]


# ---- by a mapping


@gateway_test(RACK, MAPPED, tenant=TENANTS, protocol=WITH_PORTS)
def test_packet_leaves_with_its_mappings_address_and_port(dut: Dut, tenant: Tenant, protocol: Protocol) -> None:
    frame = protocol.out()
    observed = dut.send(tenant.port, frame)
    observed.assert_out({UPLINK: at_world(translated(frame, src=tenant.nat_address, sport=OUTSIDE_PORT))})
    assert tenant_traffic(observed, tenant) == (1, 0)


@gateway_test(RACK, MAPPED, tenant=TENANTS, protocol=WITH_PORTS)
def test_answer_comes_back_to_the_inside_port(dut: Dut, tenant: Tenant, protocol: Protocol) -> None:
    frame = protocol.back(tenant.nat_address)
    observed = dut.send(UPLINK, frame)
    observed.assert_out({tenant.port: at_host(translated(frame, dst=HOST[IPV4], dport=INSIDE_PORT))})
    assert tenant_traffic(observed, tenant) == (0, 1)


@gateway_test(RACK, MAPPED)
def test_tenants_with_the_same_addresses_and_ports_have_mappings_of_their_own(dut: Dut) -> None:
    frame = WITH_PORTS["udp"].out()
    observed = dut.exchange([(BLUE.port, frame), (RED.port, frame)])
    out = [at_world(translated(frame, src=tenant.nat_address, sport=OUTSIDE_PORT)) for tenant in (BLUE, RED)]
    observed.assert_out({UPLINK: out})


IDENTIFIED = {name: tunnel for name, tunnel in TUNNELS.items() if name.startswith(("vxlan", "gtpu"))}


@gateway_test(RACK, BOTH, tunnel=IDENTIFIED)
def test_packet_out_of_a_tunnel_is_translated(dut: Dut, tunnel: Tunnel) -> None:
    inside, outside = (remote(tunnel, IPV4), INSIDE_PORT), (BLUE.nat_address, OUTSIDE_PORT)
    dut.controller.write(+direction for direction in mapping(BLUE, inside, outside))
    inner = from_remote(tunnel, IPV4, WORLD[IPV4])
    observed = dut.send(tunnel.port, tunnel.received(inner, BLUE.network_id(tunnel)))
    observed.assert_out({UPLINK: at_world(translated(inner, src=BLUE.nat_address, sport=OUTSIDE_PORT))})


# ---- port forwards


FORWARDED = {name: WITH_PORTS[name] for name in ("udp", "tcp")}


@gateway_test(RACK, BOTH, tenant=TENANTS, protocol=FORWARDED)
def test_forwarded_port_reaches_the_server_inside(dut: Dut, tenant: Tenant, protocol: Protocol) -> None:
    frame = protocol.back(tenant.forwarded_address, port=FORWARDED_PORT)
    inside = translated(frame, dst=HOST[IPV4], dport=HOST_PORT)
    dut.send(UPLINK, frame).assert_out({tenant.port: at_host(inside)})


@gateway_test(RACK, BOTH, tenant=TENANTS, protocol=FORWARDED)
def test_servers_answer_leaves_from_the_forwarded_port(dut: Dut, tenant: Tenant, protocol: Protocol) -> None:
    frame = protocol.out(port=HOST_PORT)
    outside = translated(frame, src=tenant.forwarded_address, sport=FORWARDED_PORT)
    dut.send(tenant.port, frame).assert_out({UPLINK: at_world(outside)})


# ---- one to one


def bare(protocol: int, src: str, dst: str, eth: tuple[str, str], **fields: Any) -> bytes:
    """A packet without ports."""
    return ether(*eth, IPV4.header(src, dst, proto=protocol, **fields), probe())


WITHOUT_PORTS: dict[str, dict[str, Any]] = {
    "sctp": {"protocol": SCTP},
    "esp": {"protocol": 50},
    "later_fragment": {"protocol": UDP_PROTOCOL, "frag": 9},
    "later_fragment_of_many": {"protocol": TCP_PROTOCOL, "frag": 9, "flags": "MF"},
}


@gateway_test(RACK, BOTH, tenant=TENANTS, protocol=WITH_PORTS)
def test_host_with_an_outside_address_of_its_own_keeps_its_ports(dut: Dut, tenant: Tenant, protocol: Protocol) -> None:
    out, back = protocol.out(STATIC_HOST), protocol.back(tenant.static_address, port=INSIDE_PORT)
    dut.send(tenant.port, out).assert_out({UPLINK: at_world(translated(out, src=tenant.static_address))})
    dut.send(UPLINK, back).assert_out({tenant.port: at_host(translated(back, dst=STATIC_HOST))})


@gateway_test(RACK, BOTH, packet=WITHOUT_PORTS)
def test_host_with_an_outside_address_of_its_own_needs_no_ports(dut: Dut, packet: dict[str, Any]) -> None:
    out = bare(src=STATIC_HOST, dst=WORLD[IPV4], eth=FROM_HOST, **packet)
    back = bare(src=WORLD[IPV4], dst=BLUE.static_address, eth=FROM_WORLD, **packet)
    dut.send(BLUE.port, out).assert_out({UPLINK: at_world(translated(out, src=BLUE.static_address))})
    dut.send(UPLINK, back).assert_out({BLUE.port: at_host(translated(back, dst=STATIC_HOST))})


@gateway_test(RACK, BOTH, protocol=FORWARDED)
def test_first_fragment_keeps_a_checksum_that_fits_its_new_address(dut: Dut, protocol: Protocol) -> None:
    """What it is of is not all there: the checksum is changed by as much as the addresses are."""
    whole = protocol.out(STATIC_HOST, payload=1000)
    expected = translated(whole, src=BLUE.static_address)
    cut = 14 + 20 + 64
    first = fragment(whole[:cut])
    dut.send(BLUE.port, first).assert_out({UPLINK: at_world(fragment(expected[:cut]))})


def fragment(frame: bytes) -> bytes:
    """The first of a packet that was cut at the end of `frame`."""
    packet = Ether(frame)
    packet[IP].flags, packet[IP].len = "MF", len(frame) - 14
    del packet[IP].chksum
    return bytes(packet)


# ---- by the controller


@gateway_test(RACK, BOTH, tenant=TENANTS, protocol=WITH_PORTS)
def test_controller_is_asked_for_a_mapping(dut: Dut, tenant: Tenant, protocol: Protocol) -> None:
    frame = protocol.out()
    observed = dut.send(tenant.port, frame)
    observed.assert_punted(
        PuntReason.NAT_MAPPING_MISS,
        frame,
        ingress_port=tenant.port,
        tenant_id=tenant.tenant_id,
        segment_id=tenant.segment,
        pool_id=pool_id(tenant),
    )
    observed.assert_learned()


ERRORS = {
    "unreachable": lambda: ICMP(type=3, code=3),
    "fragmentation_needed": lambda: ICMP(type=3, code=4, nexthopmtu=1280),
    "time_exceeded": lambda: ICMP(type=11),
    "parameter_problem": lambda: ICMP(type=12),
}


@gateway_test(RACK, MAPPED, error=ERRORS)
def test_icmp_error_for_a_translated_address_is_the_controllers(dut: Dut, error: Callable[[], Packet]) -> None:
    about = translated(WITH_PORTS["udp"].out(), src=BLUE.nat_address, sport=OUTSIDE_PORT)[14:]
    frame = ether(*FROM_WORLD, IPV4.header("203.0.113.1", BLUE.nat_address), error(), Raw(about), probe())
    dut.send(UPLINK, frame).assert_punted(
        PuntReason.ICMP_ERROR, frame, ingress_port=UPLINK, tenant_id=BLUE.tenant_id, segment_id=0
    )


@gateway_test(RACK, MAPPED, host={"of_the_pool": HOST[IPV4], "one_to_one": STATIC_HOST}, error=ERRORS)
def test_icmp_error_from_inside_is_the_controllers(dut: Dut, host: str, error: Callable[[], Packet]) -> None:
    about = translated(WITH_PORTS["udp"].back(BLUE.nat_address), dst=HOST[IPV4], dport=INSIDE_PORT)[14:]
    frame = ether(*FROM_HOST, IPV4.header(host, WORLD[IPV4]), error(), Raw(about), probe())
    dut.send(BLUE.port, frame).assert_punted(PuntReason.ICMP_ERROR, frame, tenant_id=BLUE.tenant_id)


# ---- not at all


@gateway_test(RACK, MAPPED, protocol=WITH_PORTS)
def test_what_comes_to_a_port_without_a_mapping_is_dropped(dut: Dut, protocol: Protocol) -> None:
    frame = protocol.back(BLUE.nat_address, port=OUTSIDE_PORT + 1)
    dut.send(UPLINK, frame).assert_dropped(DropReason.NAT_NO_MAPPING)


@gateway_test(RACK, MAPPED, protocol=WITH_PORTS)
def test_mapping_of_one_protocol_is_not_anothers(dut: Dut, protocol: Protocol) -> None:
    dut.controller.write(
        -direction
        for direction in mapping(
            BLUE, (HOST[IPV4], INSIDE_PORT), (BLUE.nat_address, OUTSIDE_PORT), protocol=protocol.number
        )
    )
    dut.send(UPLINK, protocol.back(BLUE.nat_address)).assert_dropped(DropReason.NAT_NO_MAPPING)


@gateway_test(RACK, MAPPED, packet=WITHOUT_PORTS)
def test_what_has_no_ports_cannot_share_an_address(dut: Dut, packet: dict[str, Any]) -> None:
    out = bare(src=HOST[IPV4], dst=WORLD[IPV4], eth=FROM_HOST, **packet)
    back = bare(src=WORLD[IPV4], dst=BLUE.nat_address, eth=FROM_WORLD, **packet)
    dut.send(BLUE.port, out).assert_dropped(DropReason.NAT_NOT_TRANSLATABLE)
    dut.send(UPLINK, back).assert_dropped(DropReason.NAT_NOT_TRANSLATABLE)


@gateway_test(RACK, BOTH)
def test_echo_reply_that_answers_nobody_is_dropped(dut: Dut) -> None:
    frame = ether(*FROM_HOST, IPV4.header(HOST[IPV4], WORLD[IPV4]), ICMP(type=0, id=9), probe())
    dut.send(BLUE.port, frame).assert_dropped(DropReason.NAT_NOT_TRANSLATABLE)


@gateway_test(RACK, MAPPED)
def test_what_stays_among_the_tenants_segments_is_not_translated(dut: Dut) -> None:
    frame = from_host(IPV4, TRUNK_HOST[IPV4])
    dut.send(BLUE.port, frame).assert_out({TRUNK: at_trunk(frame, BLUE)})


@gateway_test(RACK, MAPPED)
def test_ipv6_is_not_translated(dut: Dut) -> None:
    frame = from_host(IPV6, WORLD[IPV6])
    dut.send(BLUE.port, frame).assert_out({UPLINK: at_world(frame)})


@gateway_test(RACK, [*MAPPED, tenant_entry(BLUE)])
def test_tenant_without_translation_is_not_translated(dut: Dut) -> None:
    frame = from_host(IPV4, WORLD[IPV4])
    dut.send(BLUE.port, frame).assert_out({UPLINK: at_world(frame)})


@gateway_test(RACK, [*MAPPED, entry("nat_pool", {"tenant_id": 1, "src_addr": "10.1.0.128/25"}, "allocate", pool_id=5)])
def test_longest_prefix_names_the_pool(dut: Dut) -> None:
    frame = WITH_PORTS["udp"].out("10.1.0.200")
    dut.send(BLUE.port, frame).assert_punted(PuntReason.NAT_MAPPING_MISS, frame, pool_id=5)


@gateway_test(RACK, MAPPED)
def test_host_that_no_pool_is_for_leaves_with_its_own_address(dut: Dut) -> None:
    frame = WITH_PORTS["udp"].out("172.16.0.1")
    dut.send(BLUE.port, frame).assert_out({UPLINK: at_world(frame)})


# ---- checksums


@gateway_test(RACK, MAPPED, protocol=WITH_PORTS)
def test_checksums_are_what_scapy_computes_afresh(dut: Dut, protocol: Protocol) -> None:
    frames = [protocol.out(payload=payload) for payload in range(40, 40 + PROBES)]
    expected = [at_world(translated(frame, src=BLUE.nat_address, sport=OUTSIDE_PORT)) for frame in frames]
    dut.send(BLUE.port, *frames).assert_out({UPLINK: expected})
    frames = [protocol.back(BLUE.nat_address, payload=payload) for payload in range(40, 40 + PROBES)]
    expected = [at_host(translated(frame, dst=HOST[IPV4], dport=INSIDE_PORT)) for frame in frames]
    dut.send(UPLINK, *frames).assert_out({BLUE.port: expected})


UDP_CHECKSUM = 14 + 20 + 6


def as_sent(frame: bytes) -> bytes:
    return translated(frame, src=BLUE.nat_address, sport=OUTSIDE_PORT)


def leaving_with(checksum: int) -> bytes:
    """A datagram with a right checksum, which will leave with this one."""
    frame = WITH_PORTS["udp"].out(payload=40)
    last_word = len(frame) - 2
    frame = refreshed(patched(frame, last_word, b"\0\0"))
    missing = int.from_bytes(as_sent(frame)[UDP_CHECKSUM:][:2]) - checksum  # RFC 1071: falls as the word rises
    return refreshed(patched(frame, last_word, (missing % 0xFFFF).to_bytes(2)))


def refreshed(frame: bytes) -> bytes:
    packet = Ether(frame)
    del packet[UDP].chksum
    return bytes(packet)


CHECKSUMS = {f"{checksum:04x}": checksum for checksum in (0x0001, 0x00FF, 0x0100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)}


@gateway_test(RACK, MAPPED, checksum=CHECKSUMS)
def test_udp_checksum_comes_out_right_at_the_edges(dut: Dut, checksum: int) -> None:
    """0xffff stands for a sum of zero, which would say that there is no checksum (RFC 768)."""
    frame = leaving_with(checksum)
    expected = as_sent(frame)
    assert int.from_bytes(expected[UDP_CHECKSUM:][:2]) == checksum
    dut.send(BLUE.port, frame).assert_out({UPLINK: at_world(expected)})


@gateway_test(RACK, MAPPED)
def test_udp_without_a_checksum_stays_without(dut: Dut) -> None:
    out = patched(WITH_PORTS["udp"].out(), UDP_CHECKSUM, b"\0\0")
    back = patched(WITH_PORTS["udp"].back(BLUE.nat_address), UDP_CHECKSUM, b"\0\0")
    dut.send(BLUE.port, out).assert_out({UPLINK: at_world(as_sent(out))})
    dut.send(UPLINK, back).assert_out({BLUE.port: at_host(translated(back, dst=HOST[IPV4], dport=INSIDE_PORT))})


CHECKSUM_AT = {"udp": 14 + 20 + 6, "tcp": 14 + 20 + 16, "echo": 14 + 20 + 2}


@gateway_test(RACK, MAPPED, name={name: name for name in WITH_PORTS})
def test_checksum_that_was_wrong_stays_wrong(dut: Dut, name: str) -> None:
    offset = CHECKSUM_AT[name]
    right = WITH_PORTS[name].out()
    wrong = patched(right, offset, ((int.from_bytes(right[offset:][:2]) + 0x0101) % 0xFFFF or 1).to_bytes(2))
    observed = dut.send(BLUE.port, wrong)
    assert not observed.drops
    (out,) = observed.frames[UPLINK]
    expected = at_world(as_sent(right))
    assert out[offset : offset + 2] != expected[offset : offset + 2]
    assert out[:offset] + out[offset + 2 :] == expected[:offset] + expected[offset + 2 :]


@gateway_test(RACK, MAPPED, flags={"df": "DF", "none": 0}, ttl={"2": 2, "255": 255})
def test_everything_else_leaves_as_it_came(dut: Dut, flags: str, ttl: int) -> None:
    frame = WITH_PORTS["udp"].out(flags=flags, hops=ttl, tos=0xB9, id=0xBEEF)
    dut.send(BLUE.port, frame).assert_out({UPLINK: at_world(as_sent(frame))})


# ---- through the cache

REWRITES = {
    # from which port, the frame, its flow, what it is translated to, what it looks like where it comes out
    "outbound": lambda protocol: (
        BLUE.port,
        protocol.out(),
        host_flow(BLUE, IPV4, WORLD[IPV4], protocol=protocol.number, src_port=INSIDE_PORT, dst_port=far_port(protocol)),
        {
            "next_hop_id": WORLD_NEXT_HOP,
            "src_addr": BLUE.nat_address,
            "src_port": OUTSIDE_PORT,
            "dst_addr": WORLD[IPV4],
            "dst_port": far_port(protocol),
        },
    ),
    "inbound": lambda protocol: (
        UPLINK,
        protocol.back(BLUE.nat_address),
        Flow(
            tenant=BLUE, family=IPV4, segment_id=0, src=WORLD[IPV4], dst=BLUE.nat_address, protocol=protocol.number,
            src_port=far_port(protocol), dst_port=OUTSIDE_PORT,
        ),
        {
            "next_hop_id": BLUE.next_hop(1),
            "src_addr": WORLD[IPV4],
            "src_port": far_port(protocol),
            "dst_addr": HOST[IPV4],
            "dst_port": INSIDE_PORT,
        },
    ),
}  # fmt: skip
OF_OUTBOUND = Consulted.SRC_ADDR | Consulted.DST_ADDR | Consulted.PROTOCOL | Consulted.SRC_PORT
OF_INBOUND = Consulted.DST_ADDR | Consulted.PROTOCOL | Consulted.DST_PORT


def far_port(protocol: Protocol) -> int:
    return 0 if protocol.number == ICMP_PROTOCOL else WORLD_PORT


@gateway_test(RACK, MAPPED, way=REWRITES, protocol=WITH_PORTS)
def test_first_packet_is_reported_and_leaves_as_the_second_does_from_the_cache(
    dut: Dut, way: Callable[[Protocol], tuple[int, bytes, Flow, dict[str, Any]]], protocol: Protocol
) -> None:
    port, frame, flow, result = way(protocol)
    first = dut.send(port, frame)
    new = {f"new_{name}": int(ip_address(value)) if "addr" in name else value for name, value in result.items()}
    next_hop_id = new.pop("new_next_hop_id")
    first.assert_learned(
        flow.learned(
            consulted=OF_INBOUND if flow.segment_id == 0 else OF_OUTBOUND,
            next_hop_id=next_hop_id,
            result=FlowResult.TRANSLATE,
            tcp_flags=0x10 if protocol.number == TCP_PROTOCOL else 0,
            **new,
        )
    )
    assert first.frames

    dut.controller.write(-direction for direction in mappings(BLUE))
    dut.controller.write([+flow.cached("translate", **result)])
    second = dut.send(port, frame)
    assert cache_outcomes(second, BLUE) == {CacheOutcome.HIT: 1}
    assert second.frames == first.frames
    assert tenant_traffic(second, BLUE) == tenant_traffic(first, BLUE)
