# SPDX-License-Identifier: Apache-2.0
"""Interfaces: what each port and VLAN is for, and how to reach the underlay's next hops."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import Action, Match, P4TableEntry

from headgate.config.gateway import GatewayConfig, Interface
from headgate.systems.gateway.ids import Ids
from headgate.systems.gateway.values import mac_value


def desired(config: GatewayConfig, ids: Ids) -> Iterator[P4TableEntry]:
    """Entries of `interface` and `underlay`."""
    interfaces = config.interfaces_by_name
    if config.underlay is not None:
        macs = {item.interface: item.mac for item in config.underlay.interfaces}
        for name, mac in macs.items():
            yield _interface(interfaces[name], Action("from_underlay", mac=mac_value(mac)))
        for hop in config.underlay.next_hops:
            interface = interfaces[hop.interface]
            out = Action(
                "leave",
                port=interface.port,
                vlan_id=interface.vlan_id or 0,
                src_mac=mac_value(macs[hop.interface]),
                dst_mac=mac_value(hop.mac),
            )
            yield P4TableEntry(
                "underlay", match=Match(underlay_id=ids.underlays[hop.name]), action=out, metadata=hop.name.encode()
            )
    for router in config.routers:
        for uplink in router.uplinks:
            action = Action("uplink", router_id=router.router_id, mac=mac_value(uplink.mac))
            yield _interface(interfaces[uplink.interface], action)
    for tenant in config.tenants:
        for segment in tenant.segments:
            for name in segment.interfaces:
                ids_and_mac = {"tenant_id": tenant.tenant_id, "segment_id": segment.segment_id}
                yield _interface(interfaces[name], Action("segment", **ids_and_mac, mac=mac_value(segment.mac)))


def _interface(interface: Interface, action: Action) -> P4TableEntry:
    return P4TableEntry("interface", match=Match(port=interface.port, vlan_id=interface.vlan_id or 0), action=action)
