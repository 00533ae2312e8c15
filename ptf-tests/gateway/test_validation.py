# SPDX-License-Identifier: Apache-2.0
"""validation: what no gateway passes on, whether it came as it is or out of a tunnel.

The stage is `nic`'s too, and tested at length there; here, that it sees the tenant's packet and not the tunnel.
"""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.inet import TCP, UDP
from scapy.packet import Packet

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, ether, patched, probe, udp
from harness.gateway import gateway_test
from harness.gateway.rack import BLUE, HOST, RACK, SEGMENT_MAC, TRUNK_HOST
from harness.gateway.traffic import FROM_HOST
from harness.gateway.tunnels import TUNNELS, Tunnel
from headgate.vocabulary import DropReason, TunnelType


def ipv4(*layers: Packet, src: str = HOST[IPV4], dst: str = TRUNK_HOST[IPV4], **fields: object) -> bytes:
    return ether(*FROM_HOST, IPV4.header(src, dst, **fields), *layers, probe())


def ipv6(*layers: Packet, src: str = HOST[IPV6], dst: str = TRUNK_HOST[IPV6], **fields: object) -> bytes:
    return ether(*FROM_HOST, IPV6.header(src, dst, **fields), *layers, probe())


BROKEN: dict[DropReason, Callable[[], bytes]] = {
    DropReason.IPV4_VERSION: lambda: ipv4(UDP(), version=6),
    DropReason.IPV4_HEADER_LENGTH: lambda: ipv4(UDP(), ihl=4),
    DropReason.IPV4_TOTAL_LENGTH: lambda: ipv4(UDP(), len=19),
    DropReason.IPV4_CHECKSUM: lambda: ipv4(UDP(), chksum=0xBAD0),
    DropReason.IPV4_TTL_ZERO: lambda: ipv4(UDP(), hops=0),
    DropReason.IPV4_MARTIAN: lambda: ipv4(UDP(), src="127.0.0.1"),
    DropReason.IPV6_VERSION: lambda: patched(ipv6(UDP()), 14, b"\x40"),
    DropReason.IPV6_PAYLOAD_LENGTH: lambda: ipv6(UDP(), plen=2000),
    DropReason.IPV6_HOP_LIMIT_ZERO: lambda: ipv6(UDP(), hops=0),
    DropReason.IPV6_MARTIAN: lambda: ipv6(UDP(), dst="::1"),
    DropReason.TCP_HEADER_LENGTH: lambda: ipv4(TCP(dataofs=4)),
    DropReason.UDP_LENGTH: lambda: ipv6(UDP(len=7)),
}
CASES = {reason.name.lower(): reason for reason in BROKEN}


@gateway_test(RACK, reason=CASES)
def test_broken_packet_is_refused_with_its_reason(dut: Dut, reason: DropReason) -> None:
    observed = dut.send(BLUE.port, BROKEN[reason]())
    observed.assert_dropped(reason)
    observed.assert_learned()


OVER_IPV4 = {name: tunnel for name, tunnel in TUNNELS.items() if tunnel.underlay is IPV4}
TELLING = {name: tunnel for name, tunnel in OVER_IPV4.items() if tunnel.kind is not TunnelType.GTPU}
"""GTP-U alone does not say which packet it carries: another version is another packet."""
VERSIONS = {name: CASES[name] for name in ("ipv4_version", "ipv6_version")}
OTHERS = {name: reason for name, reason in CASES.items() if name not in VERSIONS}


@gateway_test(RACK, reason=OTHERS, tunnel=OVER_IPV4)
def test_broken_packet_in_a_tunnel_is_refused_with_its_reason(dut: Dut, reason: DropReason, tunnel: Tunnel) -> None:
    frame = tunnel.received(BROKEN[reason](), BLUE.network_id(tunnel))
    dut.send(tunnel.port, frame).assert_dropped(reason)


@gateway_test(RACK, reason=VERSIONS, tunnel=TELLING)
def test_packet_of_another_version_than_its_tunnel_says_is_refused(
    dut: Dut, reason: DropReason, tunnel: Tunnel
) -> None:
    frame = tunnel.received(BROKEN[reason](), BLUE.network_id(tunnel))
    dut.send(tunnel.port, frame).assert_dropped(reason)


SOURCES = {"group": "01:00:5e:00:00:09", "broadcast": "ff:ff:ff:ff:ff:ff", "zero": "00:00:00:00:00:00"}


@gateway_test(RACK, ip=FAMILIES, mac=SOURCES)
def test_source_mac_that_is_no_stations_is_refused(dut: Dut, ip: Family, mac: str) -> None:
    frame = udp(ip, (mac, SEGMENT_MAC), (HOST[ip], TRUNK_HOST[ip]))
    dut.send(BLUE.port, frame).assert_dropped(DropReason.SRC_MAC_INVALID)


@gateway_test(RACK, ip=FAMILIES, tunnel={name: tunnel for name, tunnel in TUNNELS.items() if tunnel.carries_ethernet})
def test_source_mac_in_a_tunnel_that_is_no_stations_is_refused(dut: Dut, ip: Family, tunnel: Tunnel) -> None:
    inner = udp(ip, (SOURCES["group"], SEGMENT_MAC), (HOST[ip], TRUNK_HOST[ip]))
    dut.send(tunnel.port, tunnel.received(inner, BLUE.network_id(tunnel))).assert_dropped(DropReason.SRC_MAC_INVALID)
