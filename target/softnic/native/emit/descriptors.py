# SPDX-License-Identifier: Apache-2.0
"""The constants by which a compiled program tells the runtime what it has (snic_program.h)."""

from __future__ import annotations

from collections.abc import Sequence

from softnic import ir

from .actions import args_bytes
from .errors import UnsupportedError
from .machine import digest_bytes
from .tables import key_of, match_of, strongest_match
from .writer import Writer, c_string


class Descriptors:
    """Emits ``snic_program_v1`` and what it points to."""

    def __init__(self, program: ir.Program, json_sha256: str, round_robins: int) -> None:
        self._program = program
        self._json_sha256 = json_sha256
        self._round_robins = round_robins
        self._profiles = {profile.name: number for number, profile in enumerate(program.profiles)}

    def emit(self, writer: Writer) -> None:
        program = self._program
        for number, table in enumerate(program.tables):
            self._key_fields(writer, f"table_{number}_fields", table)
            _actions(writer, f"table_{number}_actions", table.actions)
        for number, profile in enumerate(program.profiles):
            _actions(writer, f"profile_{number}_actions", self._profile_actions(profile))
        _structs(writer, "table", "tables", [self._table(n, table) for n, table in enumerate(program.tables)])
        _structs(writer, "profile", "profiles", [self._profile(n, p) for n, p in enumerate(program.profiles)])
        _array(writer, "counter", "counters", [f"{{{c_string(c.name)}, {c.size}}}" for c in program.counters])
        _array(
            writer,
            "meter",
            "meters",
            [f"{{{c_string(m.name)}, {m.size}, {_bool(m.unit == 'bytes')}}}" for m in program.meters],
        )
        _array(
            writer, "register", "registers", [f"{{{c_string(r.name)}, {r.size}, {r.width}}}" for r in program.registers]
        )
        _array(writer, "value_set", "value_sets", [self._value_set(value_set) for value_set in program.value_sets])
        _array(writer, "digest", "digests", [f"{{{c_string(d.name)}, {digest_bytes(d)}}}" for d in program.learn_lists])
        self._whole(writer)

    def _key_fields(self, writer: Writer, name: str, table: ir.Table) -> None:
        layout = key_of(table)
        rows = [
            f"{{{c_string(field.name)}, {match_of(field.kind)}, {offset}, {size}, {field.width}}}"
            for field, (offset, size) in zip(table.key, layout.fields, strict=True)
        ]
        if rows:
            _rows(writer, f"static const struct snic_key_field {name}[]", rows)

    def _table(self, number: int, table: ir.Table) -> list[str]:
        layout = key_of(table)
        rows = [
            f".name = {c_string(table.name)},",
            f".match = {strongest_match(table)}, .key_bytes = {layout.size}, .key_room = {layout.room},",
            *_list("fields", len(table.key), f"table_{number}_fields"),
            *_list("actions", len(table.actions), f"table_{number}_actions"),
            f".max_args_bytes = {_max_args_bytes(table.actions)}, .max_size = {table.max_size},",
            f".profile = {'SNIC_NO_PROFILE' if table.profile is None else self._profiles[table.profile.name]},",
        ]
        if table.direct_counter:
            rows.append(".direct_counter = true,")
        if table.direct_meter is not None:
            rows.append(f".direct_meter = true, .direct_meter_in_bytes = {_bool(table.direct_meter.unit == 'bytes')},")
        if table.idle_timeout:
            rows.append(".idle_timeout = true,")
        return rows

    def _profile(self, number: int, profile: ir.ActionProfile) -> list[str]:
        actions = self._profile_actions(profile)
        return [
            f".name = {c_string(profile.name)}, .selector = {_bool(profile.selector is not None)},",
            *_list("actions", len(actions), f"profile_{number}_actions"),
            f".max_args_bytes = {_max_args_bytes(actions)}, .max_size = {profile.max_size},",
        ]

    def _profile_actions(self, profile: ir.ActionProfile) -> Sequence[ir.TableAction]:
        """Those of the tables that use it, which have the same."""
        return next((table.actions for table in self._program.tables if table.profile == profile), ())

    def _value_set(self, value_set: ir.ValueSet) -> str:
        """Its members have the shape of the transition keys that they are compared with, byte by byte.

        Raises: UnsupportedError where these are padded differently: a shorter one would be read past its end.
        """
        shapes = {
            tuple(part.width for part in state.key)
            for state in self._program.parser.states
            for case in state.cases
            if isinstance(case, ir.ValueSetCase) and case.value_set == value_set
        }
        if len(shapes) > 1:
            raise UnsupportedError(f"value set {value_set.name} is compared with keys of different fields")
        size = sum((width + 7) // 8 for shape in shapes for width in shape) or (value_set.width + 7) // 8
        return f"{{{c_string(value_set.name)}, {size}, {value_set.max_size}}}"

    def _whole(self, writer: Writer) -> None:
        program = self._program
        lists = {
            "tables": program.tables,
            "profiles": program.profiles,
            "counters": program.counters,
            "meters": program.meters,
            "registers": program.registers,
            "value_sets": program.value_sets,
            "digests": program.learn_lists,
        }
        writer.line("extern const struct snic_program snic_program_v1;")
        with writer.block("const struct snic_program snic_program_v1 =", end="};"):
            writer.line(".abi = SNIC_ABI,")
            writer.line(f".json_sha256 = {c_string(self._json_sha256)},")
            writer.line(f".name = {c_string(program.name)},")
            for name, items in lists.items():
                writer.lines(_list(name, len(items), name))
            writer.line(f".n_round_robins = {self._round_robins},")
            writer.line(".scratch_bytes = sizeof(struct machine),")
            writer.line(".vector = VECTOR,")
            writer.line(".run = machine_run,")


def _actions(writer: Writer, name: str, actions: Sequence[ir.TableAction]) -> None:
    rows = [f"{{{c_string(action.action.name)}, {args_bytes(action.action)}}}" for action in actions]
    if rows:
        _rows(writer, f"static const struct snic_action_desc {name}[]", rows)


def _max_args_bytes(actions: Sequence[ir.TableAction]) -> int:
    return max((args_bytes(action.action) for action in actions), default=0)


def _array(writer: Writer, kind: str, name: str, rows: Sequence[str]) -> None:
    if rows:
        _rows(writer, f"static const struct snic_{kind}_desc {name}[]", rows)


def _structs(writer: Writer, kind: str, name: str, items: Sequence[Sequence[str]]) -> None:
    if not items:
        return
    with writer.block(f"static const struct snic_{kind}_desc {name}[] =", end="};"):
        for lines in items:
            with writer.block(end="},"):
                writer.lines(lines)
    writer.line()


def _list(name: str, length: int, array: str) -> list[str]:
    """The members that describe an array; zero, as C has it, where there is none."""
    return [f".n_{name} = {length}, .{name} = {array},"] if length else []


def _rows(writer: Writer, declaration: str, rows: Sequence[str]) -> None:
    with writer.block(f"{declaration} =", end="};"):
        writer.lines(f"{row}," for row in rows)
    writer.line()


def _bool(value: bool) -> str:
    return "true" if value else "false"
