# SPDX-License-Identifier: Apache-2.0
"""What a demo says, and the commands it shows being run."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[1]
ADDRESS = "127.0.0.1:9559"

console = Console(highlight=False)


def say(what: str) -> None:
    """A headline."""
    console.print(Rule(f"[bold]{what}", align="left", style="cyan"))


def show(text: str) -> None:
    """What something printed."""
    console.print(text.rstrip(), style="dim", markup=False)


def headgate(config: Path, *command: str) -> None:
    """Run `headgate` on the demo's device before everybody's eyes. Raises: CalledProcessError."""
    arguments = ["-c", str(config), "--device", ADDRESS]
    shown = config.relative_to(ROOT) if config.is_relative_to(ROOT) else config.name
    console.print(f"$ headgate {' '.join(command)} -c {shown} --device {ADDRESS}", style="green")
    sys.stdout.flush()
    subprocess.run([f"{BIN}/headgate", *command, *arguments], check=True)


def compile_program(name: str) -> None:
    """Have the program's machine code ready, which takes seconds the first time: a controller has less patience. Where
    there is no compiler, softnic does without."""
    program = f"p4src/compiled/{name}.json"
    console.print(f"$ softnic compile {program}", style="green")
    subprocess.run([f"{BIN}/softnic", "compile", ROOT / program], check=False, capture_output=True)


def start_softnic(ports: dict[int, str], stack: ExitStack) -> None:
    """softnic on the lab's interfaces, until `stack` closes. `ports` are port numbers and their interfaces."""
    options = [f"--port={port}=eth:{interface}" for port, interface in ports.items()]
    softnic = stack.enter_context(
        subprocess.Popen(
            [f"{BIN}/softnic", "run", *options, f"--grpc-addr={ADDRESS}"], stdout=subprocess.PIPE, text=True
        )
    )
    stack.callback(softnic.terminate)
    assert softnic.stdout
    show(softnic.stdout.readline())
