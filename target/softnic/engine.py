# SPDX-License-Identifier: Apache-2.0
"""The seam between an executor and the rest of softnic.

An *engine* holds one loaded program and its control-plane state and runs packets through it. The P4Runtime
server, the port loop and the command line see nothing else of an executor, so that the reference executor and a
native one are interchangeable.

Contract:

- Names are those of the BMv2 JSON, which are also P4Info's (``Ingress.pipeline.vnic.l2_classify``).
- Values are non-negative ``int`` that fit the field's width. Who calls has validated them against P4Info; an engine
  may assume ids, widths and references are right, and checks only what needs its own state (duplicates, room,
  use counts).
- Priorities are P4Runtime's: larger wins. Keys without a ternary, range or optional field have priority 0.
- An engine is not thread-safe: the caller serialises ``process`` and every other call (``Switch.lock``). Threads that
  an engine lets run packets by itself (a dataplane's) wait for nobody, except while it is `paused`.
- An engine never prints and never exits; what goes wrong with a packet is counted, what goes wrong with a call raises
  a subclass of `EngineError`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

DROP_PORT = 511
"""simple_switch's default drop port (v1model's 9-bit ports, all ones)."""


class EngineError(Exception):
    """A control-plane call that the engine's state does not allow."""


class EntryExists(EngineError):
    """INSERT of a key, id or index that is already there."""


class EntryNotFound(EngineError):
    """MODIFY, DELETE or read of something that is not there."""


class EntryInUse(EngineError):
    """DELETE of a member or group that something still refers to."""


class NoRoom(EngineError):
    """The table, profile or group already holds its guaranteed size."""


class OutOfMemory(EngineError):
    """Within its size, but the host has no memory for it; nothing has changed."""


# ---- keys and actions -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exact:
    value: int


@dataclass(frozen=True, slots=True)
class Lpm:
    value: int
    prefix_len: int


@dataclass(frozen=True, slots=True)
class Ternary:
    """Also OPTIONAL: absent is mask 0, present is an all-ones mask. ``value & ~mask == 0``."""

    value: int
    mask: int


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends included."""

    low: int
    high: int


KeyMatch = Exact | Lpm | Ternary | Range


@dataclass(frozen=True, slots=True)
class ActionCall:
    action: str
    args: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberRef:
    """An entry of a table with an action profile: one member, by its id."""

    member_id: int


@dataclass(frozen=True, slots=True)
class GroupRef:
    """An entry of a table with an action selector: one group, by its id."""

    group_id: int


EntryAction = ActionCall | MemberRef | GroupRef


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One entry. `key` has one element for each key field, in the order of the JSON; don't-care is spelled out.

    Where the program masks a field itself (``field & constant``), bits outside of that mask do not count: an entry is
    also found by a key that differs there, and read as it was inserted.
    """

    key: tuple[KeyMatch, ...]
    action: EntryAction
    priority: int = 0
    idle_timeout_ns: int = 0


# ---- entries as byte strings ---------------------------------------------------------------------------------------
# The same entries for who moves many of them: nothing to take apart on the way from P4Runtime to an engine's memory.
# Every value is big-endian in (width + 7) // 8 bytes, with nothing between one and the next.


class PackedMatch(NamedTuple):
    """What identifies an entry in its table. `key` and `mask` are as long as all fields together, in the JSON's order.

    An exact field has its value and an all-ones mask, an lpm field the mask of its prefix, a range field its low end in
    `key` and its high end in `mask`. Bits outside of a field's width are 0, and so are those of a key outside of its
    mask. A table that has only exact fields has no masks: there `mask` is empty.
    """

    key: bytes
    mask: bytes = b""
    priority: int = 0


class PackedCall(NamedTuple):
    """An action by its name, and all its arguments."""

    action: str
    args: bytes = b""


PackedAction = PackedCall | MemberRef | GroupRef


class PackedEntry(NamedTuple):
    match: PackedMatch
    action: PackedAction
    idle_timeout_ns: int = 0


# ---- extern state ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CounterValue:
    packets: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class MeterRates:
    """Two-rate three-colour marker (RFC 2698). Rates in packets/s or bytes/s, bursts in packets or bytes.

    With an excess burst it is a single-rate three-colour marker (RFC 2697), and the peak means nothing.
    """

    committed_rate: int
    committed_burst: int
    peak_rate: int
    peak_burst: int
    excess_burst: int = 0


