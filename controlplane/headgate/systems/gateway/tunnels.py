# SPDX-License-Identifier: Apache-2.0
"""Tunnels: from which peers packets are taken, whose they are, and how they are wrapped on the way out."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import Action, Match, P4TableEntry

from headgate.config.gateway import GatewayConfig, Tunnel
from headgate.systems.gateway.ids import Ids
from headgate.systems.gateway.values import mac_value


def desired(config: GatewayConfig, ids: Ids) -> Iterator[P4TableEntry]:
    """Entries of `tunnel_peer_*`, `tunnel_network`, `tunnel` and `geneve_option`."""
    for tunnel in config.tunnels:
        yield _peer(tunnel)
        yield _tunnel(tunnel, ids.underlays[tunnel.next_hop])
        if (option := tunnel.geneve_option) is not None:
            add = Action("add", option_class=option.option_class, option_type=option.option_type, data=option.data)
            yield P4TableEntry("geneve_option", match=Match(tunnel_id=tunnel.tunnel_id), action=add)
    for tenant in config.tenants:
        for segment in tenant.segments:
            enter = Action(
                "enter", tenant_id=tenant.tenant_id, segment_id=segment.segment_id, mac=mac_value(segment.mac)
            )
            for item in segment.attached:
                if item.network_id is not None:
                    match = Match(scope=item.scope, network_id=item.network_id)
                    yield P4TableEntry("tunnel_network", match=match, action=enter)


def _peer(tunnel: Tunnel) -> P4TableEntry:
    """Seen from here a received packet's source is the remote end."""
    return P4TableEntry(
        f"tunnel_peer_ipv{tunnel.local.version}",
        match=Match(tunnel_type=tunnel.tunnel_type, src_addr=tunnel.remote, dst_addr=tunnel.local),
        action=Action("accept", scope=tunnel.scope, tunnel_id=tunnel.tunnel_id),
    )


def _tunnel(tunnel: Tunnel, underlay_id: int) -> P4TableEntry:
    encap = Action(
        f"encap_ipv{tunnel.local.version}",
        tunnel_type=tunnel.tunnel_type,
        src_addr=tunnel.local,
        dst_addr=tunnel.remote,
        dscp_uniform=int(tunnel.dscp == "uniform"),
        dscp=0 if tunnel.dscp == "uniform" else tunnel.dscp,
        ttl=tunnel.ttl,
        udp_checksum=int(tunnel.udp_checksum),
        underlay_id=underlay_id,
    )
    return P4TableEntry("tunnel", match=Match(tunnel_id=tunnel.tunnel_id), action=encap)
