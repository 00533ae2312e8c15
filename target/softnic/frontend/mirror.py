# SPDX-License-Identifier: Apache-2.0
"""The BMv2 JSON file as typed structures, key for key.

Decoding checks names and types of every key and nothing else: what a value refers to is the business of `lower`.
A key that is not declared here is refused, so that nothing a program asks for is silently left out.
The format is described by BMv2's ``docs/JSON_format.md`` (2.24); what that page leaves out is marked.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec

from .errors import ProgramError

Pair = tuple[str, str]
MAX_WIDTH = 1 << 16
Width = Annotated[int, msgspec.Meta(ge=0, le=MAX_WIDTH)]
"""In bits. p4c's own limit is far below; without one, a number in a file could exhaust memory."""
Size = Annotated[int, msgspec.Meta(ge=0, le=1 << 26)]
"""Of something that is allocated when the program is loaded."""
Capacity = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
"""Of something that is filled later; the engines count what is in it in 32 bits."""


class _Object(msgspec.Struct, forbid_unknown_fields=True):
    pass


class SourceInfo(_Object):
    filename: str = ""
    line: int = 0
    column: int = 0
    source_fragment: str = ""


class _Located(_Object, kw_only=True):
    source_info: SourceInfo | None = None


class _Named(_Located):
    name: str
    id: int


# ---- type/value objects ---------------------------------------------------------------------------------------------


class FieldValue(_Object, tag_field="type", tag="field"):
    value: Pair


class HexValue(_Object, tag_field="type", tag="hexstr"):
    value: str
    bitwidth: Width | None = None


class BoolValue(_Object, tag_field="type", tag="bool"):
    value: bool


class StringValue(_Object, tag_field="type", tag="string"):
    value: str


class HeaderValue(_Object, tag_field="type", tag="header"):
    value: str


class HeaderStackValue(_Object, tag_field="type", tag="header_stack"):
    value: str


class HeaderUnionValue(_Object, tag_field="type", tag="header_union"):
    value: str


class HeaderUnionStackValue(_Object, tag_field="type", tag="header_union_stack"):
    value: str


class CalculationValue(_Object, tag_field="type", tag="calculation"):
    value: str


class CounterArrayValue(_Object, tag_field="type", tag="counter_array"):
    value: str


class MeterArrayValue(_Object, tag_field="type", tag="meter_array"):
    value: str


class RegisterArrayValue(_Object, tag_field="type", tag="register_array"):
    value: str


class ExternValue(_Object, tag_field="type", tag="extern"):
    value: str


class LookaheadValue(_Object, tag_field="type", tag="lookahead"):
    """Offset and width in bits."""

    value: tuple[Width, Width]


class StackFieldValue(_Object, tag_field="type", tag="stack_field"):
    value: Pair


class UnionStackFieldValue(_Object, tag_field="type", tag="union_stack_field"):
    value: tuple[str, str, str]


class LocalValue(_Object, tag_field="type", tag="local"):
    value: int


class RuntimeDataValue(_Object, tag_field="type", tag="runtime_data"):
    value: int


class PayloadValue(_Object, tag_field="type", tag="payload"):
    value: None = None


class RegisterValue(_Object, tag_field="type", tag="register"):
    """An array and the expression of an index."""

    value: tuple[str, Value]


class NoValues(_Object):
    """An empty object: p4c's way to write an empty vector."""


class VectorValue(_Object, tag_field="type", tag="parameters_vector"):
    value: list[Value] | NoValues


class ExpressionBody:
    """An operation or, once more, a type/value object. They share no tag: `_decode_expression` tells them apart."""

    def __init__(self, content: Operation | Value) -> None:
        self.content = content


class ExpressionValue(_Object, tag_field="type", tag="expression"):
    value: ExpressionBody | None


class Operation(_Object):
    """`right` is a number for access_field and access_union_header: a position, not a value."""

    op: str
    left: Value | None
    right: Value | int
    cond: Value | None = None


Value = (
    FieldValue
    | HexValue
    | BoolValue
    | StringValue
    | HeaderValue
    | HeaderStackValue
    | HeaderUnionValue
    | HeaderUnionStackValue
    | CalculationValue
    | CounterArrayValue
    | MeterArrayValue
    | RegisterArrayValue
    | ExternValue
    | LookaheadValue
    | StackFieldValue
    | UnionStackFieldValue
    | LocalValue
    | RuntimeDataValue
    | PayloadValue
    | RegisterValue
    | VectorValue
    | ExpressionValue
)


# ---- headers --------------------------------------------------------------------------------------------------------


