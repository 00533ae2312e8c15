# SPDX-License-Identifier: Apache-2.0
"""ring_delivery: a VNIC's frames are spread over its rings by flow, and each ring has one way out.

- Both directions of a flow, and all fragments of a datagram, have one hash and so one ring.
- The hash is the one written down in harness/nic/host.py (how evenly it spreads: test_hash_balance).
- What the host is given begins with nic_rx_desc, exactly.
- A VNIC without rings, and a ring that is wired to nothing, drop what they are given.
"""

from __future__ import annotations

import random
from ipaddress import ip_address

from finsy import Action, Match, P4TableEntry
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrFragment
from scapy.packet import Packet

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, destination_options, ether, probe, tagged, tcp, udp
from harness.nic import nic_test
from harness.nic.host import flow_hash, rx_desc
from harness.nic.ports import HOST, WAN
from harness.nic.rack import OUTSIDE_MAC, RACK, VLAN_C_TAG, VLAN_UNTAGGED
from headgate.vocabulary import DropReason, RingType

VNIC, MAC = 9, "02:00:00:00:00:09"
RINGS = (901, 902, 903, 904)
BUCKETS = 128
IP = {IPV4: "10.0.0.90", IPV6: "2001:db8::90"}

SPREAD = {
    **RACK,
    "vnics": [
        *RACK["vnics"],
        {
            "name": "spread",
            "vnic_id": VNIC,
            "vlan": VLAN_UNTAGGED,
            "tagged_vlans": [VLAN_C_TAG],
            "macs": [MAC],
            "rings": {"local": [{"ring_id": ring, "port": "host"} for ring in RINGS]},
        },
    ],
}
ETH = (OUTSIDE_MAC, MAC)


Flow = tuple[str, str, int, int]
"""Two addresses and two ports."""


def random_flows(ip: Family, count: int) -> list[Flow]:
    """The same ones each time."""
    generator = random.Random(count)
    hosts = int(ip_address(ip.outside)) & ~0xFF

    def flow() -> Flow:
        a, b = (str(ip_address(hosts | generator.randrange(1, 255))) for _ in range(2))
        return a, b, generator.randrange(1024, 65536), generator.randrange(1024, 65536)

    return [flow() for _ in range(count)]


def delivered(frame: bytes, hash_of_flow: int) -> bytes:
    """What the host is to be given: the bucket is the low 7 bits of the hash, and buckets go round the rings."""
    ring_id = RINGS[hash_of_flow % BUCKETS % len(RINGS)]
    return rx_desc(frame, ring_id=ring_id, vnic_id=VNIC, ring_type=RingType.LOCAL, flow_hash=hash_of_flow)


@nic_test(SPREAD, ip=FAMILIES, ports={"up": (1000, 2000), "down": (2000, 1000), "equal": (53, 53)})
def test_udp_is_given_to_the_ring_of_its_flow_with_its_descriptor(dut: Dut, ip: Family, ports: tuple[int, int]) -> None:
    frame = udp(ip, ETH, (ip.outside, IP[ip]), ports=ports)
    hash_of_flow = flow_hash(ip.outside, IP[ip], 17, *ports)
    dut.send(WAN, frame).assert_out({HOST: delivered(frame, hash_of_flow)})


@nic_test(SPREAD, ip=FAMILIES)
def test_tcp_of_the_same_ports_is_another_flow(dut: Dut, ip: Family) -> None:
    frame = tcp(ip, ETH, (ip.outside, IP[ip]), ports=(4000, 5000))
    hash_of_flow = flow_hash(ip.outside, IP[ip], 6, 4000, 5000)
    dut.send(WAN, frame).assert_out({HOST: delivered(frame, hash_of_flow)})


@nic_test(SPREAD, ip=FAMILIES, ports={"up": (1000, 2000), "down": (2000, 1000)})
def test_ports_order_the_ends_of_a_flow_between_equal_addresses(dut: Dut, ip: Family, ports: tuple[int, int]) -> None:
    frame = udp(ip, ETH, (IP[ip], IP[ip]), ports=ports)
    dut.send(WAN, frame).assert_out({HOST: delivered(frame, flow_hash(IP[ip], IP[ip], 17, 1000, 2000))})


@nic_test(SPREAD, extension={"longest_parsed": (256, (17, 4000, 5000)), "longer": (264, (60, 0, 0))})
def test_ports_are_looked_for_behind_extension_headers_of_up_to_256_bytes(
    dut: Dut, extension: tuple[int, tuple[int, int, int]]
) -> None:
    length, (protocol, *ports) = extension
    header = IPV6.header(IPV6.outside, IP[IPV6])
    frame = ether(*ETH, header, destination_options(length), UDP(sport=4000, dport=5000), probe())
    hash_of_flow = flow_hash(IPV6.outside, IP[IPV6], protocol, *ports)
    dut.send(WAN, frame).assert_out({HOST: delivered(frame, hash_of_flow)})


@nic_test(SPREAD)
def test_frame_without_ip_has_the_hash_of_nothing(dut: Dut) -> None:
    frame = ether(*ETH, probe(), ether_type=0x88B5)
    dut.send(WAN, frame).assert_out({HOST: delivered(frame, flow_hash("::", "::", 0))})


@nic_test(SPREAD, ip=FAMILIES)
def test_priority_tag_is_no_part_of_the_frames_length(dut: Dut, ip: Family) -> None:
    frame = udp(ip, ETH, (ip.outside, IP[ip]))
    hash_of_flow = flow_hash(ip.outside, IP[ip], 17, 4000, 5000)
    dut.send(WAN, tagged(frame, 0)).assert_out({HOST: delivered(frame, hash_of_flow)})


