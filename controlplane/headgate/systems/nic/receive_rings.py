# SPDX-License-Identifier: Apache-2.0
"""VNICs that pass packets on: which addresses are their own, and who routes the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from finsy import Action, Match, P4TableEntry

from headgate.config.nic import NicConfig, Vnic


def desired(config: NicConfig) -> Iterator[P4TableEntry]:
    """Steering, local addresses and source guard of every VNIC with a `forwarding` section."""
    for vnic in config.vnics:
        if vnic.forwarding is not None:
            yield _steering(vnic, vnic.forwarding.routed_by)
            yield from _local(vnic)
            yield from _own_source(vnic)
            if vnic.forwarding.by_nic:
                yield from _forwarded_mac(vnic)


def _steering(vnic: Vnic, routed_by: str) -> P4TableEntry:
    actions = {
        "guest": Action("by_ring", learn_neighbors=0),
        "nic_on_transmit": Action("by_ring", learn_neighbors=1),
        "nic_on_receive": Action("by_route"),
    }
    return P4TableEntry("steering", match=Match(vnic_id=vnic.vnic_id), action=actions[routed_by])


def _local(vnic: Vnic) -> Iterator[P4TableEntry]:
    """The same addresses twice: for what comes from a wire or a VNIC, and for what the NIC routes to this one."""
    own = {address.ip for address in vnic.addresses}
    for ip in sorted(own | _broadcasts(vnic) | _anycasts(vnic), key=_order):
        match = Match({"vnic_id": vnic.vnic_id, f"ipv{ip.version}_dst": ip})
        yield P4TableEntry(f"local_ipv{ip.version}", match=match, action=Action("receive_rings.local"))
        yield P4TableEntry(f"next_local_ipv{ip.version}", match=match, action=Action("routing.local"))


def _own_source(vnic: Vnic) -> Iterator[P4TableEntry]:
    """Subnet broadcasts too: nobody sends from one (RFC 1122 3.2.1.3)."""
    own = {address.ip for address in vnic.addresses}
    for ip in sorted(own | _broadcasts(vnic), key=_order):
        yield P4TableEntry(
            f"own_source_ipv{ip.version}",
            match=Match({"vnic_id": vnic.vnic_id, f"ipv{ip.version}_src": ip}),
            action=Action("refuse_source"),
        )


def _forwarded_mac(vnic: Vnic) -> Iterator[P4TableEntry]:
    for mac in vnic.macs:
        yield P4TableEntry(
            "forwarded_mac", match=Match(vnic_id=vnic.vnic_id, dst_mac=mac), action=Action("transmit_guard.allow")
        )


def _broadcasts(vnic: Vnic) -> set[IPv4Address | IPv6Address]:
    """Subnet broadcasts (RFC 1812 5.3.5.2). A /31 or /32 has none (RFC 3021 2.1)."""
    return {
        network.broadcast_address
        for network in _networks(vnic)
        if isinstance(network, IPv4Network) and network.prefixlen < 31
    }


def _anycasts(vnic: Vnic) -> set[IPv4Address | IPv6Address]:
    """Subnet-router anycast addresses, which every router answers (RFC 4291 2.6.1). A /127 has none (RFC 6164 5.1)."""
    return {
        network.network_address
        for network in _networks(vnic)
        if isinstance(network, IPv6Network) and network.prefixlen < 127
    }


def _networks(vnic: Vnic) -> Iterable[IPv4Network | IPv6Network]:
    return (address.network for address in vnic.addresses)


def _order(ip: IPv4Address | IPv6Address) -> tuple[int, int]:
    return ip.version, int(ip)
