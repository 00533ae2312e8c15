# SPDX-License-Identifier: Apache-2.0
"""Table entries by name, as P4Runtime inserts."""

from __future__ import annotations

from collections.abc import Mapping

from finsy.proto import p4i, p4r

Match = int | tuple[int, int]
"""An exact value, or the value and length of a prefix."""


class Inserts:
    """Builds INSERT updates with the ids of one P4Info. Names are the last component of the fully qualified ones."""

    def __init__(self, p4info: p4i.P4Info) -> None:
        self._tables = {table.preamble.alias: table for table in p4info.tables}
        self._actions = {action.preamble.alias: action for action in p4info.actions}

    def entry(self, table: str, match: Mapping[str, Match], action: str, **params: int) -> p4r.Update:
        """One entry. Raises: KeyError for a name that the program does not have."""
        fields = {field.name: field for field in self._tables[table].match_fields}
        declared = {param.name: param for param in self._actions[action].params}
        call = p4r.Action(
            action_id=self._actions[action].preamble.id,
            params=[
                p4r.Action.Param(param_id=declared[name].id, value=_canonical(value)) for name, value in params.items()
            ],
        )
        entry = p4r.TableEntry(
            table_id=self._tables[table].preamble.id,
            match=[_field_match(fields[name].id, value) for name, value in match.items()],
            action=p4r.TableAction(action=call),
        )
        return p4r.Update(type=p4r.Update.INSERT, entity=p4r.Entity(table_entry=entry))


def _field_match(field_id: int, match: Match) -> p4r.FieldMatch:
    if isinstance(match, int):
        return p4r.FieldMatch(field_id=field_id, exact=p4r.FieldMatch.Exact(value=_canonical(match)))
    value, prefix_len = match
    return p4r.FieldMatch(field_id=field_id, lpm=p4r.FieldMatch.LPM(value=_canonical(value), prefix_len=prefix_len))


def _canonical(value: int) -> bytes:
    """The shortest big-endian bytestring, at least one byte (P4Runtime 8.4)."""
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8))
