# SPDX-License-Identifier: Apache-2.0
"""What a P4Runtime server says no with: a canonical code and a message that names the place and the fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from grpc import StatusCode

from softnic.engine import EngineError, EntryExists, EntryInUse, EntryNotFound, NoRoom, OutOfMemory


class P4RuntimeError(Exception):
    """A request, or one entity of it, is refused. `code` is a canonical gRPC status code."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def at(self, place: str) -> P4RuntimeError:
        """The same refusal, its message prefixed with where it happened."""
        return P4RuntimeError(self.code, f"{place}: {self.message}")


def invalid(message: str) -> P4RuntimeError:
    return P4RuntimeError(StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> P4RuntimeError:
    return P4RuntimeError(StatusCode.NOT_FOUND, message)


def already_exists(message: str) -> P4RuntimeError:
    return P4RuntimeError(StatusCode.ALREADY_EXISTS, message)


def denied(message: str) -> P4RuntimeError:
    return P4RuntimeError(StatusCode.PERMISSION_DENIED, message)


def failed_precondition(message: str) -> P4RuntimeError:
    return P4RuntimeError(StatusCode.FAILED_PRECONDITION, message)


def exhausted(message: str) -> P4RuntimeError:
    return P4RuntimeError(StatusCode.RESOURCE_EXHAUSTED, message)


def out_of_range(message: str) -> P4RuntimeError:
    return P4RuntimeError(StatusCode.OUT_OF_RANGE, message)


def aborted(message: str) -> P4RuntimeError:
    return P4RuntimeError(StatusCode.ABORTED, message)


def unimplemented(message: str) -> P4RuntimeError:
    return P4RuntimeError(StatusCode.UNIMPLEMENTED, message)


@contextmanager
def at(place: str) -> Iterator[None]:
    """Prefix the message of a `P4RuntimeError` raised inside with `place`."""
    try:
        yield
    except P4RuntimeError as error:
        raise error.at(place) from error.__cause__


_ENGINE_CODES = {
    EntryExists: StatusCode.ALREADY_EXISTS,
    EntryNotFound: StatusCode.NOT_FOUND,
    EntryInUse: StatusCode.FAILED_PRECONDITION,
    NoRoom: StatusCode.RESOURCE_EXHAUSTED,
    OutOfMemory: StatusCode.RESOURCE_EXHAUSTED,
}


def from_engine(error: EngineError) -> P4RuntimeError:
    """The canonical code of what an engine refused, with the engine's message."""
    return P4RuntimeError(_ENGINE_CODES.get(type(error), StatusCode.INTERNAL), str(error))
