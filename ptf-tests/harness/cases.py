# SPDX-License-Identifier: Apache-2.0
"""How a function becomes PTF tests.

PTF runs classes that have a `runTest`, each once. `tests_of(program)` is a decorator that makes one of a function, or
one for each combination of its parameters, so that a test reads as a function and fails by the name of its case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any, ClassVar, Protocol

from ptf.base_tests import BaseTest

from harness.dut import Dut, device_under_test
from harness.program import Program
from headgate.systems import Entity

TestFunction = Callable[..., None]


class ProgramTest(BaseTest):
    """A test that begins with the device programmed for `rack`; its end reports frames that were nobody's."""

    program: ClassVar[Program]
    rack: ClassVar[Any]
    extra: ClassVar[Sequence[Entity]] = ()
    dut: Dut

    def setUp(self) -> None:
        super().setUp()
        self.dut = device_under_test(self.program)
        self.dut.program(self.rack, self.extra)

    def tearDown(self) -> None:
        for port, frame in self.dut.foreign:
            print(f"foreign frame out of port {port}: {frame.hex(' ')}")
        self.dut.foreign.clear()
        super().tearDown()


class TestMaker(Protocol):
    def __call__(
        self, rack: Any, extra: Iterable[Entity] = (), /, **parameters: Mapping[str, Any]
    ) -> Callable[[TestFunction], TestFunction | type[ProgramTest]]:
        """Makes PTF tests of `function(dut, **values)`.

        Args:
            rack: what the device is programmed for, as the program's `entities` takes it
            extra: entries beside it; of those with the same key the last counts
            parameters: for each parameter of the function, its values by name; the product of all is tested, under
                names like ``test_name[ipv4-tagged]``
        """
        ...


def tests_of(program: Program) -> TestMaker:
    """A decorator for tests of one program."""

    def program_test(
        rack: Any, extra: Iterable[Entity] = (), /, **parameters: Mapping[str, Any]
    ) -> Callable[[TestFunction], TestFunction | type[ProgramTest]]:
        fixed = tuple(extra)

        def test_class(name: str, function: TestFunction, values: Mapping[str, Any]) -> type[ProgramTest]:
            members = {
                "__module__": function.__module__,
                "__qualname__": name,
                "__doc__": function.__doc__,
                "program": program,
                "rack": rack,
                "extra": fixed,
                "runTest": lambda self: function(self.dut, **values),
            }
            return type(name, (ProgramTest,), members)

        def expand(function: TestFunction) -> TestFunction | type[ProgramTest]:
            if not parameters:
                return test_class(function.__name__, function, {})
            for combination in product(*(values.items() for values in parameters.values())):
                name = f"{function.__name__}[{'-'.join(label for label, _ in combination)}]"
                values = {parameter: value for parameter, (_, value) in zip(parameters, combination, strict=True)}
                function.__globals__[name] = test_class(name, function, values)
            return function

        return expand

    return program_test