@nic_test(SPREAD, ip=FAMILIES)
def test_tenants_tag_changes_nothing_about_the_flow(dut: Dut, ip: Family) -> None:
    frame = tagged(tagged(udp(ip, ETH, (ip.outside, IP[ip])), 77), VLAN_C_TAG)
    hash_of_flow = flow_hash(ip.outside, IP[ip], 17, 4000, 5000)
    dut.send(WAN, frame).assert_out({HOST: delivered(frame, hash_of_flow)})


@nic_test(SPREAD, ip=FAMILIES)
def test_both_directions_of_64_flows_share_their_rings(dut: Dut, ip: Family) -> None:
    flows = random_flows(ip, 64)
    there = [udp(ip, ETH, (a, b), ports=(p, q)) for a, b, p, q in flows]
    back = [udp(ip, ETH, (b, a), ports=(q, p)) for a, b, p, q in flows]
    expected = [delivered(frame, flow_hash(a, b, 17, p, q)) for frame, (a, b, p, q) in zip(there, flows, strict=True)]
    expected += [delivered(frame, flow_hash(a, b, 17, p, q)) for frame, (a, b, p, q) in zip(back, flows, strict=True)]
    dut.send(WAN, *there, *back).assert_out({HOST: expected})


@nic_test(SPREAD)
def test_fragments_of_an_ipv4_datagram_share_a_ring(dut: Dut) -> None:
    addresses = (IPV4.outside, IP[IPV4])
    first = udp(IPV4, ETH, addresses, flags="MF", id=7)
    middle = ether(*ETH, IPV4.header(*addresses, flags="MF", id=7, frag=4, proto=17), probe())
    last = ether(*ETH, IPV4.header(*addresses, id=7, frag=8, proto=17), probe())
    hash_of_flow = flow_hash(*addresses, 0)  # what a later fragment does not tell is left out of the first one's too
    expected = [delivered(frame, hash_of_flow) for frame in (first, middle, last)]
    dut.send(WAN, first, middle, last).assert_out({HOST: expected})


@nic_test(SPREAD, options={"without_options": (), "behind_destination_options": (IPv6ExtHdrDestOpt(),)})
def test_fragments_of_an_ipv6_datagram_share_a_ring(dut: Dut, options: tuple[Packet, ...]) -> None:
    """Also where its own extension headers are in the first fragment only: the others name them as what follows."""
    addresses = (IPV6.outside, IP[IPV6])
    header = IPV6.header(*addresses)
    first = ether(*ETH, header, IPv6ExtHdrFragment(m=1, id=7), *options, UDP(sport=4000, dport=5000), probe())
    next_header = 60 if options else 17
    last = ether(*ETH, header, IPv6ExtHdrFragment(nh=next_header, offset=8, id=7), probe())
    expected = [delivered(frame, flow_hash(*addresses, 0)) for frame in (first, last)]
    dut.send(WAN, first, last).assert_out({HOST: expected})


@nic_test(SPREAD, ip=FAMILIES)
def test_each_ring_and_the_group_count_what_they_are_given(dut: Dut, ip: Family) -> None:
    def hits() -> list[int]:
        rings = [dut.controller.hits("ring", ring_id=ring_id) for ring_id in RINGS]
        return [*rings, dut.controller.hits("ring_group", vnic_id=VNIC, ring_type=RingType.LOCAL)]

    before = hits()
    flows = random_flows(ip, 20)
    dut.send(WAN, *(udp(ip, ETH, (a, b), ports=(p, q)) for a, b, p, q in flows))
    rings = [RINGS[flow_hash(a, b, 17, p, q) % BUCKETS % len(RINGS)] for a, b, p, q in flows]
    counted = [after - start for after, start in zip(hits(), before, strict=True)]
    assert counted == [*(rings.count(ring_id) for ring_id in RINGS), len(flows)]


# ---- rings that are not there, as no configuration would leave them

LOST_MAC = "02:00:00:00:00:66"
LOST_VNIC = 66
CLASSIFIED = P4TableEntry(
    "l2_classify",
    match=Match(vlan_id=VLAN_UNTAGGED, dst_mac=LOST_MAC),
    action=Action("vnic.to_vnic", vnic_id=LOST_VNIC),
)
GROUPED = P4TableEntry(
    "ring_group",
    match=Match(vnic_id=LOST_VNIC, ring_type=RingType.LOCAL),
    action=Action("spread", bucket_mask=0),
)
PICKED = P4TableEntry(
    "ring_pick",
    match=Match(vnic_id=LOST_VNIC, ring_type=RingType.LOCAL, bucket=0),
    action=Action("set_ring", ring_id=666),
)


def for_the_lost(ip: Family) -> bytes:
    return udp(ip, (OUTSIDE_MAC, LOST_MAC), (ip.outside, IP[ip]))


@nic_test(RACK, [CLASSIFIED], ip=FAMILIES)
def test_vnic_without_rings_drops(dut: Dut, ip: Family) -> None:
    dut.send(WAN, for_the_lost(ip)).assert_dropped(DropReason.NO_RING)


@nic_test(RACK, [CLASSIFIED, GROUPED], ip=FAMILIES)
def test_bucket_without_a_ring_drops(dut: Dut, ip: Family) -> None:
    dut.send(WAN, for_the_lost(ip)).assert_dropped(DropReason.NO_RING)


@nic_test(RACK, [CLASSIFIED, GROUPED, PICKED], ip=FAMILIES)
def test_ring_that_is_wired_to_nothing_drops(dut: Dut, ip: Family) -> None:
    dut.send(WAN, for_the_lost(ip)).assert_dropped(DropReason.RING_NOT_ATTACHED)
