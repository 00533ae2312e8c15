# SPDX-License-Identifier: Apache-2.0
"""``softnic replay``: captures through a program, without ports and without time."""

from __future__ import annotations

import json
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Annotated

import typer

from ..engines import EngineName, engine_factory
from ..inputs import read_p4info, read_program, read_writes
from ..offline import write_updates
from ..ports import PortError, split_number, split_pcaps
from ..replay import Captures, ReplayClock, ReplayResult, replay
from .console import bad_input_exits, print_counts, stdout
from .options import AsJson, CpuPort, Entries, Executor, P4InfoPath


def replay_command(
    program: Annotated[Path, typer.Argument(metavar="PROGRAM.json", help="what p4c-bm2-ss wrote")],
    port: Annotated[list[str], typer.Option(metavar="N=IN,OUT", help="the pcaps of a port; either may be left empty")],
    p4info: P4InfoPath = None,
    entries: Entries = None,
    cpu_port: CpuPort = 510,
    engine: Executor = EngineName.REFERENCE,
    as_json: AsJson = False,
) -> None:
    """Send captures through a program offline, in the order of their timestamps, and write what comes out.

    \b
    softnic replay nic.json --port 0=in.pcap, --port 1=,out.pcap
    softnic replay nic.json --p4info nic.p4info.txtpb --entries vnics.txtpb --port 0=in.pcap,out.pcap --json
    """
    with bad_input_exits():
        captures = parse_captures(port)
        clock = ReplayClock()
        loaded = read_program(program)
        executor = engine_factory(engine)(loaded, cpu_port=cpu_port, clock_ns=clock)
        write_updates(
            executor,
            loaded,
            read_p4info(p4info) if p4info else None,
            read_writes(entries).updates if entries else (),
        )
        result = replay(executor, clock, captures)
    if as_json:
        typer.echo(json.dumps(asdict(result), indent=2))
    else:
        print_result(result)


def parse_captures(specs: list[str]) -> dict[int, Captures]:
    """``N=IN,OUT`` of every port. Raises: PortError."""
    captures: dict[int, Captures] = {}
    for spec in specs:
        number, where = split_number(spec, "NUMBER=IN,OUT")
        if number in captures:
            raise PortError(f"port {number} is there twice; write its input and its output in one --port")
        captures[number] = Captures(*split_pcaps(where))
    return captures


def print_result(result: ReplayResult) -> None:
    rows = [(number, *astuple(counts)) for number, counts in sorted(result.ports.items())]
    print_counts("packets by port", ["port", "received", "cut short", "sent"], rows)
    stdout.print(f"digests: {result.digests}")
