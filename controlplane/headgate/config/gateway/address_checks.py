# SPDX-License-Identifier: Apache-2.0
"""Whether interfaces, uplinks and segments have addresses that they can have: each once, in prefixes of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from headgate.config.errors import Path, Problem, format_path
from headgate.config.gateway.config import GatewayConfig
from headgate.config.problems import duplicates, unusable
from headgate.config.scalars import IpInterface


class _Located(NamedTuple):
    """An address of an interface, uplink or segment."""

    interface: IpInterface
    path: Path


def check_addresses(config: GatewayConfig) -> Iterator[Problem]:
    """Addresses of the underlay, of each central router and of each tenant: three kinds of networks, each apart."""
    if config.underlay is not None:
        yield from _check_underlay(config)
    for i, router in enumerate(config.routers):
        links = [
            _located(uplink.addresses, ("routers", i, "uplinks", j, "addresses"))
            for j, uplink in enumerate(router.uplinks)
        ]
        yield from _check_links(links, "uplink")
    for i, tenant in enumerate(config.tenants):
        links = [
            _located(segment.addresses, ("tenants", i, "segments", j, "addresses"))
            for j, segment in enumerate(tenant.segments)
        ]
        yield from _check_links(links, "segment")


def _located(addresses: Sequence[IpInterface], at: Path) -> list[_Located]:
    return [_Located(address, (*at, k)) for k, address in enumerate(addresses)]


def _check_underlay(config: GatewayConfig) -> Iterator[Problem]:
    if config.underlay is None:
        return
    links = [
        _located(item.addresses, ("underlay", "interfaces", i, "addresses"))
        for i, item in enumerate(config.underlay.interfaces)
    ]
    yield from _check_links(links, "interface")
    everywhere = [(address, ("underlay", "addresses", i)) for i, address in enumerate(config.underlay.addresses)]
    for address, path in everywhere:
        if address.is_multicast or address.is_unspecified or address.is_loopback:
            yield Problem(path, str(address), "is a multicast, unspecified or loopback address: give one of your own")
    owned = [(item.interface.ip, item.path) for link in links for item in link]
    yield from duplicates(((address, path, str(address)) for address, path in [*owned, *everywhere]), "give it once")


def _check_links(links: Sequence[Sequence[_Located]], what: str) -> Iterator[Problem]:
    """Links of one router: every address once, and no prefix on two links (but IPv6's link-local one)."""
    for link in links:
        for item in link:
            if reason := unusable(item.interface):
                yield Problem(item.path, str(item.interface), f"{reason}: give an address that a host can have")
    routable = [[item for item in link if not _is_link_local(item.interface)] for link in links]
    flat = [item for link in routable for item in link]
    yield from duplicates(((item.interface.ip, item.path, str(item.interface.ip)) for item in flat), "give it once")
    for index, link in enumerate(routable):
        for item in link:
            for other in (other for before in routable[:index] for other in before):
                if _overlap(item.interface, other.interface):
                    yield Problem(
                        item.path,
                        str(item.interface),
                        f"overlaps {format_path(other.path)} ({other.interface.network}): "
                        f"give each {what} a prefix of its own",
                    )


def _overlap(one: IpInterface, other: IpInterface) -> bool:
    return one.version == other.version and one.network.overlaps(other.network)


def _is_link_local(interface: IpInterface) -> bool:
    return interface.version == 6 and interface.network.is_link_local
