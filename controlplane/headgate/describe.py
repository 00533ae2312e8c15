# SPDX-License-Identifier: Apache-2.0
"""Entities in words: which table, which key, what it does, with addresses as addresses and ids by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from finsy import (
    Action,
    MACAddress,
    Match,
    P4CloneSessionEntry,
    P4MeterEntry,
    P4MulticastGroupEntry,
    P4Schema,
    P4TableEntry,
)
from finsy.p4entity import P4Replica
from finsy.p4schema import P4Table

from headgate.config import HOST, NicConfig
from headgate.systems import Entity
from headgate.vocabulary import CPU_PORT, HOST_PORT, UPLINK_COPY, PuntReason, RingType, TagType, Transmit

_ENUMS: dict[str, type[IntEnum]] = {"ring_type": RingType, "tag_type": TagType, "transmit": Transmit}
_ANYTHING = {32: "0.0.0.0/0", 128: "::/0"}
_ADDRESSES = {48: MACAddress, 32: IPv4Address, 128: IPv6Address}


@dataclass(frozen=True, slots=True)
class Replica:
    """A copy of a frame: where it goes, and for which VNIC (`UPLINK_COPY`: for none of them)."""

    port: int
    vnic_id: int


Value = int | str | tuple[Replica, ...]
"""Numbers are numbers; addresses, prefixes and enums are texts."""


@dataclass(frozen=True, slots=True)
class Description:
    """An entity taken apart."""

    table: str
    """Or the kind of an entity that is in no table."""
    key: Mapping[str, int | str]
    """Empty for a table's default action."""
    action: str
    args: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Names:
    """What a configuration calls ports and VNICs, by their numbers; a ring is called after its VNIC."""

    ports: Mapping[int, str] = field(default_factory=dict)
    vnics: Mapping[int, str] = field(default_factory=dict)
    rings: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, config: NicConfig) -> Names:
        ports = {port.port: port.name for port in config.ports}
        vnics = {vnic.vnic_id: vnic.name for vnic in config.vnics}
        owners: dict[int, list[str]] = {}
        for vnic in config.vnics:
            for kind, group in (("local", vnic.rings.local), ("forwarding", vnic.rings.forwarding)):
                for ring in group:
                    owners.setdefault(ring.ring_id, []).append(f"{vnic.name}.{kind}")
        rings = {ring_id: f"{ring_id}({'+'.join(names)})" for ring_id, names in owners.items()}
        return cls({**ports, HOST_PORT: HOST, CPU_PORT: "cpu"}, vnics, rings)

    def show(self, name: str, value: Value) -> str:
        """A value of the field or parameter `name`, as people call it; a replica as ``vnic@port``."""
        if isinstance(value, tuple):
            return " ".join(map(self._replica, value))
        known = {"port": self.ports, "vnic_id": self.vnics, "ring_id": self.rings}.get(name, {})
        return str(known.get(value, value)) if isinstance(value, int) else value

    def _replica(self, replica: Replica) -> str:
        port = self.show("port", replica.port)
        return port if replica.vnic_id == UPLINK_COPY else f"{self.show('vnic_id', replica.vnic_id)}@{port}"


def describe(entity: Entity, schema: P4Schema) -> Description:
    """Take `entity` apart; `schema` is of the program it belongs to."""
    match entity:
        case P4TableEntry():
            table = schema.tables[entity.table_id]
            key = {} if entity.is_default_action else _key(table, entity.match or Match())
            action = entity.action if isinstance(entity.action, Action) else Action("")
            args = {name: _argument(table, action, name) for name in action.args}
            return Description(entity.table_id, key, action.name.rpartition(".")[2], args)
        case P4MeterEntry(meter_id=meter, index=index, config=config):
            limits = {"packets_per_s": config.pir, "burst_packets": config.pburst} if config is not None else {}
            return Description(meter, {"reason": PuntReason(index or 0).name}, "limit", limits)
        case P4MulticastGroupEntry(multicast_group_id=group_id, replicas=replicas):
            return Description("multicast_group", {"group_id": group_id}, "replicate", _replicas(replicas))
        case P4CloneSessionEntry(session_id=session_id, replicas=replicas):
            return Description("clone_session", {"session_id": session_id}, "replicate", _replicas(replicas))


def key_text(description: Description, names: Names) -> str:
    """The key in one line: ``vlan_id=10 dst_mac=02:00:00:00:00:01``."""
    return " ".join(f"{name}={names.show(name, value)}" for name, value in description.key.items()) or "default action"


def action_text(description: Description, names: Names) -> str:
    """Action and arguments in one line: ``to_vnic(vnic_id=vm1)``."""
    args = ", ".join(f"{name}={names.show(name, value)}" for name, value in description.args.items())
    return f"{description.action}({args})"


def _key(table: P4Table, match: Match) -> dict[str, int | str]:
    """Every field, in the table's order. One that matches anything is not there in a match (P4Runtime 9.1.1)."""
    return {
        field.alias: _plain(field.alias, match[field.alias]) if field.alias in match else _ANYTHING[field.bitwidth]
        for field in table.match_fields
    }


def _argument(table: P4Table, action: Action, name: str) -> int | str:
    value = action.args[name]
    address = _ADDRESSES.get(table.actions[action.name].params[name].bitwidth)
    if address is not None and isinstance(value, int):
        value = address(value)
    return _plain(name, value)


def _plain(name: str, value: Any) -> int | str:
    if name in _ENUMS:
        return _ENUMS[name](value).name if value in set(_ENUMS[name]) else int(value)
    if name == "ether_type":
        return f"{value:#06x}"
    return value if isinstance(value, int) else str(value)


def _replicas(replicas: Sequence[P4Replica | tuple[int, int] | int]) -> dict[str, Value]:
    """In the order of their ports. As we write them they are plain numbers, as they are read they are objects."""
    pairs = [(item.port, item.instance) if isinstance(item, P4Replica) else item for item in replicas]
    pairs = [(item, UPLINK_COPY) if isinstance(item, int) else item for item in pairs]
    return {"replicas": tuple(Replica(port, instance) for port, instance in sorted(pairs))}
