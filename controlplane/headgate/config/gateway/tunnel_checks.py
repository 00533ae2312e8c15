# SPDX-License-Identifier: Apache-2.0
"""Whether tunnels begin at the gateway and end elsewhere, and networks are told apart."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.config.errors import Problem
from headgate.config.gateway.config import GatewayConfig
from headgate.config.gateway.tunnels import Tunnel
from headgate.config.problems import duplicates
from headgate.config.scalars import IpAddress


def check_tunnels(config: GatewayConfig) -> Iterator[Problem]:
    """Problems of `tunnels`, and of the networks that segments are attached to."""
    own = config.underlay.own_addresses if config.underlay is not None else ()
    for i, tunnel in enumerate(config.tunnels):
        yield from _check_ends(tunnel, i, own)
    yield from duplicates(
        (
            ((tunnel.type, tunnel.local, tunnel.remote), ("tunnels", i, "remote"), str(tunnel.remote))
            for i, tunnel in enumerate(config.tunnels)
        ),
        "packets of the two could not be told apart, so give each tunnel of a type its own pair of addresses",
    )
    yield from duplicates(
        (
            ((item.scope, item.network_id), ("tenants", i, "segments", j, "attached", k, "network_id"), item.network_id)
            for i, tenant in enumerate(config.tenants)
            for j, segment in enumerate(tenant.segments)
            for k, item in enumerate(segment.attached)
            if item.network_id is not None
        ),
        "in one scope a network is one segment's, so give each its own, or its tunnels another `scope`",
    )


def _check_ends(tunnel: Tunnel, index: int, own: tuple[IpAddress, ...]) -> Iterator[Problem]:
    if tunnel.local not in own:
        known = ", ".join(map(str, own)) or "none"
        yield Problem(
            ("tunnels", index, "local"),
            str(tunnel.local),
            f"is not ours: add it to `underlay.addresses`, or use an address of the underlay ({known})",
        )
    remote = tunnel.remote
    if remote in own:
        yield Problem(("tunnels", index, "remote"), str(remote), "is the gateway's own: give the peer's address")
    elif remote.is_multicast or remote.is_unspecified or remote.is_loopback:
        yield Problem(
            ("tunnels", index, "remote"), str(remote), "is no single machine's address: give the peer's own address"
        )
