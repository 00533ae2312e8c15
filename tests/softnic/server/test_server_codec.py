# SPDX-License-Identifier: Apache-2.0
"""Byte strings, keys, P4Data and controller headers: what is decoded and encoded again is the same, and canonical."""

from __future__ import annotations

import pytest
from finsy.proto import p4d, p4i, p4r, p4t
from hypothesis import given
from hypothesis import strategies as st

from softnic import ir
from softnic.engine import Exact, KeyMatch, Lpm, MeterRates, PackedMatch, Range, Ternary
from softnic.packing import KeyLayout
from softnic.server import P4RuntimeError, bits, codec, p4data, packet_io
from softnic.server.keys import KeyCodec
from softnic.server.schema import Field, MatchType, Meter, MeterType, Param

WIDTHS = st.integers(1, 2048)


@st.composite
def width_and_value(draw: st.DrawFn) -> tuple[int, int]:
    width = draw(WIDTHS)
    return width, draw(st.integers(0, (1 << width) - 1))


# ---- byte strings ---------------------------------------------------------------------------------------------------


@given(width_and_value(), st.integers(0, 9))
def test_any_number_of_leading_zeros_is_accepted(case: tuple[int, int], zeros: int) -> None:
    width, value = case
    assert bits.decode(bytes(zeros) + bits.encode(value), width) == value


