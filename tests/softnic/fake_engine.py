# SPDX-License-Identifier: Apache-2.0
"""An engine without a program: it sends what a test tells it to send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from softnic.engine import Digest, Engine, Output
from softnic.switch import Switch

Behaviour = Callable[[int, bytes], Sequence[Output]]


class FakeEngine:
    """Only what a switch calls of the Engine protocol. `behave` decides on outputs, and may raise."""

    def __init__(self, behave: Behaviour) -> None:
        self.on_digest: Callable[[Digest], None] | None = None
        self.port_status: list[tuple[int, bool]] = []
        self.behave = behave

    def process(self, port: int, data: bytes) -> Sequence[Output]:
        return self.behave(port, data)

    def set_port_up(self, port: int, up: bool) -> None:
        self.port_status.append((port, up))

    def learn(self, digest: Digest) -> None:
        assert self.on_digest is not None
        self.on_digest(digest)


def load(switch: Switch, engine: FakeEngine) -> None:
    switch.install(cast(Engine, engine))
