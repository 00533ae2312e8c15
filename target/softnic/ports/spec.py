# SPDX-License-Identifier: Apache-2.0
"""Ports as the command line writes them: ``0=eth:veth0``, ``1=pcap:in.pcap,out.pcap``, ``2=tap:tap0``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .ethernet import EthernetPort
from .pcap import PcapPort
from .port import MAX_PORT_NUMBER, Port, PortError
from .tap import TapPort

MAX_INTERFACE_NAME_BYTES = 15

_ATTACHMENTS = "NUMBER=eth:INTERFACE, NUMBER=xdp:INTERFACE, NUMBER=tap:NAME or NUMBER=pcap:IN,OUT"

KINDS = ("eth", "xdp", "tap", "pcap")


@dataclass(frozen=True, slots=True)
class PortSpec:
    """A port as the command line asks for it; `where` is an interface's name, or two paths with a comma."""

    number: int
    kind: str
    where: str


def read_port(text: str) -> PortSpec:
    """What ``NUMBER=KIND:WHERE`` asks for.

    Raises:
        PortError: the text is not of that form, or what it asks for can't be.
    """
    number, attachment = split_number(text)
    kind, colon, where = attachment.partition(":")
    if not colon or not where:
        raise _malformed(text, _ATTACHMENTS)
    if kind not in KINDS:
        raise PortError(f"port {text!r}: {kind!r} is no kind of port; there are eth, xdp, tap and pcap")
    if kind != "pcap" and len(where.encode()) > MAX_INTERFACE_NAME_BYTES:
        raise PortError(f"port {text!r}: an interface's name has at most {MAX_INTERFACE_NAME_BYTES} bytes")
    return PortSpec(number, kind, where)


def open_port(spec: PortSpec) -> Port:
    """Open a port that the switch serves itself. Raises: PortError."""
    match spec.kind:
        case "eth":
            return EthernetPort(spec.number, spec.where)
        case "tap":
            return TapPort(spec.number, spec.where)
        case "pcap":
            return PcapPort(spec.number, *split_pcaps(spec.where))
        case _:
            raise PortError(f"port {spec.number}: {spec.kind}:{spec.where}: needs the native engine and a C compiler")


def split_number(spec: str, form: str = _ATTACHMENTS) -> tuple[int, str]:
    """``3=rest`` as (3, "rest"). `form` is what should have been written. Raises: PortError."""
    number, equals, rest = spec.partition("=")
    if not equals or not number.isascii() or not number.isdigit():
        raise _malformed(spec, form)
    if int(number) > MAX_PORT_NUMBER:
        raise PortError(f"port {spec!r}: numbers go from 0 to {MAX_PORT_NUMBER}")
    return int(number), rest


def split_pcaps(where: str) -> tuple[Path | None, Path | None]:
    """``in.pcap,out.pcap`` as paths; either may be left empty. Raises: PortError (the same file twice)."""
    in_path, _, out_path = where.partition(",")
    if in_path and in_path == out_path:
        raise PortError(f"{in_path}: the output would overwrite the input; name another file")
    return Path(in_path) if in_path else None, Path(out_path) if out_path else None


def _malformed(spec: str, form: str) -> PortError:
    return PortError(f"port {spec!r}: write {form}")
