# SPDX-License-Identifier: Apache-2.0
"""The programs that packet tests are run on."""

from __future__ import annotations

from harness.gateway import GATEWAY
from harness.nic import NIC

PROGRAMS = {program.name: program for program in (NIC, GATEWAY)}
