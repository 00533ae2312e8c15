# SPDX-License-Identifier: Apache-2.0
"""Checksums and hashes: each calculation a C function that packs its inputs and hashes them.

Fields of one header that follow each other on the wire are one run, copied at once. Where all runs are whole 16-bit
words, an Internet checksum adds them up where they stand, without a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from softnic import ir

from .cvalues import CValue, bare, bit_offset, constant, convert, load_field, masked
from .layout import Layout, Place
from .names import Names
from .ordering import walk
from .stages import reachable
from .stores import block
from .widths import Interval, Type

_CHECKSUMS = frozenset({"csum16", "cksum16"})
_COUNTERS = frozenset({"round_robin", "round_robin_consistent"})

FUNCTIONS = {
    "crc16": "snic_crc16",
    "crc16_custom": "snic_crc16",
    "crc32": "snic_crc32",
    "crc32_custom": "snic_crc32",
    "crcCCITT": "snic_crc_ccitt",
    "crc8_custom": "snic_crc8",
    "crc64_custom": "snic_crc64",
    "csum16": "snic_checksum",
    "cksum16": "snic_checksum",
    "xor16": "snic_xor16",
    "xor32": "snic_xor32",
    "xxh64": "snic_xxh64",
    "bmv2_hash": "snic_xxh64",
    "hash_ex": "snic_fnv_mix",
    "toeplitz": "snic_toeplitz",
    "identity": "snic_identity",
}


@dataclass(frozen=True, slots=True)
class _Run:
    """Bits that go into the hash as they stand at `offset` (C text) of `bytes`, or, without `bytes`, as `value` is.

    `words`: `bytes` are in words (snic_words.h).
    """

    width: str
    offset: str = "0"
    bytes: str = ""
    value: CValue | None = None
    words: bool = False

    @property
    def bits(self) -> int | None:
        """The width, where it is known."""
        return int(self.width) if self.width.isdecimal() else None


class Calculations:
    """The calculations that `program` uses, each with a C function."""

    def __init__(self, program: ir.Program, layout: Layout, names: Names) -> None:
        self._layout = layout
        nodes = (*reachable(program.ingress), *reachable(program.egress))
        used = walk((program.parser, program.checksums, nodes, program.deparser))
        self._names: dict[ir.Calculation, str] = {}
        for calculation in used:
            if isinstance(calculation, ir.Calculation) and calculation not in self._names:
                self._names[calculation] = names.unique(f"calc__{calculation.name}")
        self.round_robins = tuple(c for c in self._names if c.algorithm in _COUNTERS)

    def call(self, calculation: ir.Calculation) -> str:
        """C text of the hash, a ``uint64_t``."""
        return f"{self._names[calculation]}(w, p)"

    def has_state(self, calculation: ir.Calculation) -> bool:
        """Whether computing it changes what it yields next."""
        return calculation.algorithm == "random" or calculation.algorithm in _COUNTERS

    def functions(self) -> list[str]:
        """All functions, with an empty line behind each."""
        return [line for calculation in self._names for line in (*self._function(calculation), "")]

    def _function(self, calculation: ir.Calculation) -> list[str]:
        name = self._names[calculation]
        signature = f"{self._layout.function} uint64_t {name}(struct snic_worker *w, struct packet *p)"
        body = ["(void)w, (void)p;", *self._body(calculation)]
        return [signature, "{", *(f"    {line}" for line in body), "}"]

    def _body(self, calculation: ir.Calculation) -> list[str]:
        if calculation.algorithm == "random":
            return ["return snic_random(w);"]
        if calculation.algorithm == "round_robin":
            return [f"return snic_round_robin_next({self._round_robin(calculation)});"]
        groups = self._groups(calculation)
        if calculation.algorithm in _CHECKSUMS and all(map(_is_words, (run for _, runs in groups for run in runs))):
            return _add_up(groups, payload=calculation.payload)
        return self._pack(calculation, groups)

    def _round_robin(self, calculation: ir.Calculation) -> str:
        return f"snic_round_robin_of(w, {self.round_robins.index(calculation)})"

    # ---- inputs -----------------------------------------------------------------------------------------------------

    def _groups(self, calculation: ir.Calculation) -> list[tuple[Place | None, list[_Run]]]:
        """Runs of the same header, which count only while it is valid; None: always."""
        items = [item for given in calculation.inputs for item in self._input(given)]
        groups: list[tuple[Place | None, list[_Run]]] = []
        for storage, members in groupby(items, key=lambda item: item[0].storage if item[0] else ""):
            listed = list(members)
            place = listed[0][0] if storage else None
            groups.append((place, _joined([run for _, run in listed])))
        return groups

    def _input(self, given: ir.FieldRef | ir.HeaderRef | ir.PaddedConst) -> list[tuple[Place | None, _Run]]:
        match given:
            case ir.PaddedConst(value=value, width=width):
                return [(None, _Run(str(width), value=constant(value, Type.of_bits(width))))]
            case ir.HeaderRef(header=header):
                place = self._layout.place(header)
                if not place.wire:
                    return [(None, _field_run(place, field)) for field in header.type.fields]
                width = str(header.type.fixed_width)
                if place.varbit_bits is not None:
                    width = f"({width} + {place.varbit_bits})"
                return [(place, _Run(width, "0", place.storage, words=place.words))]
            case ir.FieldRef(header=header, field=field):
                place = self._layout.place(header)
                return [(place if place.wire else None, _field_run(place, field))]

    # ---- code -------------------------------------------------------------------------------------------------------

    def _pack(self, calculation: ir.Calculation, groups: list[tuple[Place | None, list[_Run]]]) -> list[str]:
        """Into a buffer: by bytes where all are whole, else by bits, and zero bits complete the last byte."""
        room = _room(calculation)
        appended = calculation.payload and calculation.algorithm not in _CHECKSUMS
        lines = [f"uint8_t data[{room}{' + SNIC_MAX_FRAME_BYTES' if appended else ''}];"]
        by_bytes = all(_is_bytes(run) for _, runs in groups for run in runs)
        lines += ["size_t size = 0;" if by_bytes else "uint32_t bits = 0;"]
        if not (by_bytes and groups and groups[0][0] is None):  # C compilers want to see that something is written
            lines.append(f"memset(data, 0, {room});")
        copy = _append_bytes if by_bytes else _append_bits
        for place, runs in groups:
            copies = [line for run in runs for piece in _pieces(run) for line in copy(piece)]
            lines += copies if place is None or place.bit is None else block(f"if ({place.is_valid})", copies)
        lines += [] if by_bytes else ["size_t size = (bits + 7) / 8;"]
        if calculation.payload and not appended:
            parts = "data, size, p->base.payload, snic_visible_payload(&p->base)"
            return [*lines, f"return snic_checksum_of_parts({parts});"]
        if appended:  # of a payload that was recirculated until it is longer than any frame, what fits
            lines += [
                "const uint32_t payload = snic_at_most(snic_visible_payload(&p->base), SNIC_MAX_FRAME_BYTES);",
                "memcpy(data + size, p->base.payload, payload);",
                "size += payload;",
            ]
        if calculation.algorithm == "round_robin_consistent":
            return [*lines, f"return snic_round_robin_consistent({self._round_robin(calculation)}, data, size);"]
        return [*lines, f"return {FUNCTIONS[calculation.algorithm]}(data, size);"]


def _room(calculation: ir.Calculation) -> int:
    """Bytes of the longest input, whole words."""
    bits = 0
    for given in calculation.inputs:
        match given:
            case ir.PaddedConst(width=width):
                bits += width
            case ir.HeaderRef(header=header):
                bits += header.type.fixed_width + (header.type.varbit.width if header.type.varbit else 0)
            case ir.FieldRef(field=field):
                bits += field.width
    return max(8, (bits + 63) // 64 * 8)


def _field_run(place: Place, field: ir.Field) -> _Run:
    if not place.wire:
        kind = Type.of_bits(field.width)
        return _Run(str(field.width), value=masked(convert(load_field(place, field), kind), field.width))
    width = place.varbit_bits if field.varbit and place.varbit_bits else str(field.width)
    return _Run(width, bit_offset(place, field), place.storage, words=place.words)


def _joined(runs: list[_Run]) -> list[_Run]:
    """Runs that follow each other on the wire made one."""
    joined: list[_Run] = []
    for run in runs:
        if joined and _follows(joined[-1], run):
            last = joined.pop()
            run = replace(last, width=str(int(last.width) + int(run.width)))
        joined.append(run)
    return joined


def _follows(last: _Run, run: _Run) -> bool:
    if not last.bytes or last.bytes != run.bytes or last.bits is None or run.bits is None:
        return False
    return last.offset.isdecimal() and run.offset == str(int(last.offset) + last.bits)


def _is_bytes(run: _Run) -> bool:
    if run.bits is None or run.bits % 8:
        return False
    return run.value is not None or (run.offset.isdecimal() and int(run.offset) % 8 == 0)


def _pieces(run: _Run) -> Iterator[_Run]:
    """A run of words as numbers of a word's size; anything else as it is."""
    if not run.words:
        yield run
        return
    start, end = int(run.offset), int(run.offset) + int(run.width)
    for at in range(start, end, Type.WORD):
        width = min(Type.WORD, end - at)
        bits = Interval.unsigned(width)
        yield _Run(str(width), value=CValue(f"snic_get64({run.bytes}, {at}, {width})", Type.WORD, bits))


