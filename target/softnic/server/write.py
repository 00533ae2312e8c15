# SPDX-License-Identifier: Apache-2.0
"""A batch of updates, applied in order: each on its own, or all of them or none (specification 12.2).

The rollback needs no shadow of the tables: before an update is applied, what it would change is read with the code that
serves Read, and kept as the update that brings it back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from finsy.proto import p4r
from grpc import StatusCode

from softnic.engine import ColourCounts

from . import codec
from .entities import table_reads
from .errors import P4RuntimeError, invalid
from .kinds import KINDS
from .pipeline import Pipeline

logger = logging.getLogger("softnic.server")

INSERT, MODIFY, DELETE = p4r.Update.INSERT, p4r.Update.MODIFY, p4r.Update.DELETE
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
            with pipeline.lock, pipeline.engine.paused():
                return _write_all_or_none(pipeline, updates)
        case _:
            raise invalid(f"atomicity {atomicity} is not one that P4Runtime has")


def write_update(pipeline: Pipeline, update: p4r.Update) -> None:
    """Apply one update of a client. Raises: P4RuntimeError; then nothing has changed."""
    kind, message = _content(update)
    if update.type != DELETE:  # which looks at keys only
        _refuse_colour_counts(kind, message)
    KINDS[kind].write(pipeline, update.type, message)


def restore(pipeline: Pipeline, update: p4r.Update) -> None:
    """Apply an update that brings back what was read before. Raises: P4RuntimeError."""
    kind, message = _content(update)
    KINDS[kind].write(pipeline, update.type, message)


def _content(update: p4r.Update) -> tuple[str, Any]:
    """What the update is of, as a member of ``Entity``, and that member. Raises: INVALID_ARGUMENT."""
    if update.type not in (INSERT, MODIFY, DELETE):
        raise invalid("update type is not INSERT, MODIFY or DELETE")
    kind = update.entity.WhichOneof("entity")
    if kind is None:
        raise invalid("entity is not set")
    return kind, getattr(update.entity, kind)


_COLOUR_COUNTS = {
    "table_entry": "meter_counter_data",
    "meter_entry": "counter_data",
    "direct_meter_entry": "counter_data",
}


def _refuse_colour_counts(kind: str, message: Any) -> None:
    """A client can clear what the colours of a meter were given to, and not set it (specification 9.4)."""
    field = _COLOUR_COUNTS.get(kind)
    if field and message.HasField(field) and codec.decode_colour_counts(getattr(message, field)) != ColourCounts():
        raise invalid(f"{kind}.{field} is not 0; the counts of a meter's colours can be cleared, not set")


def _attempt(pipeline: Pipeline, update: p4r.Update) -> Result:
    try:
        write_update(pipeline, update)
    except P4RuntimeError as error:
        return error
    except Exception as error:
        return _defect(update, error)
    return None


def _defect(update: p4r.Update, error: Exception) -> P4RuntimeError:
    """A defect of ours is INTERNAL: it must not take the other updates of the batch with it."""
    logger.error("update failed: %s", update, exc_info=error)
    return P4RuntimeError(StatusCode.INTERNAL, f"softnic failed on this update: {error!r}")


def _write_all_or_none(pipeline: Pipeline, updates: Sequence[p4r.Update]) -> Sequence[Result]:
    undo: list[p4r.Update] = []
    for index, update in enumerate(updates):
        inverse, error = _attempt_with_inverse(pipeline, update)
        if error:
            _roll_back(pipeline, undo)
            return _aborted(len(updates), index, error)
        undo.extend(inverse)
    return [None] * len(updates)


def _attempt_with_inverse(pipeline: Pipeline, update: p4r.Update) -> tuple[Sequence[p4r.Update], Result]:
    try:
        inverse = _inverse(pipeline, update)
    except P4RuntimeError as error:
        return (), error
    except Exception as error:
        return (), _defect(update, error)
    return inverse, _attempt(pipeline, update)


def _aborted(count: int, failed: int, failure: P4RuntimeError) -> Sequence[Result]:
    results: list[Result] = [
        P4RuntimeError(StatusCode.ABORTED, f"not applied, as update {failed} of the batch failed")
    ] * count
    results[failed] = failure
    return results


def _roll_back(pipeline: Pipeline, undo: Sequence[p4r.Update]) -> None:
    for update in reversed(undo):
        restore(pipeline, update)


def _inverse(pipeline: Pipeline, update: p4r.Update) -> list[p4r.Update]:
    """The updates that undo `update`, to be taken before it is applied."""
    if update.type == INSERT:
        return [p4r.Update(type=DELETE, entity=update.entity)]
    undo_type = INSERT if update.type == DELETE else MODIFY
    return [p4r.Update(type=undo_type, entity=entity) for entity in _current(pipeline, update.entity)]


def _current(pipeline: Pipeline, entity: p4r.Entity) -> Iterator[p4r.Entity]:
    """What is there now of what `entity` names, in a form that can be written."""
    kind = entity.WhichOneof("entity")
    if kind is None:
        return iter(())
    if kind == "table_entry":
        return table_reads.read_to_restore(pipeline, entity.table_entry)
    return KINDS[kind].read(pipeline, getattr(entity, kind))
