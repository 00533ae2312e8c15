# SPDX-License-Identifier: Apache-2.0
"""What P4Runtime must give back on a read but no engine needs: metadata, one-shot action sets, ids of what exists.

The store is the authority on which entities there are, but for table entries, which can be many: which of those there
are is known to the engine alone, as are counts, meter and register values, default actions and idle times.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from finsy.proto import p4r

from softnic.engine import ActionCall, GroupMember


@dataclass(frozen=True, slots=True)
class OneShot:
    """An action set as the client wrote it, and the members and the group that stand for it in the engine."""

    action_set: p4r.ActionProfileActionSet
    group_id: int
    member_ids: tuple[int, ...]
    size: int
    """What it takes of its profile's size."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What the client wants back with an entry, or a default entry, and the engine has no use for."""

    metadata: bytes = b""
    controller_metadata: int = 0
    one_shot: OneShot | None = None


NO_EXTRAS = Extras()


@dataclass(frozen=True, slots=True)
class StoredGroup:
    members: tuple[GroupMember, ...]
    max_size: int


@dataclass(slots=True)
class ProfileState:
    """Members and groups by id. A profile is programmed by these or by one-shots, never both (specification 9.2.3)."""

    members: dict[int, ActionCall] = field(default_factory=dict)
    groups: dict[int, StoredGroup] = field(default_factory=dict)
    one_shots: int = 0
    groups_size: int = 0
    """What all groups and one-shots take of the profile's size."""
    last_one_shot_id: int = 0


@dataclass(slots=True)
class Store:
    """All by P4Info id, or by the id the client gave."""

    default_extras: dict[int, Extras] = field(default_factory=dict)
    """By table; only of defaults that the client set."""
    profiles: defaultdict[int, ProfileState] = field(default_factory=lambda: defaultdict(ProfileState))
    multicast_groups: dict[int, p4r.MulticastGroupEntry] = field(default_factory=dict)
    clone_sessions: dict[int, p4r.CloneSessionEntry] = field(default_factory=dict)
