# SPDX-License-Identifier: Apache-2.0
"""What we write to a device and read back from it."""

from __future__ import annotations

from finsy import P4CloneSessionEntry, P4DigestEntry, P4MeterEntry, P4MulticastGroupEntry, P4TableEntry

Entity = P4TableEntry | P4MulticastGroupEntry | P4CloneSessionEntry | P4MeterEntry | P4DigestEntry

LEARNED = b"learned"
"""How TableEntry.metadata begins of what no configuration asks for, and was learned from packets. The device gives it
back on a read (P4Runtime 9.1); reconciliation leaves such an entry alone for as long as it would be learned again."""
