# SPDX-License-Identifier: Apache-2.0
"""The numbers in core/**/wire_constants.p4 are those of the standards, as Scapy has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.contrib.gtp import ExtensionHeadersTypes, GTP_U_Header, GTPmessageType, GTPPDUSessionContainer
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, GRE, Dot1AD, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet

CORE = Path(__file__).parents[2] / "p4src/core"
SOURCE = "".join(path.read_text() for path in sorted(CORE.rglob("wire_constants.p4")))


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


def udp_port(layer: Packet) -> int:
    return UDP(bytes(UDP() / layer)).dport


def tcp_flag(letter: str) -> int:
    return int(TCP(flags=letter).flags)


def number_of(names: dict[int, str], name: str) -> int:
    return next(number for number, known in names.items() if known == name)


EXPECTED = {
    "ether_type_t.IPV4": ether_type(IP()),
    "ether_type_t.ARP": ether_type(ARP()),
    "ether_type_t.VLAN": ether_type(Dot1Q()),
    "ether_type_t.IPV6": ether_type(IPv6()),
    "ether_type_t.QINQ": ether_type(Dot1AD()),
    "ether_type_t.TEB": GRE(bytes(GRE() / Ether())).proto,
    "tcp_flag_t.FIN": tcp_flag("F"),
    "tcp_flag_t.SYN": tcp_flag("S"),
    "tcp_flag_t.RST": tcp_flag("R"),
    "tcp_flag_t.ACK": tcp_flag("A"),
    "udp_port_t.GTPU": udp_port(GTP_U_Header()),
    "udp_port_t.VXLAN": udp_port(VXLAN()),
    "udp_port_t.GENEVE": udp_port(GENEVE()),
    "ecn_t.NOT_ECT": 0b00,  # RFC 3168 5; Scapy has no names for these
    "ecn_t.ECT_1": 0b01,
    "ecn_t.ECT_0": 0b10,
    "ecn_t.CE": 0b11,
    "ip_protocol_t.IPV6_HOP_BY_HOP": next_header(IPv6ExtHdrHopByHop()),
    "ip_protocol_t.ICMP": ip_protocol(ICMP()),
    "ip_protocol_t.IPV4": ip_protocol(IP()),
    "ip_protocol_t.TCP": ip_protocol(TCP()),
    "ip_protocol_t.UDP": ip_protocol(UDP()),
    "ip_protocol_t.IPV6": ip_protocol(IPv6()),
    "ip_protocol_t.GRE": ip_protocol(GRE()),
    "ip_protocol_t.IPV6_ROUTING": next_header(IPv6ExtHdrRouting()),
    "ip_protocol_t.IPV6_FRAGMENT": next_header(IPv6ExtHdrFragment()),
    "ip_protocol_t.ICMPV6": next_header(ICMPv6EchoRequest()),
    "ip_protocol_t.IPV6_DESTINATION": next_header(IPv6ExtHdrDestOpt()),
    "arp_operation_t.REQUEST": ARP(op="who-has").op,
    "arp_operation_t.REPLY": ARP(op="is-at").op,
    "icmp_type_t.ECHO_REPLY": ICMP(type="echo-reply").type,
    "icmp_type_t.DESTINATION_UNREACHABLE": ICMP(type="dest-unreach").type,
    "icmp_type_t.ECHO_REQUEST": ICMP(type="echo-request").type,
    "icmp_type_t.TIME_EXCEEDED": ICMP(type="time-exceeded").type,
    "icmp_type_t.PARAMETER_PROBLEM": ICMP(type="parameter-problem").type,
    "icmpv6_type_t.ECHO_REQUEST": ICMPv6EchoRequest().type,
    "icmpv6_type_t.ECHO_REPLY": ICMPv6EchoReply().type,
    "icmpv6_type_t.NEIGHBOR_SOLICITATION": ICMPv6ND_NS().type,
    "icmpv6_type_t.NEIGHBOR_ADVERTISEMENT": ICMPv6ND_NA().type,
    "ARP_ETHERNET_IPV4": int.from_bytes(bytes(ARP())[:6], "big"),
    "IPV4_LIMITED_BROADCAST": 2**32 - 1,
    "RESERVED_GROUP_PREFIX": int("0180c2000000", 16) >> 4,
    "ND_HOP_LIMIT": 255,
    "MAX_VLAN_ID": 4094,
    "ETHERNET_BYTES": len(Ether()),
    "VLAN_TAG_BYTES": len(Dot1Q()),
    "IPV4_MIN_BYTES": len(IP()),
    "IPV6_BYTES": len(IPv6()),
    "IPV6_FRAGMENT_BYTES": len(IPv6ExtHdrFragment()),
    "TCP_MIN_BYTES": len(TCP()),
    "UDP_BYTES": len(UDP()),
    "VXLAN_BYTES": len(VXLAN()),
    "GENEVE_BYTES": len(GENEVE()),
    "GENEVE_OPTION_BYTES": len(GeneveOptions(data=bytes(4))),
    "GTPU_BYTES": len(GTP_U_Header()),
    "GTPU_OPTIONAL_BYTES": len(GTP_U_Header(S=1)) - len(GTP_U_Header()),
    "GTPU_EXTENSION_BYTES": len(GTPPDUSessionContainer()),
    "GTPU_G_PDU": number_of(GTPmessageType, "g_pdu"),
    "GTPU_PDU_SESSION": number_of(ExtensionHeadersTypes, "PDU Session Container"),
    "GRE_BYTES": len(GRE()),
    "GRE_KEY_BYTES": len(GRE(key_present=1)) - len(GRE()),
    "GRE_SEQUENCE_BYTES": len(GRE(seqnum_present=1)) - len(GRE()),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_constant_is_the_standards(name: str) -> None:
    assert constants()[name] == EXPECTED[name]


def test_every_constant_is_compared() -> None:
    assert set(constants()) == set(EXPECTED)
