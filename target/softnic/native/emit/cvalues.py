# SPDX-License-Identifier: Apache-2.0
"""Numbers as C text: constants, conversions between the three types, masks, loads and stores of fields."""

from __future__ import annotations

from dataclasses import dataclass, replace

from softnic import ir

from .layout import MAX_NATIVE_WIDTH, Place, native_type
from .widths import Interval, Type, field_interval


@dataclass(frozen=True, slots=True)
class CValue:
    """C text that is congruent to a number modulo 2^`type`.

    Attributes:
        text: an operand: a name, a call or something in parentheses. Negative numbers wrap: the C type is unsigned.
        type: the C type of `text`.
        interval: what the number can be, if all of it is in `text`; None if only its low bits are.
        small: the C type is an integer type that may be narrower than `type`.
    """

    text: str
    type: Type
    interval: Interval | None
    small: bool = False

    @property
    def negative_possible(self) -> bool:
        return self.interval is None or self.interval.low < 0

    @property
    def whole(self) -> str:
        """`text`, certainly of the C type that `type` says."""
        return f"(uint64_t){self.text}" if self.small else self.text


def constant(value: int, to: Type) -> CValue:
    """A constant, cut to the type `to`."""
    exact = Interval(value, value) if Interval(value, value).bits <= to else None
    match to:
        case Type.WORD:
            return CValue(literal(value), to, exact, small=True)
        case Type.DOUBLE:
            return CValue(f"snic_make128({literal(value >> 64)}, {literal(value)})", to, exact)
        case Type.WIDE:
            count = (max(value.bit_length(), 1) + 63) // 64
            limbs = ", ".join(literal(value >> 64 * at) for at in range(count))
            negative = "true" if value < 0 else "false"
            return CValue(f"snic_wide_of((const uint64_t[]){{{limbs}}}, {count}, {negative})", to, exact)


def literal(value: int) -> str:
    """The low 64 bits of `value`."""
    value &= (1 << 64) - 1
    text = str(value) if value < 4096 else hex(value)
    return text + ("u" if value < 1 << 32 else "ull")


def flag(value: bool) -> str:
    return "true" if value else "false"


def convert(value: CValue, to: Type) -> CValue:
    """The same number, or its low bits, in another type."""
    if value.type is to:
        return value
    interval = value.interval if value.interval is not None and value.interval.bits <= to else None
    signed = flag(value.negative_possible)
    match value.type, to:
        case Type.WORD, Type.DOUBLE:
            wrapped = f"(snic_i128)(int64_t){value.text}" if value.negative_possible else value.text
            return CValue(f"(snic_u128){wrapped}", to, interval)
        case Type.WORD, Type.WIDE:
            return CValue(f"snic_wide_of64({value.text}, {signed})", to, interval)
        case Type.DOUBLE, Type.WIDE:
            return CValue(f"snic_wide_of128({value.text}, {signed})", to, interval)
        case Type.DOUBLE, Type.WORD:
            return CValue(f"(uint64_t){value.text}", to, interval)
        case Type.WIDE, Type.WORD:
            return CValue(f"snic_wide_low64({value.text})", to, interval)
        case _:
            return CValue(f"snic_wide_low128({value.text})", to, interval)


def masked(value: CValue, width: int) -> CValue:
    """The low `width` bits of `value`, which its type must have, as an unsigned number."""
    fits = Interval.unsigned(width)
    if value.interval is not None and fits.contains(value.interval):
        return value
    if width == value.type:
        return CValue(value.whole, value.type, fits)
    mask = constant(fits.high, value.type).text
    if value.type is Type.WIDE:
        return CValue(f"snic_wide_and({value.text}, {mask})", value.type, fits)
    return CValue(f"({value.whole} & {mask})", value.type, fits)


def signed(value: CValue, width: int) -> CValue:
    """The low `width` (at least 1) bits of `value`, which its type must have, as a signed number."""
    fits = Interval.signed(width)
    if value.interval is not None and fits.contains(value.interval):
        return value
    if width == value.type:
        return CValue(value.whole, value.type, fits)
    call = {Type.WORD: "snic_sign64", Type.DOUBLE: "snic_sign128", Type.WIDE: "snic_wide_sign"}[value.type]
    return CValue(f"{call}({value.text}, {width})", value.type, fits)


