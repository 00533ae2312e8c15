# SPDX-License-Identifier: Apache-2.0
"""The command line from outside: exit codes, one line of error, and a stop that loses nothing.

- 0: done. 2: bad input; stderr says what and how to mend it.
- SIGTERM and SIGINT stop the target cleanly: files are whole, the socket is free again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pynng
import pytest
from target_process import running
from typer.testing import CliRunner

from softnic.cli import app
from softnic.pcap import PcapWriter, read_pcap
from softnic.ports.nn import MessageType

COMPILED = Path(__file__).parents[1] / "p4/compiled"
PROGRAM = str(COMPILED / "p4runtime.json")
P4INFO = str(COMPILED / "p4runtime.p4info.txtpb")
OTHER_P4INFO = str(COMPILED / "tables.p4info.txtpb")
FRAME = bytes.fromhex("000000000001 020000000001 0800")
PUNTED = bytes.fromhex("000000000001 040000000001 0800")
"""No entry matches it, so it goes to the controller."""
BEYOND_THE_COUNTER = 20
"""A port that `port_counter`, which has 16 cells, has none for."""
ENTRIES = """
updates {
  type: INSERT
  entity {
    table_entry {
      table_id: 45834221 # IngressImpl.lpm_table
      match { field_id: 1 lpm { value: "\\x02\\0\\0\\0\\0\\0" prefix_len: 8 } }
      action { action { action_id: 33244565 params { param_id: 1 value: "\\x03" } } } # forward
    }
  }
}
"""
TIMEOUT_S = 30


@pytest.fixture
def invoke():
    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "in.pcap"
    with path.open("wb") as stream:
        writer = PcapWriter(stream)
        for index in range(3):
            writer.write(index, FRAME + bytes([index]))
    return path


@pytest.fixture
def entries(tmp_path):
    path = tmp_path / "entries.txtpb"
    path.write_text(ENTRIES)
    return path


def frames_in(path: Path) -> list[bytes]:
    with path.open("rb") as stream:
        return [record.data for record in read_pcap(stream)]


# ---- replay ---------------------------------------------------------------------------------------------------------


def test_replay_sends_a_capture_through_the_program_with_its_entries(invoke, capture, entries, tmp_path):
    out = tmp_path / "out.pcap"
    files = ("--p4info", P4INFO, "--entries", entries)
    result = invoke("replay", PROGRAM, *files, "--port", f"0={capture},", "--port", f"3=,{out}", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["ports"] == {
        "0": {"received": 3, "cut": 0, "sent": 0},
        "3": {"received": 0, "cut": 0, "sent": 3},
    }
    assert frames_in(out) == [FRAME + bytes([index]) for index in range(3)]


def test_replay_prints_a_table_for_people(invoke, capture):
    result = invoke("replay", PROGRAM, "--port", f"0={capture},")
    assert result.exit_code == 0
    assert re.search(r"510 +│ +0 +│ +0 +│ +3 ", result.stdout)


# ---- explain --------------------------------------------------------------------------------------------------------


def test_explain_shows_the_entry_that_decided(invoke, entries):
    files = ("--p4info", P4INFO, "--entries", entries)
    result = invoke("explain", PROGRAM, *files, "--port", 0, "--packet", "000000000001 02:00:00:00:00:01 0800")
    assert result.exit_code == 0, result.output
    assert "hit 0x20000000000/8" in result.stdout
    assert "p4runtime.p4:" in result.stdout
    assert result.stdout.splitlines()[-1].strip().startswith("sent on port 3, 14 bytes")


def test_explain_takes_a_packet_of_a_capture_and_prints_json(invoke, capture):
    result = invoke("explain", PROGRAM, "--port", 0, "--pcap", capture, "--index", 2, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["data"] == (FRAME + b"\2").hex()


# ---- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "absent.json"], "absent.json: No such file or directory"),
        (["run", P4INFO], r"\$: this is not JSON"),
        (["run", PROGRAM, "--p4info", PROGRAM], "not a p4.config.v1.P4Info in text format"),
        (["run", PROGRAM, "--p4info", OTHER_P4INFO], "were they compiled together"),
        (["run", PROGRAM, "--p4info", P4INFO, "--entries", P4INFO], "not a p4.v1.WriteRequest in text format"),
        (["run", PROGRAM, "--entries", P4INFO], "--entries needs PROGRAM.json and its --p4info"),
        (["run", "--port", "eth:veth0"], "write NUMBER=eth:INTERFACE"),
        (["run", "--port", "511=eth:veth0"], "numbers go from 0 to 510"),
        (["run", "--port", "0=usb:1"], "there are eth, xdp, tap and pcap"),
        (["run", "--port", "0=eth:a-name-too-long-for-linux"], "at most 15 bytes"),
        (["run", "--engine", "reference", "--port", "0=xdp:lo"], "xdp:lo: needs the native engine"),
        (["run", "--port", "0=pcap:x.pcap,x.pcap"], "would overwrite the input"),
        (["run", "--port", "0=pcap:,{tmp}/a", "--port", "0=pcap:,{tmp}/b"], "port 0 is there already; give each"),
        (["run", "--port", "510=pcap:,{tmp}/a"], "port 510 is the CPU port"),
        (["run", "--nn", "not an address"], "looks like ipc:///"),
        (["run", "--grpc-addr", "192.0.2.1:1"], "192.0.2.1:1: can't listen there"),
        (["run", "--grpc-addr", "127.0.0.1:65536"], "a TCP port is at most 65535"),
        (["run", "--engine", "reference", "--workers", "2"], "the reference engine has one worker"),
        (["run", "--tls-cert", P4INFO], "needs both --tls-cert and --tls-key"),
        (["run", "--tls-cert", P4INFO, "--tls-key", P4INFO], "are not a certificate in PEM and its key"),
        (["replay", PROGRAM, "--port", "in.pcap"], "write NUMBER=IN,OUT$"),
        (["replay", PROGRAM, "--port", "0=absent.pcap,"], "absent.pcap: No such file"),
        (["replay", PROGRAM, "--port", f"0={P4INFO},"], "not a pcap file"),
        (["replay", PROGRAM, "--port", "0=,{tmp}/a", "--port", "0=,{tmp}/b"], "port 0 is there twice"),
        (["explain", PROGRAM, "--port", "0"], "either with --packet HEX or with --pcap FILE"),
        (["explain", PROGRAM, "--port", "0", "--packet", "0g"], "--packet: '0g' is not a row of bytes"),
        (["explain", PROGRAM, "--from", "unix:x", "--port", "0", "--packet", "00"], "leave out PROGRAM.json"),
        (["explain", "router.p4", "--port", "0", "--packet", "00"], "p4c-bm2-ss -o router.json router.p4"),
        (["explain", "--port", "0", "--packet", "00"], "name PROGRAM.json, or a device with --from"),
        (["explain", "--from", "unix:{tmp}/no.sock", "--port", "0", "--packet", "00"], "no.sock: UNAVAILABLE"),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_exit_code_2(invoke, tmp_path, arguments, message):
    with unblocked_signals():
        result = invoke(*(argument.replace("{tmp}", str(tmp_path)) for argument in arguments))
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("softnic: ")
    assert re.search(message, line)


def test_entries_without_p4info_are_refused(invoke, capture, entries):
    result = invoke("replay", PROGRAM, "--entries", entries, "--port", f"0={capture},")
    assert result.exit_code == 2
    assert "give it with --p4info" in result.stderr


def test_an_entry_that_is_refused_is_named(invoke, capture, entries):
    entries.write_text(ENTRIES.replace("prefix_len: 8", "prefix_len: 49"))
    result = invoke("replay", PROGRAM, "--p4info", P4INFO, "--entries", entries, "--port", f"0={capture},")
    assert result.exit_code == 2
    assert re.search(r"updates\[0\]: table IngressImpl.lpm_table: .*49", result.stderr)


def test_a_packet_beyond_the_capture_is_refused(invoke, capture):
    result = invoke("explain", PROGRAM, "--port", 0, "--pcap", capture, "--index", 3)
    assert result.exit_code == 2
    assert "there is no packet 3" in result.stderr


@contextlib.contextmanager
def unblocked_signals() -> Iterator[None]:
    """`run` blocks the signals it waits for, in its process, which here is ours."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ---- a target of its own process ------------------------------------------------------------------------------------


