# SPDX-License-Identifier: Apache-2.0
"""``softnic explain``: what the program does to one packet, step by step, with the lines of the P4."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Annotated

import typer

from ..inputs import InputError, parse_program, read_p4info, read_program, read_writes
from ..offline import offline_engine
from ..pcap import PcapError, read_pcap
from ..reference import ReferenceEngine, explain, render, to_json
from ..snapshot import take_snapshot
from .console import bad_input_exits
from .options import AsJson, CpuPort, Entries, P4InfoPath


def explain_command(
    port: Annotated[int, typer.Option(min=0, max=510, help="where the packet comes in")],
    program: Annotated[Path | None, typer.Argument(metavar="PROGRAM.json", help="what p4c-bm2-ss wrote")] = None,
    packet: Annotated[str | None, typer.Option(metavar="HEX", help="the packet, from its Ethernet header on")] = None,
    pcap: Annotated[Path | None, typer.Option(metavar="FILE", help="take the packet from a capture")] = None,
    index: Annotated[int, typer.Option(min=0, help="which packet of the capture, from 0")] = 0,
    p4info: P4InfoPath = None,
    entries: Entries = None,
    device: Annotated[
        str | None,
        typer.Option("--from", metavar="HOST:PORT", help="take program and entries from this P4Runtime device"),
    ] = None,
    device_id: Annotated[int, typer.Option(min=1, help="P4Runtime device id of --from")] = 1,
    cpu_port: CpuPort = 510,
    as_json: AsJson = False,
) -> None:
    """Explain one packet: every parser state, table, action, rewrite and output.

    With --from, program and entries are read from a running device (softnic or BMv2) and the packet goes through a copy
    of it: the device does not notice.

    \b
    softnic explain nic.json --p4info nic.p4info.txtpb --entries vnics.txtpb --port 1 --pcap in.pcap --index 3
    softnic explain --from 127.0.0.1:9559 --port 0 --packet 'ffffffffffff 020000000001 0806'
    """
    with bad_input_exits():
        data = the_packet(packet, pcap, index)
        if device:
            if program or p4info or entries:
                raise InputError(
                    "--from reads program and entries from the device; leave out PROGRAM.json and its files"
                )
            engine = copy_of_device(device, device_id, cpu_port)
        elif program:
            engine = offline_engine(
                read_program(program),
                read_p4info(p4info) if p4info else None,
                read_writes(entries).updates if entries else (),
                cpu_port=cpu_port,
            )
        else:
            raise InputError("nothing to explain the packet with: name PROGRAM.json, or a device with --from")
    trace = explain(engine, port, data)
    if as_json:
        typer.echo(json.dumps(to_json(trace), indent=2))
    else:
        typer.echo("\n".join(render(trace)))


def the_packet(packet: str | None, pcap: Path | None, index: int) -> bytes:
    """The bytes of ``--packet``, or of record `index` of ``--pcap``. Raises: InputError, PcapError, OSError."""
    match packet, pcap:
        case str(), None:
            return from_hex(packet)
        case None, Path():
            return from_pcap(pcap, index)
    raise InputError("name the packet, either with --packet HEX or with --pcap FILE")


def from_hex(digits: str) -> bytes:
    """Spaces and colons between bytes are welcome. Raises: InputError."""
    try:
        return bytes.fromhex(digits.replace(":", " "))
    except ValueError as error:
        raise InputError(f"--packet: {digits!r} is not a row of bytes, two hexadecimal digits each") from error


def from_pcap(pcap: Path, index: int) -> bytes:
    """Raises: InputError (no such packet), PcapError, OSError."""
    with pcap.open("rb") as stream:
        try:
            record = next(itertools.islice(read_pcap(stream), index, None), None)
        except PcapError as error:
            raise PcapError(f"{pcap}: {error}") from error
    if record is None:
        raise InputError(f"{pcap}: there is no packet {index}; the first is 0")
    return record.data


def copy_of_device(address: str, device_id: int, cpu_port: int) -> ReferenceEngine:
    """Raises: SnapshotError; InputError (the device runs or holds what this target can't)."""
    snapshot = take_snapshot(address, device_id)
    for kind in snapshot.unread:
        typer.echo(f"softnic: {address} lets nobody read its {kind}; the packet is explained without them", err=True)
    program = parse_program(snapshot.program_json, address)
    return offline_engine(program, snapshot.p4info, snapshot.updates, cpu_port=cpu_port)