def _append_bytes(run: _Run) -> list[str]:
    count = int(run.width) // 8
    if run.value is None:
        lines = [f"memcpy(data + size, {_start(run)}, {count});"]
    elif run.value.type is Type.WORD:
        lines = [f"snic_store_bytes(data + size, {count}, {bare(run.value.text)});"]
    else:
        lines = [_store("data + size", "0", run)]
    return [*lines, f"size += {count};"]


def _append_bits(run: _Run) -> list[str]:
    if run.value is None:
        copy = f"snic_copy_bits(data, bits, {run.bytes}, {run.offset}, {run.width});"
    else:
        copy = _store("data", "bits", run)
    return [copy, f"bits += {bare(run.width)};"]


def _store(place: str, offset: str, run: _Run) -> str:
    value = run.value or constant(0, Type.WORD)
    call = {Type.WORD: "snic_store64", Type.DOUBLE: "snic_store128", Type.WIDE: "snic_wide_store"}[value.type]
    return f"{call}({place}, {offset}, {run.width}, {bare(value.text)});"


def _start(run: _Run) -> str:
    """Where the bytes of a run at a whole byte begin."""
    skipped = int(run.offset) // 8
    return f"{run.bytes} + {skipped}" if skipped else run.bytes


# ---- the Internet checksum, in place --------------------------------------------------------------------------------


def _is_words(run: _Run) -> bool:
    """Whole 16-bit words, at a byte; or a number of one word."""
    if run.bits is None or run.bits % 16:
        return False
    if run.value is not None:
        return run.bits == 16
    return run.offset.isdecimal() and int(run.offset) % (16 if run.words else 8) == 0


def _add_up(groups: list[tuple[Place | None, list[_Run]]], *, payload: bool) -> list[str]:
    lines = ["uint64_t sum = 0;"]
    for place, runs in groups:
        sums = [_sum(run) for run in runs]
        lines += sums if place is None or place.bit is None else block(f"if ({place.is_valid})", sums)
    if payload:
        lines.append("sum = snic_plus_bytes(sum, p->base.payload, snic_visible_payload(&p->base));")
    return [*lines, "return snic_checksum_of_sum(sum);"]


def _sum(run: _Run) -> str:
    if run.value is not None:
        return f"sum = snic_plus_number(sum, (uint16_t){run.value.text});"
    size = int(run.width) // 8
    if run.words:
        return f"sum = snic_plus_words(sum, {run.bytes}, {int(run.offset) // 8}, {size});"
    return f"sum = snic_plus_bytes(sum, {_start(run)}, {size});"
