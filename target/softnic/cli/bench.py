# SPDX-License-Identifier: Apache-2.0
"""``softnic bench``: how fast a program runs, with packets from memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from finsy.proto import p4i

from .. import ir
from ..bench import Arrival, Run, TableHits, one_pass, timed_run
from ..engine import Engine, Output
from ..engines import EngineName, engine_factory
from ..inputs import InputError, read_p4info, read_program, read_writes
from ..offline import write_updates
from ..pcap import PcapError, PcapWriter, read_pcap
from ..stf import StfError, parse_stf, run_test
from ..stf.statements import Add, SetDefault
from .console import bad_input_exits, print_counts, stdout
from .options import AsJson, CpuPort, Executor, P4InfoPath


def bench_command(
    program: Annotated[Path, typer.Argument(metavar="PROGRAM.json", help="what p4c-bm2-ss wrote")],
    pcap: Annotated[Path, typer.Option(metavar="FILE", help="the packets")],
    port: Annotated[int, typer.Option(min=0, max=510, help="where they come in")] = 0,
    p4info: P4InfoPath = None,
    entries: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="a P4Runtime WriteRequest, text format; or FILE.stf, its add lines"),
    ] = None,
    engine: Executor = EngineName.NATIVE,
    workers: Annotated[int, typer.Option(min=1, max=16, help="threads that run packets")] = 1,
    seconds: Annotated[float, typer.Option(min=0.01, help="the length of each run")] = 2.0,
    runs: Annotated[int, typer.Option(min=1, help="how many, after a warm-up as long as one")] = 5,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="write what one pass of the packets sends")] = None,
    cpu_port: CpuPort = 510,
    as_json: AsJson = False,
) -> None:
    """Run packets from memory through a program, as fast as it goes; each is copied to a fresh buffer first.

    Without --p4info, PROGRAM.p4info.txtpb beside PROGRAM.json is taken.

    \b
    softnic bench router.json --pcap trace.pcap --entries entries.txtpb
    taskset -c 1 softnic bench router.json --pcap trace.pcap --entries entries.txtpb --out out.pcap --json
    """
    with bad_input_exits():
        packets = read_packets(pcap, port)
        loaded = read_program(program)
        info_path = p4info or beside(program)
        info = read_p4info(info_path) if info_path else None
        measured = engine_factory(engine)(loaded, cpu_port=cpu_port)
        if entries:
            add_entries(measured, loaded, info, entries)
        timed = timed_runs(measured, packets, seconds, runs, workers)
        outputs, hits = one_pass(measured, packets)
        keyed = {table.name: hits[table.name] for table in loaded.tables if table.key and table.name in hits}
        if out:
            write_outputs(outputs, out)
    if as_json:
        typer.echo(json.dumps(to_json(timed, keyed), indent=2))
    else:
        print_result(timed, keyed)


def add_entries(engine: Engine, program: ir.Program, p4info: p4i.P4Info | None, path: Path) -> None:
    """Those of a P4Runtime ``WriteRequest`` in text format, or of ``FILE.stf``. Raises: InputError, OSError."""
    if path.suffix != ".stf":
        write_updates(engine, program, p4info, read_writes(path).updates)
        return
    try:
        filling = [statement for statement in parse_stf(path.read_text()) if isinstance(statement, Add | SetDefault)]
        run_test(program, engine, filling)
    except StfError as error:
        raise InputError(f"{path}: {error}") from error


def beside(program: Path) -> Path | None:
    """The P4Info that p4c was asked to write next to the program, if it is there."""
    path = program.with_suffix(".p4info.txtpb")
    return path if path.exists() else None


def read_packets(path: Path, port: int) -> list[Arrival]:
    """The whole packets of a capture. Raises: InputError (there are none), PcapError, OSError."""
    with path.open("rb") as stream:
        try:
            packets = [(port, record.data) for record in read_pcap(stream) if not record.is_cut]
        except PcapError as error:
            raise PcapError(f"{path}: {error}") from error
    if not packets:
        raise InputError(f"{path}: no whole packet is in it")
    return packets


def timed_runs(engine: Engine, packets: Sequence[Arrival], seconds: float, runs: int, workers: int) -> tuple[Run, ...]:
    """As many as asked, after one that is not counted. Raises: InputError."""
    try:
        timed_run(engine, packets, seconds, workers)
    except ValueError as error:
        raise InputError(str(error)) from error
    return tuple(timed_run(engine, packets, seconds, workers) for _ in range(runs))


def write_outputs(outputs: Sequence[Sequence[Output]], path: Path) -> None:
    """What left, on any port, in order; the timestamp is the number of the packet that caused it."""
    with path.open("wb") as stream:
        writer = PcapWriter(stream)
        for index, caused in enumerate(outputs):
            for output in caused:
                writer.write(index, output.data)


def to_json(runs: Sequence[Run], hits: Mapping[str, TableHits]) -> dict[str, object]:
    return {
        "mpps": median(run.mpps for run in runs),
        "ns_per_packet": median(run.ns_per_packet for run in runs),
        "cycles_per_packet": median_cycles(runs),
        "runs": [asdict(run) for run in runs],
        "tables": {table: asdict(counts) for table, counts in hits.items()},
    }


def print_result(runs: Sequence[Run], hits: Mapping[str, TableHits]) -> None:
    mpps = sorted(run.mpps for run in runs)
    cycles = median_cycles(runs)
    stdout.print(
        f"{median(mpps):.3f} Mpps ({mpps[0]:.3f} to {mpps[-1]:.3f} in {len(mpps)} runs), "
        f"{median(run.ns_per_packet for run in runs):.1f} ns"
        + (f" and {cycles:.0f} cycles" if cycles else "")
        + " for each packet"
    )
    rows = [(table, counts.hits, counts.misses) for table, counts in hits.items()]
    print_counts("one pass of the packets", ["table", "hits", "misses"], rows)


def median_cycles(runs: Sequence[Run]) -> float | None:
    cycles = [run.cycles_per_packet for run in runs if run.cycles_per_packet is not None]
    return median(cycles) if cycles else None
