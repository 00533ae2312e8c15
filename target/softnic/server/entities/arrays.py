# SPDX-License-Identifier: Apache-2.0
"""Indirect counters, meters and registers: arrays whose cells are MODIFYed and read (specification 9.3, 9.4, 9.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from finsy.proto import p4r

from .. import codec, p4data
from ..errors import at, invalid
from ..pipeline import Pipeline

Type = p4r.Update.Type
T = TypeVar("T")


def require_modify(update_type: Type.ValueType) -> None:
    if update_type != Type.MODIFY:
        raise invalid(f"is always there, so {Type.Name(update_type)} has no meaning; use MODIFY")


def _index(message: p4r.CounterEntry | p4r.MeterEntry | p4r.RegisterEntry) -> p4r.Index | None:
    return message.index if message.HasField("index") else None


def _selected(arrays: Mapping[int, T], find: Callable[[int], T], array_id: int) -> Iterable[T]:
    return [find(array_id)] if array_id else arrays.values()


def write_counter(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.CounterEntry) -> None:
    counter = pipeline.schema.counter(message.counter_id)
    with pipeline.calling(f"counter {counter.name}") as engine:
        require_modify(update_type)
        indices = codec.decode_index(_index(message), counter.size)
        if not message.HasField("data"):
            return  # "the counter value is not modified if this field is not set"
        value = codec.decode_counter(message.data)
        for index in indices:
            engine.write_counter(counter.name, index, value)


def read_counters(pipeline: Pipeline, message: p4r.CounterEntry) -> Iterator[p4r.Entity]:
    for counter in _selected(pipeline.schema.counters, pipeline.schema.counter, message.counter_id):
        with at(f"counter {counter.name}"):
            indices = codec.decode_index(_index(message), counter.size)
        for index in indices:
            with pipeline.lock:
                value = pipeline.engine.read_counter(counter.name, index)
            yield p4r.Entity(
                counter_entry=p4r.CounterEntry(
                    counter_id=counter.id, index=p4r.Index(index=index), data=codec.encode_counter(value)
                )
            )


def write_meter(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.MeterEntry) -> None:
    meter = pipeline.schema.meter(message.meter_id)
    with pipeline.calling(f"meter {meter.name}") as engine:
        require_modify(update_type)
        indices = codec.decode_index(_index(message), meter.size)
        rates = codec.decode_meter(meter, message.config) if message.HasField("config") else None
        counts = codec.decode_colour_counts(message.counter_data) if message.HasField("counter_data") else None
        for index in indices:
            engine.write_meter(meter.name, index, rates)
            if counts:
                engine.write_meter_counts(meter.name, index, counts)


def read_meters(pipeline: Pipeline, message: p4r.MeterEntry) -> Iterator[p4r.Entity]:
    wants_counts = message.HasField("counter_data")
    for meter in _selected(pipeline.schema.meters, pipeline.schema.meter, message.meter_id):
        with at(f"meter {meter.name}"):
            indices = codec.decode_index(_index(message), meter.size)
        for index in indices:
            with pipeline.lock:
                rates = pipeline.engine.read_meter(meter.name, index)
                counts = pipeline.engine.read_meter_counts(meter.name, index) if wants_counts else None
            yield p4r.Entity(
                meter_entry=p4r.MeterEntry(
                    meter_id=meter.id,
                    index=p4r.Index(index=index),
                    config=rates and codec.encode_meter(rates),
                    counter_data=counts and codec.encode_colour_counts(counts),
                )
            )


def write_register(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.RegisterEntry) -> None:
    register = pipeline.schema.register(message.register_id)
    with pipeline.calling(f"register {register.name}") as engine:
        require_modify(update_type)
        indices = codec.decode_index(_index(message), register.size)
        value = p4data.decode_scalar(register.layout, message.data)
        for index in indices:
            engine.write_register(register.name, index, value)


def read_registers(pipeline: Pipeline, message: p4r.RegisterEntry) -> Iterator[p4r.Entity]:
    for register in _selected(pipeline.schema.registers, pipeline.schema.register, message.register_id):
        with at(f"register {register.name}"):
            indices = codec.decode_index(_index(message), register.size)
        for index in indices:
            with pipeline.lock:
                value = pipeline.engine.read_register(register.name, index)
            yield p4r.Entity(
                register_entry=p4r.RegisterEntry(
                    register_id=register.id,
                    index=p4r.Index(index=index),
                    data=p4data.encode(register.layout, (value,)),
                )
            )
