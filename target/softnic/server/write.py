# SPDX-License-Identifier: Apache-2.0
"""A batch of updates, applied in order: each on its own, or all of them or none (specification 12.2).

The rollback needs no shadow of the tables: before an update is applied, what it would change is read with the code that
serves Read, and kept as the update that brings it back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from finsy.proto import p4r
from grpc import StatusCode

from .errors import P4RuntimeError, invalid
from .kinds import KINDS
from .pipeline import Pipeline

logger = logging.getLogger("softnic.server")

Type = p4r.Update.Type
Atomicity = p4r.WriteRequest.Atomicity

Result = P4RuntimeError | None
"""Why an update was refused; None if it was applied."""


def write_batch(
    pipeline: Pipeline,
    updates: Sequence[p4r.Update],
    atomicity: Atomicity.ValueType = Atomicity.CONTINUE_ON_ERROR,
) -> Sequence[Result]:
    """Apply `updates` in order; one result for each, in the same order.

    CONTINUE_ON_ERROR lets packets pass between updates and attempts them all. The other two modes hold the switch for
    the whole batch, so that no packet sees a part of it, and undo it if one update fails: that one has its own error,
    all others are ABORTED.

    Raises:
        P4RuntimeError: INVALID_ARGUMENT for an atomicity that P4Runtime does not have; nothing was applied.
    """
    match atomicity:
        case Atomicity.CONTINUE_ON_ERROR:
            return [_attempt(pipeline, update) for update in updates]
        case Atomicity.ROLLBACK_ON_ERROR | Atomicity.DATAPLANE_ATOMIC:
            with pipeline.lock:
                return _write_all_or_none(pipeline, updates)
        case _:
            raise invalid(f"atomicity {atomicity} is not one that P4Runtime has")


def write_update(pipeline: Pipeline, update: p4r.Update) -> None:
    """Apply one update. Raises: P4RuntimeError; then nothing has changed."""
    if update.type not in (Type.INSERT, Type.MODIFY, Type.DELETE):
        raise invalid("update type is not INSERT, MODIFY or DELETE")
    kind = update.entity.WhichOneof("entity")
    if kind is None:
        raise invalid("entity is not set")
    KINDS[kind].write(pipeline, update.type, getattr(update.entity, kind))


def _attempt(pipeline: Pipeline, update: p4r.Update) -> Result:
    try:
        with _defects_reported(update):
            write_update(pipeline, update)
    except P4RuntimeError as error:
        return error
    return None


@contextmanager
def _defects_reported(update: p4r.Update) -> Iterator[None]:
    """Turn a defect of ours into INTERNAL: it must not take the other updates of the batch with it."""
    try:
        yield
    except P4RuntimeError:
        raise
    except Exception as error:
        logger.exception("update failed: %s", update)
        raise P4RuntimeError(StatusCode.INTERNAL, f"softnic failed on this update: {error!r}") from error


def _write_all_or_none(pipeline: Pipeline, updates: Sequence[p4r.Update]) -> Sequence[Result]:
    undo: list[p4r.Update] = []
    for index, update in enumerate(updates):
        try:
            with _defects_reported(update):
                inverse = _inverse(pipeline, update)
                write_update(pipeline, update)
        except P4RuntimeError as error:
            _roll_back(pipeline, undo)
            return _aborted(len(updates), index, error)
        undo.extend(inverse)
    return [None] * len(updates)


def _aborted(count: int, failed: int, failure: P4RuntimeError) -> Sequence[Result]:
    results: list[Result] = [
        P4RuntimeError(StatusCode.ABORTED, f"not applied, as update {failed} of the batch failed")
    ] * count
    results[failed] = failure
    return results


def _roll_back(pipeline: Pipeline, undo: Sequence[p4r.Update]) -> None:
    for update in reversed(undo):
        write_update(pipeline, update)


def _inverse(pipeline: Pipeline, update: p4r.Update) -> list[p4r.Update]:
    """The updates that undo `update`, to be taken before it is applied."""
    if update.type == Type.INSERT:
        return [p4r.Update(type=Type.DELETE, entity=update.entity)]
    undo_type = Type.INSERT if update.type == Type.DELETE else Type.MODIFY
    return [p4r.Update(type=undo_type, entity=entity) for entity in _current(pipeline, update.entity)]


def _current(pipeline: Pipeline, entity: p4r.Entity) -> Sequence[p4r.Entity]:
    """What is there now of what `entity` names, in a form that can be written."""
    kind = entity.WhichOneof("entity")
    if kind is None:
        return ()
    if kind != "table_entry":
        return list(KINDS[kind].read(pipeline, getattr(entity, kind)))
    wanted = _with_direct_resources(pipeline, entity.table_entry)
    # An empty match reads the whole table, also where it is the key of the entry that matches everything.
    found = [e for e in KINDS[kind].read(pipeline, wanted) if len(e.table_entry.match) == len(wanted.match)]
    for current in found:
        if current.table_entry.is_const:
            current.table_entry.ClearField("is_const")
            current.table_entry.ClearField("action")
    return found


def _with_direct_resources(pipeline: Pipeline, entry: p4r.TableEntry) -> p4r.TableEntry:
    """A filter that selects `entry` by its key and asks for all that a client can write of it."""
    table = pipeline.schema.table(entry.table_id)
    wanted = p4r.TableEntry(
        table_id=entry.table_id, match=entry.match, priority=entry.priority, is_default_action=entry.is_default_action
    )
    if table.has_counter and not entry.is_default_action:
        wanted.counter_data.SetInParent()
    if table.meter and not entry.is_default_action:
        wanted.meter_config.SetInParent()
    return wanted