@dataclass(frozen=True, slots=True)
class ColourCounts:
    """The packets that a meter gave each colour to. An unconfigured meter gives GREEN."""

    green: CounterValue = CounterValue()
    yellow: CounterValue = CounterValue()
    red: CounterValue = CounterValue()


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A member of a selector group; `weight` copies of it are hashed over while it is active."""

    member_id: int
    weight: int = 1
    watch_port: int | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """A copy of a packet; while `port` is down it is the first of `backups` whose port is up (P4Runtime 9.5.1).

    P4Runtime speaks of multicast groups only; clone sessions do the same.
    """

    port: int
    instance: int
    backups: tuple[Replica, ...] = ()

    def live(self, ports_down: Container[int]) -> Replica:
        """The replica to make now; with all ports down this one, whose port drops it."""
        return next((replica for replica in (self, *self.backups) if replica.port not in ports_down), self)


@dataclass(frozen=True, slots=True)
class CloneSession:
    replicas: tuple[Replica, ...]
    packet_length_bytes: int = 0
    """0: not truncated."""
    class_of_service: int = 0
    """The clone's priority, cut to that field's width; 0: the one that the clone brings from its field list, if any."""


# ---- what comes out -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Output:
    port: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Digest:
    """One sample: the name of its learn list and one value per member, in the list's order."""

    name: str
    values: tuple[int, ...]


class PackedTable(Protocol):
    """The entries of one table, as byte strings.

    For counters and meters, None is the match of the default entry. What a default entry counts is misses; its meter
    marks them once it is configured, and until then leaves the colour as it was, as BMv2 does.
    """

    def insert(self, entry: PackedEntry) -> None:
        """Raises: EntryExists, NoRoom, EntryNotFound (member or group)."""
        ...

    def modify(self, entry: PackedEntry) -> None:
        """Replace action and timeout of the entry with that match. Raises: EntryNotFound."""
        ...

    def delete(self, match: PackedMatch) -> None:
        """Raises: EntryNotFound."""
        ...

    def get(self, match: PackedMatch) -> PackedEntry:
        """Raises: EntryNotFound."""
        ...

    def snapshot(self) -> Iterator[PackedEntry]:
        """The entries in insertion order, `const` ones of the program included, as they are at the call.

        It is quick; the work is in the iterator, which what is written meanwhile does not touch.
        """
        ...

    def scan_idle(self, cursor: int, limit: int) -> tuple[Sequence[PackedEntry], int | None]:
        """Look at up to `limit` entries for those not hit for longer than their timeout; also where to go on.

        `cursor` is 0 at first, and None at the end: idle entries may be few and far between. With writes between the
        calls some may come twice or not at all.
        """
        ...

    def idle_ns(self, match: PackedMatch) -> int:
        """Time since the entry was last hit or written. Raises: EntryNotFound."""
        ...

    def read_counter(self, match: PackedMatch | None) -> CounterValue:
        """Raises: EntryNotFound."""
        ...

    def write_counter(self, match: PackedMatch | None, value: CounterValue) -> None:
        """Raises: EntryNotFound."""
        ...

    def read_meter(self, match: PackedMatch | None) -> MeterRates | None:
        """None: unconfigured. Raises: EntryNotFound."""
        ...

    def write_meter(self, match: PackedMatch | None, rates: MeterRates | None) -> None:
        """What was counted stays. Raises: EntryNotFound."""
        ...

    def read_meter_counts(self, match: PackedMatch | None) -> ColourCounts:
        """Raises: EntryNotFound."""
        ...

    def write_meter_counts(self, match: PackedMatch | None, counts: ColourCounts) -> None:
        """Raises: EntryNotFound."""
        ...


