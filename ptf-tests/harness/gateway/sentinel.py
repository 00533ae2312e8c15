# SPDX-License-Identifier: Apache-2.0
"""Sentinels of `gateway`: a tenant of the harness's own has a neighbor behind every port, and one frame goes to each.

All of them are new flows, so that each is reported as one: digests are behind one another as frames are.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from finsy import Action, Match, P4TableEntry
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from harness.gateway.ports import PACKETS, SENTINEL
from harness.program import CPU_PORT, Volley
from headgate.systems import Entity
from headgate.vocabulary import Outcome

TENANT_ID = SEGMENT_ID = ROUTER_ID = 4095
MAC = "02:5e:00:00:00:01"
ROUTER_MAC = "02:5e:00:00:00:02"
MTU = 1500
OUTPUTS = (*PACKETS, CPU_PORT)

_MARK = b"headgate-sentinel-"
_NUMBER_DIGITS = 8
_MARK_BYTES = len(_MARK) + _NUMBER_DIGITS
_UDP_BYTES = 8
_IPV4_SOURCE, _IPV6_SOURCE = "198.18.255.254", "2001:db8:5e::fe"
_IPV6_DESTINATION = "2001:db8:5e::1"
_FIRST_NEXT_HOP_ID = 0xFFFF0000
_DST_PORT = 9  # discard
_numbers = itertools.count(1)


def _address(output: int) -> str:
    return f"198.18.255.{OUTPUTS.index(output)}"


def _next_hop_id(output: int) -> int:
    return _FIRST_NEXT_HOP_ID + OUTPUTS.index(output)


def entities() -> list[Entity]:
    """What the device has to hold for sentinels to work, beside what a test asks for."""
    us = {"tenant_id": TENANT_ID, "segment_id": SEGMENT_ID}
    connected = Action("connected", segment_id=SEGMENT_ID)
    return [
        _entry("interface", {"port": SENTINEL, "vlan_id": 0}, Action("segment", **us, mac=ROUTER_MAC)),
        _entry(
            "tenant",
            {"tenant_id": TENANT_ID},
            Action("set_tenant", epoch=1, router_id=ROUTER_ID, firewall=0, nat=0, firewall_fields=0),
        ),
        _entry("router", {"router_id": ROUTER_ID}, Action("set_router", epoch=1)),
        _entry("tenant_route_ipv4", {"tenant_id": TENANT_ID, "dst_addr": "198.18.255.0/24"}, connected),
        _entry("tenant_route_ipv6", {"tenant_id": TENANT_ID, "dst_addr": "2001:db8:5e::/48"}, connected),
        _neighbor("neighbor_ipv6", _IPV6_DESTINATION, OUTPUTS[0]),
        *(_neighbor("neighbor_ipv4", _address(output), output) for output in OUTPUTS),
        *(
            _entry(
                "next_hop",
                {"next_hop_id": _next_hop_id(output)},
                Action("to_port", port=output, vlan_id=0, src_mac=ROUTER_MAC, dst_mac=MAC, mtu=MTU),
            )
            for output in OUTPUTS
        ),
    ]


def _entry(table: str, key: Mapping[str, Any], action: Action) -> P4TableEntry:
    return P4TableEntry(table, match=Match(key), action=action)


def _neighbor(table: str, address: str, output: int) -> P4TableEntry:
    key = {"tenant_id": TENANT_ID, "segment_id": SEGMENT_ID, "next_hop": address}
    return _entry(table, key, Action("neighbor.to_next_hop", next_hop_id=_next_hop_id(output)))


def _template(header: Packet) -> bytes:
    """A frame to be numbered. It has no UDP checksum, for who numbers it would have to renew it."""
    eth = Ether(src=MAC, dst=ROUTER_MAC)
    return bytes(eth / header / UDP(sport=0, dport=_DST_PORT, chksum=0) / Raw(_MARK.ljust(_MARK_BYTES)))


_TEMPLATES = (
    _template(IPv6(src=_IPV6_SOURCE, dst=_IPV6_DESTINATION)),
    *(_template(IP(src=_IPV4_SOURCE, dst=_address(output))) for output in OUTPUTS),
)


def _numbered(template: bytes, src_port: int, mark: bytes) -> bytes:
    udp_at = len(template) - _MARK_BYTES - _UDP_BYTES
    return template[:udp_at] + src_port.to_bytes(2) + template[udp_at + 2 : -_MARK_BYTES] + mark


def volley() -> Volley:
    """A frame for every port, and one of IPv6 for the sake of its digest."""
    number = next(_numbers)
    mark = _MARK + b"%0*d" % (_NUMBER_DIGITS, number)
    src_port = number & 0xFFFF
    flow = {"tenant_id": TENANT_ID, "src_port": src_port}
    return Volley(
        [(SENTINEL, _numbered(template, src_port, mark)) for template in _TEMPLATES],
        mark,
        frozenset(OUTPUTS),
        Counter({Outcome.RECEIVED: len(_TEMPLATES), Outcome.SENT: len(_TEMPLATES)}),
        {"flow_ipv6_t": flow, "flow_ipv4_t": {**flow, "dst_addr": int(ip_address(_address(OUTPUTS[-1])))}},
    )


def is_sentinel(data: bytes) -> bool:
    return _MARK in data


def is_learned_from_sentinel(fields: Mapping[str, Any]) -> bool:
    return fields["tenant_id"] == TENANT_ID
