#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the packet tests on one target, program by program: starts it, hands the tests to PTF's own runner, stops it.

Exit status: 0 all passed, 1 some did not, 77 the target is not installed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import grpc

from harness.program import CPU_PORT, Program
from harness.programs import PROGRAMS
from harness.reasons import drop_reasons

HERE = Path(__file__).parent
READY_TIMEOUT_S = 60
STOP_TIMEOUT_S = 10
EXIT_TARGET_MISSING = 77


class TargetError(Exception):
    """The target did not start."""


@dataclass(frozen=True, slots=True)
class Target:
    """How a target is started. `command` takes the nn socket's address, the gRPC address and a scratch directory."""

    executable: str
    hint: str
    arguments: tuple[str, ...]

    def command(self, executable: str, **places: str) -> list[str]:
        return [executable, *(argument.format(**places, cpu=CPU_PORT) for argument in self.arguments)]


SOFTNIC = Target(
    "softnic",
    "install this project: make setup",
    ("run", "--nn", "{nn}", "--grpc-addr", "{grpc}", "--device-id", "1", "--cpu-port", "{cpu}"),
)

TARGETS = {
    "softnic": SOFTNIC,
    "softnic-reference": replace(SOFTNIC, arguments=(*SOFTNIC.arguments, "--engine", "reference")),
    "bmv2": Target(
        "simple_switch_grpc",
        "see README, 'On BMv2 instead'",
        (
            *("--no-p4", "--device-id", "1", "--packet-in", "{nn}", "--log-level", "warn"),
            *("--notifications-addr", "ipc://{scratch}/notifications.ipc", "--thrift-port", "{thrift_port}"),
            *("--", "--grpc-server-addr", "{grpc}", "--cpu-port", "{cpu}"),
        ),
    ),
}


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # by way of every `finally`
    arguments = parse_arguments()
    target = TARGETS[arguments.target]
    executable = shutil.which(target.executable) or shutil.which(target.executable, path=Path(sys.executable).parent)
    if executable is None:
        print(f"{target.executable} is not on the PATH: {target.hint}. No packet test was run on {arguments.target}.")
        return EXIT_TARGET_MISSING

    programs = [PROGRAMS[name] for name in arguments.programs]
    started: list[subprocess.Popen[str]] = []

    def tested(program: Program) -> Result:
        return test(target, executable, program, arguments.tests, started)

    with ThreadPoolExecutor(len(programs)) as pool:  # each has a device and a PTF process of its own
        try:
            results = list(pool.map(tested, programs))
        except BaseException:  # our own output is gone, or Ctrl-C: PTF's threads would outlive it
            for process in started:
                process.kill()
            raise
    return conclude(arguments.target, results)


def test(
    target: Target, executable: str, program: Program, tests: Sequence[str], started: list[subprocess.Popen[str]]
) -> Result:
    """The tests of one program, on a target that is started for it; the process that runs them is put to `started`."""
    with tempfile.TemporaryDirectory(prefix="ptf-") as scratch:
        nn = f"ipc://{scratch}/packets.ipc"
        grpc_addr = f"127.0.0.1:{free_port()}"
        command = target.command(executable, nn=nn, grpc=grpc_addr, scratch=scratch, thrift_port=str(free_port()))
        reached = Path(scratch, "reached")
        reached.touch()
        try:
            with running(command, grpc_addr, Path(scratch, "target.log")):
                result = run_ptf(program, tests, nn, grpc_addr, reached, scratch, started)
        except TargetError as error:
            print(error)
            return Result(status=1)
        unreached = set() if tests else drop_reasons(program.name) - set(reached.read_text().split())
        if unreached:
            print(f"{program.name}: no test has a packet dropped for: {', '.join(sorted(unreached))}")
            return replace(result, status=1)
        return result


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", choices=TARGETS, default="softnic")
    parser.add_argument("--program", choices=PROGRAMS, action="append", dest="programs", help="default: all")
    parser.add_argument("tests", nargs="*", help="file, file.test or file.test[case] of the program; default: all")
    arguments = parser.parse_args()
    arguments.programs = arguments.programs or list(PROGRAMS)
    return arguments


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


# ---- the target's life -----------------------------------------------------------------------------------------------


@contextmanager
def running(command: Sequence[str], grpc_addr: str, log: Path) -> Iterator[None]:
    """The target, from when it answers to the end of the block. Raises: TargetError."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        await_ready(process, grpc_addr, log)
        yield
        if (status := process.poll()) is not None:
            raise TargetError(f"{command[0]} died during the tests (status {status}):\n{log.read_text()}")
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_ready(process: subprocess.Popen[bytes], grpc_addr: str, log: Path) -> None:
    """Connects until the target answers. Raises: TargetError (it died, or took too long)."""
    with grpc.insecure_channel(grpc_addr) as channel:
        connected = grpc.channel_ready_future(channel)
        for _ in range(READY_TIMEOUT_S):
            if process.poll() is not None:
                raise TargetError(f"the target ended with status {process.returncode}:\n{log.read_text()}")
            try:
                return connected.result(timeout=1)
            except grpc.FutureTimeoutError:
                continue
    raise TargetError(f"the target did not answer on {grpc_addr} within {READY_TIMEOUT_S} s:\n{log.read_text()}")


# ---- PTF -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    status: int
    ran: int = 0
    failed: int = 0
    skipped: int = 0


def run_ptf(
    program: Program,
    tests: Sequence[str],
    nn: str,
    grpc_addr: str,
    reached: Path,
    scratch: str,
    started: list[subprocess.Popen[str]],
) -> Result:
    """PTF's output goes on to ours as it comes; what unittest says last is read from it."""
    ports = ",".join(str(port) for port in program.ports)
    command = [
        *(sys.executable, str(Path(sys.executable).parent / "ptf"), "--test-dir", str(HERE / program.name)),
        *("--platform", "nn", "--device-socket", f"0-{{{ports}}}@{nn}", "--qlen", "4096"),
        *("--log-file", f"{scratch}/ptf.log", "--debug", "warning"),
        *("--test-params", f"grpc_addr={grpc_addr!r}; reached={str(reached)!r}"),
        *tests,
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.getenv("PYTHONPATH")])])}
    ran = failed = skipped = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        started.append(process)
        for line in process.stdout or ():
            print(f"{program.name}: {line}", end="", flush=True)
            if match := re.match(r"Ran (\d+) tests?", line):
                ran = int(match[1])
            elif re.match(r"(OK|FAILED)\b", line):
                counts = {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", line)}
                failed = counts.get("failures", 0) + counts.get("errors", 0)
                skipped = counts.get("skipped", 0)
    return Result(process.returncode, ran, failed, skipped)


def conclude(target: str, results: Sequence[Result]) -> int:
    ran, failed, skipped = (sum(getattr(result, name) for result in results) for name in ("ran", "failed", "skipped"))
    print(f"{target}: {ran - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if any(result.status or not result.ran for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
