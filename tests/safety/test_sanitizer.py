# SPDX-License-Identifier: Apache-2.0
"""The sanitizers see what they are there for: a program with one mistake in it does not get away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from diff.scenario import Burst
from safety.frames import exact_frames
from safety.sanitizer import SANITIZED, SanitizerError, missing, run_python, spare_children
from softnic.frontend import load_program
from softnic.native.source import source_of

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

ROUTER = Path(__file__).parents[1] / "p4" / "compiled" / "router.json"
FRAME = b"\x01" * 13

TAKE = "const uint8_t *bytes = snic_take(c, 14);"
MISTAKES = {
    "a header is believed to be there": ("const uint8_t *bytes = c->p;", "heap-buffer-overflow"),
    "a byte in front of a frame's room is read": ("const uint8_t *bytes = c->p - 513;", "heap-buffer-overflow"),
    "an addition overflows": (f"volatile int sum = INT32_MAX; sum += c->p[0]; {TAKE}", "signed integer overflow"),
    "a shift goes too far": (f"p->scalars.tmp = (uint8_t)(1 << (c->p[0] + 31)); {TAKE}", "shift exponent"),
}


def feed(line: str) -> None:
    """Run the router, with `line` in place of its first extraction. To be called where the sanitizer is loaded."""
    spare_children()
    program = load_program(ROUTER)
    source = source_of(program)
    assert TAKE in source.text
    executor = exact_frames(replace(source, text=source.text.replace(TAKE, line)), SANITIZED)(program)
    print(executor.do(Burst(((0, FRAME),))))


def run(line: str) -> str:
    """What a process that does so prints."""
    return run_python("-c", f"from safety.test_sanitizer import feed; feed({line!r})", timeout_s=100)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_the_process_with_its_name(mistake: str) -> None:
    line, name = MISTAKES[mistake]
    with pytest.raises(SanitizerError, match=name):
        run(line)


def test_without_a_mistake_the_process_ends_well() -> None:
    assert "Seen" in run(TAKE)
