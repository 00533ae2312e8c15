# SPDX-License-Identifier: Apache-2.0
"""The smallest BMv2 JSON that simple_switch would take, for tests to add to and to spoil."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from softnic.frontend import load_program
from softnic.ir import Program

Document = dict[str, Any]

STANDARD_FIELDS = [
    ["ingress_port", 9, False],
    ["egress_spec", 9, False],
    ["egress_port", 9, False],
    ["instance_type", 32, False],
    ["packet_length", 32, False],
    ["_padding", 5, False],
]


def minimal() -> Document:
    """One header ``h`` with fields a (8 bits) and b (16), one table ``t`` with one action ``act(value)``."""
    return {
        "program": "minimal.p4",
        "__meta__": {"version": [2, 23], "compiler": "a test"},
        "header_types": [
            {"name": "standard_metadata", "id": 0, "fields": copy.deepcopy(STANDARD_FIELDS)},
            {"name": "h_t", "id": 1, "fields": [["a", 8, False], ["b", 16, False]]},
        ],
        "headers": [
            {"name": "standard_metadata", "id": 0, "header_type": "standard_metadata", "metadata": True},
            {"name": "h", "id": 1, "header_type": "h_t", "metadata": False},
        ],
        "parsers": [
            {
                "name": "parser",
                "id": 0,
                "init_state": "start",
                "parse_states": [
                    {
                        "name": "start",
                        "id": 0,
                        "parser_ops": [{"op": "extract", "parameters": [{"type": "regular", "value": "h"}]}],
                        "transitions": [{"type": "default", "value": None, "mask": None, "next_state": None}],
                        "transition_key": [],
                    }
                ],
            }
        ],
        "deparsers": [{"name": "deparser", "id": 0, "order": ["h"]}],
        "actions": [
            {
                "name": "act",
                "id": 0,
                "runtime_data": [{"name": "value", "bitwidth": 8}],
                "primitives": [
                    {
                        "op": "assign",
                        "parameters": [field("h", "a"), {"type": "runtime_data", "value": 0}],
                        "source_info": source(7, 8, "h.a = v"),
                    }
                ],
            }
        ],
        "pipelines": [
            {
                "name": "ingress",
                "id": 0,
                "init_table": "t",
                "conditionals": [],
                "tables": [
                    {
                        "name": "t",
                        "id": 0,
                        "source_info": {
                            "filename": "minimal.p4",
                            "line": 20,
                            "column": 4,
                            "source_fragment": "table t",
                        },
                        "key": [{"match_type": "exact", "name": "h.b", "target": ["h", "b"], "mask": None}],
                        "match_type": "exact",
                        "type": "simple",
                        "max_size": 16,
                        "action_ids": [0],
                        "actions": ["act"],
                        "next_tables": {"act": None},
                        "default_entry": {"action_id": 0, "action_data": ["0x2a"]},
                    }
                ],
            },
            {"name": "egress", "id": 1, "init_table": None, "conditionals": [], "tables": []},
        ],
    }


def source(line: int, column: int, fragment: str) -> Document:
    return {"filename": "minimal.p4", "line": line, "column": column, "source_fragment": fragment}


def field(header: str, name: str) -> Document:
    return {"type": "field", "value": [header, name]}


def hexstr(digits: str) -> Document:
    return {"type": "hexstr", "value": digits}


def operation(op: str, left: Document | None, right: Document | int) -> Document:
    return {"type": "expression", "value": {"op": op, "left": left, "right": right}}


def load(document: Document) -> Program:
    return load_program(json.dumps(document).encode())


def spoiled(spoil: Callable[[Document], object]) -> Document:
    document = minimal()
    spoil(document)
    return document
