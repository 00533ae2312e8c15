# SPDX-License-Identifier: Apache-2.0
"""Updates drawn for any P4Info and the state of its device: right ones, and what the specification has them answered.

`update_faults` makes wrong ones of them, each in a single respect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from finsy.proto import p4d, p4i, p4r, p4t
from grpc import StatusCode
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
MatchType, Scope = p4i.MatchField, p4i.ActionRef
INSERT, MODIFY, DELETE = p4r.Update.INSERT, p4r.Update.MODIFY, p4r.Update.DELETE

OK = frozenset({StatusCode.OK})
OK_OR_FULL = OK | {StatusCode.RESOURCE_EXHAUSTED}
OK_OR_IN_USE = OK | {StatusCode.FAILED_PRECONDITION}
EXISTS = frozenset({StatusCode.ALREADY_EXISTS})
INVALID = frozenset({StatusCode.INVALID_ARGUMENT})

NO_COUNTS = p4r.MeterCounterData(green=p4r.CounterData(), yellow=p4r.CounterData(), red=p4r.CounterData())
"""The only counts of a meter's colours that can be written."""

CELLS = 64
"""Of an array, no others are written: some programs have 100,000."""

PORTS = range(511)
PRIORITY_TYPES = (MatchType.TERNARY, MatchType.RANGE, MatchType.OPTIONAL)


@dataclass(frozen=True)
class Trial:
    """An update and the codes of which the server has to give one."""

    update: p4r.Update
    codes: frozenset[StatusCode]
    fault: str = "none"

    @property
    def writes(self) -> bool:
        """Its content matters: nothing is deleted, and nothing is in its way."""
        return self.update.type != DELETE and StatusCode.OK in self.codes


