# SPDX-License-Identifier: Apache-2.0
"""What each program's handler is asked by the controller."""

from __future__ import annotations

import asyncio
from typing import Protocol, TypeVar

from headgate.config import Config
from headgate.reconcile import Plan, Result

_ConfigT = TypeVar("_ConfigT", bound=Config, contravariant=True)


class Handler(Protocol[_ConfigT]):
    """Deals with what one device sends. The controller calls one method at a time, never two at once."""

    async def before_commit(self, config: _ConfigT, plan: Plan) -> None:
        """All is in its place for `config`, and packets are not yet treated in the new way."""
        ...

    async def configured(self, config: _ConfigT, result: Result) -> None:
        """The device was brought to `config`: take up what was learned from it, and what waits for answers."""
        ...

    async def serve(self, until: asyncio.Event) -> None:
        """Deal with what the device sends, until the event is set: then return at the next opportunity, leaving nothing
        half done.

        Raises: DeviceUnreachable, NotPrimary, DeviceRefused.
        """
        ...
