# SPDX-License-Identifier: Apache-2.0
"""What load_program makes of a program, and every reason for which it refuses one."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from minimal import Document, field, hexstr, load, minimal, operation, spoiled

from softnic import ir
from softnic.frontend import ProgramError, load_program

PRIMITIVE = "$.actions[0].primitives[0]"
STATE = "$.parsers[0].parse_states[0]"
TABLE = "$.pipelines[0].tables[0]"

COMPILED = Path(__file__).parents[2] / "p4" / "compiled"


def table(document: Document) -> Document:
    return document["pipelines"][0]["tables"][0]


def state(document: Document) -> Document:
    return document["parsers"][0]["parse_states"][0]


def primitive(document: Document) -> Document:
    return document["actions"][0]["primitives"][0]


def put(path: Callable[[Document], Any], key: Any, value: Any) -> Callable[[Document], None]:
    def spoil(document: Document) -> None:
        path(document)[key] = value

    return spoil


def entry_of(key: str, argument: str) -> Document:
    return {
        "match_key": [{"match_type": "exact", "key": key}],
        "action_entry": {"action_id": 0, "action_data": [argument]},
        "priority": 1,
    }


def mask_the_key(document: Document) -> None:
    """Of table ``t``, so that its two entries have one key."""
    table(document)["key"][0]["mask"] = "0xff0f"
    table(document)["entries"] = [entry_of("0x0001", "0x1"), entry_of("0x0011", "0x2")]


def share_a_profile(document: Document) -> None:
    """Between ``t`` and ``t2``, of which one lacks the other's action."""
    pipeline = document["pipelines"][0]
    pipeline["action_profiles"] = [{"name": "shared", "id": 0, "max_size": 4}]
    document["actions"].append({"name": "other", "id": 1, "runtime_data": [], "primitives": []})
    del table(document)["default_entry"]
    table(document).update(type="indirect", action_profile="shared")
    second = copy.deepcopy(table(document))
    second.update(name="t2", id=1, action_ids=[1], actions=["other"], next_tables={"other": None})
    pipeline["tables"].append(second)


# ---- what is loaded -------------------------------------------------------------------------------------------------


def test_minimal_program_is_resolved_to_objects() -> None:
    program = load(minimal())
    (loaded,) = program.tables
    assert [(f.name, f.offset, f.width) for f in program.headers[1].type.fields] == [("a", 0, 8), ("b", 8, 16)]
    assert loaded.key[0].expr == ir.FieldRef(program.headers[1], program.headers[1].type.fields[1])
    assert loaded.default == ir.ActionArgs(loaded.actions[0], (0x2A,))
    assert loaded.source == ir.Source("minimal.p4", 20, 4, "table t")
    assert program.ingress.first == 0
    assert program.egress.first is None
    assert program.standard.mcast_grp is None


@pytest.mark.parametrize("path", sorted(COMPILED.glob("*.json")), ids=lambda path: path.stem)
def test_compiled_program_loads_from_a_path_as_from_its_bytes(path: Path) -> None:
    assert load_program(path) == load_program(path.read_bytes()) == load_program(str(path))


def test_alias_leads_to_the_field_that_stands_for_it() -> None:
    document = minimal()
    document["field_aliases"] = [["intrinsic_metadata.mcast_grp", ["standard_metadata", "_padding"]]]
    standard = load(document).standard
    assert str(standard.mcast_grp) == "standard_metadata._padding"


def test_smaller_priority_in_the_file_is_the_larger_in_the_program() -> None:
    document = minimal()
    table(document)["match_type"] = "ternary"
    table(document)["key"][0]["match_type"] = "ternary"
    table(document)["entries"] = [
        {
            "match_key": [{"match_type": "ternary", "key": "0xff01", "mask": "0x00ff"}],
            "action_entry": {"action_id": 0, "action_data": ["0x1"]},
            "priority": priority,
        }
        for priority in (1, 5)
    ]
    entries = load(document).tables[0].entries
    assert [(entry.priority, entry.key) for entry in entries] == [
        (5, (ir.TernaryKey(1, 0xFF),)),
        (1, (ir.TernaryKey(1, 0xFF),)),
    ]


