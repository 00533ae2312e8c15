# SPDX-License-Identifier: Apache-2.0
"""What came out against what was expected: port by port, in order, each packet once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from softnic.engine import Output

from .statements import Expect


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which a test failed.

    `expected` is a pattern of hex digits with ``*`` for any, ended by ``$`` if no more may follow; `got` is what came
    out. Each is None where there is none to show.
    """

    line: int
    message: str
    expected: str | None = None
    got: bytes | None = None


def matches(expect: Expect, data: bytes) -> bool:
    """Whether `data` begins as `expect` says and, if that is exact, ends there too."""
    if expect.pattern is None:
        return True
    digits = data.hex()
    begins = len(digits) >= len(expect.pattern) and all(
        wanted in ("*", digit) for wanted, digit in zip(expect.pattern, digits, strict=False)
    )
    return begins and (not expect.is_exact or len(digits) == len(expect.pattern))


def as_written(expect: Expect) -> str | None:
    """The pattern with the ``$`` that ends it; None: any packet."""
    return None if expect.pattern is None else expect.pattern + "$" * expect.is_exact


def first_difference(expects: Iterable[Expect], outputs: Sequence[tuple[int, Output]]) -> Difference | None:
    """The difference with the smallest line.

    Args:
        outputs: the packets that came out, each with the line of the packet that caused it.
    """
    received: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
    for line, output in outputs:
        received[output.port].append((line, output.data))
    differences: list[Difference] = []
    for expect in expects:
        arrived = received[expect.port]
        if not arrived:
            differences.append(Difference(expect.line, f"no packet came out of port {expect.port}", as_written(expect)))
            continue
        _, data = arrived.pop(0)
        if not matches(expect, data):
            differences.append(
                Difference(expect.line, f"the packet from port {expect.port} differs", as_written(expect), data)
            )
    differences += [
        Difference(line, f"this packet made one come out of port {port} that is not expected", None, data)
        for port, arrived in received.items()
        for line, data in arrived
    ]
    return min(differences, key=lambda difference: difference.line, default=None)
