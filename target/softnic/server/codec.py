# SPDX-License-Identifier: Apache-2.0
"""Actions, counters, meters, indices and ports of P4Runtime messages to the engine's values and back (section 9).

Decoding accepts what the specification lets a client send and raises `P4RuntimeError`, whose message names the field;
encoding gives the canonical form, in which byte strings are as short as can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from finsy.proto import p4r

from softnic.engine import ActionCall, ColourCounts, CounterValue, MeterRates, PackedCall

from . import bits
from .errors import P4RuntimeError, at, invalid, out_of_range
from .schema import Action, Meter, MeterType, Param, Schema

PORT_WIDTH = 9
"""Bits of a v1model port."""

# ---- actions --------------------------------------------------------------------------------------------------------


def decode_params(params: Sequence[Param], values: Iterable[tuple[int, bytes]], kind: str) -> tuple[int, ...]:
    """One value for each of `params`, in its order, from (id, byte string) pairs in any order.

    `kind` is what messages call them: "parameter", or "metadata".

    Raises INVALID_ARGUMENT for an unknown, repeated or missing id and for a value that does not fit.
    """
    return tuple(map(int.from_bytes, _padded_params(params, list(values), kind)))


def _padded_params(params: Sequence[Param], values: Sequence[tuple[int, bytes]], kind: str) -> Sequence[bytes]:
    """As `decode_params`, each value in as many bytes as its parameter takes."""
    given = dict(values)
    if len(given) != len(values):
        ids = [param_id for param_id, _ in values]
        raise invalid(f"{kind} {next(id_ for id_ in ids if ids.count(id_) > 1)} is given twice")
    decoded: list[bytes] = []
    for param in params:
        try:
            decoded.append(bits.padded(given.pop(param.id), bits.ones(param.width)))
        except KeyError:
            raise invalid(f"{kind} {param.id} ({param.name}) is missing") from None
        except P4RuntimeError as error:
            raise error.at(f"{kind} {param.id} ({param.name})") from None
    if given:
        raise invalid(f"no {kind} has id {min(given)}; there are {_names(params)}")
    return decoded


def _names(params: Iterable[Param]) -> str:
    return ", ".join(f"{param.id} ({param.name})" for param in params) or "none"


def decode_action(action: Action, message: p4r.Action) -> ActionCall:
    """Raises INVALID_ARGUMENT as `decode_params` does."""
    with at(f"action {action.name}"):
        values = ((param.param_id, param.value) for param in message.params)
        return ActionCall(action.name, decode_params(action.params, values, "parameter"))


def decode_call(action: Action, message: p4r.Action) -> PackedCall:
    """As `decode_action`, for entries."""
    try:
        values = _padded_params(action.params, [(param.param_id, param.value) for param in message.params], "parameter")
        return PackedCall(action.name, b"".join(values))
    except P4RuntimeError as error:
        raise error.at(f"action {action.name}") from None


def encode_call(schema: Schema, call: PackedCall, message: p4r.Action) -> None:
    """Fill in `message`, which is empty."""
    action = schema.actions_by_name[call.action]
    message.action_id = action.id
    start = 0
    for param in action.params:
        end = start + len(bits.ones(param.width))
        item = message.params.add()
        item.param_id = param.id
        item.value = bits.shortest(call.args[start:end])
        start = end


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
    if config.eburst and meter.type != MeterType.SINGLE_RATE_THREE_COLOR:
        raise invalid("eburst is only for single-rate three-colour meters; leave it 0")
    if config.cir > config.pir:
        raise invalid(f"cir {config.cir} is above pir {config.pir}")
    return MeterRates(config.cir, config.cburst, config.pir, config.pburst, config.eburst)


def encode_meter(rates: MeterRates) -> p4r.MeterConfig:
    return p4r.MeterConfig(
        cir=rates.committed_rate,
        cburst=rates.committed_burst,
        pir=rates.peak_rate,
        pburst=rates.peak_burst,
        eburst=rates.excess_burst,
    )


def decode_colour_counts(data: p4r.MeterCounterData) -> ColourCounts:
    return ColourCounts(decode_counter(data.green), decode_counter(data.yellow), decode_counter(data.red))


def encode_colour_counts(counts: ColourCounts) -> p4r.MeterCounterData:
    return p4r.MeterCounterData(
        green=encode_counter(counts.green), yellow=encode_counter(counts.yellow), red=encode_counter(counts.red)
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
