# SPDX-License-Identifier: Apache-2.0
"""One packet, told step by step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from softnic import ir
from softnic.engine import ActionCall, EntryAction, Exact, GroupRef, KeyMatch, Lpm, MemberRef, Range, Ternary

from . import trace as events
from .engine import ReferenceEngine
from .machine import Machine
from .trace import Event, Tracer

Names = Mapping[str, Mapping[int, str]]
"""For a field as `render` calls it, its values' names: ``{"meta_t.verdict_drop_reason": {3: "TTL_EXPIRED"}}``."""

_MAX_BYTES_SHOWN = 128


@dataclass(frozen=True, slots=True)
class Trace:
    """A packet as it came in, and what happened to it, in order."""

    port: int
    data: bytes
    events: tuple[Event, ...]


def explain(engine: ReferenceEngine, port: int, data: bytes) -> Trace:
    """Process one packet as `engine.process` does, counters and registers included, and say what happened."""
    tracer = Tracer()
    Machine(engine.program, engine.state, tracer).process(port, data)
    return Trace(port, data, tuple(tracer.events))


def to_json(trace: Trace) -> dict[str, object]:
    """The trace as what `json.dumps` takes: bytes as hexadecimal, each event with its name under ``event``."""
    return {
        "port": trace.port,
        "data": trace.data.hex(),
        "events": [{"event": type(event).__name__, **_plain_fields(event)} for event in trace.events],
    }


def _plain_fields(event: Event) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(event).items()}


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def render(trace: Trace, names: Names | None = None) -> list[str]:
    """The trace as lines of text; `names` turns values of fields into words."""
    writer = _Writer(names or {})
    lines = [f"packet of {len(trace.data)} bytes on port {trace.port}: {_hex(trace.data)}"]
    for event in trace.events:
        lines += writer.lines(event)
    return lines


class _Writer:
    """Lines for one event each: indented by what it is part of, P4 file and line at the end."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def lines(self, event: Event) -> Iterator[str]:
        match event:
            case events.PassStarted(pipeline, reason, port, length):
                arrow = "from" if pipeline == "ingress" else "to"
                yield f"{pipeline} ({reason}) {arrow} port {port}, {length} bytes"
            case events.StateEntered(state, source):
                yield _located(f"  parser state {state}", source)
            case events.HeaderExtracted(header, fields, source):
                yield _located(f"    extract {header}", source)
                yield "      " + ", ".join(f"{name}={self._value(f'{header}.{name}', value)}" for name, value in fields)
            case events.ParserErrorRaised(error):
                yield f"    parser error {error}"
            case events.ChecksumVerified(target, correct, source):
                yield _located(f"  checksum {target} is {'right' if correct else 'wrong'}", source)
            case events.ChecksumUpdated(target, before, after, source):
                yield _located(f"  checksum {target}: {before:#x} -> {after:#x}", source)
            case events.TableApplied():
                yield from self._table(event)
            case events.BranchTaken(condition, taken, source):
                yield _located(f"  if {condition}: {'yes' if taken else 'no'}", source)
            case events.FieldAssigned(field, before, after, source):
                name = field_name(field)
                yield _quoted(f"    {name}: {self._value(name, before)} -> {self._value(name, after)}", source)
            case events.HeaderChanged(header, valid, source):
                yield _located(f"    {header} becomes {'valid' if valid else 'invalid'}", source)
            case events.CounterIncremented(counter, index, source):
                yield _located(f"    count {counter}[{index}]", source)
            case events.RegisterWritten(register, index, value, source):
                yield _located(f"    {register}[{index}] = {value:#x}", source)
            case events.Requested(what, source):
                yield _located(f"    {what}", source)
            case events.DigestSent(name, values):
                yield f"  digest {name}: {', '.join(f'{value:#x}' for value in values)}"
            case events.Replicated(group, replicas):
                copies = ", ".join(f"port {replica.port} (rid {replica.instance})" for replica in replicas)
                yield f"  multicast group {group}: {copies or 'no replicas, dropped'}"
            case events.Cloned(session, known):
                yield f"  clone session {session}{'' if known else ': not configured, no clone'}"
            case events.Dropped(pipeline):
                yield f"  dropped in {pipeline}"
            case events.Sent(port, data):
                yield f"  sent on port {port}, {len(data)} bytes: {_hex(data)}"

    def _table(self, event: events.TableApplied) -> Iterator[str]:
        key = ", ".join(f"{name}={self._value(name, value)}" for name, value in event.key)
        args = ", ".join(f"{name}={value:#x}" for name, value in event.args)
        action = f"action {event.action}({args})" if event.action else "no action"
        if not event.key:  # what p4c makes of statements outside of tables
            yield _located(f"  {action}", event.source)
            return
        yield _located(f"  table {event.table} [{key}]", event.source)
        if event.entry is not None:
            match = ", ".join(map(_match, event.entry.key))
            priority = f" priority {event.entry.priority}" if event.entry.priority else ""
            yield f"    hit {match}{priority}{_via(event.chosen)}"
        else:
            yield f"    miss{_via(event.chosen)}"
        yield f"    {action}"

    def _value(self, field: str, value: int) -> str:
        return self._names.get(field, {}).get(value) or f"{value:#x}"


def field_name(field: str) -> str:
    """What a reader of the P4 recognises.

    p4c gathers all metadata in one header, where ``meta.verdict.kind`` of type ``meta_t`` becomes
    ``scalars.meta_t._verdict_kind42``: this is ``meta_t.verdict_kind``.
    """
    flattened = re.fullmatch(r"scalars\.(\w+)\._(\w*?)\d+", field)
    return f"{flattened[1]}.{flattened[2]}" if flattened else field.removeprefix("scalars.")


def _hex(data: bytes) -> str:
    return data.hex() if len(data) <= _MAX_BYTES_SHOWN else f"{data[:_MAX_BYTES_SHOWN].hex()}..."


def _located(text: str, source: ir.Source | None) -> str:
    return f"{text}  ({source})" if source else text


def _quoted(text: str, source: ir.Source | None) -> str:
    """With what the P4 says there: p4c has put numbers in place of constants' names."""
    fragment = " ".join(source.fragment.removesuffix(" ...").split()) if source else ""
    return f"{text}  ({source}: {fragment})" if fragment else _located(text, source)


def _via(chosen: EntryAction | None) -> str:
    match chosen:
        case MemberRef(member_id):
            return f" via member {member_id}"
        case GroupRef(group_id):
            return f" via group {group_id}"
        case ActionCall() | None:
            return ""


def _match(match: KeyMatch) -> str:
    match match:
        case Exact(value):
            return f"{value:#x}"
        case Lpm(value, length):
            return f"{value:#x}/{length}"
        case Ternary(value, mask):
            return f"{value:#x}&&&{mask:#x}"
        case Range(low, high):
            return f"{low:#x}..{high:#x}"
