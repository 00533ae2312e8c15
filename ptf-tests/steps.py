# SPDX-License-Identifier: Apache-2.0
"""A change of configuration, one write at a time: what packets meet while the controller is at work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness import sentinel
from harness.dut import Dut
from headgate.config import parse_config
from headgate.reconcile import plan
from headgate.systems import desired


def steps_to(dut: Dut, config: Mapping[str, Any]) -> Iterator[int]:
    """Makes the writes that lead to `config` in the controller's own order, and yields after each.

    Yields: how many writes are still to come; 0 is when the device does as `config` says.
    Raises: AssertionError (the device refused an update; there was nothing to change).
    """
    controller = dut.controller
    held = controller.run(controller.device.read())
    stages = plan(held, [*desired(parse_config(dict(config))), *sentinel.entities()], controller.device.schema).stages
    assert stages, "the device does as this configuration says already"
    for index, stage in enumerate(stages, start=1):
        failures = controller.run(controller.device.write(change.update for change in stage))
        assert not failures, f"the device refused {failures}"
        yield len(stages) - index
