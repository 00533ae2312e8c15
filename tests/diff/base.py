# SPDX-License-Identifier: Apache-2.0
"""Real configurations for random scenarios to start from: without one, few packets pass a program of many tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from headgate.config import load_config
from headgate.device import program as compiled
from headgate.reconcile import initial_plan
from softnic import ir
from softnic.offline import write_updates
from softnic.reference import ReferenceEngine

from .programs import ROOT
from .scenario import Write

_CONFIGS = {"nic": ("configs/nic.yaml", "demo/nic.yaml")}
"""Headgate's, by the program they are for."""

Base = tuple[Write, ...]


def bases(path: Path, program: ir.Program) -> tuple[Base, ...]:
    """What scenarios of `program`, which was read from `path`, may start from: nothing, or a configuration."""
    return ((), *(_configured(program, ROOT / config) for config in _CONFIGS.get(path.stem, ())))


def _configured(program: ir.Program, config_path: Path) -> Base:
    config = load_config(config_path)
    schema = compiled(config.program)
    engine = ReferenceEngine(program)
    write_updates(engine, program, schema.p4info, [change.update for change in initial_plan(config, schema).changes])
    return tuple(_writes(engine))


def _writes(engine: ReferenceEngine) -> Iterator[Write]:
    """What brings an empty engine to the state of `engine`, which has no action profiles."""
    program, state = engine.program, engine.state
    for table in program.tables:
        for entry in engine.entries(table.name) if not table.entries_constant else ():
            yield Write("insert", (table.name, entry))
        if not table.default_constant and (default := engine.default(table.name)) is not None:
            yield Write("set_default", (table.name, default))
    for meter in program.meters:
        for index in range(meter.size):
            if (rates := engine.read_meter(meter.name, index)) is not None:
                yield Write("write_meter", (meter.name, index, rates))
    for group_id, replicas in state.multicast_groups.items():
        yield Write("set_multicast_group", (group_id, replicas))
    for session_id, session in state.clone_sessions.items():
        yield Write("set_clone_session", (session_id, session))
