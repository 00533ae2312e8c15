# SPDX-License-Identifier: Apache-2.0
"""Decides which entries the flow cache and the session tables get and lose. Samples, notices and the time go in,
`Change`s come out; nothing here touches a device.

A change counts as made when it is handed out; `refused` takes it back. A key whose entry is being deleted is not
written until the device has confirmed that it is gone: two requests may overtake each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple, NoReturn

from finsy import GRPCStatusCode
from finsy.proto import p4r

from headgate.handlers.gateway.closing import Closing
from headgate.handlers.gateway.entries import ALL_FIELDS, Entry
from headgate.handlers.gateway.flow_index import FlowIndex
from headgate.handlers.gateway.keys import (
    FAMILIES,
    TENANT,
    family_of_flow,
    family_of_session,
    is_aggregate,
    reverse,
    untranslated_session,
)
from headgate.handlers.gateway.samples import CLOSE, NEW, TRANSLATE, FlowSample
from headgate.handlers.gateway.synthesis import TCP, Timeouts, aggregate_entry, exact_entry, session_entries

INSERT, MODIFY, DELETE = p4r.Update.INSERT, p4r.Update.MODIFY, p4r.Update.DELETE

RECENT_NS = 2_000_000_000
"""A sample of what was written this recently was on its way when it was written. A later one says that the device does
not have the entry, whatever we think."""

FULL_PAUSE_NS = 1_000_000_000
"""How long a table that was full is not written to."""

_PROTOCOL_OF_SESSION = slice(-5, -4)
_CACHES = frozenset(name for family in FAMILIES for name in (family.cache, family.aggregate))
_SESSIONS = frozenset(family.sessions for family in FAMILIES)
_FULL = (GRPCStatusCode.RESOURCE_EXHAUSTED, GRPCStatusCode.UNKNOWN)  # BMv2 says UNKNOWN


class Change(NamedTuple):
    """One update of a table."""

    type: p4r.Update.Type.ValueType
    entry: Entry
    again: bool = False
    """The device was asked before, and had the entry, or not, other than we thought."""


def corrected(change: Change, code: GRPCStatusCode) -> Change | None:
    """What to ask for instead, once, where the device had the entry already, or had it no longer."""
    if change.again:
        return None
    if change.type == INSERT and code == GRPCStatusCode.ALREADY_EXISTS:
        return Change(MODIFY, change.entry, again=True)
    if change.type == MODIFY and code == GRPCStatusCode.NOT_FOUND:
        return Change(INSERT, change.entry, again=True)
    return None


class FlowCache:
    """The flow cache and the sessions of one device.

    Args:
        timeouts: How long what is learned stays without use.
        aggregate: Whether to write aggregates.
        mapped: The inside endpoints that have a NAT mapping.

    Attributes:
        epochs: Of each tenant that is served, by its id as in a key: its own, then its router's. The caller sets it.
        counts: What became of samples and notices, by name.
    """

    def __init__(self, timeouts: Timeouts, *, aggregate: bool, mapped: Container[bytes] = ()) -> None:
        self._timeouts = timeouts
        self._aggregate = aggregate
        self.index = FlowIndex(mapped)
        self.epochs: dict[bytes, bytes] = {}
        self.counts: Counter[str] = Counter()
        self._closing = Closing(timeouts.tcp_transitory_ns)
        self._leaving: set[bytes] = set()
        self._recent: set[bytes] = set()
        self._less_recent: set[bytes] = set()
        self._recent_since_ns = 0
        self._full_until_ns: dict[str, int] = {}
        self._idle_ends: dict[bytes, int] = {}

    def configure(self, timeouts: Timeouts, *, aggregate: bool) -> None:
        """Go on with other settings; what is written already keeps those it was written with."""
        self._timeouts = timeouts
        self._aggregate = aggregate

    # ---- learning

    def learn(self, samples: Iterable[FlowSample], now_ns: int) -> list[Change]:
        """What to write for samples that just came in."""
        self._age_recent(now_ns)
        changes: list[Change] = []
        for sample in samples:
            if sample.epochs != self.epochs.get(sample.tenant_id):
                self.counts["stale"] += 1
            elif sample.event == NEW:
                self._connection(sample, now_ns, changes)
            elif sample.event == CLOSE:
                self._close(sample, now_ns, changes)
            else:
                self._flow(sample, now_ns, changes)
        return changes

    def _flow(self, sample: FlowSample, now_ns: int, changes: list[Change]) -> None:
        key = sample.flow
        session = sample.session if sample.result == TRANSLATE else None
        connection = self.index.connection_of(session or untranslated_session(key))
        if connection is not None and self._closing.is_over(connection, now_ns):
            self.counts["closed"] += 1
            return
        if not self._cache(exact_entry(sample, self._timeouts), sample, session, now_ns, changes):
            self.index.saw(session or untranslated_session(key), now_ns)
            return
        if self._aggregate and sample.consulted[0] & ALL_FIELDS != ALL_FIELDS:
            wide = aggregate_entry(sample, self._timeouts)
            if wide is not None:
                self._cache(wide, sample, None, now_ns, changes)

    def _cache(
        self, entry: Entry, sample: FlowSample, session: bytes | None, now_ns: int, changes: list[Change]
    ) -> bool:
        """Have an entry written, unless it is there or there is no room. Returns: whether there is room."""
        key, epochs = entry.key, sample.epochs
        held = self.index.epochs_of(key)
        if held == epochs and (key in self._recent or key in self._less_recent):
            self.counts["duplicate"] += 1
            return True
        if not self._may_write(entry, now_ns):
            return False
        if session is not None and held is not None and self.index.session_of(key) != session:
            self.index.remove_flow(key, now_ns)  # its port is another connection's now
        self.index.add_flow(key, epochs, session)
        self._recent.add(key)
        changes.append(Change(INSERT if held is None else MODIFY, entry))
        return True

    def _connection(self, sample: FlowSample, now_ns: int, changes: list[Change]) -> None:
        """A connection began. Until the device has its sessions, its packets are reported as new each time."""
        session = sample.session
        connection = self.index.connection_of(session)
        if connection is not None and (connection in self._recent or connection in self._less_recent):
            self.counts["duplicate"] += 1
            return
        entries = session_entries(sample, self._timeouts)
        if not all(self._may_write(entry, now_ns) for entry in entries):
            return
        if connection is None:
            self.index.add_connection(session)
        self._recent.add(session)
        changes += [Change(INSERT if connection is None else MODIFY, entry) for entry in entries]
        if sample.protocol != TCP:
            self._flow(sample, now_ns, changes)

    def _close(self, sample: FlowSample, now_ns: int, changes: list[Change]) -> None:
        """A FIN or a RST went by. Those of a closed connection are no longer cached: what still comes must show up."""
        session = sample.session
        connection = self.index.connection_of(session)
        if connection is None:
            return
        flags = sample.tcp_flags[0]
        if self._closing.saw(connection, flags, by_originator=session == connection, now_ns=now_ns):
            for flow in self.index.flows_of(connection):
                self._forget_flow(flow, now_ns, changes)

    def _may_write(self, entry: Entry, now_ns: int) -> bool:
        if entry.key in self._leaving:
            self.counts["leaving"] += 1
            return False
        if self._full_until_ns.get(entry.table, 0) > now_ns:
            self.counts["table_full"] += 1
            return False
        return True

    def _age_recent(self, now_ns: int) -> None:
        age_ns = now_ns - self._recent_since_ns
        if age_ns >= RECENT_NS:
            self._recent, self._less_recent = set(), self._recent if age_ns < 2 * RECENT_NS else set()
            self._recent_since_ns = now_ns

    # ---- leaving

    def idle(self, entries: Iterable[Entry], now_ns: int) -> list[Change]:
        """What to delete of the entries that nobody used for their timeout. The device says so again and again."""
        changes: list[Change] = []
        for entry in entries:
            if entry.key in self._leaving:
                continue
            if entry.table in _CACHES:
                self._forget_flow(entry.key, now_ns, changes)
            elif entry.table in _SESSIONS:
                self._idle_session(entry, now_ns, changes)
        return changes

    def _idle_session(self, entry: Entry, now_ns: int, changes: list[Change]) -> None:
        """A cached flow does not touch its session: only what the cache knows nothing of either is idle."""
        session = entry.key
        connection = self.index.connection_of(session)
        if connection is None:
            self._delete(entry.table, session, changes)
            return
        protocol = session[_PROTOCOL_OF_SESSION]
        released_ns = self.index.released_ns(connection)
        rests = released_ns is not None and now_ns - released_ns < self._timeouts.lasting(protocol)
        if rests or self.index.flows_of(connection):
            return
        self._idle_ends[session] = now_ns
        other_ns = self._idle_ends.get(reverse(session))
        if other_ns is not None and now_ns - other_ns <= 2 * self._timeouts.first(protocol):
            self._forget_connection(connection, now_ns, changes)

    def expire(self, now_ns: int) -> list[Change]:
        """What to delete because its time is over: connections that were closed long ago."""
        changes: list[Change] = []
        for connection in self._closing.expired(now_ns):
            if self.index.connection_of(connection) == connection:
                self._forget_connection(connection, now_ns, changes)
        return changes

    def sweep(self, batch: int, now_ns: int) -> Iterator[list[Change]]:
        """Delete what was cached under epochs that are over, and the connections of tenants that are gone.

        A batch at a time, as the caller asks: what was learned anew in the meantime stays.
        """
        orphans = [key for key in self.index.all_connections() if key[TENANT] not in self.epochs]
        for start in range(0, len(orphans), batch):
            changes: list[Change] = []
            for connection in orphans[start : start + batch]:
                self._forget_connection(connection, now_ns, changes)
            yield changes
        stale = self.index.stale_flows(self.epochs)
        for start in range(0, len(stale), batch):
            changes = []
            for key in stale[start : start + batch]:
                held = self.index.epochs_of(key)
                if held is not None and held != self.epochs.get(key[TENANT]):
                    self.counts["swept"] += 1
                    self._forget_flow(key, now_ns, changes)
            yield changes

    def _forget_flow(self, key: bytes, now_ns: int, changes: list[Change]) -> None:
        self.index.remove_flow(key, now_ns)
        family = family_of_flow(key)
        self._delete(family.aggregate if is_aggregate(key) else family.cache, key, changes)

    def _forget_connection(self, connection: bytes, now_ns: int, changes: list[Change]) -> None:
        for flow in self.index.remove_connection(connection):
            self._forget_flow(flow, now_ns, changes)
        self._closing.forget(connection)
        table = family_of_session(connection).sessions
        for session in (connection, reverse(connection)):
            self._idle_ends.pop(session, None)
            self._delete(table, session, changes)

    def _delete(self, table: str, key: bytes, changes: list[Change]) -> None:
        self._leaving.add(key)
        self._recent.discard(key)
        self._less_recent.discard(key)
        changes.append(Change(DELETE, Entry(table, key)))

    # ---- what the device said

    def written(self, changes: Sequence[Change], now_ns: int) -> Sequence[NoReturn]:
        """The device has made these changes. Returns: nothing that waited for them."""
        if self._leaving:
            self._leaving.difference_update(change.entry.key for change in changes if change.type == DELETE)
        return ()

    def refused(self, change: Change, code: GRPCStatusCode, now_ns: int) -> list[Change]:
        """The device has not made a change. Returns: what to do instead."""
        entry = change.entry
        if change.type == DELETE:
            self._leaving.discard(entry.key)
            self.counts["delete_refused"] += code != GRPCStatusCode.NOT_FOUND
            return []
        if (instead := corrected(change, code)) is not None:
            return [instead]
        if code in _FULL:
            self.counts["table_full"] += 1
            self._full_until_ns[entry.table] = now_ns + FULL_PAUSE_NS
        else:
            self.counts["refused"] += 1
        changes: list[Change] = []
        if entry.table in _CACHES:
            self.index.remove_flow(entry.key, now_ns)
            self._recent.discard(entry.key)
        elif (connection := self.index.connection_of(entry.key)) is not None:
            self._forget_connection(connection, now_ns, changes)
        return changes

    # ---- restart

    def adopt(self, entries: Iterable[Entry], now_ns: int) -> list[Change]:
        """Take over what an earlier controller left on the device, sessions before flows.

        Returns: what to delete of it: sessions that lack their other end.
        """
        responders: set[bytes] = set()
        for entry in entries:
            if entry.table in _CACHES:
                self._adopt_flow(entry)
            elif entry.action == "originator":
                self.index.add_connection(entry.key)
                self.index.saw(entry.key, now_ns)
            else:
                responders.add(entry.key)
        changes: list[Change] = []
        alone = [key for key in self.index.all_connections() if reverse(key) not in responders]
        for connection in alone:
            self._forget_connection(connection, now_ns, changes)
        for responder in responders:
            if self.index.connection_of(responder) is None:
                self._delete(family_of_session(responder).sessions, responder, changes)
        return changes

    def _adopt_flow(self, entry: Entry) -> None:
        session = None
        if entry.action == "translate":
            _, _, _, _, _, _, new_dst, new_dst_port = entry.args
            tenant, _, src, _, protocol, src_port, _ = family_of_flow(entry.key).flow.unpack(entry.key)
            session = tenant + src + new_dst + protocol + src_port + new_dst_port
        self.index.add_flow(entry.key, entry.args[0] + entry.args[1], session)
