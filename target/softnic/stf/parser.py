# SPDX-License-Identifier: Apache-2.0
"""STF text into statements: one statement a line, its keyword first, ``#`` begins a comment."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import cast

from . import statements as stf
from .errors import StfError

_KEYWORD = re.compile(r"\s*(?P<keyword>[^\s#]+)")
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<name> "[^"]+" | [A-Za-z_$][\w$]* )
      | (?P<number> 0[xX][0-9a-fA-F*]+ | 0[bB][01*]+ | 0[oO][0-7*]+ | [0-9]+(?:\.[0-9]+)? )
      | (?P<mark> [=!<>]= | [=<>:,./()\[\]] )
      | (?P<end> \#.* | $ )
    )""",
    re.VERBOSE,
)
_PACKET = re.compile(r"\s*(?P<port>[0-9]+)(?:\s+(?P<data>[0-9a-fA-F*\s]*)(?P<exact>\$?))?\s*(?:#.*)?$")
_RATE_SCALE = 1_000_000
"""simple_switch_CLI, whose commands these are, takes rates per microsecond."""


def parse_stf(text: str) -> tuple[stf.Statement, ...]:
    """The statements of a file, in its order. Raises: StfError."""
    parsed = []
    for number, line in enumerate(text.splitlines(), start=1):
        found = _KEYWORD.match(line)
        if not found:
            continue
        parse = _STATEMENTS.get(found["keyword"].lower())
        if not parse:
            raise StfError(
                number, f"{found['keyword']!r} begins no statement; there are {', '.join(sorted(_STATEMENTS))}"
            )
        parsed.append(parse(_Line(number, line[found.end() :])))
    return tuple(parsed)


class _Line:
    """The rest of a statement after its keyword, taken apart from the left."""

    def __init__(self, number: int, text: str) -> None:
        self.number = number
        self.text = text
        self._tokens: list[tuple[str, str]] | None = None

    def error(self, reason: str) -> StfError:
        return StfError(self.number, reason)

    def packet(self) -> tuple[int, str | None, bool]:
        """Port, digits without spaces (None: none are given), and whether a ``$`` ends them."""
        found = _PACKET.match(self.text)
        if not found:
            raise self.error("expected a port number, then hexadecimal digits: packet 0 0102 0304")
        exact = bool(found["exact"])
        digits = "".join((found["data"] or "").split()).lower()
        return int(found["port"]), digits if digits or exact else None, exact

    def peek(self) -> tuple[str, str]:
        """Kind and text of the next token; ``("end", "")`` after the last."""
        if self._tokens is None:
            self._tokens = list(reversed(self._scan()))
        return self._tokens[-1] if self._tokens else ("end", "")

    def _scan(self) -> list[tuple[str, str]]:
        tokens, position = [], 0
        while True:
            found = _TOKEN.match(self.text, position)
            if not found or not found.lastgroup:
                raise self.error(f"can't read {self.text[position:].strip()!r}")
            if found.lastgroup == "end":
                return tokens
            tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    def accept(self, *marks: str) -> str | None:
        """Take the next token if it is one of `marks`."""
        if self.peek()[1] not in marks:
            return None
        return self._take()

    def expect(self, mark: str) -> None:
        if not self.accept(mark):
            raise self.error(f"expected {mark!r}, found {self.peek()[1] or 'the end of the line'!r}")

    def end(self) -> None:
        kind, text = self.peek()
        if kind != "end":
            raise self.error(f"the statement should end before {text!r}")

    def at_number(self) -> bool:
        return self.peek()[0] == "number"

    def at_end(self) -> bool:
        return self.peek()[0] == "end"

    def name(self) -> str:
        """A qualified name; ``stack[1]`` and ``stack$1`` are the same."""
        parts = [self._word("name")]
        while mark := self.accept(".", "["):
            if mark == ".":
                parts.append("." + self._word("name"))
            else:
                parts.append(f"[{self.integer()}]")
                self.expect("]")
        return re.sub(r"\$([0-9]+)", r"[\1]", "".join(parts))

    def label(self) -> str:
        return self._word("name").removeprefix("$")

    def number_literal(self) -> stf.Number:
        text = self._word("number")
        if "." in text:
            raise self.error(f"{text} should be a whole number")
        return _number(text)

    def integer(self) -> int:
        number = self.number_literal()
        if number.has_wildcard:
            raise self.error("a * has no meaning here; write all digits")
        return number.value

    def rate(self) -> stf.Rate:
        """In tokens per microsecond, as a decimal number, then the burst."""
        text = self._word("number")
        try:
            per_microsecond = Fraction(text)
        except ValueError:
            raise self.error(f"a rate is a decimal number, not {text}") from None
        self.expect(":")
        return stf.Rate(round(per_microsecond * _RATE_SCALE), self.integer())

    def _word(self, kind: str) -> str:
        found, text = self.peek()
        if found != kind:
            raise self.error(f"expected a {kind}, found {text or 'the end of the line'!r}")
        return self._take().strip('"')

    def _take(self) -> str:
        assert self._tokens
        return self._tokens.pop()[1]


def _number(text: str) -> stf.Number:
    bits = {"0x": 4, "0o": 3, "0b": 1}.get(text[:2].lower())
    if bits is None:
        return stf.Number(int(text))
    digits = text[2:]
    given = "".join("0" if digit == "*" else f"{(1 << bits) - 1:x}" for digit in digits)
    base = 1 << bits
    return stf.Number(int(digits.replace("*", "0"), base), int(given, base), bits * len(digits))


# ---- statements -----------------------------------------------------------------------------------------------------


