# SPDX-License-Identifier: Apache-2.0
"""Firewall rules as entries: one for each combination of what a rule lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from finsy import Action, Match, P4TableEntry

from headgate.config.gateway import INSIDE, OUTSIDE, GatewayConfig, PortRange, Rule, Tenant
from headgate.config.scalars import IpNetwork
from headgate.systems.gateway.ids import Ids, rule_identity
from headgate.vocabulary import FROM_OUTSIDE, Consulted

_ALL_PORTS = (0, 0xFFFF)
_EXACTLY = {"segment_id": 0xFFFF, "protocol": 0xFF}


def desired(config: GatewayConfig, ids: Ids) -> Iterator[P4TableEntry]:
    """Entries of `firewall_rule_*`.

    The last rule of a tenant has priority 1: to add one in front, as in an emergency one does, touches no other.
    """
    for tenant in config.tenants:
        rules = tenant.firewall.rules if tenant.firewall is not None else ()
        for index, rule in enumerate(rules):
            rule_id = ids.rules[rule_identity(tenant, rule.name)]
            for version in rule.families:
                yield from _entries(tenant, rule, version, rule_id, priority=len(rules) - index)


def consulted_fields(rules: Iterable[Rule]) -> int:
    """The fields that some rule looks at: a result depends on no others, as far as the firewall goes (`consulted_t`).

    The segment is left out: no entry of the flow cache stands for several.
    """
    fields = Consulted.NONE
    for rule in rules:
        if any(prefix.prefixlen for prefix in rule.source):
            fields |= Consulted.SRC_ADDR
        if any(prefix.prefixlen for prefix in rule.destination):
            fields |= Consulted.DST_ADDR
        if rule.protocol is not None:
            fields |= Consulted.PROTOCOL
        if rule.source_ports:
            fields |= Consulted.SRC_PORT
        if rule.destination_ports:
            fields |= Consulted.DST_PORT
        if rule.action == "allow_stateful":
            fields |= Consulted.SESSIONS
    return fields


def _entries(tenant: Tenant, rule: Rule, version: int, rule_id: int, priority: int) -> Iterator[P4TableEntry]:
    combinations = product(
        _segment_ids(tenant, rule),
        _of_family(rule.source, version),
        _of_family(rule.destination, version),
        rule.source_ports or (None,),
        rule.destination_ports or (None,),
    )
    for segment_id, source, destination, source_ports, destination_ports in dict.fromkeys(combinations):
        fields = {
            "tenant_id": tenant.tenant_id,
            "segment_id": (segment_id, _EXACTLY["segment_id"]) if segment_id is not None else None,
            "src_addr": source if source is not None and source.prefixlen else None,
            "dst_addr": destination if destination is not None and destination.prefixlen else None,
            "protocol": (rule.protocol, _EXACTLY["protocol"]) if rule.protocol is not None else None,
            "src_port": _range(source_ports),
            "dst_port": _range(destination_ports),
        }
        yield P4TableEntry(
            f"firewall_rule_ipv{version}",
            match=Match({name: value for name, value in fields.items() if value is not None}),
            action=Action(rule.action, rule_id=rule_id),
            priority=priority,
        )


def _segment_ids(tenant: Tenant, rule: Rule) -> tuple[int | None, ...]:
    """The segments of a rule's `ingress`, None for any."""
    segments = {segment.name: segment.segment_id for segment in tenant.segments}
    found: list[int] = []
    for name in rule.ingress:
        match name:
            case _ if name == OUTSIDE:
                found.append(FROM_OUTSIDE)
            case _ if name == INSIDE:
                found.extend(segments.values())
            case _:
                found.append(segments[name])
    return tuple(found) or (None,)


def _of_family(prefixes: Iterable[IpNetwork], version: int) -> tuple[IpNetwork | None, ...]:
    return tuple(prefix for prefix in prefixes if prefix.version == version) or (None,)


def _range(ports: PortRange | None) -> tuple[int, int] | None:
    return None if ports is None or (ports.first, ports.last) == _ALL_PORTS else (ports.first, ports.last)
