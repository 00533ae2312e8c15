# SPDX-License-Identifier: Apache-2.0
"""ring_delivery: a group's rings share its flows evenly, and each flow has one ring.

- Flows at random, one pair of hosts counting its ports up, and sources and destinations that rise together are all
  spread as evenly as chance would: of n flows over k rings, the fullest ring holds no more than 4 standard deviations
  above the mean (n = 2,048: 1.15 times the mean for 4 rings), which by chance one ring in 30,000 would.
- Both directions of a flow go to one ring.
- A datagram's fragments go to one ring, though all but the first lack its ports.

All rings are the host's: the descriptor says which one a frame is on.
"""

from __future__ import annotations

import math
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any

from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6ExtHdrFragment
from scapy.utils import checksum

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, ether, patched, probe, udp
from harness.nic import nic_test
from harness.nic.ports import HOST, WAN
from harness.nic.rack import OUTSIDE_MAC, RACK, VLAN_UNTAGGED
from harness.observed import is_foreign

FLOWS = 2048
PAIRS = 256
FRAGMENTED = 64

ETHERNET_BYTES, IPV4_BYTES, RX_DESC_BYTES = 14, 20, 12
IPV4_CHECKSUM_AT = ETHERNET_BYTES + 10
ADDRESS_BYTES: dict[Family, int] = {IPV4: 4, IPV6: 16}

WIDE_VNIC = 100
WIDE_MAC = "02:00:00:00:01:00"
FIRST_RING = 1000
ETH = (OUTSIDE_MAC, WIDE_MAC)

Flow = tuple[int, int, int, int]
"""Source and destination address, source and destination port."""
Shape = Callable[[Family], list[Flow]]


def rack_with_rings(rings: int) -> dict[str, Any]:
    """`RACK` and a VNIC with so many rings, all of them the host's."""
    wide = {
        "name": "wide",
        "vnic_id": WIDE_VNIC,
        "vlan": VLAN_UNTAGGED,
        "macs": [WIDE_MAC],
        "rings": {"local": [{"ring_id": FIRST_RING + index, "port": "host"} for index in range(rings)]},
    }
    return {**RACK, "vnics": [*RACK["vnics"], wide]}


# ---- traffic


def network_of(ip: Family) -> int:
    """The first of 65,536 addresses."""
    return int(ip_address(ip.outside)) >> 16 << 16


def flows_at_random(ip: Family) -> list[Flow]:
    chance = random.Random(20080324)
    network = network_of(ip)

    def host() -> int:
        return network + chance.randrange(1 << 16)

    def port() -> int:
        return chance.randrange(1 << 16)

    return [(host(), host(), port(), port()) for _ in range(FLOWS)]


def one_pair_with_rising_ports(ip: Family) -> list[Flow]:
    source, destination = int(ip_address(ip.outside)), int(ip_address(ip.outside)) + 1
    return [(source, destination, 32768 + index, 443) for index in range(FLOWS)]


def all_rising_by_twos(ip: Family) -> list[Flow]:
    """Plain CRC-32 is linear, and of these leaves every second of 16 rings empty."""
    network = network_of(ip)
    return [(network + 0x1000 + step, network + 0x8000 + step, 4000, 4096 + step) for step in range(0, 2 * FLOWS, 2)]


SHAPES: dict[str, Shape] = {
    "at_random": flows_at_random,
    "rising_ports": one_pair_with_rising_ports,
    "rising_by_twos": all_rising_by_twos,
}


def frames_of(ip: Family, flows: Iterable[Flow]) -> list[bytes]:
    """A datagram of each flow: one that Scapy built, and the flow's addresses and ports written into it."""
    template = udp(ip, ETH, (ip.outside, ip.outside))
    frames = []
    for source, destination, *ports in flows:
        addresses = source.to_bytes(ADDRESS_BYTES[ip]) + destination.to_bytes(ADDRESS_BYTES[ip])
        # The ports follow the addresses in either family.
        frame = patched(template, ETHERNET_BYTES + ip.offset_of_addresses, addresses + struct.pack("!HH", *ports))
        frames.append(with_checksum(frame) if ip is IPV4 else frame)
    return frames


def with_checksum(frame: bytes) -> bytes:
    """An IPv4 frame with the header checksum that it should have."""
    frame = patched(frame, IPV4_CHECKSUM_AT, b"\0\0")
    value: int = checksum(frame[ETHERNET_BYTES : ETHERNET_BYTES + IPV4_BYTES])
    return patched(frame, IPV4_CHECKSUM_AT, value.to_bytes(2))