class Engine(Protocol):
    """One loaded program with its control-plane state. See the module's contract."""

    @property
    def on_digest(self) -> Callable[[Digest], None] | None:
        """Called by `process`, at the end of ingress, with each digest; None: nobody listens."""
        ...

    @on_digest.setter
    def on_digest(self, handler: Callable[[Digest], None] | None) -> None: ...

    @property
    def anomalies(self) -> Mapping[str, int]:
        """How often each thing happened to packets that P4 leaves undefined, or that the engine had to cut short."""
        ...

    def process(self, port: int, data: bytes) -> Sequence[Output]:
        """Run one packet to completion, with its clones, copies, resubmits and recirculations."""
        ...

    # tables
    def insert(self, table: str, entry: TableEntry) -> None:
        """Raises: EntryExists, NoRoom, EntryNotFound (member or group)."""
        ...

    def modify(self, table: str, entry: TableEntry) -> None:
        """Replace action and timeout of the entry with that key and priority. Raises: EntryNotFound."""
        ...

    def delete(self, table: str, key: tuple[KeyMatch, ...], priority: int = 0) -> None:
        """Raises: EntryNotFound."""
        ...

    def get(self, table: str, key: tuple[KeyMatch, ...], priority: int = 0) -> TableEntry:
        """Raises: EntryNotFound."""
        ...

    def packed(self, table: str) -> PackedTable:
        """The same table by byte strings. What it returns lives as long as the engine."""
        ...

    def set_default(self, table: str, action: EntryAction | None) -> None:
        """None restores the program's own default."""
        ...

    def entries(self, table: str) -> Iterable[TableEntry]:
        """Every entry, `const` ones of the program included, in insertion order."""
        ...

    def default(self, table: str) -> EntryAction | None: ...

    def idle_entries(self) -> Iterable[tuple[str, TableEntry]]:
        """Entries with a timeout that have not been hit for longer than it."""
        ...

    def idle_ns(self, table: str, key: tuple[KeyMatch, ...], priority: int = 0) -> int:
        """Time since the entry was last hit or written. Raises: EntryNotFound."""
        ...

    # action profiles and selectors, by the profile's name
    def insert_member(self, profile: str, member_id: int, action: ActionCall) -> None: ...
    def modify_member(self, profile: str, member_id: int, action: ActionCall) -> None: ...
    def delete_member(self, profile: str, member_id: int) -> None: ...
    def insert_group(self, profile: str, group_id: int, members: Sequence[GroupMember]) -> None: ...
    def modify_group(self, profile: str, group_id: int, members: Sequence[GroupMember]) -> None: ...
    def delete_group(self, profile: str, group_id: int) -> None: ...
    def set_resilient(self, profile: str) -> None:
        """From now on, a group whose member is lost moves only that member's flows; not BMv2's ``hash % members``."""
        ...

    # counters, meters, registers; `index` counts from 0; `key` None is the default entry, as in `PackedTable`
    def read_counter(self, counter: str, index: int) -> CounterValue: ...
    def write_counter(self, counter: str, index: int, value: CounterValue) -> None: ...
    def read_direct_counter(self, table: str, key: tuple[KeyMatch, ...] | None, priority: int = 0) -> CounterValue: ...
    def write_direct_counter(
        self, table: str, key: tuple[KeyMatch, ...] | None, priority: int, value: CounterValue
    ) -> None: ...
    def read_meter(self, meter: str, index: int) -> MeterRates | None: ...
    def write_meter(self, meter: str, index: int, rates: MeterRates | None) -> None:
        """None: unconfigured, every packet is GREEN."""
        ...

    def read_meter_counts(self, meter: str, index: int) -> ColourCounts: ...
    def write_meter_counts(self, meter: str, index: int, counts: ColourCounts) -> None: ...
    def read_direct_meter(
        self, table: str, key: tuple[KeyMatch, ...] | None, priority: int = 0
    ) -> MeterRates | None: ...
    def write_direct_meter(
        self, table: str, key: tuple[KeyMatch, ...] | None, priority: int, rates: MeterRates | None
    ) -> None: ...
    def read_direct_meter_counts(
        self, table: str, key: tuple[KeyMatch, ...] | None, priority: int = 0
    ) -> ColourCounts: ...
    def write_direct_meter_counts(
        self, table: str, key: tuple[KeyMatch, ...] | None, priority: int, counts: ColourCounts
    ) -> None: ...
    def read_register(self, register: str, index: int) -> int: ...
    def write_register(self, register: str, index: int, value: int) -> None: ...

    # parser value sets
    def value_set(self, name: str) -> Sequence[tuple[int, ...]]:
        """The members, in the order they were given; at first there are none."""
        ...

    def set_value_set(self, name: str, members: Sequence[tuple[int, ...]]) -> None:
        """Replace all members. Each has one value for each element of the select's key; no two are the same."""
        ...

    # packet replication; both replace what was there, and an empty tuple or None removes
    def set_multicast_group(self, group_id: int, replicas: tuple[Replica, ...]) -> None: ...
    def set_clone_session(self, session_id: int, session: CloneSession | None) -> None: ...

    def set_port_up(self, port: int, up: bool) -> None:
        """Members of selector groups that watch this port leave or join their groups; backup replicas take over."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """While this is open no packet runs, on whatever thread: what is written meanwhile is seen as one change."""
        ...