@pytest.mark.parametrize(
    ("digits", "value"), [("0x0a", 10), ("0a", 10), ("-0x0a", -10), ("0", 0), ("0x1" + "0" * 40, 16**40)]
)
def test_hexstr_may_have_a_minus_and_a_prefix(digits: str, value: int) -> None:
    document = minimal()
    primitive(document)["parameters"][1] = hexstr(digits)
    (statement,) = load(document).actions[0].body
    assert isinstance(statement, ir.Assign)
    assert statement.value == ir.Const(value)


def test_empty_expression_is_zero() -> None:
    document = minimal()
    primitive(document)["parameters"][1] = {"type": "expression", "value": None}
    (statement,) = load(document).actions[0].body
    assert isinstance(statement, ir.Assign)
    assert statement.value == ir.Const(0)


@pytest.mark.parametrize(
    ("template", "pieces"),
    [
        ("no value", ("no value",)),
        ("{} and {}", ("", " and ", "")),
        (r"\{literal\} {}", ("{literal} ", "")),
        ("named {port}", ("named ", "")),
    ],
)
def test_log_message_is_split_at_its_braces(template: str, pieces: tuple[str, ...]) -> None:
    document = minimal()
    values = [field("h", "a")] * (len(pieces) - 1)
    parameters = [{"type": "string", "value": template}, {"type": "parameters_vector", "value": values}]
    document["actions"][0]["primitives"] = [{"op": "log_msg", "parameters": parameters}]
    (statement,) = load(document).actions[0].body
    assert isinstance(statement, ir.LogMessage)
    assert statement.pieces == pieces


# ---- what is refused ------------------------------------------------------------------------------------------------

