# SPDX-License-Identifier: Apache-2.0
"""The statements that read and write counters, registers and meters."""

from __future__ import annotations

from softnic.engine import CounterValue, Engine, MeterRates

from . import statements as stf
from .names import Names, check_register_value


def access_cell(statement: stf.CellStatement, names: Names, engine: Engine) -> str | None:
    """Execute `statement`; what it read, for people. Raises: ResolveError, EngineError."""
    match statement:
        case stf.CounterRead(counter=counter, index=index):
            name = names.counter(counter)
            value = engine.read_counter(name, index)
            return f"{name}[{index}] = {value.packets} packets, {value.bytes} bytes"
        case stf.CounterWrite(counter=counter, index=index, packets=packets, bytes=octets):
            engine.write_counter(names.counter(counter), index, CounterValue(packets, octets))
        case stf.RegisterRead(register=register, index=index):
            name = names.register(register).name
            return f"{name}[{index}] = {engine.read_register(name, index)}"
        case stf.RegisterWrite(register=register, index=index, value=value):
            found = names.register(register)
            check_register_value(found, value)
            engine.write_register(found.name, index, value)
        case stf.RegisterReset(register=register):
            found = names.register(register)
            for index in range(found.size):
                engine.write_register(found.name, index, 0)
        case stf.MeterGetRates(meter=meter, index=index):
            name = names.meter(meter).name
            return f"{name}[{index}] = {_describe(engine.read_meter(name, index))}"
        case stf.MeterSetRates(meter=meter, index=index, committed=committed, peak=peak):
            found = names.meter(meter)
            rates = MeterRates(committed.rate, committed.burst, peak.rate, peak.burst)
            for each in range(found.size) if index is None else (index,):
                engine.write_meter(found.name, each, rates)
    return None


def _describe(rates: MeterRates | None) -> str:
    if rates is None:
        return "not configured"
    return (
        f"committed {rates.committed_rate}/s, burst {rates.committed_burst}; "
        f"peak {rates.peak_rate}/s, burst {rates.peak_burst}"
    )
