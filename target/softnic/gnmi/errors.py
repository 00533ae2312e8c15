# SPDX-License-Identifier: Apache-2.0
"""What the gNMI service says no with."""

from __future__ import annotations

from grpc import StatusCode


class GnmiError(Exception):
    """A request is refused. `code` is a canonical gRPC status code."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> GnmiError:
    return GnmiError(StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> GnmiError:
    return GnmiError(StatusCode.NOT_FOUND, message)


def unimplemented(message: str) -> GnmiError:
    return GnmiError(StatusCode.UNIMPLEMENTED, message)