@given(width_and_value())
def test_the_canonical_string_is_the_shortest(case: tuple[int, int]) -> None:
    _, value = case
    assert len(bits.encode(value)) == max(1, -(-value.bit_length() // 8))


@given(width_and_value())
def test_signed_values_survive_and_are_as_short_as_can_be(case: tuple[int, int]) -> None:
    width, pattern = case
    encoded = bits.encode_signed(pattern, width)
    assert bits.decode_signed(encoded, width) == pattern
    extension = b"\xff" if encoded[0] & 0x80 else b"\0"
    assert bits.decode_signed(extension * 3 + encoded, width) == pattern
    assert len(encoded) == 1 or (encoded[0], encoded[1] >> 7) not in ((0, 0), (0xFF, 1))


@pytest.mark.parametrize(
    ("width", "data"),
    [(8, b"\1\x63"), (8, b""), (16, b"\1\0\x63"), (12, b"\x10\x63"), (12, b"\1\0\x63"), (12, b"\0\x40\x63")],
)
def test_the_specification_s_invalid_unsigned_strings_are_refused(width: int, data: bytes) -> None:
    with pytest.raises(P4RuntimeError):
        bits.decode(data, width)
    with pytest.raises(P4RuntimeError):
        bits.padded(data, bits.ones(width))


@pytest.mark.parametrize(("width", "data"), [(8, b"\0\x9d"), (12, b"\x8d\x1d"), (16, b"")])
def test_the_specification_s_invalid_signed_strings_are_refused(width: int, data: bytes) -> None:
    with pytest.raises(P4RuntimeError):
        bits.decode_signed(data, width)


@pytest.mark.parametrize(
    ("width", "value", "canonical"),
    [(8, 99, b"\x63"), (8, -99, b"\x9d"), (12, -739, b"\xfd\x1d"), (16, 0, b"\0"), (8, -128, b"\x80")],
)
def test_the_specification_s_signed_examples(width: int, value: int, canonical: bytes) -> None:
    assert bits.encode_signed(value & (1 << width) - 1, width) == canonical


@given(width_and_value(), st.integers(0, 9))
def test_a_padded_value_has_the_bytes_of_its_width(case: tuple[int, int], zeros: int) -> None:
    width, value = case
    padded = bits.padded(bytes(zeros) + bits.encode(value), bits.ones(width))
    assert padded == value.to_bytes((width + 7) // 8)
    assert bits.shortest(padded) == bits.encode(value)


# ---- keys -----------------------------------------------------------------------------------------------------------


KINDS = {
    MatchType.EXACT: ir.MatchKind.EXACT,
    MatchType.LPM: ir.MatchKind.LPM,
    MatchType.TERNARY: ir.MatchKind.TERNARY,
    MatchType.OPTIONAL: ir.MatchKind.TERNARY,
    MatchType.RANGE: ir.MatchKind.RANGE,
}


def layout(*fields: Field) -> KeyLayout:
    return KeyLayout((KINDS[field.match_type], field.width) for field in fields)


def encoded(match: PackedMatch, *fields: Field) -> list[p4r.FieldMatch]:
    message = p4r.TableEntry()
    KeyCodec(fields).encode(match, message.match)
    return list(message.match)


@st.composite
def field_and_element(draw: st.DrawFn) -> tuple[Field, KeyMatch]:
    width, value = draw(width_and_value())
    field = Field(draw(st.integers(1, 9)), "f", width, draw(st.sampled_from(list(KINDS))))
    match field.match_type:
        case MatchType.EXACT:
            return field, Exact(value)
        case MatchType.LPM:
            prefix_len = draw(st.integers(0, width))
            return field, Lpm(value >> width - prefix_len << width - prefix_len, prefix_len)
        case MatchType.TERNARY:
            mask = draw(st.integers(0, field.ones))
            return field, Ternary(value & mask, mask)
        case MatchType.RANGE:
            return field, Range(value, draw(st.integers(value, field.ones)))
        case _:
            return field, draw(st.sampled_from([Ternary(0, 0), Ternary(value, field.ones)]))


@given(st.lists(field_and_element(), max_size=4, unique_by=lambda case: case[0].id), st.integers(0, 9))
def test_a_key_survives_packing_and_messages(cases: list[tuple[Field, KeyMatch]], priority: int) -> None:
    fields = [field for field, _ in cases]
    key = tuple(element for _, element in cases)
    packed = layout(*fields).pack(key, priority)
    assert layout(*fields).unpack(packed) == key
    assert KeyCodec(fields).decode(encoded(packed, *fields), priority) == packed


@pytest.mark.parametrize(
    ("match_type", "element"),
    [
        (MatchType.LPM, Lpm(0, 0)),
        (MatchType.TERNARY, Ternary(0, 0)),
        (MatchType.OPTIONAL, Ternary(0, 0)),
        (MatchType.RANGE, Range(0, 255)),
    ],
)
def test_dont_care_is_left_out(match_type: p4i.MatchField.MatchType.ValueType, element: KeyMatch) -> None:
    field = Field(1, "f", 8, match_type)
    packed = layout(field).pack((element,))
    assert encoded(packed, field) == []
    assert KeyCodec([field]).decode([]) == packed


def test_fields_come_in_any_order() -> None:
    fields = Field(1, "a", 8, MatchType.EXACT), Field(2, "b", 12, MatchType.EXACT)
    packed = PackedMatch(b"\1\0\2")
    assert layout(*fields).pack((Exact(1), Exact(2))) == packed
    assert KeyCodec(fields).decode(encoded(packed, *fields)[::-1]) == packed


def test_fields_lie_side_by_side_each_with_the_mask_of_its_width() -> None:
    fields = (
        Field(1, "in", 9, MatchType.EXACT),
        Field(2, "dst", 12, MatchType.LPM),
        Field(3, "port", 8, MatchType.RANGE),
    )
    packed = layout(*fields).pack((Exact(5), Lpm(0xA00, 4), Range(1, 9)))
    assert packed == PackedMatch(b"\0\5\x0a\0\1", b"\1\xff\x0f\0\x09")


def test_a_key_is_described_in_words() -> None:
    fields = (
        Field(1, "dst", 32, MatchType.LPM),
        Field(2, "proto", 8, MatchType.TERNARY),
        Field(3, "port", 16, MatchType.RANGE),
        Field(4, "in", 9, MatchType.EXACT),
        Field(5, "mark", 8, MatchType.OPTIONAL),
    )
    packed = layout(*fields).pack((Lpm(0x0A000000, 8), Ternary(6, 0xFF), Range(1, 9), Exact(0), Ternary(0, 0)), 5)
    assert KeyCodec(fields).describe(packed) == "dst=0xa000000/8, proto=0x6&&&0xff, port=0x1..0x9, in=0x0, priority 5"
    assert KeyCodec([]).describe(PackedMatch(b"")) == "(matches everything)"


# ---- meters ---------------------------------------------------------------------------------------------------------

TWO_RATE, SINGLE_RATE_3, SINGLE_RATE_2 = (
    MeterType.TWO_RATE_THREE_COLOR,
    MeterType.SINGLE_RATE_THREE_COLOR,
    MeterType.SINGLE_RATE_TWO_COLOR,
)


def meter(meter_type: p4i.MeterSpec.Type.ValueType) -> Meter:
    return Meter(1, "m", 1, meter_type)


@pytest.mark.parametrize("meter_type", [TWO_RATE, SINGLE_RATE_3, SINGLE_RATE_2])
def test_a_single_rate_suits_every_meter(meter_type: p4i.MeterSpec.Type.ValueType) -> None:
    config = p4r.MeterConfig(cir=1, cburst=2, pir=1, pburst=2)
    assert codec.decode_meter(meter(meter_type), config) == MeterRates(1, 2, 1, 2)
    assert codec.encode_meter(MeterRates(1, 2, 1, 2)) == config


def test_an_excess_burst_suits_a_single_rate_meter_of_three_colours() -> None:
    config = p4r.MeterConfig(cir=1, cburst=2, pir=1, pburst=2, eburst=3)
    assert codec.decode_meter(meter(SINGLE_RATE_3), config) == MeterRates(1, 2, 1, 2, 3)
    assert codec.encode_meter(MeterRates(1, 2, 1, 2, 3)) == config


@pytest.mark.parametrize(
    ("meter_type", "config"),
    [
        (SINGLE_RATE_2, {"cir": 1, "pir": 2}),
        (SINGLE_RATE_3, {"cburst": 1, "pburst": 2}),
        (SINGLE_RATE_2, {"eburst": 1}),
        (SINGLE_RATE_3, {"eburst": -1}),
        (TWO_RATE, {"eburst": 1}),
    ],
)
def test_a_config_that_the_meter_s_type_does_not_have_is_refused(
    meter_type: p4i.MeterSpec.Type.ValueType, config: dict[str, int]
) -> None:
    with pytest.raises(P4RuntimeError):
        codec.decode_meter(meter(meter_type), p4r.MeterConfig(**config))


# ---- P4Data ---------------------------------------------------------------------------------------------------------

BIT_8 = p4t.P4DataTypeSpec(bitstring=p4t.P4BitstringLikeTypeSpec(bit=p4t.P4BitTypeSpec(bitwidth=8)))
INT_8 = p4t.P4DataTypeSpec(bitstring=p4t.P4BitstringLikeTypeSpec(int=p4t.P4IntTypeSpec(bitwidth=8)))
BOOL = p4t.P4DataTypeSpec(bool=p4t.P4BoolType())
ENUM = p4t.P4DataTypeSpec(serializable_enum=p4t.P4NamedType(name="e"))
NEW = p4t.P4DataTypeSpec(new_type=p4t.P4NamedType(name="n"))
NUMBER = p4t.P4DataTypeSpec(new_type=p4t.P4NamedType(name="number"))
INNER = p4t.P4DataTypeSpec(struct=p4t.P4NamedType(name="inner"))
TUPLE = p4t.P4DataTypeSpec(tuple=p4t.P4TupleTypeSpec(members=[INNER, BOOL, ENUM, NEW, INT_8]))

TYPES = p4t.P4TypeInfo(
    structs={"inner": p4t.P4StructTypeSpec(members=[p4t.P4StructTypeSpec.Member(name="a", type_spec=BIT_8)])},
    serializable_enums={"e": p4t.P4SerializableEnumTypeSpec(underlying_type=p4t.P4BitTypeSpec(bitwidth=8))},
    new_types={
        "n": p4t.P4NewTypeSpec(original_type=BIT_8),
        "number": p4t.P4NewTypeSpec(translated_type=p4t.P4NewTypeTranslation(sdn_bitwidth=32)),
        "text": p4t.P4NewTypeSpec(
            translated_type=p4t.P4NewTypeTranslation(sdn_string=p4t.P4NewTypeTranslation.SdnString())
        ),
    },
)


def test_a_nested_type_is_filled_in_order() -> None:
    layout = p4data.layout_of(TUPLE, TYPES)
    assert p4data.scalars(layout) == 5
    inner = p4d.P4Data(struct=p4d.P4StructLike(members=[p4d.P4Data(bitstring=b"\1")]))
    assert p4data.encode(layout, (1, 1, 3, 4, 0xFF)) == p4d.P4Data(
        tuple=p4d.P4StructLike(
            members=[
                inner,
                p4d.P4Data(bool=True),
                p4d.P4Data(enum_value=b"\3"),
                p4d.P4Data(bitstring=b"\4"),
                p4d.P4Data(bitstring=b"\xff"),
            ]
        )
    )


@pytest.mark.parametrize(
    ("spec", "value"), [(BIT_8, 200), (INT_8, 200), (BOOL, 1), (ENUM, 9), (NEW, 7), (NUMBER, 1 << 31)]
)
def test_a_scalar_survives(spec: p4t.P4DataTypeSpec, value: int) -> None:
    layout = p4data.layout_of(spec, TYPES)
    assert p4data.decode_scalar(layout, p4data.encode(layout, (value,))) == value


@pytest.mark.parametrize(
    "spec",
    [
        p4t.P4DataTypeSpec(),
        p4t.P4DataTypeSpec(header=p4t.P4NamedType(name="inner")),
        p4t.P4DataTypeSpec(struct=p4t.P4NamedType(name="unknown")),
        p4t.P4DataTypeSpec(new_type=p4t.P4NamedType(name="text")),
        p4t.P4DataTypeSpec(new_type=p4t.P4NamedType(name="unknown")),
        p4t.P4DataTypeSpec(bitstring=p4t.P4BitstringLikeTypeSpec(varbit=p4t.P4VarbitTypeSpec(max_bitwidth=8))),
    ],
)
def test_a_type_that_bmv2_can_not_send_is_refused(spec: p4t.P4DataTypeSpec) -> None:
    with pytest.raises(p4data.UnsupportedTypeError):
        p4data.layout_of(spec, TYPES)


# ---- controller headers ---------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 64), st.integers(0)), max_size=9), st.binary(max_size=9))
def test_a_controller_header_of_any_widths_survives(fields: list[tuple[int, int]], payload: bytes) -> None:
    header = [Param(id_, f"f{id_}", width) for id_, (width, _) in enumerate(fields, 1)]
    metadata = [
        p4r.PacketMetadata(metadata_id=id_, value=bits.encode(value % (1 << width)))
        for id_, (width, value) in enumerate(fields, 1)
    ]
    data = packet_io.decode_packet_out(header, p4r.PacketOut(payload=payload, metadata=metadata))
    assert len(data) == -(-sum(width for width, _ in fields) // 8) + len(payload)
    assert packet_io.encode_packet_in(header, data) == p4r.PacketIn(payload=payload, metadata=metadata)


def test_fields_are_packed_most_significant_bit_first_and_padded_at_the_end() -> None:
    header = [Param(1, "port", 9), Param(2, "flag", 1)]
    metadata = [p4r.PacketMetadata(metadata_id=1, value=b"\1\xff"), p4r.PacketMetadata(metadata_id=2, value=b"\1")]
    data = packet_io.decode_packet_out(header, p4r.PacketOut(payload=b"x", metadata=metadata))
    assert data == b"\xff\xc0x"
