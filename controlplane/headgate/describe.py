# SPDX-License-Identifier: Apache-2.0
"""Entities in words: which table, which key, what it does, with addresses as addresses and ids by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from finsy import (
    Action,
    MACAddress,
    Match,
    P4CloneSessionEntry,
    P4DigestEntry,
    P4IndirectAction,
    P4MeterEntry,
    P4MulticastGroupEntry,
    P4Schema,
    P4TableEntry,
)
from finsy.p4entity import P4Replica
from finsy.p4schema import P4ActionParam, P4MatchField, P4MatchType, P4Table

from headgate.names import Names
from headgate.systems import Entity
from headgate.vocabulary import (
    UPLINK_COPY,
    Consulted,
    DropReason,
    Protocol,
    PuntReason,
    RingType,
    TagType,
    Transmit,
    TunnelType,
)

_ENUMS: dict[str, type[IntEnum]] = {
    "ring_type": RingType,
    "tag_type": TagType,
    "transmit": Transmit,
    "tunnel_type": TunnelType,
    "protocol": Protocol,
    "reason": DropReason,
}
ANYTHING = "*"
_ANY_PREFIX = {32: "0.0.0.0/0", 128: "::/0"}
_MAC_BITS = 48


@dataclass(frozen=True, slots=True)
class Replica:
    """A copy of a frame: where it goes, and for which VNIC (`UPLINK_COPY`: for none of them)."""

    port: int
    vnic_id: int


@dataclass(frozen=True, slots=True)
class Member:
    """A next hop of a group, and its share."""

    next_hop_id: int
    weight: int


Value = int | str | tuple[Replica, ...] | tuple[Member, ...]
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


def describe(entity: Entity, schema: P4Schema) -> Description:
    """Take `entity` apart; `schema` is of the program it belongs to."""
    match entity:
        case P4TableEntry():
            table = schema.tables[entity.table_id]
            key = {} if entity.is_default_action else _key(table, entity.match or Match())
            match entity.action:
                case P4IndirectAction(action_set=members):
                    return Description(entity.table_id, key, "share", {"members": _members(members or ())})
                case Action() as action:
                    args = _arguments(table, action)
                    return Description(entity.table_id, key, action.name.rpartition(".")[2], args)
                case _:
                    return Description(entity.table_id, key, "", {})
        case P4MeterEntry(meter_id=meter, index=index, config=config):
            limits = {"packets_per_s": config.pir, "burst_packets": config.pburst} if config is not None else {}
            return Description(meter, _row(meter, index or 0), "limit", limits)
        case P4DigestEntry(digest_id=digest):
            parcels = {
                "max_list_size": entity.max_list_size,
                "max_timeout_ns": entity.max_timeout_ns,
                "ack_timeout_ns": entity.ack_timeout_ns,
            }
            return Description("digest", {"digest": digest}, "report", parcels)
        case P4MulticastGroupEntry(multicast_group_id=group_id, replicas=replicas):
            return Description("multicast_group", {"group_id": group_id}, "replicate", _replicas(replicas))
        case P4CloneSessionEntry(session_id=session_id, replicas=replicas):
            return Description("clone_session", {"session_id": session_id}, "replicate", _replicas(replicas))


def key_text(description: Description, names: Names) -> str:
    """The key in one line: ``vlan_id=10 dst_mac=02:00:00:00:00:01``. What may be anything is left out of long keys."""
    said = {name: value for name, value in description.key.items() if value != ANYTHING}
    words = (f"{name}={value_text(name, value, names, description)}" for name, value in said.items())
    return " ".join(words) or ("anything" if description.key else "default action")


def action_text(description: Description, names: Names) -> str:
    """Action and arguments in one line: ``to_vnic(vnic_id=vm1)``."""
    args = (f"{name}={value_text(name, value, names, description)}" for name, value in description.args.items())
    return f"{description.action}({', '.join(args)})"


def value_text(name: str, value: Value, names: Names, description: Description) -> str:
    """A value of the field or parameter `name`, as people call it; a replica as ``vnic@port``, a member as
    ``next hop*weight``."""
    beside = {**description.key, **description.args}
    if isinstance(value, tuple):
        return " ".join(_part_text(part, names) for part in value)
    return names.show(name, value, beside) if isinstance(value, int) else value


def _part_text(part: Replica | Member, names: Names) -> str:
    if isinstance(part, Replica):
        port = names.show("port", part.port, {})
        return port if part.vnic_id == UPLINK_COPY else f"{names.show('vnic_id', part.vnic_id, {})}@{port}"
    hop = names.show("next_hop_id", part.next_hop_id, {})
    return hop if part.weight == 1 else f"{hop}*{part.weight}"


def _key(table: P4Table, match: Match) -> dict[str, int | str]:
    """Every field, in the table's order. One that matches anything is not there in a match (P4Runtime 9.1.1)."""
    return {
        field.alias: _matched(field, match[field.alias]) if field.alias in match else _anything(field)
        for field in table.match_fields
    }


