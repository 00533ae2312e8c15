# SPDX-License-Identifier: Apache-2.0
"""Peers as processes: started, watched, ended."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_POLL_S = 0.05
_END_S = 10.0


class PeerError(Exception):
    """A peer that could not be started or asked. The message has the end of what it printed."""


@contextmanager
def running(
    command: Sequence[str], log: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """`command`, its output in `log`, its stdin a pipe; ended by SIGTERM, and by SIGKILL if that does not help."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=env)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()


def run(command: Sequence[str], env: Mapping[str, str] | None = None, stdin: str = "") -> str:
    """What `command` prints. Raises: PeerError."""
    done = subprocess.run(command, capture_output=True, text=True, env=env, input=stdin, check=False)
    if done.returncode:
        raise PeerError(f"{command[0]}: exit {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def wait_for(get: Callable[[], T | None], what: str, process: subprocess.Popen[bytes], log: Path, seconds: float) -> T:
    """What `get` finds, once it finds something. Raises: PeerError when `process` ends or `seconds` pass first."""
    deadline = time.monotonic() + seconds
    while not (found := get()):
        if process.poll() is not None or time.monotonic() > deadline:
            reason = "it ended" if process.poll() is not None else f"not within {seconds:.0f} s"
            raise PeerError(f"{what}: {reason}: {log.read_text(errors='replace').strip()[-500:]}")
        time.sleep(_POLL_S)
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
