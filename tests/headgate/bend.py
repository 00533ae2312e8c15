# SPDX-License-Identifier: Apache-2.0
"""Configurations with values put in place, and what is said of them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from headgate.config import ConfigError, parse_config

Case = tuple[list[tuple[str, Any]], list[str]]
"""Values to put in place, and the messages that follow."""


def bend(data: dict[str, Any], *changes: tuple[str, Any]) -> dict[str, Any]:
    """A copy of `data` with values put in place: ``("vnics.0.macs.0", "...")``; a value of `None` takes the key out,
    and one behind the end of a list is appended."""
    data = deepcopy(data)
    for path, value in changes:
        steps: list[Any] = [int(step) if step.isdecimal() else step for step in path.split(".")]
        *parents, last = steps
        place: Any = data
        for step in parents:
            place = place[step]
        if value is None:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return data


def problems(data: object) -> list[str]:
    """The messages with which a configuration is refused."""
    with pytest.raises(ConfigError) as caught:
        parse_config(data)
    return [str(problem) for problem in caught.value.problems]
