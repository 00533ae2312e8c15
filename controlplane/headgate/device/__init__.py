# SPDX-License-Identifier: Apache-2.0
"""P4Runtime devices: reading from one, controlling one, and what can go wrong."""

from headgate.device.device import Device
from headgate.device.errors import (
    DeviceError,
    DeviceRefused,
    DeviceUnreachable,
    NotPrimary,
    PipelineMismatch,
    UpdateFailure,
)
from headgate.device.programs import PROGRAMS, program
from headgate.device.view import DeviceView, Pipeline, running_program

__all__ = [
    "PROGRAMS",
    "Device",
    "DeviceError",
    "DeviceRefused",
    "DeviceUnreachable",
    "DeviceView",
    "NotPrimary",
    "Pipeline",
    "PipelineMismatch",
    "UpdateFailure",
    "program",
    "running_program",
]