def _anything(field: P4MatchField) -> str:
    """A prefix of a route is always told, if only as the longest there is."""
    return _ANY_PREFIX[field.bitwidth] if field.match_type == P4MatchType.LPM else ANYTHING


def _matched(field: P4MatchField, value: Any) -> int | str:
    match field.match_type, value:
        case P4MatchType.RANGE, (low, high):
            return str(low) if low == high else f"{low}-{high}"
        case P4MatchType.TERNARY, (number, mask) if mask == (1 << field.bitwidth) - 1:
            return _plain(field.alias, number)
        case P4MatchType.TERNARY, (IPv4Address() | IPv6Address() as address, mask):
            return _prefix(address, int(mask))
        case P4MatchType.TERNARY, (number, mask):
            return f"{_plain(field.alias, number)}&{mask:#x}"
        case _:
            return _plain(field.alias, value)


def _prefix(address: IPv4Address | IPv6Address, mask: int) -> str:
    """As a prefix if the mask is one's."""
    ones = mask.bit_count()
    is_prefix = mask == ((1 << ones) - 1) << (address.max_prefixlen - ones)
    return f"{address}/{ones}" if is_prefix else f"{address}&{type(address)(mask)}"


def _arguments(table: P4Table, action: Action) -> dict[str, Value]:
    params = table.actions[action.name].params
    return {name: _argument(params[name], value) for name, value in action.args.items()}


def _argument(param: P4ActionParam, value: Any) -> int | str:
    if param.bitwidth == _MAC_BITS:
        value = MACAddress(value)
    elif param.name == "next_hop" or any(annotation.name == "format" for annotation in param.annotations):
        value = ip_address(int(value))  # of IPv4, where one stands in a field for both
    return _plain(param.name, value)


def _plain(name: str, value: Any) -> int | str:
    if name in _ENUMS:
        return _ENUMS[name](value).name if value in set(_ENUMS[name]) else int(value)
    if name == "firewall_fields":
        return "|".join(str(flag.name) for flag in Consulted(value)) or "NONE"
    if name == "ether_type":
        return f"{value:#06x}"
    return value if isinstance(value, int) else str(value)


def _row(meter: str, index: int) -> dict[str, int | str]:
    match meter:
        case "punt_meter":
            return {"reason": PuntReason(index).name}
        case "learning_meter":
            return {"tenant_id": index}
        case _:
            return {"index": index}


def _members(members: Sequence[tuple[Any, Action]]) -> tuple[Member, ...]:
    """A weight is a number, or one with the port it watches."""
    pairs = (
        (weight if isinstance(weight, int) else weight[0], action.args["next_hop_id"]) for weight, action in members
    )
    return tuple(
        sorted((Member(int(hop), int(weight)) for weight, hop in pairs), key=lambda m: (m.next_hop_id, m.weight))
    )


def _replicas(replicas: Sequence[P4Replica | tuple[int, int] | int]) -> dict[str, Value]:
    """In the order of their ports. As we write them they are plain numbers, as they are read they are objects."""
    pairs = [(item.port, item.instance) if isinstance(item, P4Replica) else item for item in replicas]
    pairs = [(item, UPLINK_COPY) if isinstance(item, int) else item for item in pairs]
    return {"replicas": tuple(Replica(port, instance) for port, instance in sorted(pairs))}