class HeaderType(_Named):
    """A field is name, width (``"*"``: varbit) and, optionally, signed and saturating (the latter undocumented)."""

    fields: list[list[str | int | bool]]
    length_exp: Value | None = None
    max_length: Width | None = None


class Header(_Named):
    header_type: str
    metadata: bool
    pi_omit: bool = False


class HeaderStack(_Named):
    header_type: str
    header_ids: list[int]
    size: int | None = None


class HeaderUnionType(_Named):
    headers: list[Pair]


class HeaderUnion(_Named):
    union_type: str
    header_ids: list[int]
    pi_omit: bool = False


class HeaderUnionStack(_Named):
    union_type: str
    header_union_ids: list[int]
    size: int | None = None


class Enum(_Located):
    name: str
    entries: list[tuple[str, int]]


# ---- primitives, parsers, deparsers ---------------------------------------------------------------------------------


class Primitive(_Located):
    op: str
    parameters: list[Value]


class RegularTarget(_Object, tag_field="type", tag="regular"):
    value: str


class StackTarget(_Object, tag_field="type", tag="stack"):
    value: str


class UnionStackTarget(_Object, tag_field="type", tag="union_stack"):
    value: Pair


ExtractTarget = RegularTarget | StackTarget | UnionStackTarget


class Extract(_Located, tag_field="op", tag="extract"):
    parameters: tuple[ExtractTarget]


class ExtractVL(_Located, tag_field="op", tag="extract_VL"):
    parameters: tuple[ExtractTarget, ExpressionValue]


class Set(_Located, tag_field="op", tag="set"):
    parameters: tuple[FieldValue, Value]


class Verify(_Located, tag_field="op", tag="verify"):
    parameters: tuple[Value, Value | int]


class Shift(_Located, tag_field="op", tag="shift"):
    """In bytes; deprecated in favour of advance."""

    parameters: tuple[int]


class Advance(_Located, tag_field="op", tag="advance"):
    """In bits."""

    parameters: tuple[Value]


class ParserPrimitive(_Located, tag_field="op", tag="primitive"):
    parameters: tuple[Primitive]


ParserOp = Extract | ExtractVL | Set | Verify | Shift | Advance | ParserPrimitive


class DefaultTransition(_Object, tag_field="type", tag="default"):
    next_state: str | None
    value: None = None
    mask: None = None


class HexTransition(_Object, tag_field="type", tag="hexstr"):
    value: str
    next_state: str | None
    mask: str | None = None


class ValueSetTransition(_Object, tag_field="type", tag="parse_vset"):
    value: str
    next_state: str | None
    mask: str | None = None


Transition = DefaultTransition | HexTransition | ValueSetTransition
KeyPart = FieldValue | StackFieldValue | UnionStackFieldValue | LookaheadValue


class ParserState(_Named):
    parser_ops: list[ParserOp]
    transitions: list[Transition]
    transition_key: list[KeyPart]


class Parser(_Named):
    init_state: str
    parse_states: list[ParserState]


class ValueSet(_Named):
    compressed_bitwidth: Width
    max_size: Capacity = 0


class Deparser(_Named):
    order: list[str]
    primitives: list[Primitive] = []


# ---- externs, calculations, lists -----------------------------------------------------------------------------------


class CounterArray(_Named):
    size: Size | None = None
    is_direct: bool = False
    binding: str | None = None


class MeterArray(_Named):
    type: Literal["packets", "bytes"]
    rate_count: int
    size: Size
    is_direct: bool = False
    binding: str | None = None
    result_target: Pair | None = None


class RegisterArray(_Named):
    size: Size
    bitwidth: Width


class ExternInstance(_Named):
    type: str
    attribute_values: list[Any] = []


class Calculation(_Named):
    algo: str
    input: list[FieldValue | HexValue | HeaderValue | PayloadValue]


class Checksum(_Named):
    target: Pair
    type: str
    calculation: str
    verify: bool = True
    update: bool = True
    if_cond: Value | None = None


class LearnList(_Named):
    """Not in the document."""

    elements: list[FieldValue]


class FieldList(_Named):
    """Not in the document."""

    elements: list[FieldValue | HexValue]


# ---- actions and pipelines ------------------------------------------------------------------------------------------


class RuntimeData(_Object):
    name: str
    bitwidth: Width


class Action(_Named):
    runtime_data: list[RuntimeData]
    primitives: list[Primitive]


class SelectorDecl(_Object):
    algo: str
    input: list[FieldValue]


class ActionProfile(_Named):
    max_size: Capacity
    selector: SelectorDecl | None = None


class KeyField(_Object):
    """`target` is a header's name where `match_type` is ``valid``."""

    match_type: str
    target: Pair | str
    mask: str | None = None
    name: str | None = None


