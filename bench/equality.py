# SPDX-License-Identifier: Apache-2.0
"""Whether two engines send the same packets. Before it is known that they do, no figure is worth a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .scenario import ENTROPY_BYTES, Scenario


def difference(scenario: Scenario, expected: Sequence[bytes], actual: Sequence[bytes], own_entropy: bool) -> str | None:
    """How `actual` differs, in words; None: it is the same.

    Packets of different flows may overtake each other (OVS sorts each burst by flow); those of one flow are alike in
    our traces. With `own_entropy`, VXLAN source ports are not compared.
    """
    masks = own_entropy and scenario.is_vxlan
    wanted, found = (Counter(map(_without_entropy, packets) if masks else packets) for packets in (expected, actual))
    absent, extra = wanted - found, found - wanted
    if not absent and not extra:
        return None
    shown = [f"{what} {next(iter(some)).hex()}" for what, some in (("expected", absent), ("got", extra)) if some]
    return f"{absent.total()} of {len(expected)} packets are not as expected: {', '.join(shown)}"


def _without_entropy(packet: bytes) -> bytes:
    return packet[: ENTROPY_BYTES.start] + bytes(2) + packet[ENTROPY_BYTES.stop :]
