# SPDX-License-Identifier: Apache-2.0
"""Counters, meters, registers and parser value sets in the runtime's memory. `number` is the place in the program."""

from __future__ import annotations

from collections.abc import Sequence

from softnic import ir
from softnic.engine import ColourCounts, CounterValue, EntryNotFound, MeterRates
from softnic.packing import byte_size

from .handle import Handle, colour_counts_out, rates_out


class NativeCounter:
    """An indirect counter array."""

    def __init__(self, handle: Handle, counter: ir.Counter, number: int) -> None:
        self._handle = handle
        self._counter = counter
        self._place = handle.engine, number

    def read(self, index: int) -> CounterValue:
        """Raises: EntryNotFound."""
        _check_index("counter", self._counter.name, index, self._counter.size)
        count = self._handle.ffi.new("struct snic_count *")
        self._handle.check(self._handle.lib.snic_read_counter(*self._place, index, count))
        return CounterValue(count.packets, count.bytes)

    def write(self, index: int, value: CounterValue) -> None:
        """Raises: EntryNotFound."""
        _check_index("counter", self._counter.name, index, self._counter.size)
        count = self._handle.ffi.new("struct snic_count *", (value.packets, value.bytes))
        self._handle.check(self._handle.lib.snic_write_counter(*self._place, index, count))


class NativeMeter:
    """An indirect meter array; None is an unconfigured meter."""

    def __init__(self, handle: Handle, meter: ir.Meter, number: int) -> None:
        self._handle = handle
        self._meter = meter
        self._place = handle.engine, number

    def read(self, index: int) -> MeterRates | None:
        """Raises: EntryNotFound."""
        _check_index("meter", self._meter.name, index, self._meter.size)
        rates, configured = self._handle.ffi.new("struct snic_rates *"), self._handle.ffi.new("bool *")
        self._handle.check(self._handle.lib.snic_read_meter(*self._place, index, rates, configured))
        return rates_out(rates) if configured[0] else None

    def write(self, index: int, rates: MeterRates | None) -> None:
        """Raises: EntryNotFound."""
        _check_index("meter", self._meter.name, index, self._meter.size)
        self._handle.follow_clock()
        self._handle.check(self._handle.lib.snic_write_meter(*self._place, index, self._handle.rates_in(rates)))

    def read_counts(self, index: int) -> ColourCounts:
        """Raises: EntryNotFound."""
        _check_index("meter", self._meter.name, index, self._meter.size)
        counts = self._handle.ffi.new("struct snic_colour_counts *")
        self._handle.check(self._handle.lib.snic_read_meter_counts(*self._place, index, counts))
        return colour_counts_out(counts)

    def write_counts(self, index: int, counts: ColourCounts) -> None:
        """Raises: EntryNotFound."""
        _check_index("meter", self._meter.name, index, self._meter.size)
        given = self._handle.colour_counts_in(counts)
        self._handle.check(self._handle.lib.snic_write_meter_counts(*self._place, index, given))


class NativeRegister:
    def __init__(self, handle: Handle, register: ir.Register, number: int) -> None:
        self._handle = handle
        self._register = register
        self._place = handle.engine, number
        self._bytes = byte_size(register.width)

    def read(self, index: int) -> int:
        """Raises: EntryNotFound."""
        _check_index("register", self._register.name, index, self._register.size)
        value = self._handle.ffi.new("uint8_t[]", self._bytes)
        self._handle.check(self._handle.lib.snic_read_register(*self._place, index, value))
        return int.from_bytes(self._handle.ffi.buffer(value), "big")

    def write(self, index: int, value: int) -> None:
        """Raises: EntryNotFound."""
        _check_index("register", self._register.name, index, self._register.size)
        packed = value.to_bytes(self._bytes, "big")
        self._handle.check(self._handle.lib.snic_write_register(*self._place, index, packed))


class NativeValueSet:
    """A parser value set. The runtime has its members packed as `key`, the transition key they are compared with."""

    def __init__(self, handle: Handle, number: int, key: Sequence[ir.KeyPart]) -> None:
        self.members: Sequence[tuple[int, ...]] = ()
        self._handle = handle
        self._place = handle.engine, number
        self._sizes = [byte_size(part.width) for part in key]

    def replace(self, members: Sequence[tuple[int, ...]]) -> None:
        """Each member has one value for each element of the key."""
        packed = b"".join(
            value.to_bytes(size, "big") for member in members for value, size in zip(member, self._sizes, strict=True)
        )
        self._handle.check(self._handle.lib.snic_set_value_set(*self._place, packed, len(members)))
        self.members = tuple(members)


def value_set_key(parser: ir.Parser, value_set: ir.ValueSet) -> Sequence[ir.KeyPart]:
    """The transition key of the states that select by `value_set`; empty where none does."""
    for state in parser.states:
        if any(isinstance(case, ir.ValueSetCase) and case.value_set == value_set for case in state.cases):
            return state.key
    return ()


def _check_index(what: str, name: str, index: int, size: int) -> None:
    if not 0 <= index < size:
        raise EntryNotFound(f"{what} {name} has no index {index}: it has {size}")
