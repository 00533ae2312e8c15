# SPDX-License-Identifier: Apache-2.0
"""A gateway in this process: entries in, packets through, and all that can be seen of them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from finsy import P4Schema
from finsy.proto import p4r

from headgate.device import program as schema_of
from headgate.handlers.gateway.keys import IPV4, IPV6
from headgate.handlers.gateway.samples import FlowSample, sample_widths
from headgate.vocabulary import CPU_PORT, CacheOutcome, DropReason
from softnic import ir
from softnic.engine import Digest, Output
from softnic.frontend import load_program
from softnic.native import NativeEngine
from softnic.native.source import ProgramSource, source_of
from softnic.server import open_pipeline, write_batch

PROGRAM = Path(__file__).parents[2] / "p4src" / "compiled" / "gateway.json"

Frame = tuple[int, bytes]
"""The port it comes in by, and its bytes."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a packet."""

    outputs: tuple[tuple[int, bytes], ...]
    drop_reason: DropReason | None
    """None where something came out."""
    samples: tuple[FlowSample, ...]


@cache
def compiled_program() -> tuple[ir.Program, P4Schema, ProgramSource]:
    """`gateway`, its names, and its C text."""
    program = load_program(PROGRAM)
    return program, schema_of("gateway"), source_of(program)


class Gateway:
    """The native engine with the program `gateway`."""

    def __init__(self) -> None:
        program, schema, source = compiled_program()
        self.now_ns = 1_000_000_000
        """Time stands still unless it is moved on."""
        self._engine = NativeEngine(program, clock_ns=lambda: self.now_ns, cpu_port=CPU_PORT, source=source)
        self._pipeline = open_pipeline(schema.p4info, program, self._engine)
        self._counters = {counter.name.rpartition(".")[2]: counter.name for counter in program.counters}
        self._digests: list[Digest] = []
        self._engine.on_digest = self._digests.append
        self._drops = dict.fromkeys(DropReason, 0)

    def write(self, updates: Iterable[p4r.Update]) -> None:
        """Raises: AssertionError (one was refused)."""
        updates = list(updates)
        for update, error in zip(updates, write_batch(self._pipeline, updates), strict=True):
            assert error is None, f"{error}: {update}"

    def process(self, frame: Frame) -> Seen:
        outputs = self._engine.process(*frame)
        samples = tuple(map(_sample, self._digests))
        self._digests.clear()
        return Seen(tuple(map(_plain, outputs)), None if outputs else self._dropped(), samples)

    def count(self, counter: str, rows: Iterable[int]) -> list[int]:
        """Packets in some rows of an indirect counter."""
        return [self._engine.read_counter(self._counters[counter], row).packets for row in rows]

    def cache_outcomes(self, tenant_ids: Iterable[int]) -> dict[CacheOutcome, int]:
        """Of all these tenants together."""
        rows = {outcome: [8 * tenant_id + outcome for tenant_id in tenant_ids] for outcome in CacheOutcome}
        return {outcome: sum(self.count("cache_outcome", of)) for outcome, of in rows.items()}

    def _dropped(self) -> DropReason:
        """Why the last packet was: the reason whose count has risen. It is looked for next time first."""
        for reason, before in self._drops.items():
            (packets,) = self.count("drop_reason", [reason])
            if packets != before:
                del self._drops[reason]
                self._drops = {reason: packets, **self._drops}
                return reason
        raise AssertionError("a packet is gone for no reason")


def _plain(output: Output) -> tuple[int, bytes]:
    return output.port, output.data


def _sample(digest: Digest) -> FlowSample:
    family = IPV4 if "ipv4" in digest.name else IPV6
    widths: Sequence[int] = sample_widths(family)
    return FlowSample(*(value.to_bytes(width) for value, width in zip(digest.values, widths, strict=True)))
