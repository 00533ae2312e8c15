# SPDX-License-Identifier: Apache-2.0
"""Every kind of index against a linear scan that follows the definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softnic import ir
from softnic.engine import Exact, KeyMatch, Lpm, Range, Ternary
from softnic.reference.matching import ExactIndex, KeyPacker, PrefixIndex, PriorityIndex

WIDTH = 6
ONES = (1 << WIDTH) - 1

Row = tuple[tuple[KeyMatch, ...], int]
"""Key and priority."""


def field(kind: ir.MatchKind, mask: int = ONES) -> ir.KeyField:
    return ir.KeyField(kind.value, kind, ir.Const(0), WIDTH, mask)


values = st.integers(0, ONES)
exacts = values.map(Exact)
prefixes = st.tuples(values, st.integers(0, WIDTH)).map(
    lambda pair: Lpm(pair[0] >> (WIDTH - pair[1]) << (WIDTH - pair[1]), pair[1])
)
ternaries = st.tuples(values, values).map(lambda pair: Ternary(pair[0] & pair[1], pair[1]))
ranges = st.tuples(values, values).map(lambda pair: Range(min(pair), max(pair)))


def covers(match: KeyMatch, value: int) -> bool:
    match match:
        case Exact(wanted):
            return value == wanted
        case Lpm(prefix, length):
            return value >> (WIDTH - length) == prefix >> (WIDTH - length)
        case Ternary(wanted, mask):
            return value & mask == wanted
        case Range(low, high):
            return low <= value <= high


def scan(rows: list[Row], packet: tuple[int, ...]) -> Row | None:
    """The first of the rows that cover the packet and have the highest rank: prefix length, or priority."""
    hits = [row for row in rows if all(map(covers, row[0], packet))]
    return max(hits, key=lambda row: sum(m.prefix_len for m in row[0] if isinstance(m, Lpm)) + row[1], default=None)


packets = st.lists(st.tuples(values, values), min_size=1, max_size=20)


@given(st.lists(st.tuples(exacts, exacts), unique=True, max_size=20), packets)
def test_exact_index_finds_what_a_scan_finds(keys: list[tuple[Exact, Exact]], seen: list[tuple[int, int]]) -> None:
    packer = KeyPacker([field(ir.MatchKind.EXACT), field(ir.MatchKind.EXACT)])
    index: ExactIndex[Row] = ExactIndex(packer)
    rows: list[Row] = [(key, 0) for key in keys]
    for row in rows:
        index.add(*row, row)
    assert [index.find(packer.pack(packet)) for packet in seen] == [scan(rows, packet) for packet in seen]


@given(st.lists(st.tuples(prefixes, exacts), unique=True, max_size=20), packets, st.data())
def test_prefix_index_finds_what_a_scan_finds_also_after_deletions(
    keys: list[tuple[Lpm, Exact]], seen: list[tuple[int, int]], data: st.DataObject
) -> None:
    packer = KeyPacker([field(ir.MatchKind.LPM), field(ir.MatchKind.EXACT)])
    index: PrefixIndex[Row] = PrefixIndex(packer)
    rows: list[Row] = [(key, 0) for key in keys]
    for row in rows:
        index.add(*row, row)
    for row in data.draw(st.lists(st.sampled_from(rows), unique=True) if rows else st.just([])):
        index.remove(*row, row)
        rows.remove(row)
    assert [index.find(packer.pack(packet)) for packet in seen] == [scan(rows, packet) for packet in seen]


mixed_keys = st.tuples(st.one_of(ternaries, exacts, prefixes, ranges), ranges)


@given(
    st.lists(st.tuples(mixed_keys, st.integers(1, 1000)), unique_by=lambda row: row[1], max_size=20),
    packets,
    st.data(),
)
def test_priority_index_finds_what_a_scan_finds_also_after_deletions(
    rows: list[Row], seen: list[tuple[int, int]], data: st.DataObject
) -> None:
    packer = KeyPacker([field(ir.MatchKind.TERNARY), field(ir.MatchKind.RANGE)])
    index: PriorityIndex[Row] = PriorityIndex(packer)
    for row in rows:
        index.add(*row, row)
    left = list(rows)
    for row in data.draw(st.lists(st.sampled_from(rows), unique=True) if rows else st.just([])):
        index.remove(*row, row)
        left.remove(row)
    by_priority = [
        max((row for row in left if all(map(covers, row[0], packet))), key=lambda row: row[1], default=None)
        for packet in seen
    ]
    assert [index.find(packer.pack(packet)) for packet in seen] == by_priority


@pytest.mark.parametrize("value", [0b000000, 0b110000, 0b110011])
def test_static_mask_hides_bits_of_packet_and_entry_alike(value: int) -> None:
    packer = KeyPacker([field(ir.MatchKind.EXACT, mask=0b001100)])
    index: ExactIndex[str] = ExactIndex(packer)
    index.add((Exact(0b100000),), 0, "entry")
    assert index.find(packer.pack([value])) == "entry"
    assert index.find(packer.pack([value | 0b000100])) is None
