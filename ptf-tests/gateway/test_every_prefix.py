# SPDX-License-Identifier: Apache-2.0
"""Every prefix of every kind of frame, by every way in: no byte is believed to be there that is not.

- A frame that ends within a header, the tunnel's or the packet's in it, is too short.
- One that ends within the packet, by the outermost packet's own word of its length, is refused for that.
- One that has lost only padding passes.
- What looks like a tunnel but comes from a tenant is payload: however short, it is no fault.

Whichever way it ends it ends once, and the device goes on: each exchange proves the accounting law and ends with
sentinels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from scapy.layers.inet import ICMP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, ether, probe
from harness.gateway import gateway_test
from harness.gateway.ports import TRUNK, UPLINK
from harness.gateway.rack import BLUE, HOST, HOST_MAC, RACK, SEGMENT_MAC, TRUNK_HOST, WORLD, remote
from harness.gateway.traffic import FROM_HOST, FROM_REMOTE, FROM_WORLD, at_host, at_trunk, at_world
from harness.gateway.tunnels import ETHERNET_BYTES, TUNNELS, Tunnel
from harness.observed import Observed
from headgate.vocabulary import DropReason

PADDING = b"\x5a" * 5
TOO_LITTLE = {IPV4: DropReason.IPV4_TOTAL_LENGTH, IPV6: DropReason.IPV6_PAYLOAD_LENGTH}


@dataclass(frozen=True, slots=True)
class Sample:
    """A kind of packet."""

    family: Family
    layers: tuple[Packet, ...]
    headers: int
    """Bytes behind the fixed IP header that the parser asks for."""
    fields: tuple[tuple[str, object], ...] = ()

    def frame(self, eth: tuple[str, str], src: str, dst: str) -> bytes:
        return ether(*eth, self.family.header(src, dst, **dict(self.fields)), *self.layers, probe())

    @property
    def parsed(self) -> int:
        """Bytes from the IP header on."""
        return {IPV4: 20, IPV6: 40}[self.family] + self.headers


DATAGRAM, SEGMENT = UDP(sport=4000, dport=5000), TCP(sport=4000, dport=80)
SAMPLES = {
    "ipv4_udp": Sample(IPV4, (DATAGRAM,), 8),
    "ipv4_tcp": Sample(IPV4, (SEGMENT,), 20),
    "ipv4_echo": Sample(IPV4, (ICMP(type=8, id=1),), 8),
    "ipv4_unreachable": Sample(IPV4, (ICMP(type=3),), 4),
    "ipv4_options": Sample(IPV4, (DATAGRAM,), 40 + 8, (("options", b"\x01" * 40),)),
    "ipv4_unknown_transport": Sample(IPV4, (), 0, (("proto", 132),)),
    "ipv6_udp": Sample(IPV6, (DATAGRAM,), 8),
    "ipv6_tcp": Sample(IPV6, (SEGMENT,), 20),
    "ipv6_echo": Sample(IPV6, (ICMPv6EchoRequest(id=1),), 8),
    "ipv6_fragment": Sample(IPV6, (IPv6ExtHdrFragment(m=1), UDP(sport=4000, dport=5000, len=2000)), 8 + 8),
    "ipv6_unknown_transport": Sample(IPV6, (), 0, (("nh", 132),)),
}


def prefixes(frame: bytes, shortest: int, longest: int) -> Sequence[bytes]:
    """The longest first: what a device still had of one packet would make the next one whole."""
    return [frame[:length] for length in range(longest, shortest - 1, -1)]


def assert_refused(dut: Dut, port: int, frames: Sequence[bytes], *reasons: DropReason) -> None:
    observed = dut.send(port, *frames)
    assert set(observed.drops) <= set(reasons), observed
    assert sum(observed.drops.values()) == len(frames), observed
    assert_silent(observed)


def assert_silent(observed: Observed) -> None:
    assert not observed.frames, f"something came out:\n{observed}"
    assert not observed.punts, f"the controller was given something:\n{observed}"
    observed.assert_learned()


def assert_only_whole_packets_pass(
    dut: Dut, port: int, whole: bytes, headers: int, outermost: Family, expected: Callable[[bytes], tuple[int, bytes]]
) -> None:
    """`headers`: bytes that the parser asks for. `expected`: where a whole frame with padding comes out, and how."""
    for padding in (PADDING, b""):
        out_port, out = expected(padding)
        dut.send(port, whole + padding).assert_out({out_port: out})
    assert_refused(dut, port, prefixes(whole, headers, len(whole) - 1), TOO_LITTLE[outermost])
    # A frame cut in its tag is of no VLAN, before it is too short.
    assert_refused(dut, port, prefixes(whole, 1, headers - 1), DropReason.PARSE_TOO_SHORT, DropReason.INTERFACE_UNKNOWN)


# ---- without a tunnel


@gateway_test(RACK, sample=SAMPLES)
def test_prefix_from_a_segment_passes_with_its_packet_whole_and_is_refused_otherwise(dut: Dut, sample: Sample) -> None:
    whole = sample.frame(FROM_HOST, HOST[sample.family], WORLD[sample.family])
    assert_only_whole_packets_pass(
        dut,
        BLUE.port,
        whole,
        ETHERNET_BYTES + sample.parsed,
        sample.family,
        lambda padding: (UPLINK, at_world(whole) + padding),
    )


@gateway_test(RACK, sample=SAMPLES)
def test_prefix_from_outside_passes_with_its_packet_whole_and_is_refused_otherwise(dut: Dut, sample: Sample) -> None:
    whole = sample.frame(FROM_WORLD, WORLD[sample.family], BLUE.public[sample.family])
    assert_only_whole_packets_pass(
        dut,
        UPLINK,
        whole,
        ETHERNET_BYTES + sample.parsed,
        sample.family,
        lambda padding: (BLUE.port, at_host(whole) + padding),
    )


# ---- in a tunnel

IN_TUNNELS = {name: SAMPLES[name] for name in ("ipv4_udp", "ipv4_options", "ipv6_tcp", "ipv6_fragment")}
WITH_OPTION = replace(TUNNELS["geneve_over_ipv4"], option=(0x0102, 1, 0xDEADBEEF))


@gateway_test(RACK, tunnel={**TUNNELS, "geneve_with_option": WITH_OPTION}, sample=IN_TUNNELS)
def test_prefix_in_a_tunnel_passes_with_its_packet_whole_and_is_refused_otherwise(
    dut: Dut, tunnel: Tunnel, sample: Sample
) -> None:
    inner = sample.frame(FROM_REMOTE, remote(tunnel, sample.family), HOST[sample.family])
    whole = tunnel.received(inner, BLUE.network_id(tunnel))
    headers = len(whole) - (len(inner) - ETHERNET_BYTES) + sample.parsed
    assert_only_whole_packets_pass(
        dut, tunnel.port, whole, headers, tunnel.underlay, lambda padding: (BLUE.port, at_host(inner) + padding)
    )


# ---- what looks like a tunnel


@gateway_test(RACK, tunnel=TUNNELS, ip=FAMILIES)
def test_tenants_own_tunnel_is_payload_however_short(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    own = replace(tunnel, underlay=ip)
    inner = SAMPLES["ipv6_tcp"].frame(FROM_REMOTE, remote(tunnel, IPV6), HOST[IPV6])
    packet = bytes(own.outer(inner, 5, src=HOST[ip], dst=TRUNK_HOST[ip]))
    fixed = {IPV4: 20, IPV6: 40}[ip] + (8 if own.is_over_udp else 0)
    frames = [cut_short(ip, packet, length) for length in range(fixed, len(packet))]
    dut.send(BLUE.port, *frames).assert_out({TRUNK: [at_trunk(frame, BLUE) for frame in frames]})
    dut.foreign.clear()


def cut_short(ip: Family, packet: bytes, length: int) -> bytes:
    """A packet that has, and says so, only so many bytes of `packet`."""
    layer = Ether(ether(HOST_MAC, SEGMENT_MAC, Raw(packet[:length]), ether_type={IPV4: 0x0800, IPV6: 0x86DD}[ip]))
    header = layer.payload
    if ip is IPV4:
        header.len = length
        del header.chksum
    else:
        header.plen = length - 40
    if UDP in layer:
        layer[UDP].len = length - {IPV4: 20, IPV6: 40}[ip]
    return bytes(layer)
