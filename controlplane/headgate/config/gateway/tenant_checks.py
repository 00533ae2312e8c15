# SPDX-License-Identifier: Apache-2.0
"""Whether a segment's packets fit through its interfaces and tunnels, and its hosts can be reached there."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.config.errors import Path, Problem
from headgate.config.gateway.config import GatewayConfig
from headgate.config.gateway.places import InTunnel, place_of_host
from headgate.config.gateway.tenants import Attachment, Host, Segment
from headgate.config.gateway.tunnels import Tunnel
from headgate.config.problems import duplicates


def check_tenants(config: GatewayConfig) -> Iterator[Problem]:
    """Problems of every tenant's segments and hosts."""
    for i, tenant in enumerate(config.tenants):
        for j, segment in enumerate(tenant.segments):
            at: Path = ("tenants", i, "segments", j)
            for k, item in enumerate(segment.attached):
                yield from _check_attachment(config, segment, item, at, k)
            for k, host in enumerate(segment.hosts):
                yield from _check_host(config, segment, host, (*at, "hosts", k))
            yield from duplicates(
                (
                    (host.address, (*at, "hosts", k, "address"), str(host.address))
                    for k, host in enumerate(segment.hosts)
                ),
                "a host is in one place, so keep one of the two",
            )


def _check_attachment(
    config: GatewayConfig, segment: Segment, item: Attachment, at: Path, index: int
) -> Iterator[Problem]:
    if item.interface is not None:
        interface = config.interfaces_by_name[item.interface]
        yield from _check_mtu(segment, at, interface.mtu_bytes, f"interface {interface.name} carries no more")
        yield from _check_mac(segment, at, f"interface {interface.name}")
        return
    for tunnel in config.tunnels_by_scope[item.scope]:
        path = (*at, "attached", index, "network_id")
        yield from _check_network_id(tunnel, item.network_id, path)
        room = config.room_bytes(tunnel)
        underlay = room + tunnel.overhead_bytes
        yield from _check_mtu(
            segment, at, room, f"tunnel {tunnel.name} takes {tunnel.overhead_bytes} of the underlay's {underlay}"
        )
        if tunnel.carries_frames:
            yield from _check_mac(segment, at, f"{tunnel.type} tunnel {tunnel.name}")


def _check_mtu(segment: Segment, at: Path, room_bytes: int, because: str) -> Iterator[Problem]:
    if segment.mtu_bytes is not None and segment.mtu_bytes > room_bytes:
        yield Problem(
            (*at, "mtu_bytes"),
            segment.mtu_bytes,
            f"is too large, {because}: give {room_bytes} or less, or raise that MTU",
        )


def _check_mac(segment: Segment, at: Path, where: str) -> Iterator[Problem]:
    if segment.mac is None:
        yield Problem(
            (*at, "mac"), None, f"is missing, and {where} carries Ethernet frames: add the gateway's MAC address"
        )


def _check_network_id(tunnel: Tunnel, network_id: int | None, path: Path) -> Iterator[Problem]:
    greatest = tunnel.greatest_network_id
    if network_id is not None and network_id > greatest:
        limit = f"give {greatest} or less" if greatest else "it has no network ids, so give 0"
        yield Problem(path, network_id, f"does not fit into {tunnel.type} tunnel {tunnel.name}: {limit}")


def _check_host(config: GatewayConfig, segment: Segment, host: Host, at: Path) -> Iterator[Problem]:
    is_link_local = host.address.version == 6 and host.address.is_link_local
    if any(host.address == address.ip for address in segment.addresses):
        yield Problem((*at, "address"), str(host.address), "is the gateway's own: give a host's")
    elif not segment.is_connected(host.address) and not is_link_local:
        networks = ", ".join(str(network) for network in segment.networks)
        yield Problem(
            (*at, "address"), str(host.address), f"is on no prefix of the segment ({networks}): give an address that is"
        )
    place = place_of_host(config, segment, host.via, host.network_id)
    if place is None:
        yield from _check_whereabouts(config, segment, host, at)
    elif isinstance(place, InTunnel):
        yield from _check_network_id(place.tunnel, host.network_id, (*at, "network_id"))
        if host.mac is not None and not place.has_macs:
            yield Problem(
                (*at, "mac"), host.mac, f"is never sent: {place.tunnel.type} carries IP packets, so take it out"
            )
    elif host.network_id is not None:
        yield Problem(
            (*at, "network_id"), host.network_id, "is a tunnel's, and the host is on an interface: take it out"
        )


def _check_whereabouts(config: GatewayConfig, segment: Segment, host: Host, at: Path) -> Iterator[Problem]:
    if host.via is None:
        yield Problem(
            (*at, "via"), None, "is missing, and the segment is on no interface: say which tunnel leads there"
        )
    else:
        network_ids = ", ".join(map(str, segment.network_ids(config.tunnels_by_name[host.via].scope)))
        yield Problem(
            (*at, "network_id"),
            None,
            f"is missing, and the segment has several networks there ({network_ids}): say which to send to",
        )
