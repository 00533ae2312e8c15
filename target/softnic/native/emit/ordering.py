# SPDX-License-Identifier: Apache-2.0
"""What packets of one vector may do out of order.

Packets see each other through state that a packet writes and another reads: registers, meters and counting hashes. Each
must be met in order of arrival. The unit is one `ir` object of these (a `Resource`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from softnic import ir

Resource = ir.Register | ir.Meter | ir.DirectMeter | ir.Calculation

_LEAVES = ir.Header | ir.HeaderType | ir.HeaderStack | ir.HeaderUnion | ir.HeaderUnionStack | ir.Field | ir.Source
_ROUND_ROBINS = ("round_robin", "round_robin_consistent")


def walk(part: object) -> Iterator[Any]:
    """`part` and everything of the IR inside of it, but for the data that headers are described by."""
    if isinstance(part, tuple):
        for item in part:
            yield from walk(item)
    elif is_dataclass(part) and not isinstance(part, _LEAVES):
        yield part
        for field in fields(part):
            yield from walk(getattr(part, field.name))


def resources(part: object) -> frozenset[Resource]:
    """All that packets running through `part` share in order."""
    return frozenset(item for item in walk(part) if _is_resource(item))


def _is_resource(item: object) -> bool:
    if isinstance(item, ir.Calculation):
        return item.algorithm in _ROUND_ROBINS
    return isinstance(item, ir.Register | ir.Meter | ir.DirectMeter)


def may_overtake(program: ir.Program) -> bool:
    """Whether packets may go on while one waits: not where some would meet shared state in another order than one by
    one, which is when a pipeline with state

    - shares it with a stage that the vector runs at another time,
    - or may be run again for a packet, or its copy, after later packets went through it.
    """
    checksums = resources(program.checksums)
    stages = [
        resources(program.parser) | checksums,
        resources(program.ingress.nodes),
        resources(program.egress.nodes),
        resources(program.deparser) | checksums | resources(program.learn_lists),
    ]
    if len(frozenset().union(*stages)) != sum(map(len, stages)):
        return False
    received, left = stages[0] | stages[1], stages[2] | stages[3]
    returns = _has(program.egress, ir.Recirculate) or _has(program.ingress, ir.Recirculate)
    again_in = returns or _has(program.ingress, ir.Resubmit) or (bool(stages[0]) and _has(program.ingress, ir.Clone))
    again_out = returns or _has(program.egress, ir.Clone)
    return not ((received and again_in) or (left and again_out))


def _has(pipeline: ir.Pipeline, statement: type) -> bool:
    return any(isinstance(part, statement) for part in walk(pipeline.nodes))
