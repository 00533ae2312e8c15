# SPDX-License-Identifier: Apache-2.0
"""softnic as a process of its own, with the program of the control-path measurements."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from finsy.proto import p4i, p4r
from google.protobuf import text_format

COMPILED = Path(__file__).parent / "p4/compiled"
PROGRAM = COMPILED / "control.json"
P4INFO = COMPILED / "control.p4info.txtpb"


class TargetError(Exception):
    """The target did not start. The message has what it printed."""


@dataclass(frozen=True, slots=True)
class Target:
    address: str
    pid: int

    def cpu_s(self) -> float:
        """Processor time it has used, in seconds."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        user, system = after_name[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """The process's resident set, as the kernel counts it."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kilobytes = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        assert kilobytes, "Linux says this of every process"
        return int(kilobytes[1]) * 1024


@contextmanager
def running(*command: str) -> Iterator[Target]:
    """`command`, a Python module with its arguments, which prints ``P4Runtime on HOST:PORT,`` once it serves.

    Raises:
        TargetError: it ended instead.
    """
    arguments = [sys.executable, "-m", *command]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        try:
            assert process.stdout
            printed = process.stdout.readline()
            address = re.search(r"P4Runtime on (\S+),", printed)
            if address is None:
                raise TargetError(f"{' '.join(command)}: {printed.strip() or 'ended without a word'}")
            yield Target(address[1], process.pid)
        finally:
            process.terminate()


def softnic() -> list[str]:
    """The command of an ordinary `softnic run`."""
    return ["softnic", "run", str(PROGRAM), "--p4info", str(P4INFO), "--grpc-addr", "127.0.0.1:0"]


class Inserts:
    """INSERTs of the program's tables; all different, in canonical form."""

    def __init__(self) -> None:
        p4info = text_format.Parse(P4INFO.read_text(), p4i.P4Info())
        self.tables = {table.preamble.alias: table.preamble.id for table in p4info.tables}
        self._actions = {action.preamble.alias: action.preamble.id for action in p4info.actions}

    def host(self, number: int) -> p4r.Update:
        """An exact key of 16 bytes, an action with two arguments."""
        update = p4r.Update(type=p4r.Update.INSERT)
        entry = update.entity.table_entry
        entry.table_id = self.tables["hosts"]
        match = entry.match.add(field_id=1)
        match.exact.value = (0x2001 << 112 | number).to_bytes(16)
        call = entry.action.action
        call.action_id = self._actions["forward"]
        call.params.add(param_id=1, value=bytes([1 + number % 8]))
        call.params.add(param_id=2, value=(0x02 << 40 | number).to_bytes(6))
        return update

    def rule(self, number: int) -> p4r.Update:
        """Two masked addresses and a protocol, each rule with a priority of its own."""
        update = p4r.Update(type=p4r.Update.INSERT)
        entry = update.entity.table_entry
        entry.table_id = self.tables["acl"]
        entry.priority = 1 + number
        for field_id in (1, 2):
            match = entry.match.add(field_id=field_id)
            match.ternary.value = (0x2001 << 112 | number << 8).to_bytes(16)
            match.ternary.mask = b"\xff" * 15 + b"\0"
        match = entry.match.add(field_id=3)
        match.ternary.value, match.ternary.mask = b"\x06", b"\xff"
        entry.action.action.action_id = self._actions["drop"]
        return update
