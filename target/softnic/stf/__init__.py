# SPDX-License-Identifier: Apache-2.0
"""STF, the packet tests that come with p4c: statements that fill tables, send packets and say what must come out.

`parse_stf` reads the format, `run_test` runs it on an engine; module `corpus` runs whole
folders of programs and tests.
"""

from .comparison import Difference
from .errors import StfError
from .parser import parse_stf
from .runner import Result, run_test

__all__ = ["Difference", "Result", "StfError", "parse_stf", "run_test"]