def encoded(value: int) -> bytes:
    return value.to_bytes(max((value.bit_length() + 7) // 8, 1), "big")


class Updates:
    """What can be drawn for the program of `p4info` on a device that holds `held`."""

    def __init__(self, draw: Draw, p4info: p4i.P4Info, held: Sequence[p4r.Entity]) -> None:
        self._draw = draw
        self.p4info = p4info
        self.actions = {action.preamble.id: action for action in p4info.actions}
        self.tables = {table.preamble.id: table for table in p4info.tables}
        self.direct_counters = {counter.preamble.id for counter in p4info.direct_counters}
        self.direct_meters = {meter.preamble.id: meter for meter in p4info.direct_meters}
        self.profiles = {profile.preamble.id: profile for profile in p4info.action_profiles if profile.table_ids}
        self.entries = [e.table_entry for e in held if e.HasField("table_entry")]
        self.members = [e.action_profile_member for e in held if e.HasField("action_profile_member")]
        self.groups = [e.action_profile_group for e in held if e.HasField("action_profile_group")]
        self.digests = {e.digest_entry.digest_id for e in held if e.HasField("digest_entry")}
        replication = [e.packet_replication_engine_entry for e in held if e.HasField("packet_replication_engine_entry")]
        self.multicast = {e.multicast_group_entry.multicast_group_id for e in replication} - {0}
        self.sessions = {e.clone_session_entry.session_id for e in replication} - {0}

    def any(self) -> Trial:
        """An update of any kind that the program and the state allow."""
        kinds: dict[Callable[[], Trial], object] = {
            self.insert_entry: self._insertable(),
            self.change_entry: self._changeable(),
            self.default_entry: self._changeable_defaults(),
            self.insert_member: self.profiles,
            self.change_member: self.members,
            self.insert_group: self._selectors(),
            self.change_group: self.groups,
            self.multicast_group: True,
            self.clone_session: True,
            self.counter: self.p4info.counters,
            self.meter: self.p4info.meters,
            self.register: self.p4info.registers,
            self.digest: self.p4info.digests,
            self.value_set: self.p4info.value_sets,
        }
        return self.one_of([draw_kind for draw_kind, present in kinds.items() if present])()

    def one_of(self, items: Iterable[Any]) -> Any:
        return self._draw(st.sampled_from(list(items)))

    # ---- table entries

    def insert_entry(self) -> Trial:
        table = self.one_of(self._insertable())
        entry = p4r.TableEntry(table_id=table.preamble.id, match=self._match(table.match_fields))
        if has_priority(table):
            entry.priority = self._number(1, 5)
        entry.action.CopyFrom(self._table_action(table))
        self._add_resources(entry)
        if self.is_held(entry):
            return _trial(INSERT, EXISTS, table_entry=entry)
        return _trial(INSERT, self._codes_of(entry), table_entry=entry)

    def change_entry(self) -> Trial:
        entry = p4r.TableEntry()
        entry.CopyFrom(self.one_of(self._changeable()))
        if self._draw(st.booleans()):
            return _trial(DELETE, OK, table_entry=entry)
        entry.action.CopyFrom(self._table_action(self.tables[entry.table_id]))
        self._add_resources(entry)
        return _trial(MODIFY, self._codes_of(entry), table_entry=entry)

    def _codes_of(self, entry: p4r.TableEntry) -> frozenset[StatusCode]:
        """An action set may be too large for its profile, all sets together for all its groups."""
        profile = self.profiles.get(self.tables[entry.table_id].implementation_id)
        weight = sum(action.weight for action in entry.action.action_profile_action_set.action_profile_actions)
        return INVALID if profile and 0 < profile.max_group_size < weight else OK_OR_FULL

    def default_entry(self) -> Trial:
        table = self.one_of(self._changeable_defaults())
        entry = p4r.TableEntry(table_id=table.preamble.id, is_default_action=True)
        if self._draw(st.booleans()):
            entry.action.action.CopyFrom(self._action(_refs(table, Scope.TABLE_ONLY)))
        self._add_resources(entry)
        return _trial(MODIFY, OK, table_entry=entry)

    def _add_resources(self, entry: p4r.TableEntry) -> None:
        """Values for the direct counter and the direct meter of the entry's table, where it has them."""
        for resource in self.tables[entry.table_id].direct_resource_ids:
            if resource in self.direct_counters:
                entry.counter_data.CopyFrom(p4r.CounterData(packet_count=self._number(0, 9)))
            elif resource in self.direct_meters:
                entry.meter_config.CopyFrom(self._rates(self.direct_meters[resource]))
                entry.meter_counter_data.CopyFrom(NO_COUNTS)

    def is_held(self, entry: p4r.TableEntry) -> bool:
        return any(
            (held.table_id, held.priority) == (entry.table_id, entry.priority) and list(held.match) == list(entry.match)
            for held in self.entries
        )

    def _insertable(self) -> list[p4i.Table]:
        return [t for t in self.tables.values() if t.match_fields and not t.is_const_table and self._has_actions(t)]

    def _changeable(self) -> list[p4r.TableEntry]:
        return [
            entry for entry in self.entries if not entry.is_const and self._has_actions(self.tables[entry.table_id])
        ]

    def _changeable_defaults(self) -> list[p4i.Table]:
        return [
            table
            for table in self.tables.values()
            if not (table.const_default_action_id or table.implementation_id) and _refs(table, Scope.TABLE_ONLY)
        ]

    def _has_actions(self, table: p4i.Table) -> bool:
        profile = self.profiles.get(table.implementation_id)
        return profile is None or profile.with_selector or bool(self._members_of(profile))

    def _table_action(self, table: p4i.Table) -> p4r.TableAction:
        profile = self.profiles.get(table.implementation_id)
        if profile is None:
            return p4r.TableAction(action=self._action(_refs(table, Scope.DEFAULT_ONLY)))
        if groups := [group for group in self.groups if group.action_profile_id == profile.preamble.id]:
            return p4r.TableAction(action_profile_group_id=self.one_of(groups).group_id)
        if members := self._members_of(profile):
            return p4r.TableAction(action_profile_member_id=self.one_of(members).member_id)
        actions = [
            p4r.ActionProfileAction(action=self._action(_refs(table, Scope.DEFAULT_ONLY)), weight=self._number(1, 3))
            for _ in range(self._number(0, 3))
        ]
        return p4r.TableAction(action_profile_action_set=p4r.ActionProfileActionSet(action_profile_actions=actions))

    def _action(self, ids: Sequence[int]) -> p4r.Action:
        action = self.actions[self.one_of(ids)]
        params = [p4r.Action.Param(param_id=param.id, value=self._value(param.bitwidth)) for param in action.params]
        return p4r.Action(action_id=action.preamble.id, params=params)

    def _match(self, fields: Iterable[p4i.MatchField]) -> list[p4r.FieldMatch]:
        return [match for field in fields if (match := self._field_match(field))]

    def _field_match(self, field: p4i.MatchField) -> p4r.FieldMatch | None:
        """None: the field does not care."""
        width, ones = field.bitwidth, (1 << field.bitwidth) - 1
        match, value = p4r.FieldMatch(field_id=field.id), self._number(0, ones)
        if field.match_type == MatchType.EXACT:
            match.exact.value = encoded(value)
        elif field.match_type == MatchType.OPTIONAL and value:
            match.optional.value = encoded(value)
        elif field.match_type == MatchType.LPM and (prefix_len := self._number(0, width)):
            match.lpm.value = encoded(value & ones << width - prefix_len & ones)
            match.lpm.prefix_len = prefix_len
        elif field.match_type == MatchType.TERNARY and (mask := self._number(0, ones)):
            match.ternary.value, match.ternary.mask = encoded(value & mask), encoded(mask)
        elif field.match_type == MatchType.RANGE and (value, high := self._number(value, ones)) != (0, ones):
            match.range.low, match.range.high = encoded(value), encoded(high)
        else:
            return None
        return match

    # ---- action profiles

    def insert_member(self) -> Trial:
        profile = self.one_of(self.profiles.values())
        member = p4r.ActionProfileMember(
            action_profile_id=profile.preamble.id,
            member_id=self._number(1, 6),
            action=self._action(self._profile_actions(profile)),
        )
        if self._has_one_shots(profile):
            return _trial(INSERT, INVALID, action_profile_member=member)
        held = member.member_id in [other.member_id for other in self._members_of(profile)]
        return _trial(INSERT, EXISTS if held else OK_OR_FULL, action_profile_member=member)

    def change_member(self) -> Trial:
        member = p4r.ActionProfileMember()
        member.CopyFrom(self.one_of(self.members))
        if self._draw(st.booleans()):
            return _trial(DELETE, OK_OR_IN_USE, action_profile_member=member)
        member.action.CopyFrom(self._action(self._profile_actions(self.profiles[member.action_profile_id])))
        return _trial(MODIFY, OK, action_profile_member=member)

    def insert_group(self) -> Trial:
        profile = self.one_of(self._selectors())
        group = p4r.ActionProfileGroup(
            action_profile_id=profile.preamble.id, group_id=self._number(1, 4), members=self._group_members(profile)
        )
        held = [(other.action_profile_id, other.group_id) for other in self.groups]
        is_held = (group.action_profile_id, group.group_id) in held
        return _trial(INSERT, EXISTS if is_held else OK_OR_FULL, action_profile_group=group)

    def change_group(self) -> Trial:
        group = p4r.ActionProfileGroup()
        group.CopyFrom(self.one_of(self.groups))
        if self._draw(st.booleans()):
            return _trial(DELETE, OK_OR_IN_USE, action_profile_group=group)
        del group.members[:]
        group.members.extend(self._group_members(self.profiles[group.action_profile_id]))
        return _trial(MODIFY, OK_OR_FULL, action_profile_group=group)

    def _selectors(self) -> list[p4i.ActionProfile]:
        return [p for p in self.profiles.values() if p.with_selector and not self._has_one_shots(p)]

    def _members_of(self, profile: p4i.ActionProfile) -> list[p4r.ActionProfileMember]:
        return [member for member in self.members if member.action_profile_id == profile.preamble.id]

    def _has_one_shots(self, profile: p4i.ActionProfile) -> bool:
        return any(
            entry.action.HasField("action_profile_action_set") and entry.table_id in profile.table_ids
            for entry in self.entries
        )

    def _profile_actions(self, profile: p4i.ActionProfile) -> list[int]:
        return _refs(self.tables[profile.table_ids[0]], Scope.DEFAULT_ONLY)

    def _group_members(self, profile: p4i.ActionProfile) -> list[p4r.ActionProfileGroup.Member]:
        return [
            p4r.ActionProfileGroup.Member(member_id=member.member_id, weight=self._number(1, 3))
            for member in self._members_of(profile)
            if self._draw(st.booleans())
        ]

    # ---- everything else

    def multicast_group(self) -> Trial:
        group_id = self._number(1, 5)
        group = p4r.MulticastGroupEntry(multicast_group_id=group_id, replicas=self._replicas())
        return self._inserted(
            group_id in self.multicast,
            packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(multicast_group_entry=group),
        )

    def clone_session(self) -> Trial:
        session_id = self._number(1, 5)
        session = p4r.CloneSessionEntry(
            session_id=session_id, replicas=self._replicas(), class_of_service=self._number(0, 7)
        )
        return self._inserted(
            session_id in self.sessions,
            packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(clone_session_entry=session),
        )

    def _replicas(self) -> list[p4r.Replica]:
        ports = self._draw(st.lists(st.sampled_from(PORTS), max_size=3, unique=True))
        return [p4r.Replica(port=encoded(port), instance=self._number(0, 9)) for port in ports]

    def counter(self) -> Trial:
        counter = self.one_of(self.p4info.counters)
        data = p4r.CounterData(packet_count=self._number(0, 9))
        entry = p4r.CounterEntry(counter_id=counter.preamble.id, index=self._index(counter.size), data=data)
        return _trial(MODIFY, OK, counter_entry=entry)

    def meter(self) -> Trial:
        meter = self.one_of(self.p4info.meters)
        entry = p4r.MeterEntry(meter_id=meter.preamble.id, index=self._index(meter.size), config=self._rates(meter))
        if self._draw(st.booleans()):
            entry.counter_data.CopyFrom(NO_COUNTS)
        return _trial(MODIFY, OK, meter_entry=entry)

    def _rates(self, meter: p4i.Meter | p4i.DirectMeter) -> p4r.MeterConfig:
        rate = self._number(0, 9)
        has_excess = "@single_rate_three_color" in meter.preamble.annotations
        eburst = self._number(0, 9) if has_excess else 0
        return p4r.MeterConfig(cir=rate, cburst=rate, pir=rate, pburst=rate, eburst=eburst)

    def register(self) -> Trial:
        register = self.one_of(self.p4info.registers)
        entry = p4r.RegisterEntry(
            register_id=register.preamble.id, index=self._index(register.size), data=self._data(register.type_spec)
        )
        return _trial(MODIFY, OK, register_entry=entry)

    def _data(self, spec: p4t.P4DataTypeSpec) -> p4d.P4Data:
        if spec.HasField("bool"):
            return p4d.P4Data(bool=self._draw(st.booleans()))
        return p4d.P4Data(bitstring=encoded(self._number(0, 1)))  # fits every bit<W> and, of 2 bits and more, int<W>

    def digest(self) -> Trial:
        digest_id = self.one_of(self.p4info.digests).preamble.id
        config = p4r.DigestEntry.Config(max_list_size=self._number(0, 9))
        return self._inserted(
            digest_id in self.digests, digest_entry=p4r.DigestEntry(digest_id=digest_id, config=config)
        )

    def value_set(self) -> Trial:
        value_set = self.one_of(self.p4info.value_sets)
        members = [p4r.ValueSetMember(match=self._match(value_set.match)) for _ in range(self._number(0, 2))]
        is_twice = len(members) == 2 and members[0] == members[1]
        entry = p4r.ValueSetEntry(value_set_id=value_set.preamble.id, members=members)
        return _trial(MODIFY, EXISTS if is_twice else OK, value_set_entry=entry)

    def _inserted(self, is_held: bool, **entity: Any) -> Trial:
        """INSERT what is not there; what is there, too, or else MODIFY or DELETE it."""
        if not is_held:
            return _trial(INSERT, OK, **entity)
        update_type = self.one_of((INSERT, MODIFY, DELETE))
        return _trial(update_type, EXISTS if update_type == INSERT else OK, **entity)

    def _index(self, size: int) -> p4r.Index | None:
        """One of the first cells; None, which means all of them, only where these are few."""
        one = st.builds(p4r.Index, index=st.integers(0, min(size, CELLS) - 1))
        return self._draw(st.none() | one if size <= CELLS else one)

    def _value(self, width: int) -> bytes:
        return encoded(self._number(0, (1 << width) - 1))

    def _number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))


def has_priority(table: p4i.Table) -> bool:
    return any(field.match_type in PRIORITY_TYPES for field in table.match_fields)


def _refs(table: p4i.Table, unwanted: p4i.ActionRef.Scope.ValueType) -> list[int]:
    return [ref.id for ref in table.action_refs if ref.scope != unwanted]


def _trial(update_type: p4r.Update.Type.ValueType, codes: frozenset[StatusCode], **entity: Any) -> Trial:
    return Trial(p4r.Update(type=update_type, entity=p4r.Entity(**entity)), codes)
