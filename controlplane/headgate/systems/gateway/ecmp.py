# SPDX-License-Identifier: Apache-2.0
"""Groups of next hops, among which flows are shared by their hash."""

from __future__ import annotations

from collections.abc import Iterable

from finsy import Action, Match, P4IndirectAction, P4TableEntry


def group_entry(identity: str, group_id: int, members: Iterable[tuple[int, int]]) -> P4TableEntry:
    """A group of (next_hop_id, weight), written in one piece (P4Runtime 9.2.3, one-shot)."""
    actions = [(weight, Action("ecmp.to_next_hop", next_hop_id=next_hop_id)) for next_hop_id, weight in sorted(members)]
    return P4TableEntry(
        "ecmp",
        match=Match(group_id=group_id),
        action=P4IndirectAction(action_set=actions),
        metadata=identity.encode(),
    )
