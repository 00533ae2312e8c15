# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between a controller and a device."""

from __future__ import annotations

from dataclasses import dataclass

from finsy import GRPCStatusCode, P4ClientError
from finsy.proto import p4r


class DeviceError(Exception):
    """Anything that went wrong with the device at `address`."""

    def __init__(self, address: str, message: str) -> None:
        super().__init__(f"{address}: {message}")
        self.address = address


class DeviceUnreachable(DeviceError):
    """Nobody answers, or the connection broke."""


class DeviceRefused(DeviceError):
    """The device answered a whole request with an error."""


class NotPrimary(DeviceError):
    """Another controller has a larger election id, or the same one (P4Runtime 5.3)."""


class PipelineMismatch(DeviceError):
    """The device runs no program, or not the one whose entries it was asked for."""


@dataclass(frozen=True, slots=True)
class UpdateFailure:
    """One update of a write that the device did not carry out. The others it did: a write goes on after errors unless
    told otherwise (P4Runtime 12.2)."""

    update: p4r.Update
    code: GRPCStatusCode
    message: str


_UNREACHABLE = (GRPCStatusCode.UNAVAILABLE, GRPCStatusCode.DEADLINE_EXCEEDED, GRPCStatusCode.CANCELLED)


def as_device_error(address: str, error: P4ClientError) -> DeviceError:
    """What an error of a whole RPC means. A device says PERMISSION_DENIED to who is not its primary."""
    reason = f"{error.code.name}: {error.message}"
    if error.code in _UNREACHABLE:
        return DeviceUnreachable(address, f"no answer ({reason})")
    if error.is_election_id_used:
        return NotPrimary(address, "another controller has this election id: stop it, or give a larger one")
    if error.code == GRPCStatusCode.PERMISSION_DENIED:
        return NotPrimary(address, f"another controller has taken over ({reason})")
    return DeviceRefused(address, reason)