def _add(line: _Line) -> stf.Add:
    table = line.name()
    priority = line.integer() if line.at_number() else 0
    matches = []
    name = line.name()
    while line.accept(":"):
        number = line.number_literal()
        matches.append(stf.Match(name, number, line.integer() if line.accept("/") else None))
        name = line.name()
    call = _call(line, name)
    label = line.label() if line.accept("=") else None
    line.end()
    return stf.Add(line.number, table, priority, tuple(matches), call, label)


def _call(line: _Line, action: str) -> stf.Call:
    line.expect("(")
    args = []
    while not line.accept(")"):
        if args:
            line.expect(",")
        name = line.name()
        line.expect(":")
        args.append((name, line.integer()))
    return stf.Call(action, tuple(args))


def _set_default(line: _Line) -> stf.SetDefault:
    table = line.name()
    call = _call(line, line.name())
    line.end()
    return stf.SetDefault(line.number, table, call)


def _remove(line: _Line) -> stf.RemoveAll:
    if line.label().lower() != "all":
        raise line.error("only all entries can be removed: remove all")
    line.end()
    return stf.RemoveAll(line.number)


def _packet(line: _Line) -> stf.Packet:
    port, digits, is_exact = line.packet()
    if digits is None or is_exact:
        raise line.error("a packet is a port and hexadecimal digits, without $")
    try:
        return stf.Packet(line.number, port, bytes.fromhex(digits))
    except ValueError:
        raise line.error("a packet is whole bytes: an even number of hexadecimal digits, without *") from None


def _expect(line: _Line) -> stf.Expect:
    return stf.Expect(line.number, *line.packet())


def _check_counter(line: _Line) -> stf.CheckCounter:
    counter = line.name()
    line.expect("(")
    index = line.integer() if line.at_number() else line.label()
    line.expect(")")
    if line.at_end():
        return stf.CheckCounter(line.number, counter, index, None, "==", 0)
    unit = line.accept("packets", "bytes")
    comparison = line.accept("==", "!=", "<", "<=", ">", ">=")
    if not (unit and comparison):
        raise line.error("a check is packets or bytes, a comparison and a number: check_counter c(0) packets == 1")
    value = line.integer()
    line.end()
    return stf.CheckCounter(line.number, counter, index, cast(stf.Unit, unit), cast(stf.Comparison, comparison), value)


def _meter_set_rates(line: _Line) -> stf.MeterSetRates:
    meter = line.name()
    index = line.integer()
    return _rates(line, meter, index)


def _meter_array_set_rates(line: _Line) -> stf.MeterSetRates:
    return _rates(line, line.name(), None)


def _rates(line: _Line, meter: str, index: int | None) -> stf.MeterSetRates:
    committed, peak = line.rate(), line.rate()
    line.end()
    return stf.MeterSetRates(line.number, meter, index, committed, peak)


def _bare(make: Callable[[int], stf.Statement]) -> Callable[[_Line], stf.Statement]:
    """A statement that is its keyword."""

    def parse(line: _Line) -> stf.Statement:
        line.end()
        return make(line.number)

    return parse


def _numbers(make: Callable[..., stf.Statement], count: int) -> Callable[[_Line], stf.Statement]:
    """A statement of `count` numbers."""

    def parse(line: _Line) -> stf.Statement:
        numbers = [line.integer() for _ in range(count)]
        line.end()
        return make(line.number, *numbers)

    return parse


def _cell(make: Callable[..., stf.Statement], count: int) -> Callable[[_Line], stf.Statement]:
    """A statement of a name and `count` numbers."""

    def parse(line: _Line) -> stf.Statement:
        name = line.name()
        numbers = [line.integer() for _ in range(count)]
        line.end()
        return make(line.number, name, *numbers)

    return parse


def _node(make: Callable[[int, int, tuple[int, ...]], stf.Statement]) -> Callable[[_Line], stf.Statement]:
    """A statement of a number and a list of ports."""

    def parse(line: _Line) -> stf.Statement:
        first, ports = line.integer(), []
        while not line.at_end():
            ports.append(line.integer())
        return make(line.number, first, tuple(ports))

    return parse


_STATEMENTS: dict[str, Callable[[_Line], stf.Statement]] = {
    "add": _add,
    "setdefault": _set_default,
    "remove": _remove,
    "packet": _packet,
    "expect": _expect,
    "no_packet": _bare(stf.NoPacket),
    "wait": _bare(stf.Wait),
    "check_counter": _check_counter,
    "counter_read": _cell(stf.CounterRead, 1),
    "counter_write": _cell(stf.CounterWrite, 3),
    "register_read": _cell(stf.RegisterRead, 1),
    "register_write": _cell(stf.RegisterWrite, 2),
    "register_reset": _cell(stf.RegisterReset, 0),
    "meter_get_rates": _cell(stf.MeterGetRates, 1),
    "meter_set_rates": _meter_set_rates,
    "meter_array_set_rates": _meter_array_set_rates,
    "mc_mgrp_create": _numbers(stf.GroupCreate, 1),
    "mc_node_create": _node(stf.NodeCreate),
    "mc_node_update": _node(stf.NodeUpdate),
    "mc_node_associate": _numbers(stf.NodeAssociate, 2),
    "mirroring_add": _numbers(stf.MirrorToPort, 2),
    "mirroring_add_mc": _numbers(stf.MirrorToGroup, 2),
    "mirroring_delete": _numbers(stf.MirrorDelete, 1),
    "mirroring_get": _numbers(stf.MirrorGet, 1),
}