class ActionEntry(_Object):
    action_id: int
    action_data: list[str]


class DefaultEntry(ActionEntry):
    action_const: bool = False
    action_entry_const: bool = False


class ValidMatch(_Object, tag_field="match_type", tag="valid"):
    key: bool


class ExactMatch(_Object, tag_field="match_type", tag="exact"):
    key: str


class LpmMatch(_Object, tag_field="match_type", tag="lpm"):
    key: str
    prefix_length: int


class TernaryMatch(_Object, tag_field="match_type", tag="ternary"):
    key: str
    mask: str


class RangeMatch(_Object, tag_field="match_type", tag="range"):
    start: str
    end: str


Match = ValidMatch | ExactMatch | LpmMatch | TernaryMatch | RangeMatch


class Entry(_Located):
    match_key: list[Match]
    action_entry: ActionEntry
    priority: int = 0


class Table(_Named):
    """`action_ids` and `base_default_next` are not in the document; `default_action` is always null."""

    match_type: str
    type: str
    key: list[KeyField]
    actions: list[str]
    next_tables: dict[str, str | None]
    max_size: Capacity | None = None
    action_ids: list[int] | None = None
    action_profile: str | None = None
    base_default_next: str | None = None
    default_action: None = None
    default_entry: DefaultEntry | None = None
    direct_meters: str | None = None
    entries: list[Entry] | None = None
    support_timeout: bool = False
    with_counters: bool = False


class Conditional(_Named):
    expression: Value
    true_next: str | None = None
    false_next: str | None = None


class ActionCall(_Named):
    action_id: int
    next_node: str | None = None


class Pipeline(_Named):
    init_table: str | None
    tables: list[Table]
    conditionals: list[Conditional]
    action_profiles: list[ActionProfile] = []
    action_calls: list[ActionCall] = []


# ---- the file -------------------------------------------------------------------------------------------------------


class Meta(_Object):
    version: tuple[int, int]
    compiler: str = ""


class Program(_Object):
    """`force_arith` and `config_options` tune BMv2 itself and mean nothing to another target."""

    meta: Meta = msgspec.field(name="__meta__")
    header_types: list[HeaderType]
    headers: list[Header]
    parsers: list[Parser]
    deparsers: list[Deparser]
    actions: list[Action]
    pipelines: list[Pipeline]
    program: str = ""
    header_stacks: list[HeaderStack] = []
    header_union_types: list[HeaderUnionType] = []
    header_unions: list[HeaderUnion] = []
    header_union_stacks: list[HeaderUnionStack] = []
    errors: list[tuple[str, int]] = []
    enums: list[Enum] = []
    parse_vsets: list[ValueSet] = []
    meter_arrays: list[MeterArray] = []
    counter_arrays: list[CounterArray] = []
    register_arrays: list[RegisterArray] = []
    calculations: list[Calculation] = []
    checksums: list[Checksum] = []
    learn_lists: list[LearnList] = []
    field_lists: list[FieldList] = []
    extern_instances: list[ExternInstance] = []
    field_aliases: list[tuple[str, Pair]] = []
    force_arith: list[Pair] = []
    config_options: dict[str, str] = {}


NAMED_SECTIONS = (
    "header_types", "headers", "header_stacks", "header_union_types", "header_unions", "header_union_stacks",
    "parse_vsets", "parsers", "deparsers", "meter_arrays", "counter_arrays", "register_arrays", "calculations",
    "checksums", "learn_lists", "field_lists", "extern_instances", "actions", "pipelines",
)  # fmt: skip
"""The arrays whose items have an id that is unique in the array."""


def decode(document: object) -> Program:
    """The file, already parsed as JSON, in its typed form. Raises: ProgramError."""
    try:
        return msgspec.convert(document, Program, dec_hook=_decode_expression)
    except msgspec.ValidationError as error:
        raise _program_error(str(error)) from None


def _decode_expression(kind: type, body: Any) -> Any:
    try:
        is_operation = isinstance(body, dict) and "op" in body
        form: Any = Operation if is_operation else Value
        return kind(msgspec.convert(body, form, dec_hook=_decode_expression))
    except msgspec.ValidationError as error:
        # As a plain ValueError msgspec appends the path to here; _program_error joins the two halves.
        raise ValueError(str(error)) from None


def _program_error(message: str) -> ProgramError:
    """`message` ends in one "- at `$.path`" for each nested decoder, innermost first."""
    reason, *paths = re.split(r" - at `\$([^`]*)`", message)
    return ProgramError("$" + "".join(reversed([p for p in paths if p])), reason)
