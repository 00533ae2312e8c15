# SPDX-License-Identifier: Apache-2.0
"""``softnic bench``: figures that add up, the same packets out as without a clock, entries in both formats."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from softnic.bench import TableHits, one_pass, timed_run, tsc_hz
from softnic.cli import app
from softnic.engine import ActionCall, Exact, TableEntry
from softnic.frontend import load_program
from softnic.pcap import PcapWriter, read_pcap
from softnic.reference import ReferenceEngine

COMPILED = Path(__file__).parents[1] / "p4/compiled"
PROGRAM = COMPILED / "tables.json"
EXACT_TABLE, ANSWER = "IngressPipe.exact_table", "IngressPipe.answer_counted"
KNOWN, UNKNOWN = (bytes.fromhex(f"00 07 {address} 0000 0000") for address in ("0a000001", "0a000002"))
ANSWERED = bytes.fromhex("00 07 0a000001 0000 1234")
STF = "add exact_table query.address:0x0a000001 small:7 answer_counted(value:0x1234)\npacket 0 00\n"


class Looping(ReferenceEngine):
    """Has a loop of its own, as the native engine does."""

    def bench(self, packets, seconds, workers):
        return SimpleNamespace(packets=300, outputs=200, seconds=seconds, cycles=0)


@pytest.fixture
def engine():
    engine = ReferenceEngine(load_program(PROGRAM))
    entry = TableEntry((Exact(0x0A000001), Exact(7)), ActionCall(ANSWER, (0x1234,)))
    engine.insert(EXACT_TABLE, entry)
    return engine


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "trace.pcap"
    with path.open("wb") as stream:
        writer = PcapWriter(stream)
        for index, packet in enumerate((KNOWN, UNKNOWN, KNOWN)):
            writer.write(index, packet)
    return path


def invoke(*arguments):
    return CliRunner().invoke(app, ["bench", *map(str, arguments)])


def test_a_run_says_how_many_came_in_and_how_many_left(engine):
    run = timed_run(engine, [(0, KNOWN)], seconds=0.01)
    assert run.packets == run.outputs > 0
    assert run.seconds >= 0.01
    assert run.ns_per_packet == pytest.approx(1e3 / run.mpps)


def test_an_engine_with_a_loop_of_its_own_is_run_by_it():
    run = timed_run(Looping(load_program(PROGRAM)), [(0, KNOWN)], seconds=0.5, workers=3)
    assert (run.packets, run.outputs, run.workers) == (300, 200, 3)
    assert run.ns_per_packet == pytest.approx(0.5 * 3 / 300 * 1e9)
    assert run.cycles_per_packet is None


def test_several_workers_are_refused_for_an_engine_in_python(engine):
    with pytest.raises(ValueError, match="one worker"):
        timed_run(engine, [(0, KNOWN)], seconds=0.01, workers=2)


def test_no_packets_are_refused(engine):
    with pytest.raises(ValueError, match="no packets"):
        timed_run(engine, [], seconds=0.01)


def test_one_pass_counts_hits_and_misses_of_the_tables_that_were_applied(engine):
    outputs, hits = one_pass(engine, [(0, KNOWN), (0, UNKNOWN), (0, KNOWN)])
    assert hits[EXACT_TABLE] == TableHits(2, 1)
    assert [output.data for caused in outputs for output in caused].count(ANSWERED) == 2


@pytest.mark.parametrize(
    ("cpuinfo", "hz"),
    [
        ("flags\t\t: fpu constant_tsc\nbogomips\t: 5192.28\n", 2_596_140_000),
        ("flags\t\t: fpu tsc\nbogomips\t: 5192.28\n", None),
        ("BogoMIPS\t: 50.00\nFeatures\t: fp asimd\n", None),
    ],
)
def test_the_counters_rate_is_known_where_it_is_constant(tmp_path, cpuinfo, hz):
    path = tmp_path / "cpuinfo"
    path.write_text(cpuinfo)
    assert tsc_hz(path) == hz


def test_the_counters_rate_is_unknown_without_cpuinfo(tmp_path):
    assert tsc_hz(tmp_path / "absent") is None


def test_the_command_reports_figures_hits_and_outputs(tmp_path, trace):
    entries, out = tmp_path / "entries.stf", tmp_path / "out.pcap"
    entries.write_text(STF)
    result = invoke(
        PROGRAM, "--pcap", trace, "--entries", entries, "--engine", "reference", "--seconds", 0.01, "--runs", 2,
        "--out", out, "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert len(report["runs"]) == 2
    assert report["mpps"] > 0
    assert report["tables"] == {EXACT_TABLE: {"hits": 2, "misses": 1}}
    with out.open("rb") as stream:
        assert [record.data for record in read_pcap(stream)].count(ANSWERED) == 2


def test_the_command_prints_a_table_for_people(trace):
    result = invoke(PROGRAM, "--pcap", trace, "--engine", "reference", "--seconds", 0.01, "--runs", 1)
    assert result.exit_code == 0, result.stderr
    assert "Mpps" in result.stdout
    assert EXACT_TABLE in result.stdout


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [("add no_such_table a:1 drop()", "no_such_table"), ("nonsense", "line 1")],
)
def test_bad_entries_are_one_line_of_error(tmp_path, trace, entries, complaint):
    path = tmp_path / "entries.stf"
    path.write_text(entries)
    result = invoke(PROGRAM, "--pcap", trace, "--entries", path, "--engine", "reference")
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_capture_without_packets_is_refused(tmp_path):
    empty = tmp_path / "empty.pcap"
    with empty.open("wb") as stream:
        PcapWriter(stream)
    result = invoke(PROGRAM, "--pcap", empty, "--engine", "reference")
    assert result.exit_code == 2
    assert "no whole packet" in result.stderr
