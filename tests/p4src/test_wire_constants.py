# SPDX-License-Identifier: Apache-2.0
"""The numbers in core/wire_constants.p4 are those of the standards, as Scapy has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Packet

SOURCE = (Path(__file__).parents[2] / "p4src/core/wire_constants.p4").read_text()


def constants() -> dict[str, int]:
    """{"ether_type_t.IPV4": 0x0800, "ND_HOP_LIMIT": 255, ...} as the source spells them."""
    found: dict[str, int] = {}
    for enum, body in re.findall(r"enum bit<\d+> (\w+) \{(.*?)\}", SOURCE, re.DOTALL):
        for name, value in re.findall(r"^\s*(\w+)\s*=\s*(\w+)", body, re.MULTILINE):
            found[f"{enum}.{name}"] = int(value, 0)
    for name, value in re.findall(r"^const \S+\s+(\w+)\s*=\s*(\w+);", SOURCE, re.MULTILINE):
        found[name] = int(value, 0)
    return found


def ether_type(layer: Packet) -> int:
    return Ether(bytes(Ether() / layer)).type


def ip_protocol(layer: Packet) -> int:
    return IP(bytes(IP() / layer)).proto


def next_header(layer: Packet) -> int:
    return IPv6(bytes(IPv6() / layer)).nh


EXPECTED = {
    "ether_type_t.IPV4": ether_type(IP()),
    "ether_type_t.ARP": ether_type(ARP()),
    "ether_type_t.VLAN": ether_type(Dot1Q()),
    "ether_type_t.IPV6": ether_type(IPv6()),
    "ether_type_t.QINQ": ether_type(Dot1AD()),
    "ip_protocol_t.IPV6_HOP_BY_HOP": next_header(IPv6ExtHdrHopByHop()),
    "ip_protocol_t.ICMP": ip_protocol(ICMP()),
    "ip_protocol_t.TCP": ip_protocol(TCP()),
    "ip_protocol_t.UDP": ip_protocol(UDP()),
    "ip_protocol_t.IPV6_ROUTING": next_header(IPv6ExtHdrRouting()),
    "ip_protocol_t.IPV6_FRAGMENT": next_header(IPv6ExtHdrFragment()),
    "ip_protocol_t.ICMPV6": next_header(ICMPv6EchoRequest()),
    "ip_protocol_t.IPV6_DESTINATION": next_header(IPv6ExtHdrDestOpt()),
    "arp_operation_t.REQUEST": ARP(op="who-has").op,
    "arp_operation_t.REPLY": ARP(op="is-at").op,
    "icmpv6_type_t.NEIGHBOR_SOLICITATION": ICMPv6ND_NS().type,
    "icmpv6_type_t.NEIGHBOR_ADVERTISEMENT": ICMPv6ND_NA().type,
    "ARP_ETHERNET_IPV4": int.from_bytes(bytes(ARP())[:6], "big"),
    "IPV4_LIMITED_BROADCAST": 2**32 - 1,
    "RESERVED_GROUP_PREFIX": int("0180c2000000", 16) >> 4,
    "ND_HOP_LIMIT": 255,
    "MAX_VLAN_ID": 4094,
    "ETHERNET_BYTES": len(Ether()),
    "VLAN_TAG_BYTES": len(Dot1Q()),
    "IPV6_BYTES": len(IPv6()),
    "TCP_MIN_BYTES": len(TCP()),
    "UDP_BYTES": len(UDP()),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_constant_is_the_standards(name: str) -> None:
    assert constants()[name] == EXPECTED[name]


def test_every_constant_is_compared() -> None:
    assert set(constants()) == set(EXPECTED)
