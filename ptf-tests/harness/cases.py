# SPDX-License-Identifier: Apache-2.0
"""How a function becomes PTF tests.

PTF runs classes that have a `runTest`, each once. `nic_test` makes one of a function, or one for each combination of
its parameters, so that a test reads as a function and fails by the name of its case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, ClassVar

from ptf.base_tests import BaseTest

from harness.dut import Dut, device_under_test
from headgate.systems import Entity

TestFunction = Callable[..., None]


class NicTest(BaseTest):
    """A test that begins with the device programmed to `config`; its end reports frames that were nobody's."""

    config: ClassVar[Mapping[str, Any]]
    extra: ClassVar[Sequence[Entity]] = ()
    dut: Dut

    def setUp(self) -> None:
        super().setUp()
        self.dut = device_under_test()
        self.dut.program(self.config, self.extra)

    def tearDown(self) -> None:
        for port, frame in self.dut.foreign:
            print(f"foreign frame out of port {port}: {frame.hex(' ')}")
        self.dut.foreign.clear()
        super().tearDown()


def nic_test(
    config: Mapping[str, Any], extra: Sequence[Entity] = (), /, **parameters: Mapping[str, Any]
) -> Callable[[TestFunction], TestFunction | type[NicTest]]:
    """Makes PTF tests of `function(dut, **values)`.

    Args:
        config: what headgate programs the device with, as it stands in YAML
        extra: entries beside it, which no config would write
        parameters: for each parameter of the function, its values by name; the product of all is tested, under names
            like ``test_name[ipv4-tagged]``
    """

    def expand(function: TestFunction) -> TestFunction | type[NicTest]:
        if not parameters:
            return _test_class(function.__name__, function, {}, config, extra)
        for combination in product(*(values.items() for values in parameters.values())):
            name = f"{function.__name__}[{'-'.join(label for label, _ in combination)}]"
            values = {parameter: value for parameter, (_, value) in zip(parameters, combination, strict=True)}
            function.__globals__[name] = _test_class(name, function, values, config, extra)
        return function

    return expand


def _test_class(
    name: str,
    function: TestFunction,
    values: Mapping[str, Any],
    config: Mapping[str, Any],
    extra: Sequence[Entity],
) -> type[NicTest]:
    def run_test(self: NicTest) -> None:
        function(self.dut, **values)

    members = {
        "__module__": function.__module__,
        "__qualname__": name,
        "__doc__": function.__doc__,
        "config": config,
        "extra": tuple(extra),
        "runTest": run_test,
    }
    return type(name, (NicTest,), members)