def test_run_says_in_one_line_what_is_where(tmp_path):
    with running(PROGRAM, "--nn", f"ipc://{tmp_path}/nn.ipc", "--port", f"7=pcap:,{tmp_path}/out.pcap") as (_, ready):
        assert re.fullmatch(
            rf"softnic ready: p4runtime.json; P4Runtime on 127.0.0.1:[1-9]\d+, device 1; "
            rf"ports: 7=pcap:,{tmp_path}/out.pcap, all others on ipc://{tmp_path}/nn.ipc\n",
            ready,
        )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_cleanly_with_whole_files_and_the_counts(tmp_path, stop, entries):
    """The frame on port 3 has certainly left, being followed on the nn socket by one that was seen."""
    out, address = tmp_path / "out.pcap", f"ipc://{tmp_path}/nn.ipc"
    files = ("--p4info", P4INFO, "--entries", entries)
    with running(PROGRAM, *files, "--nn", address, "--port", f"3=pcap:,{out}") as (target, _):
        with pynng.Pair0(dial=address, send_timeout=5000, recv_timeout=5000) as ptf:
            ptf.send(nn_frame(BEYOND_THE_COUNTER, PUNTED))
            ptf.send(nn_frame(0, FRAME))
            ptf.send(nn_request(0))
            assert ptf.recv()[:4] == MessageType.INFO_REPLY.to_bytes(4, "little")
        target.send_signal(stop)
        stdout, stderr = target.communicate(timeout=TIMEOUT_S)
    assert (target.returncode, stderr) == (0, "")
    assert frames_in(out) == [FRAME]
    assert re.search(r"│ 3 +│ +0 +│ +0 +│ +0 +│ +1 +│ +14 +│ +0 +│", stdout)
    assert re.search(r"│ packet ins without primary +│ +1 +│", stdout)
    assert re.search(r"│ counter-index-out-of-range +│ +1 +│", stdout)
    pynng.Pair0(listen=address).close()


