# SPDX-License-Identifier: Apache-2.0
"""Captures as lists of frames."""

from __future__ import annotations

from pathlib import Path

from softnic.pcap import read_pcap


def read_frames(path: Path) -> list[bytes]:
    """Raises: PcapError, OSError."""
    with path.open("rb") as stream:
        return [record.data for record in read_pcap(stream)]
