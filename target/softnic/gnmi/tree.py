# SPDX-License-Identifier: Apache-2.0
"""The ports as leaves of OpenConfig's interfaces: openconfig-interfaces, and the port number of openconfig-p4rt."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from finsy.proto import gnmi

from softnic.ports.port import PortStats
from softnic.switch import PortState

from .errors import invalid, not_found, unimplemented
from .paths import Element, Path, describe, selects

Value = bool | int | str
Leaves = Mapping[Path, Value]

MODELS = {"openconfig-interfaces": "3.0.0", "openconfig-p4rt": "1.0.0"}
"""What the leaves are defined by, and in which version."""

ENCODINGS = (gnmi.Encoding.PROTO, gnmi.Encoding.JSON_IETF, gnmi.Encoding.JSON)

_COUNTERS = Element("counters")
_UP_DOWN = {True: "UP", False: "DOWN"}


def leaves(ports: Iterable[PortState]) -> Leaves:
    """All leaves of all ports, by their paths."""
    return {interface(port.name) + _path(name): value for port in ports for name, value in _values(port).items()}


def interface(name: str) -> Path:
    return (Element("interfaces"), Element("interface", (("name", name),)))


def _path(name: str) -> Path:
    return tuple(map(Element, name.split("/")))


def _values(port: PortState) -> Mapping[str, Value]:
    """`id` is the number by which P4Runtime knows the port, and so, for clients without openconfig-p4rt, is ifindex."""
    stats = port.stats
    return {
        "name": port.name,
        "config/name": port.name,
        "config/enabled": port.is_enabled,
        "config/id": port.number,
        "state/name": port.name,
        "state/enabled": port.is_enabled,
        "state/id": port.number,
        "state/ifindex": port.number,
        "state/admin-status": _UP_DOWN[port.is_enabled],
        "state/oper-status": _UP_DOWN[port.is_up],
        "state/counters/in-pkts": stats.rx_packets,
        "state/counters/in-octets": stats.rx_bytes,
        "state/counters/in-discards": stats.rx_dropped,
        "state/counters/out-pkts": stats.tx_packets,
        "state/counters/out-octets": stats.tx_bytes,
        "state/counters/out-discards": stats.tx_dropped,
    }


ENABLED = _path("config/enabled")
"""The one leaf that can be set, below its interface."""


def is_config(path: Path) -> bool:
    return Element("config") in path


def is_state(path: Path) -> bool:
    return Element("state") in path


def is_counter(path: Path) -> bool:
    return _COUNTERS in path


def select(tree: Leaves, pattern: Path) -> Leaves:
    """The leaves that `pattern` selects; none if there is no port to have them.

    Raises:
        GnmiError: NOT_FOUND for a port that is not there, or a path that no port has.
    """
    selected = {path: value for path, value in tree.items() if selects(pattern, path)}
    if not selected and not _could_select(pattern):
        raise not_found(f"{describe(pattern)} is not here; {describe(interface('*'))} lists what is")
    return selected


def _could_select(pattern: Path) -> bool:
    """Whether `pattern` names no port, and something that each port has."""
    return any(selects(pattern, path) for path in _ANY_PORT)


_ANY_PORT = leaves([PortState(0, "*", True, True, PortStats())])


# ---- values ---------------------------------------------------------------------------------------------------------


def encode_value(path: Path, value: Value, encoding: gnmi.Encoding.ValueType) -> gnmi.TypedValue:
    """Raises: UNIMPLEMENTED for an encoding that is not one of `ENCODINGS`."""
    match encoding:
        case gnmi.Encoding.PROTO:
            return _typed(value)
        case gnmi.Encoding.JSON:
            return gnmi.TypedValue(json_val=json.dumps(value).encode())
        case gnmi.Encoding.JSON_IETF:
            # Counters are the leaves of 64 bits, and those are strings (RFC 7951, 6.1).
            return gnmi.TypedValue(json_ietf_val=json.dumps(str(value) if is_counter(path) else value).encode())
        case _:
            raise unimplemented(f"encoding {encoding} is not supported; use PROTO, JSON_IETF or JSON")


def _typed(value: Value) -> gnmi.TypedValue:
    match value:
        case bool():
            return gnmi.TypedValue(bool_val=value)
        case int():
            return gnmi.TypedValue(uint_val=value)
        case str():
            return gnmi.TypedValue(string_val=value)


def decode_bool(value: gnmi.TypedValue) -> bool:
    """Raises: INVALID_ARGUMENT."""
    match value.WhichOneof("value"):
        case "bool_val":
            return value.bool_val
        case "json_val" if value.json_val in (b"true", b"false"):
            return value.json_val == b"true"
        case "json_ietf_val" if value.json_ietf_val in (b"true", b"false"):
            return value.json_ietf_val == b"true"
        case kind:
            raise invalid(f"value is not a boolean but {kind or 'unset'}")
