# SPDX-License-Identifier: Apache-2.0
"""Plans and failures, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from finsy import P4Schema
from finsy.p4entity import decode_entity
from finsy.proto import p4r
from rich.markup import escape

from headgate.cli.console import out
from headgate.describe import Description, action_text, describe, key_text
from headgate.device import UpdateFailure
from headgate.names import Names
from headgate.reconcile import Change, Plan, Result

_SIGNS = {p4r.Update.INSERT: ("+", "green"), p4r.Update.MODIFY: ("~", "yellow"), p4r.Update.DELETE: ("-", "red")}


def print_plan(plan: Plan, schema: P4Schema, names: Names) -> None:
    """One line for each change, in the order in which they are made, and how many there are.

    The buckets of a ring group that change alike share a line: there are up to 128 of them.
    """
    lines = Counter((change.update.type, _line(change, schema, names)) for change in plan.changes)
    for (update_type, text), count in lines.items():
        sign, colour = _SIGNS[update_type]
        times = f" ({count} entries)" if count > 1 else ""
        out.print(f"[{colour}]{sign} {escape(text)}{times}[/{colour}]")
    out.print(
        f"{len(plan.inserts)} to insert, {len(plan.modifies)} to modify, {len(plan.deletes)} to delete, "
        f"{plan.unchanged} unchanged"
    )


def print_result(result: Result, schema: P4Schema, names: Names) -> None:
    """What the device refused (operation, table, key and reason), and how many changes it made."""
    for failure in result.failures:
        sign, _ = _SIGNS[failure.update.type]
        described = _describe(failure.update.entity, schema)
        where = f"{sign} {described.table} {key_text(described, names)}"
        out.print(f"[red]refused:[/red] {escape(f'{where}: {failure.code.name} {failure.message}')}")
    planned = Counter(change.update.type for change in result.plan.changes)
    done = planned - Counter(failure.update.type for failure in result.failures)
    counts = (
        f"{done[p4r.Update.INSERT]} inserted, {done[p4r.Update.MODIFY]} modified, {done[p4r.Update.DELETE]} deleted"
    )
    refused = f", {len(result.failures)} refused" if result.failures else ""
    out.print(f"{counts}, {result.plan.unchanged} unchanged{refused}")


def changes_as_data(plan: Plan, schema: P4Schema) -> dict[str, Any]:
    """A plan for JSON: changes in order, and the number of entities that stay as they are."""
    return {"changes": [_as_data(change, schema) for change in plan.changes], "unchanged": plan.unchanged}


def failures_as_data(failures: Sequence[UpdateFailure], schema: P4Schema) -> list[dict[str, Any]]:
    """Failed updates for JSON."""
    return [
        {
            "operation": _operation(failure.update),
            **_entity_as_data(failure.update.entity, schema),
            "code": failure.code.name,
            "message": failure.message,
        }
        for failure in failures
    ]


def _line(change: Change, schema: P4Schema, names: Names) -> str:
    described = _describe(change.entity, schema)
    if "bucket" in described.key:
        described = replace(described, key={**described.key, "bucket": "*"})
    line = f"{described.table} {key_text(described, names)} -> "
    if change.before is None:
        return line + action_text(described, names)
    before = _describe(change.before, schema)
    if (before.action, before.args) != (described.action, described.args):
        return f"{line}{action_text(described, names)}, was {action_text(before, names)}"
    return f"{line}marked {_mark(change.entity)}, was {_mark(change.before)}"


def _mark(entity: p4r.Entity) -> str:
    return repr(entity.table_entry.metadata.decode(errors="replace"))


def _as_data(change: Change, schema: P4Schema) -> dict[str, Any]:
    data = {"operation": _operation(change.update), **_entity_as_data(change.entity, schema)}
    if change.before is not None:
        before = _describe(change.before, schema)
        data["before"] = {"action": before.action, "args": before.args}
    return data


def _entity_as_data(entity: p4r.Entity, schema: P4Schema) -> dict[str, Any]:
    described = _describe(entity, schema)
    return {"table": described.table, "key": described.key, "action": described.action, "args": described.args}


def _operation(update: p4r.Update) -> str:
    return p4r.Update.Type.Name(update.type).lower()


def _describe(entity: p4r.Entity, schema: P4Schema) -> Description:
    return describe(decode_entity(entity, schema), schema)
