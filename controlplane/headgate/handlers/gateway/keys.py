# SPDX-License-Identifier: Apache-2.0
"""Flows, sessions and NAT endpoints as octets: fields side by side, each as wide as its table's key has it.

There are hundreds of thousands of each, so a key is one short `bytes`, and another key is a few slices of it:

* flow: tenant 2, segment 2, source address, destination address, protocol 1, source port 2, destination port 2
* aggregate: a flow whose fields that do not count are zero, then the mask of those that do 1
* session: a flow without its segment, as the tenant's inside sees it
* endpoint: tenant 2, protocol 1, address 4, port 2; there is NAT of IPv4 only
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

TENANT = slice(0, 2)
SEGMENT = slice(2, 4)


@dataclass(frozen=True, slots=True)
class Family:
    """IPv4 or IPv6: how long its keys are, and which tables they are for."""

    version: int
    address_bytes: int
    flow: struct.Struct = field(init=False)
    session: struct.Struct = field(init=False)

    def __post_init__(self) -> None:
        address = f"{self.address_bytes}s"
        object.__setattr__(self, "flow", struct.Struct(f"2s2s{address}{address}1s2s2s"))
        object.__setattr__(self, "session", struct.Struct(f"2s{address}{address}1s2s2s"))

    @property
    def cache(self) -> str:
        return f"cache_ipv{self.version}"

    @property
    def aggregate(self) -> str:
        return f"cache_aggregate_ipv{self.version}"

    @property
    def sessions(self) -> str:
        return f"firewall_session_ipv{self.version}"


IPV4 = Family(4, 4)
IPV6 = Family(6, 16)
FAMILIES = (IPV4, IPV6)

_OF_FLOW = {family.flow.size + mask: family for family in FAMILIES for mask in (0, 1)}
_OF_SESSION = {family.session.size: family for family in FAMILIES}


def family_of_flow(key: bytes) -> Family:
    """Of a flow or an aggregate. Raises: KeyError (it is neither)."""
    return _OF_FLOW[len(key)]


def family_of_session(key: bytes) -> Family:
    """Raises: KeyError (it is no session)."""
    return _OF_SESSION[len(key)]


def is_aggregate(key: bytes) -> bool:
    """Whether a cache key is an aggregate's and not a flow's."""
    return len(key) not in (IPV4.flow.size, IPV6.flow.size)


def untranslated_session(flow: bytes) -> bytes:
    """The session of a flow whose addresses are the inside's own."""
    return flow[TENANT] + flow[4:]


def reverse(session: bytes) -> bytes:
    """The same connection, seen by the other end."""
    tenant, src, dst, protocol, src_port, dst_port = _OF_SESSION[len(session)].session.unpack(session)
    return tenant + dst + src + protocol + dst_port + src_port


def endpoints(session: bytes) -> tuple[bytes, ...]:
    """Both ends of an IPv4 session; no end of an IPv6 session is ever translated."""
    if len(session) != IPV4.session.size:
        return ()
    tenant, src, dst, protocol, src_port, dst_port = IPV4.session.unpack(session)
    return tenant + protocol + src + src_port, tenant + protocol + dst + dst_port