def rings_of(dut: Dut, frames: list[bytes]) -> list[int]:
    """The ring that each frame is on. Raises: AssertionError (one was lost or changed, or came out elsewhere)."""
    observed = dut.send(WAN, *frames)
    described = [each for each in observed.frames.get(HOST, ()) if not is_foreign(each)]
    observed.assert_out({HOST: described})
    assert [each[RX_DESC_BYTES:] for each in described] == frames, f"what came out is not what was sent:\n{observed}"
    return [int.from_bytes(each[:2]) for each in described]


# ---- evenness


def assert_even(rings: list[int], ring_count: int) -> None:
    mean = len(rings) / ring_count
    deviation = math.sqrt(mean * (1 - 1 / ring_count))  # of a binomial distribution
    load = Counter(rings)
    assert set(load) == set(range(FIRST_RING, FIRST_RING + ring_count)), f"rings in use: {sorted(load)}"
    assert max(load.values()) <= mean + 4 * deviation, f"{mean:.0f} flows a ring on average, but {dict(load)}"


@nic_test(RACK, ring_count={f"{count}_rings": count for count in (2, 3, 4, 16)}, shape=SHAPES)
def test_flows_spread_over_any_number_of_rings(dut: Dut, ring_count: int, shape: Shape) -> None:
    dut.program(rack_with_rings(ring_count))
    assert_even(rings_of(dut, frames_of(IPV4, shape(IPV4))), ring_count)


@nic_test(rack_with_rings(4), shape=SHAPES)
def test_ipv6_flows_spread_as_ipv4_ones_do(dut: Dut, shape: Shape) -> None:
    assert_even(rings_of(dut, frames_of(IPV6, shape(IPV6))), 4)


@nic_test(rack_with_rings(4))
def test_counters_of_the_rings_say_how_flows_are_spread(dut: Dut) -> None:
    before = {ring: dut.controller.hits("ring", ring_id=ring) for ring in range(FIRST_RING, FIRST_RING + 4)}
    load = Counter(rings_of(dut, frames_of(IPV4, flows_at_random(IPV4)[:256])))
    counted = {ring: dut.controller.hits("ring", ring_id=ring) - before[ring] for ring in before}
    assert counted == load, f"counted {counted}, received {dict(load)}"


# ---- one ring for what belongs together


@nic_test(rack_with_rings(16), ip=FAMILIES, shape=SHAPES)
def test_both_directions_of_a_flow_are_on_one_ring(dut: Dut, ip: Family, shape: Shape) -> None:
    flows = shape(ip)[:PAIRS]
    back = [(destination, source, dst_port, src_port) for source, destination, src_port, dst_port in flows]
    there, back_again = rings_of(dut, frames_of(ip, flows)), rings_of(dut, frames_of(ip, back))
    assert len(set(there)) > 1, "every flow on one ring proves nothing"
    assert there == back_again


@nic_test(rack_with_rings(16), ip=FAMILIES)
def test_ports_of_an_address_talking_to_itself_are_put_in_order_too(dut: Dut, ip: Family) -> None:
    address = int(ip_address(ip.outside))
    ports = [(1000 + index, 2000 - index) for index in range(PAIRS)]
    there = rings_of(dut, frames_of(ip, [(address, address, low, high) for low, high in ports]))
    back = rings_of(dut, frames_of(ip, [(address, address, high, low) for low, high in ports]))
    assert len(set(there)) > 1, "every flow on one ring proves nothing"
    assert there == back


@nic_test(rack_with_rings(16), ip=FAMILIES)
def test_fragments_are_on_the_ring_of_their_first_one(dut: Dut, ip: Family) -> None:
    hosts = [str(ip_address(int(ip_address(ip.outside)) + index)) for index in range(FRAGMENTED)]
    first = rings_of(dut, [fragment(ip, host, offset=0) for host in hosts])
    later = rings_of(dut, [fragment(ip, host, offset=64) for host in hosts])
    assert len(set(first)) > 1, "every datagram on one ring proves nothing"
    assert first == later


def fragment(ip: Family, src: str, *, offset: int) -> bytes:
    """A datagram's first fragment, or a later one. `offset` in units of 8 octets."""
    header = (UDP(sport=4000, dport=5000, len=1000),) if offset == 0 else ()
    if ip is IPV4:
        layers = (ip.header(src, ip.far, flags="MF", frag=offset, proto=17), *header)
    else:
        layers = (ip.header(src, ip.far), IPv6ExtHdrFragment(m=1, offset=offset, nh=17), *header)
    return ether(*ETH, *layers, probe())
