# SPDX-License-Identifier: Apache-2.0
"""Translation in the rack: what a tenant's pool, 1:1 address and port forward are, and how packets look translated."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4TableEntry
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether

from harness.frames import IPV4
from harness.gateway.flows import UDP as UDP_PROTOCOL
from harness.gateway.rack import HOST, ROUTER, Tenant, entry, network, tenant_entry
from headgate.systems import Entity

STATIC_HOST = "10.1.0.20"
"""In the plain segment of each tenant; has an outside address of its own."""
FORWARDED_PORT, HOST_PORT = 8080, 80
"""Of the outside address, of `HOST`."""
INSIDE = "10.0.0.0/8"
"""What a tenant's pool is for."""


def pool_id(tenant: Tenant) -> int:
    return 100 + tenant.tenant_id


def nat(tenant: Tenant) -> Iterator[Entity]:
    """Switches translation on, without any mapping of the pool; what else `tenant_entry` has to say says the caller."""
    us = {"tenant_id": tenant.tenant_id}
    yield tenant_entry(tenant, nat=1)
    destination = {"router_id": ROUTER, "dst_addr": network(IPV4, tenant.nat_address)}
    yield entry("tenant_destination_ipv4", destination, "to_tenant_nat", **us)
    yield entry("nat_pool", {**us, "src_addr": INSIDE}, "allocate", pool_id=pool_id(tenant))
    outside, inside = tenant.static_address, STATIC_HOST
    yield entry("nat_static_in", {**us, "dst_addr": outside}, "translate_destination_address", addr=inside)
    yield entry("nat_static_out", {**us, "src_addr": inside}, "translate_source_address", addr=outside)
    neighbor = {**us, "segment_id": tenant.segment, "next_hop": inside}
    yield entry("neighbor_ipv4", neighbor, "neighbor.to_next_hop", next_hop_id=tenant.next_hop(1))
    for protocol in (6, 17):
        yield from mapping(
            tenant, (HOST[IPV4], HOST_PORT), (tenant.forwarded_address, FORWARDED_PORT), protocol=protocol
        )


def mapping(
    tenant: Tenant, inside: tuple[str, int], outside: tuple[str, int], *, protocol: int = UDP_PROTOCOL
) -> tuple[P4TableEntry, P4TableEntry]:
    """Both directions of one mapping, of address and port."""
    us = {"tenant_id": tenant.tenant_id, "protocol": protocol}
    back = {"addr": inside[0], "port": inside[1]}
    out = {"addr": outside[0], "port": outside[1]}
    return (
        entry(
            "nat_mapping_in", {**us, "dst_addr": outside[0], "dst_port": outside[1]}, "translate_destination", **back
        ),
        entry("nat_mapping_out", {**us, "src_addr": inside[0], "src_port": inside[1]}, "translate_source", **out),
    )


def translated(
    frame: bytes, *, src: str | None = None, dst: str | None = None, sport: int | None = None, dport: int | None = None
) -> bytes:
    """An untagged frame with other addresses and ports, every checksum computed afresh but that of UDP when there is
    none. An echo's identifier is its one port."""
    packet = Ether(frame)
    ip = packet[IP]
    ip.src, ip.dst = src or ip.src, dst or ip.dst
    del ip.chksum
    for transport in (TCP, UDP):
        if transport in packet:
            layer = packet[transport]
            layer.sport = layer.sport if sport is None else sport
            layer.dport = layer.dport if dport is None else dport
            if transport is TCP or layer.chksum:
                del layer.chksum
    if ICMP in packet and (sport is not None or dport is not None):
        packet[ICMP].id = sport if sport is not None else dport
        del packet[ICMP].chksum
    return bytes(packet)
