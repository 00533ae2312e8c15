# SPDX-License-Identifier: Apache-2.0
"""Samples for tests, field by field, with sensible values for the rest."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from headgate.handlers.gateway.keys import IPV4, IPV6
from headgate.handlers.gateway.samples import FlowSample, sample_widths
from headgate.vocabulary import Consulted, FlowEvent, FlowResult

TENANT = b"\0\1"
EPOCHS = bytes.fromhex("00000007 00000003")
EVERYTHING = Consulted(31)
TCP, UDP, ICMP = 6, 17, 1

_DEFAULTS: dict[str, Any] = {
    "tenant_id": 1,
    "segment_id": 1,
    "src_addr": "10.0.0.1",
    "dst_addr": "10.0.0.2",
    "protocol": TCP,
    "src_port": 1000,
    "dst_port": 80,
    "event": FlowEvent.FLOW,
    "result": FlowResult.FORWARD,
    "consulted": EVERYTHING,
    "tcp_flags": 0x10,
    "reason": 0,
    "rule_id": 4,
    "next_hop_id": 9,
    "epoch": 7,
    "router_epoch": 3,
}


def sample(**fields: Any) -> FlowSample:
    """A sample of an IPv4 flow, unless its addresses are IPv6's. An untranslated one says so by its addresses."""
    values = {**_DEFAULTS, **fields}
    version = ip_address(values["src_addr"]).version
    if version == 4:
        for end in ("src", "dst"):
            for part in ("addr", "port"):
                values.setdefault(f"new_{end}_{part}", values[f"{end}_{part}"])
    widths = sample_widths(IPV4 if version == 4 else IPV6)
    names = FlowSample._fields[: len(widths)]
    return FlowSample(*[_octets(values[name], width) for name, width in zip(names, widths, strict=True)])


def answer(to: FlowSample, **fields: Any) -> FlowSample:
    """A sample of the other direction of an untranslated flow."""
    address = IPv4Address if len(to.src_addr) == 4 else IPv6Address
    swapped = {
        "tenant_id": int.from_bytes(to.tenant_id, "big"),
        "segment_id": 2,
        "src_addr": str(address(to.dst_addr)),
        "dst_addr": str(address(to.src_addr)),
        "protocol": to.protocol[0],
        "src_port": int.from_bytes(to.dst_port, "big"),
        "dst_port": int.from_bytes(to.src_port, "big"),
    }
    return sample(**{**swapped, **fields})


def _octets(value: int | str, width: int) -> bytes:
    return ip_address(value).packed if isinstance(value, str) else int(value).to_bytes(width, "big")