def test_a_target_that_nobody_listens_to_ends():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "softnic", "run", PROGRAM, "--engine", "reference", "--grpc-addr", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE) as target:
        os.close(writer)
        try:
            assert target.wait(TIMEOUT_S) != 0
        finally:
            target.kill()


def nn_frame(port: int, frame: bytes) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in (MessageType.PACKET_IN, port, len(frame))) + frame


def nn_request(port: int) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in (MessageType.INFO_REQUEST, port, 0))


def test_a_capture_is_replayed_on_real_ports_after_its_entries_are_written(capture, entries, tmp_path):
    """The second reply comes from a later turn of the worker than the first, and each turn serves all ports."""
    out, address = tmp_path / "out.pcap", f"ipc://{tmp_path}/nn.ipc"
    ports = ("--port", f"0=pcap:{capture},", "--port", f"3=pcap:,{out}", "--nn", address)
    with running(PROGRAM, "--p4info", P4INFO, "--entries", entries, *ports) as (target, _):
        with pynng.Pair0(dial=address, send_timeout=5000, recv_timeout=5000) as ptf:
            for _ in range(2):
                ptf.send(nn_request(0))
                ptf.recv()
        target.send_signal(signal.SIGTERM)
        stdout, _ = target.communicate(timeout=TIMEOUT_S)
    assert frames_in(out) == [FRAME + bytes([index]) for index in range(3)], stdout


def test_a_device_is_explained_while_it_runs(invoke, entries):
    with running(PROGRAM, "--p4info", P4INFO, "--entries", entries) as (_, ready):
        address = re.findall(r"127.0.0.1:\d+", ready)[0]
        result = invoke("explain", "--from", address, "--port", 0, "--packet", FRAME.hex())
    assert result.exit_code == 0, result.output
    assert "sent on port 3" in result.stdout
