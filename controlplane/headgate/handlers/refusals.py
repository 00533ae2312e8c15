# SPDX-License-Identifier: Apache-2.0
"""Updates that a device refused: told in the log, and counted."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from finsy.p4entity import decode_entity

from headgate.describe import action_text, describe, key_text
from headgate.device import Device, UpdateFailure
from headgate.metrics import Metrics
from headgate.names import Names
from headgate.systems import Entity

_LOG = logging.getLogger("headgate")


def report(device: Device, names: Names, metrics: Metrics, failures: Iterable[UpdateFailure]) -> None:
    """Log each failed update in words, and count it."""
    for failure in failures:
        metrics.updates_refused(1)
        _LOG.error(
            "update refused: device=%s code=%s reason=%s %s",
            device.address,
            failure.code.name,
            failure.message,
            words(device, names, decode_entity(failure.update.entity, device.schema)),
        )


def words(device: Device, names: Names, entity: Entity) -> str:
    """An entity in one line of a log."""
    description = describe(entity, device.schema)
    return f"table={description.table} {key_text(description, names)} action={action_text(description, names)}"
