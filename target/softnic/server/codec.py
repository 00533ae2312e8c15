# SPDX-License-Identifier: Apache-2.0
"""P4Runtime messages to the engine's values and back, by the rules of specification section 9.

Decoding accepts what the specification lets a client send and raises `P4RuntimeError`, whose message names the field;
encoding gives the canonical form, in which don't-care fields are left out and byte strings are as short as can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from finsy.proto import p4r

from softnic.engine import ActionCall, CounterValue, Exact, KeyMatch, Lpm, MeterRates, Range, Ternary

from . import bits
from .errors import P4RuntimeError, at, invalid, out_of_range, unimplemented
from .schema import Action, Field, MatchType, Meter, MeterType, Param, Schema, Table

PORT_WIDTH = 9
"""Bits of a v1model port."""

# ---- match keys -----------------------------------------------------------------------------------------------------

_MATCH_NAMES = {
    MatchType.EXACT: "exact",
    MatchType.LPM: "lpm",
    MatchType.TERNARY: "ternary",
    MatchType.RANGE: "range",
    MatchType.OPTIONAL: "optional",
}


def decode_key(table: Table, match: Iterable[p4r.FieldMatch]) -> tuple[KeyMatch, ...]:
    """One element for each field of `table`, in its order; a field that is left out becomes its don't-care.

    Raises INVALID_ARGUMENT for an unknown, repeated or missing field and for a value against specification 9.1.1.
    """
    given: dict[int, p4r.FieldMatch] = {}
    for field_match in match:
        if given.setdefault(field_match.field_id, field_match) is not field_match:
            raise invalid(f"match field {field_match.field_id} is given twice")
    key = tuple(_decode_field(field, given.pop(field.id, None)) for field in table.fields)
    if given:
        raise invalid(f"no match field has id {min(given)}; the fields are {_names(table.fields)}")
    return key


def _names(fields: Iterable[Field | Param]) -> str:
    return ", ".join(f"{field.id} ({field.name})" for field in fields) or "none"


def _decode_field(field: Field, match: p4r.FieldMatch | None) -> KeyMatch:
    try:
        return _dont_care(field) if match is None else _decode_match(field, match)
    except P4RuntimeError as error:
        raise error.at(f"match field {field.id} ({field.name})") from None


def _dont_care(field: Field) -> KeyMatch:
    match field.match_type:
        case MatchType.LPM:
            return Lpm(0, 0)
        case MatchType.TERNARY | MatchType.OPTIONAL:
            return Ternary(0, 0)
        case MatchType.RANGE:
            return Range(0, field.ones)
        case _:
            raise invalid("is missing; an exact field needs a value")


def _decode_match(field: Field, match: p4r.FieldMatch) -> KeyMatch:
    kind, expected = match.WhichOneof("field_match_type"), _MATCH_NAMES[field.match_type]
    if kind != expected:
        raise invalid(f"is {kind or 'unset'}; the table has it as {expected}")
    match kind:
        case "exact":
            return Exact(bits.decode(match.exact.value, field.width))
        case "lpm":
            return _decode_lpm(field, match.lpm)
        case "ternary":
            return _decode_ternary(field, match.ternary)
        case "range":
            return _decode_range(field, match.range)
        case _:
            return Ternary(bits.decode(match.optional.value, field.width), field.ones)


def _decode_lpm(field: Field, lpm: p4r.FieldMatch.LPM) -> Lpm:
    if lpm.prefix_len == 0:
        raise invalid("prefix length is 0; leave the field out to match everything")
    if not 0 < lpm.prefix_len <= field.width:
        raise invalid(f"prefix length {lpm.prefix_len} is not in 1..{field.width}")
    value = bits.decode(lpm.value, field.width)
    if value & (1 << field.width - lpm.prefix_len) - 1:
        raise invalid(f"value {value:#x} has bits set beyond its prefix of {lpm.prefix_len}")
    return Lpm(value, lpm.prefix_len)


def _decode_ternary(field: Field, ternary: p4r.FieldMatch.Ternary) -> Ternary:
    value, mask = bits.decode(ternary.value, field.width), bits.decode(ternary.mask, field.width)
    if mask == 0:
        raise invalid("mask is 0; leave the field out to match everything")
    if value & ~mask:
        raise invalid(f"value {value:#x} has bits set that its mask {mask:#x} does not have")
    return Ternary(value, mask)


def _decode_range(field: Field, range_: p4r.FieldMatch.Range) -> Range:
    low, high = bits.decode(range_.low, field.width), bits.decode(range_.high, field.width)
    if low > high:
        raise invalid(f"low {low:#x} is above high {high:#x}")
    if low == 0 and high == field.ones:
        raise invalid("is the full range; leave the field out to match everything")
    return Range(low, high)


def encode_key(table: Table, key: Sequence[KeyMatch]) -> list[p4r.FieldMatch]:
    """The fields of `key` that care, in the order of `table`."""
    return [_encode_match(field, element) for field, element in zip(table.fields, key, strict=True)
            if field.match_type == MatchType.EXACT or element != _dont_care(field)]  # fmt: skip


def _encode_match(field: Field, element: KeyMatch) -> p4r.FieldMatch:
    match element:
        case Exact(value):
            return p4r.FieldMatch(field_id=field.id, exact=p4r.FieldMatch.Exact(value=bits.encode(value)))
        case Lpm(value, prefix_len):
            lpm = p4r.FieldMatch.LPM(value=bits.encode(value), prefix_len=prefix_len)
            return p4r.FieldMatch(field_id=field.id, lpm=lpm)
        case Range(low, high):
            range_ = p4r.FieldMatch.Range(low=bits.encode(low), high=bits.encode(high))
            return p4r.FieldMatch(field_id=field.id, range=range_)
        case Ternary(value, mask) if field.match_type == MatchType.TERNARY:
            ternary = p4r.FieldMatch.Ternary(value=bits.encode(value), mask=bits.encode(mask))
            return p4r.FieldMatch(field_id=field.id, ternary=ternary)
        case Ternary(value):
            return p4r.FieldMatch(field_id=field.id, optional=p4r.FieldMatch.Optional(value=bits.encode(value)))


def check_priority(table: Table, priority: int) -> None:
    """Specification 9.1: positive if the key has a ternary, range or optional field, else 0."""
    if table.has_priority and priority <= 0:
        raise invalid(f"priority is {priority}; a table with ternary, range or optional fields needs one above 0")
    if not table.has_priority and priority != 0:
        raise invalid(f"priority is {priority}; a table with only exact and lpm fields must leave it 0")


def describe_key(table: Table, key: Sequence[KeyMatch], priority: int) -> str:
    """The key for people: ``dst=0xa000000/8, proto=0x6, priority 10``."""
    parts = [f"{field.name}={_describe_match(element)}" for field, element in zip(table.fields, key, strict=True)
             if field.match_type == MatchType.EXACT or element != _dont_care(field)]  # fmt: skip
    if priority:
        parts.append(f"priority {priority}")
    return ", ".join(parts) or "(matches everything)"


def _describe_match(element: KeyMatch) -> str:
    match element:
        case Exact(value):
            return f"{value:#x}"
        case Lpm(value, prefix_len):
            return f"{value:#x}/{prefix_len}"
        case Ternary(value, mask):
            return f"{value:#x}&&&{mask:#x}"
        case Range(low, high):
            return f"{low:#x}..{high:#x}"


# ---- actions --------------------------------------------------------------------------------------------------------


def decode_params(params: Sequence[Param], values: Iterable[tuple[int, bytes]], kind: str) -> tuple[int, ...]:
    """One value for each of `params`, in its order, from (id, byte string) pairs in any order.

    `kind` is what messages call them: "parameter", or "metadata".

    Raises INVALID_ARGUMENT for an unknown, repeated or missing id and for a value that does not fit.
    """
    given: dict[int, bytes] = {}
    for param_id, value in values:
        if param_id in given:
            raise invalid(f"{kind} {param_id} is given twice")
        given[param_id] = value
    decoded: list[int] = []
    for param in params:
        try:
            decoded.append(bits.decode(given.pop(param.id), param.width))
        except KeyError:
            raise invalid(f"{kind} {param.id} ({param.name}) is missing") from None
        except P4RuntimeError as error:
            raise error.at(f"{kind} {param.id} ({param.name})") from None
    if given:
        raise invalid(f"no {kind} has id {min(given)}; there are {_names(params)}")
    return tuple(decoded)


def decode_action(action: Action, message: p4r.Action) -> ActionCall:
    """Raises INVALID_ARGUMENT as `decode_params` does."""
    with at(f"action {action.name}"):
        values = ((param.param_id, param.value) for param in message.params)
        return ActionCall(action.name, decode_params(action.params, values, "parameter"))


def encode_action(schema: Schema, call: ActionCall) -> p4r.Action:
    action = schema.actions_by_name[call.action]
    params = [p4r.Action.Param(param_id=param.id, value=bits.encode(value))
              for param, value in zip(action.params, call.args, strict=True)]  # fmt: skip
    return p4r.Action(action_id=action.id, params=params)


# ---- counters, meters, indices, ports -------------------------------------------------------------------------------


def decode_counter(data: p4r.CounterData) -> CounterValue:
    if data.packet_count < 0 or data.byte_count < 0:
        raise invalid(f"counter data {data.packet_count} packets, {data.byte_count} bytes is negative")
    return CounterValue(data.packet_count, data.byte_count)


_INT64_MASK = (1 << 63) - 1


def encode_counter(value: CounterValue) -> p4r.CounterData:
    """Counts wrap at 63 bits, as the message is signed."""
    return p4r.CounterData(packet_count=value.packets & _INT64_MASK, byte_count=value.bytes & _INT64_MASK)


def decode_meter(meter: Meter, config: p4r.MeterConfig) -> MeterRates:
    """Specification 9.4. Raises INVALID_ARGUMENT for what the meter's type does not have."""
    if min(config.cir, config.cburst, config.pir, config.pburst, config.eburst) < 0:
        raise invalid("a rate or a burst is negative")
    if meter.type != MeterType.TWO_RATE_THREE_COLOR and (config.cir, config.cburst) != (config.pir, config.pburst):
        raise invalid("a single-rate meter takes pir = cir and pburst = cburst")
    if config.eburst and meter.type == MeterType.SINGLE_RATE_THREE_COLOR:
        raise unimplemented("an excess burst (RFC 2697) is not supported; leave eburst 0")
    if config.eburst:
        raise invalid("eburst is only for single-rate three-colour meters; leave it 0")
    if config.cir > config.pir:
        raise invalid(f"cir {config.cir} is above pir {config.pir}")
    return MeterRates(config.cir, config.cburst, config.pir, config.pburst)


def encode_meter(rates: MeterRates) -> p4r.MeterConfig:
    return p4r.MeterConfig(
        cir=rates.committed_rate, cburst=rates.committed_burst, pir=rates.peak_rate, pburst=rates.peak_burst
    )


def decode_index(index: p4r.Index | None, size: int) -> Sequence[int]:
    """The indices meant: one, or, where `index` is None, all `size` of them."""
    if index is None:
        return range(size)
    if index.index < 0:
        raise invalid(f"index {index.index} is negative")
    if index.index >= size:
        raise out_of_range(f"index {index.index} is beyond the size {size}")
    return (index.index,)


def decode_port(data: bytes) -> int:
    with at("port"):
        return bits.decode(data, PORT_WIDTH)