REFUSALS: dict[str, tuple[Callable[[Document], object], str, str]] = {
    "another major version": (put(lambda d: d["__meta__"], "version", [3, 0]), "$.__meta__.version", "3.0"),
    "no version": (lambda d: d.pop("__meta__"), "$", "__meta__"),
    "unknown key at the top": (put(lambda d: d, "header_typos", []), "$", "header_typos"),
    "unknown key inside": (put(table, "nxt_tables", {}), TABLE, "nxt_tables"),
    "more entries than can be counted": (put(table, "max_size", 1 << 32), f"{TABLE}.max_size", "<= 4294967295"),
    "wrong type": (put(table, "max_size", "16"), f"{TABLE}.max_size", "int"),
    "unknown value type": (
        put(lambda d: primitive(d)["parameters"], 1, {"type": "colour", "value": 1}),
        f"{PRIMITIVE}.parameters[1].type",
        "colour",
    ),
    "unknown value type deep in an expression": (
        put(lambda d: primitive(d)["parameters"], 1, operation("+", field("h", "a"), {"type": "colour", "value": 1})),
        f"{PRIMITIVE}.parameters[1].value.right.type",
        "colour",
    ),
    "unknown parser op": (
        put(lambda d: state(d)["parser_ops"][0], "op", "inject"),
        f"{STATE}.parser_ops[0].op",
        "inject",
    ),
    "unknown primitive": (put(primitive, "op", "teleport"), f"{PRIMITIVE}.op", "teleport"),
    "too few parameters": (put(primitive, "parameters", []), f"{PRIMITIVE}.parameters", "2 parameters"),
    "unknown operation": (
        put(lambda d: primitive(d)["parameters"], 1, operation("**", hexstr("1"), hexstr("2"))),
        f"{PRIMITIVE}.parameters[1].value.op",
        "**",
    ),
    "bool where data is needed": (
        put(lambda d: primitive(d)["parameters"], 1, operation("<", hexstr("1"), hexstr("2"))),
        f"{PRIMITIVE}.parameters[1]",
        "data is needed",
    ),
    "comparison of unlike kinds": (
        put(
            lambda d: primitive(d)["parameters"],
            1,
            operation("b2d", None, operation("==", hexstr("1"), {"type": "bool", "value": True})),
        ),
        f"{PRIMITIVE}.parameters[1].value.right.value.right",
        "not bool",
    ),
    "assignment to a constant": (
        put(lambda d: primitive(d)["parameters"], 0, hexstr("1")),
        f"{PRIMITIVE}.parameters[0]",
        "assigned",
    ),
    "assignment to the validity bit": (
        put(lambda d: primitive(d)["parameters"], 0, field("h", "$valid$")),
        f"{PRIMITIVE}.parameters[0]",
        "assigned",
    ),
    "unknown header": (
        put(lambda d: primitive(d)["parameters"], 0, field("g", "a")),
        f"{PRIMITIVE}.parameters[0]",
        "'g'",
    ),
    "unknown field": (
        put(lambda d: primitive(d)["parameters"], 0, field("h", "c")),
        f"{PRIMITIVE}.parameters[0]",
        "'c'",
    ),
    "parameter the action does not have": (
        put(lambda d: primitive(d)["parameters"][1], "value", 1),
        f"{PRIMITIVE}.parameters[1]",
        "no parameter 1",
    ),
    "no hexadecimal number": (
        put(lambda d: primitive(d)["parameters"], 1, hexstr("0xzz")),
        f"{PRIMITIVE}.parameters[1]",
        "0xzz",
    ),
    "jump out of the action": (
        put(lambda d: d["actions"][0], "primitives", [{"op": "_jump", "parameters": [hexstr("0x9")]}]),
        PRIMITIVE,
        "jump to 9",
    ),
    "log message with a value too few": (
        put(
            lambda d: d["actions"][0],
            "primitives",
            [
                {
                    "op": "log_msg",
                    "parameters": [{"type": "string", "value": "{}"}, {"type": "parameters_vector", "value": {}}],
                }
            ],
        ),
        f"{PRIMITIVE}.parameters[1]",
        "takes 1 values",
    ),
    "no ingress": (put(lambda d: d["pipelines"][0], "name", "inside"), "$.pipelines", "'ingress'"),
    "no parser of that name": (put(lambda d: d["parsers"][0], "name", "scanner"), "$.parsers", "'parser'"),
    "unknown first state": (put(lambda d: d["parsers"][0], "init_state", "begin"), "$.parsers[0].init_state", "begin"),
    "unknown next state": (
        put(lambda d: state(d)["transitions"][0], "next_state", "nowhere"),
        f"{STATE}.transitions[0]",
        "nowhere",
    ),
    "select value wider than its key": (
        put(state, "transitions", [{"type": "hexstr", "value": "0x100", "mask": None, "next_state": None}]),
        f"{STATE}.transitions[0].value",
        "0 bits",
    ),
    "unknown next table": (put(lambda d: table(d)["next_tables"], "act", "t2"), f"{TABLE}.next_tables", "t2"),
    "control flow that loops": (
        put(lambda d: table(d)["next_tables"], "act", "t"),
        "$.pipelines[0]",
        "loops through 't'",
    ),
    "unknown action id": (put(table, "action_ids", [7]), TABLE, "7"),
    "default with too few arguments": (
        put(lambda d: table(d)["default_entry"], "action_data", []),
        f"{TABLE}.default_entry.action_data",
        "1 arguments",
    ),
    "default argument too wide": (
        put(lambda d: table(d)["default_entry"], "action_data", ["0x100"]),
        f"{TABLE}.default_entry.action_data[0]",
        "8 bits",
    ),
    "standard metadata in a packet header": (
        put(lambda d: d["headers"][0], "metadata", False),
        "$.headers",
        "'standard_metadata' has to be metadata",
    ),
    "action profile of tables with different actions": (
        share_a_profile,
        "$.pipelines[0]",
        "tables 't' and 't2' share action profile 'shared'",
    ),
    "entry that is there twice": (
        put(table, "entries", [entry_of("0x0001", "0x1"), entry_of("0x0002", "0x2"), entry_of("0x0001", "0x3")]),
        f"{TABLE}.entries[2]",
        "already",
    ),
    "entries that differ outside of the key's mask": (
        mask_the_key,
        f"{TABLE}.entries[1]",
        "already",
    ),
    "table more specific than its key": (
        put(lambda d: table(d)["key"][0], "match_type", "ternary"),
        f"{TABLE}.match_type",
        "ternary",
    ),
    "unknown match type": (
        put(lambda d: table(d)["key"][0], "match_type", "fuzzy"),
        f"{TABLE}.key[0].match_type",
        "fuzzy",
    ),
    "two lpm fields": (
        lambda d: table(d).update(
            match_type="lpm", key=[{"match_type": "lpm", "target": ["h", name]} for name in "ab"]
        ),
        f"{TABLE}.match_type",
        "one lpm field",
    ),
    "neither size nor entries": (lambda d: table(d).pop("max_size"), TABLE, "max_size"),
    "indirect table without a profile": (put(table, "type", "indirect"), f"{TABLE}.action_profile", "action_profile"),
    "unknown direct meter": (put(table, "direct_meters", "m"), f"{TABLE}.direct_meters", "'m'"),
    "id used twice": (lambda d: d["headers"].append(dict(d["headers"][1], name="h2")), "$.headers[2]", "id 1"),
    "name declared twice": (lambda d: d["headers"].append(dict(d["headers"][1], id=9)), "$.headers[2]", "'h'"),
    "header of no whole bytes": (
        lambda d: d["header_types"][1]["fields"].append(["c", 3, False]),
        "$.headers[1]",
        "27 bits",
    ),
    "required field missing": (lambda d: d["header_types"][0]["fields"].pop(1), "$.headers", "egress_spec"),
    "two varbits": (
        lambda d: d["header_types"][1].update(fields=[["a", "*"], ["b", "*"]], max_length=10),
        "$.header_types[1]",
        "one varbit",
    ),
    "varbit without room": (
        lambda d: d["header_types"][1].update(fields=[["a", 8, False], ["b", "*"]]),
        "$.header_types[1]",
        "max_length",
    ),
    "varbit extracted without a length": (
        lambda d: d["header_types"][1].update(fields=[["a", 8, False], ["b", "*"]], max_length=9),
        f"{STATE}.parser_ops[0].parameters[0]",
        "extract_VL",
    ),
    "metadata that is emitted": (
        put(lambda d: d["deparsers"][0], "order", ["standard_metadata"]),
        "$.deparsers[0].order[0]",
        "metadata",
    ),
    "lookahead outside of a parser": (
        put(lambda d: primitive(d)["parameters"], 1, {"type": "lookahead", "value": [0, 8]}),
        f"{PRIMITIVE}.parameters[1]",
        "parser around it",
    ),
    "extern of another architecture": (
        put(lambda d: d, "extern_instances", [{"name": "e", "id": 0, "type": "Hash", "attribute_values": []}]),
        "$.extern_instances[0]",
        "Hash",
    ),
    "unknown hash algorithm": (
        put(lambda d: d, "calculations", [{"name": "c", "id": 0, "algo": "sha512", "input": []}]),
        "$.calculations[0].algo",
        "sha512",
    ),
    "meter of three rates": (
        put(lambda d: d, "meter_arrays", [{"name": "m", "id": 0, "type": "bytes", "rate_count": 3, "size": 1}]),
        "$.meter_arrays[0]",
        "2 rates",
    ),
}


