# SPDX-License-Identifier: Apache-2.0
"""What a million exact entries cost in memory: growth of the target's resident set, written through P4Runtime.

Beside the entries themselves this has whatever the server, gRPC and the allocator keep of them; nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Sequence

import finsy as fy

from bench.control_target import Inserts, Target, running, softnic
from bench.p4runtime import with_finsy
from bench.result import Result
from bench.standalone import main

ENTRIES = 1_000_000
WARM_UP_ENTRIES = 3_000
"""Written before the first look, so that what the first requests make the server allocate is not counted."""

BATCH_UPDATES = 1000


def measure() -> list[Result]:
    """Takes as long as a million inserts do."""
    with running(*softnic()) as target:

        async def story(switch: fy.Switch) -> Sequence[Result]:
            return [await _growth(target, switch)]

        return list(with_finsy(target, story))


async def _growth(target: Target, switch: fy.Switch) -> Result:
    inserts = Inserts()
    await _insert(switch, inserts, range(WARM_UP_ENTRIES))
    before = target.resident_bytes()
    await _insert(switch, inserts, range(WARM_UP_ENTRIES, WARM_UP_ENTRIES + ENTRIES))
    growth = target.resident_bytes() - before
    note = f"growth of the process, 16-byte key and 7 bytes of arguments; {growth / ENTRIES:.0f} bytes each"
    return Result("memory of 1 M exact entries", growth / 2**20, "MB", 128, False, note)


async def _insert(switch: fy.Switch, inserts: Inserts, numbers: range) -> None:
    for first in range(numbers.start, numbers.stop, BATCH_UPDATES):
        batch = range(first, min(first + BATCH_UPDATES, numbers.stop))
        await switch.write([inserts.host(number) for number in batch])


if __name__ == "__main__":
    main(measure)
