# SPDX-License-Identifier: Apache-2.0
"""Ports as the command line writes them: ``0=eth:veth0``, ``1=pcap:in.pcap,out.pcap``, ``2=tap:tap0``."""

from __future__ import annotations

from pathlib import Path

from .ethernet import EthernetPort
from .pcap import PcapPort
from .port import MAX_PORT_NUMBER, Port, PortError
from .tap import TapPort

MAX_INTERFACE_NAME_BYTES = 15


def open_port(spec: str) -> Port:
    """Open the port that ``NUMBER=KIND:WHERE`` describes.

    Raises:
        PortError: the text is not such a description, or the port can't be opened.
    """
    number, attachment = split_number(spec)
    kind, colon, where = attachment.partition(":")
    if not colon or not where:
        raise _malformed(spec)
    match kind:
        case "eth":
            return EthernetPort(number, _interface(spec, where))
        case "tap":
            return TapPort(number, _interface(spec, where))
        case "pcap":
            return PcapPort(number, *split_pcaps(where))
    raise PortError(f"port {spec!r}: {kind!r} is no kind of port; there are eth, tap and pcap")


def split_number(spec: str) -> tuple[int, str]:
    """``3=rest`` as (3, "rest"). Raises: PortError."""
    number, equals, rest = spec.partition("=")
    if not equals or not number.isascii() or not number.isdigit():
        raise _malformed(spec)
    if int(number) > MAX_PORT_NUMBER:
        raise PortError(f"port {spec!r}: numbers go from 0 to {MAX_PORT_NUMBER}")
    return int(number), rest


def split_pcaps(where: str) -> tuple[Path | None, Path | None]:
    """``in.pcap,out.pcap`` as paths; either may be left empty. Raises: PortError (the same file twice)."""
    in_path, _, out_path = where.partition(",")
    if in_path and in_path == out_path:
        raise PortError(f"{in_path}: the output would overwrite the input; name another file")
    return Path(in_path) if in_path else None, Path(out_path) if out_path else None


def _interface(spec: str, name: str) -> str:
    if len(name.encode()) > MAX_INTERFACE_NAME_BYTES:
        raise PortError(f"port {spec!r}: an interface's name has at most {MAX_INTERFACE_NAME_BYTES} bytes")
    return name


def _malformed(spec: str) -> PortError:
    return PortError(f"port {spec!r}: write NUMBER=eth:INTERFACE, NUMBER=tap:NAME or NUMBER=pcap:IN,OUT")
