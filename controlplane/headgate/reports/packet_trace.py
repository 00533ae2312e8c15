# SPDX-License-Identifier: Apache-2.0
"""What a gateway would do with a packet: the packet is run through a copy of the device, which does not notice."""

from __future__ import annotations

from dataclasses import dataclass

from headgate.vocabulary import CACHE_OUTCOMES_PER_TENANT, CPU_PORT, CacheOutcome, DropReason
from softnic.inputs import parse_program
from softnic.offline import offline_engine
from softnic.reference import explain, render
from softnic.reference.explain import Trace
from softnic.reference.trace import CounterIncremented, DigestSent, Dropped, Sent, TableApplied
from softnic.snapshot import take_snapshot


@dataclass(frozen=True, slots=True)
class Output:
    """A packet that comes out; the CPU port's is for the controller."""

    port: int
    data: bytes


@dataclass(frozen=True, slots=True)
class PacketTrace:
    """What happened to one packet.

    Attributes:
        cache: What the flow cache said; None where it was not asked.
        drop_reason: None where the packet was not dropped.
        outputs: What comes out.
        steps: Tables with their keys, entries and actions, in order, as lines of text.
    """

    cache: CacheOutcome | None
    drop_reason: DropReason | None
    outputs: tuple[Output, ...]
    steps: tuple[str, ...]


def trace_packet(address: str, device_id: int, port: int, packet: bytes) -> PacketTrace:
    """Read program and entries of a device, and run a packet through a copy of it.

    Raises: softnic.snapshot.SnapshotError, softnic.inputs.InputError.
    """
    snapshot = take_snapshot(address, device_id)
    program = parse_program(snapshot.program_json, address)
    engine = offline_engine(program, snapshot.p4info, snapshot.updates, cpu_port=CPU_PORT)
    whole = explain(engine, port, packet)
    counted = {_name(event.counter): event.index for event in whole.events if isinstance(event, CounterIncremented)}
    looked_up = counted.get("cache_outcome")
    reason = counted.get("drop_reason")
    told = tuple(event for event in whole.events if _is_step(event))
    return PacketTrace(
        None if looked_up is None else CacheOutcome(looked_up % CACHE_OUTCOMES_PER_TENANT),
        None if reason is None else DropReason(reason),
        tuple(Output(event.port, event.data) for event in whole.events if isinstance(event, Sent)),
        tuple(render(Trace(port, packet, told))[1:]),
    )


def _is_step(event: object) -> bool:
    """Whether it is told: statements outside of tables are a matter for ``softnic explain``."""
    if isinstance(event, TableApplied):
        return bool(event.key)
    return isinstance(event, (DigestSent, Dropped, Sent))


def _name(counter: str) -> str:
    return counter.rpartition(".")[2]