def clamped(value: CValue, limits: Interval) -> CValue:
    """`value`, which is exact, or the nearest number in `limits`."""
    if value.interval is None:
        raise ValueError(f"only an exact value can be clamped, not {value.text}")
    if limits.contains(value.interval):
        return value
    least = min(max(limits.low, value.interval.low), limits.high)
    most = max(min(limits.high, value.interval.high), limits.low)
    fits = Interval(least, most)
    low, high = constant(least, value.type).text, constant(most, value.type).text
    if value.type is Type.WIDE:
        return CValue(f"snic_wide_clamp({value.text}, {low}, {high})", value.type, fits)
    sign = flag(value.negative_possible or least < 0)
    return CValue(f"snic_clamp{value.type.value}({value.text}, {low}, {high}, {sign})", value.type, fits)


# ---- fields ---------------------------------------------------------------------------------------------------------


def bit_offset(place: Place, field: ir.Field) -> str:
    """Where a field of wire storage starts: behind a varbit field it moves with the varbit's width."""
    varbit = place.type.varbit
    if varbit is not None and field.index > varbit.index:
        return f"{field.offset} + {place.varbit_bits}"
    return str(field.offset)


def load_field(place: Place, field: ir.Field) -> CValue:
    """What the field holds: 0 in an invalid header, whose storage is all zero."""
    if field.varbit:
        return _load_varbit(place, field)
    if not place.wire:
        return _load_native(place, field)
    if place.words:
        call = "snic_get64" if field.width <= Type.WORD else "snic_get128"
        return _as_field(f"{call}({place.storage}, {field.offset}, {field.width})", field)
    return _load(place.storage, bit_offset(place, field), field)


def store_field(place: Place, field: ir.Field, value: CValue) -> str:
    """A statement. `value` has at least the field's bits, and for a saturating field is already clamped."""
    value = convert(value, Type.of_bits(field.width))
    if not place.wire:
        return _store_native(place, field, value)
    if place.words:
        call = "snic_set64" if value.type is Type.WORD else "snic_set128"
        return f"{call}({place.storage}, {field.offset}, {field.width}, {bare(value.text)});"
    return _store(place.storage, bit_offset(place, field), field.width, value)


def _load(storage: str, offset: str, field: ir.Field) -> CValue:
    kind = Type.of_bits(field.width)
    call = {Type.WORD: "snic_load64", Type.DOUBLE: "snic_load128", Type.WIDE: "snic_wide_load"}[kind]
    return _as_field(f"{call}({storage}, {offset}, {field.width})", field)


def _as_field(unsigned: str, field: ir.Field) -> CValue:
    value = CValue(unsigned, Type.of_bits(field.width), Interval.unsigned(field.width))
    return signed(value, field.width) if field.signed else value


def _store(storage: str, offset: str, width: int, value: CValue) -> str:
    call = {Type.WORD: "snic_store64", Type.DOUBLE: "snic_store128", Type.WIDE: "snic_wide_store"}[value.type]
    return f"{call}({storage}, {offset}, {width}, {bare(value.text)});"


def _load_varbit(place: Place, field: ir.Field) -> CValue:
    kind, bits = Type.of_bits(field.width), Interval.unsigned(field.width)
    if kind is Type.WORD:
        return CValue(f"snic_load64({place.storage}, {field.offset}, {place.varbit_bits})", kind, bits)
    wide = CValue(f"snic_wide_load({place.storage}, {field.offset}, {place.varbit_bits})", Type.WIDE, bits)
    return convert(wide, kind)


def _load_native(place: Place, field: ir.Field) -> CValue:
    member = f"{place.storage}.{place.members[field.index]}"
    if field.width > MAX_NATIVE_WIDTH:
        return _load(member, str(-field.width % 8), field)
    text = f"({'uint64_t' if field.width <= Type.WORD else 'snic_u128'}){member}" if field.signed else member
    small = field.width <= Type.WORD and not field.signed
    return CValue(text, Type.of_bits(field.width), field_interval(field), small)


def _store_native(place: Place, field: ir.Field, value: CValue) -> str:
    member = f"{place.storage}.{place.members[field.index]}"
    if field.width > MAX_NATIVE_WIDTH:
        return _store(member, str(-field.width % 8), field.width, value)
    if field.width not in (8, 16, 32, 64, 128):  # else assigning cuts
        value = signed(value, field.width) if field.signed else masked(value, field.width)
    if value.interval is None or value.interval.low < 0 or not field_interval(field).contains(value.interval):
        # C compilers warn where a constant is cut without a cast.
        return f"{member} = ({native_type(field.width, field.signed)}){value.text};"
    return f"{member} = {bare(value.text)};"


def bare(text: str) -> str:
    """`text` without parentheses around all of it."""
    if not text.startswith("(") or text.startswith("({"):
        return text
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if position == len(text) - 1 else text
    return text


def exactly(value: CValue, interval: Interval) -> CValue:
    """`value`, which is congruent to a number in `interval`: all of it, if the type has room for the interval."""
    return replace(value, interval=interval if interval.bits <= value.type else None)
