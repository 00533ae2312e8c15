# SPDX-License-Identifier: Apache-2.0
"""A network namespace for as long as it is needed: nothing a measurement does reaches the machine's own network."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

from .process import run

_numbers = itertools.count()


@contextmanager
def network_namespace() -> Iterator[tuple[str, ...]]:
    """The words to put before a command so that it runs inside. Needs root."""
    name = f"headgate-bench-{os.getpid()}-{next(_numbers)}"
    run(["ip", "netns", "add", name])
    try:
        yield "ip", "netns", "exec", name
    finally:
        run(["ip", "netns", "delete", name])