@pytest.mark.parametrize(("spoil", "path", "reason"), REFUSALS.values(), ids=REFUSALS.keys())
def test_program_is_refused_with_place_and_reason(spoil: Callable[[Document], object], path: str, reason: str) -> None:
    with pytest.raises(ProgramError) as caught:
        load(spoiled(spoil))
    assert caught.value.path == path
    assert reason in caught.value.reason


def test_error_names_the_p4_line_on_the_way_to_the_place() -> None:
    document = minimal()
    primitive(document)["op"] = "teleport"
    with pytest.raises(ProgramError, match=r"minimal\.p4:7") as caught:
        load(document)
    assert caught.value.source == ir.Source("minimal.p4", 7, fragment="h.a = v")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"__meta__": ' + b"[" * 5000])
def test_what_is_no_program_is_refused(text: bytes) -> None:
    with pytest.raises(ProgramError):
        load_program(text)


def test_expression_nested_beyond_reason_is_refused() -> None:
    expression = field("h", "a")
    for _ in range(20_000):
        expression = operation("~", None, expression)
    document = minimal()
    primitive(document)["parameters"][1] = "HERE"
    nested = '{"type":"expression","value":{"op":"~","left":null,"right":' * 20_000 + "null" + "}}" * 20_000
    with pytest.raises(ProgramError):
        load_program(json.dumps(document).replace('"HERE"', nested).encode())


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document."""
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


PLACES = places(minimal())[1:]


@given(st.sampled_from(PLACES), st.sampled_from([None, -1, 2**70, "", "x", [], {}, True, ["h", "b"]]))
def test_any_value_anywhere_is_loaded_or_refused_but_never_crashes(place: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(minimal())
    parent: Any = document
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    with contextlib.suppress(ProgramError):
        assert isinstance(load(document), ir.Program)
