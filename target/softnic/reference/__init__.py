# SPDX-License-Identifier: Apache-2.0
"""The reference executor: the IR run in plain Python, slow and obvious, and able to say what it does.

It does what simple_switch does, except where that is undefined behaviour, a crash, or plainly an accident. What is
counted below is counted in `ReferenceEngine.anomalies`.

- A field of an invalid header reads as 0, and a store to it has no effect. BMv2 has stale values there.
- Two invalid headers are equal, as the P4_16 specification says.
- Indices out of range, division by zero, negative shifts, empty selector groups: the defined no-op or 0, and counted.
- A failed assert or assume drops the packet; BMv2 aborts.
- Parser loops that consume nothing, endless actions, resubmission and recirculation have bounds, and are counted.
- A clone or a resubmission of a truncated packet is its first bytes; in BMv2 it is its last ones.
- Clone sessions may truncate. Packet priorities are recorded in ``qid``; there is one queue and it is never full.
- ``random`` is accepted as a hash algorithm; BMv2 refuses to load it.
"""

from .engine import ReferenceEngine
from .explain import Trace, explain, render, to_json
from .hashes import hash_function

__all__ = ["ReferenceEngine", "Trace", "explain", "hash_function", "render", "to_json"]
