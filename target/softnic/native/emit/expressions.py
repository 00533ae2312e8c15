# SPDX-License-Identifier: Apache-2.0
"""Expressions to C text. `widths` says why what C computes is what P4 means."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from softnic import ir

from .cvalues import CValue, bare, bit_offset, clamped, constant, convert, exactly, flag, load_field, masked, signed
from .errors import UnsupportedError
from .layout import Layout, Place
from .widths import MAX_SHIFT, Given, Interval, Type, interval

_RING = {"+": "add", "-": "subtract", "*": "multiply", "&": "and", "|": "or", "^": "xor"}
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


class Expressions:
    """Prints expressions for packets of `layout`, in an action with `params`.

    The text uses `p` (``struct packet *``), `w` (``struct snic_worker *``), in actions `args`, and in the parser `c`
    (``struct snic_cursor *``) and the label ``packet_too_short``.
    """

    def __init__(self, program: ir.Program, layout: Layout, params: Sequence[ir.ActionParam] = ()) -> None:
        self.layout = layout
        self.params = params
        self._program = program
        self._registers = {register.name: number for number, register in enumerate(program.registers)}

    # ---- what statements, keys and branches ask for -----------------------------------------------------------------

    def condition(self, expr: ir.Expr) -> str:
        """A C truth value, without parentheses around it."""
        return bare(self._truth(expr))

    def exact(self, expr: ir.Expr | Given) -> CValue:
        """All of the number. Raises: UnsupportedError: it may have more than 4096 bits."""
        return self.value(expr, self.interval(expr).type)

    def word(self, expr: ir.Expr, width: int) -> str:
        """The low `width` (1 .. 64) bits as an unsigned C number."""
        return masked(convert(self.value(expr, Type.WORD), Type.WORD), width).text

    def index(self, expr: ir.Expr) -> str:
        """A ``uint64_t`` for use as an index: negative and huge numbers are out of any range."""
        value = self.exact(expr)
        match value.type:
            case Type.WORD:
                return bare(value.text)
            case Type.DOUBLE:
                return f"snic_index128({value.text})"
            case Type.WIDE:
                return f"snic_wide_index({value.text})"

    def get(self, ref: ir.FieldRef) -> str:
        """A field of at most 64 bits, as an unsigned C number."""
        return self.word(ref, ref.field.width)

    def interval(self, expr: ir.Expr | Given) -> Interval:
        return interval(expr, self.params)

    def register_number(self, register: ir.Register) -> str:
        return f"{self._registers[register.name]} /* {register.name} */"

    def to_bytes(self, expr: ir.Expr, width: int, destination: str) -> list[str]:
        """Statements: the low `width` bits, big-endian and padded to whole bytes, at `destination`."""
        size = (width + 7) // 8
        wire = self._wire_bytes(expr, width)
        if wire is not None:
            return [f"memcpy({destination}, {wire}, {size});"]
        value = masked(convert(self.value(expr, Type.of_bits(width)), Type.of_bits(width)), width)
        match value.type:
            case Type.WORD:
                return [f"snic_store_bytes({destination}, {size}, {bare(value.text)});"]
            case Type.DOUBLE:
                return [f"snic_store128({destination}, 0, {size * 8}, {bare(value.text)});"]
            case Type.WIDE:
                return [f"snic_wide_store({destination}, 0, {size * 8}, {value.text});"]

    def locate(self, expr: ir.HeaderExpr, name: str = "at") -> tuple[list[str], Place]:
        """Statements that declare the index `name`, if the header is chosen at run time, and the header's place."""
        match expr:
            case ir.HeaderRef(header=header):
                return [], self.layout.place(header)
            case ir.StackElement(stack=stack, index=ir.Const(value=at)) if 0 <= at < len(stack.elements):
                return [], self.layout.place(stack.elements[at])
            case ir.StackElement(stack=stack, index=index):
                return [self._element(stack, index, name)], self.layout.element(stack, name)
            case ir.LastElement(stack=stack):
                return [self._element(stack, ir.LastIndex(stack), name)], self.layout.element(stack, name)
            case ir.UnionMember(union=union, member=member):
                setup, places = self.locate_union(union, name)
                return setup, places[member]

    def locate_union(self, expr: ir.UnionExpr, name: str = "at") -> tuple[list[str], tuple[Place, ...]]:
        """As `locate`, the places of all members."""
        match expr:
            case ir.UnionRef(union=union):
                return [], self._members(union)
            case ir.UnionStackElement(stack=stack, index=ir.Const(value=at)) if 0 <= at < len(stack.elements):
                return [], self._members(stack.elements[at])
            case ir.UnionStackElement(stack=stack, index=index):
                return [self._element(stack, index, name)], self.elements(stack, name)
            case ir.LastUnion(stack=stack):
                return [self._element(stack, ir.LastIndex(stack), name)], self.elements(stack, name)

    def elements(self, stack: ir.AnyStack, at: str) -> tuple[Place, ...]:
        """The places of ``stack[at]``: one, or those of a union's members."""
        return tuple(self.layout.element(stack, at, member) for member in range(self.layout.member_count(stack)))

    # ---- numbers ----------------------------------------------------------------------------------------------------

    def value(self, expr: ir.Expr | Given, enough: Type) -> CValue:
        """`expr` modulo 2^`enough` at least; in any type, and all of the number if it fits in `enough` bits."""
        match expr:
            case Given(text=text, interval=bounds):
                return CValue(text, bounds.type, bounds)
            case ir.Const(value=number):
                return constant(int(number), min(enough, Type.of_bits(Interval(number, number).bits)))
            case ir.ParamRef(index=index):
                return self._param(index)
            case ir.FieldRef(header=header, field=field):
                return load_field(self.layout.place(header), field)
            case ir.FieldOf(header=header, field=field):
                return self._choose(header, lambda place: load_field(place, field))
            case ir.RegisterCell():
                return self._register_cell(expr)
            case ir.Lookahead(offset=offset, width=width):
                size = (offset + width + 7) // 8
                return _load_bits(f"SNIC_AHEAD(c, {size}, goto packet_too_short;)", offset, width)
            case ir.StackSize(stack=stack):
                return CValue(self.layout.stack_size(stack), Type.WORD, self.interval(expr), small=True)
            case ir.LastIndex(stack=stack):
                return CValue(f"((uint64_t){self.layout.stack_size(stack)} - 1)", Type.WORD, self.interval(expr))
            case ir.Unary(op="~"):
                return self._complement(expr, enough)
            case ir.Conditional() if ir.kind_of(expr) is ir.Kind.DATA:
                return self._conditional(expr, enough)
            case ir.Binary() if ir.kind_of(expr) is ir.Kind.DATA:
                return self._binary(expr, enough)
            case ir.Unary(op="b2d", operand=operand):
                return self._zero_or_one(operand)
            case _:
                return self._zero_or_one(expr)

    def _zero_or_one(self, truth: ir.Expr) -> CValue:
        return CValue(f"({self._truth(truth)} ? 1u : 0u)", Type.WORD, Interval(0, 1), small=True)

    def _param(self, index: int) -> CValue:
        """Arguments are big-endian and byte-padded; padding is zero, as the control plane checked."""
        start = sum((param.width + 7) // 8 for param in self.params[:index])
        width = self.params[index].width
        bits = (width + 7) // 8 * 8
        place = f"args + {start}" if start else "args"
        if bits <= Type.WORD:
            text = f"args[{start}]" if bits == 8 else f"snic_load_bytes({place}, {bits // 8})"
            return CValue(text, Type.WORD, Interval.unsigned(width), small=bits == 8)
        return exactly(_load_bits(place, 0, bits), Interval.unsigned(width))

    def _register_cell(self, cell: ir.RegisterCell) -> CValue:
        size = cell_bytes(cell.register)
        found = self.register_cell(cell.register, cell.index)
        bits = Interval.unsigned(cell.register.width)
        match bits.type:
            case Type.WORD:
                return CValue(f"snic_cell_load64({found}, {size})", Type.WORD, bits)
            case Type.DOUBLE:
                return CValue(f"snic_cell_load128({found})", Type.DOUBLE, bits)
            case Type.WIDE:
                return CValue(f"snic_wide_cell_load({found}, {size})", Type.WIDE, bits)

    def register_cell(self, register: ir.Register, index: ir.Expr) -> str:
        """A pointer to a cell; NULL if the index is out of range, which is counted."""
        return f"snic_register_cell(w, {self.register_number(register)}, {self.index(index)}, {cell_bytes(register)})"

    def _common(self, expr: ir.Expr, enough: Type) -> tuple[Type, Interval]:
        """The type in which to compute `expr`, of whose value `enough` bits are wanted."""
        bounds = self.interval(expr)
        return min(enough, Type.of_bits(min(bounds.bits, enough - 64 if enough is Type.WIDE else enough))), bounds

    def _part(self, expr: ir.Expr, kind: Type) -> CValue:
        return convert(self.value(expr, kind), kind)

    def _complement(self, expr: ir.Unary, enough: Type) -> CValue:
        kind, bounds = self._common(expr, enough)
        operand = self._part(expr.operand, kind)
        text = f"snic_wide_not({operand.text})" if kind is Type.WIDE else f"(~{operand.whole})"
        return exactly(CValue(text, kind, None), bounds)

    def _conditional(self, expr: ir.Conditional, enough: Type) -> CValue:
        kind, bounds = self._common(expr, enough)
        then, otherwise = self._part(expr.then, kind), self._part(expr.otherwise, kind)
        return exactly(
            CValue(f"({self._truth(expr.condition)} ? {then.whole} : {otherwise.whole})", kind, None), bounds
        )

    def _binary(self, expr: ir.Binary, enough: Type) -> CValue:
        match expr.op:
            case "<<":
                return self._shift_left(expr, enough)
            case ">>":
                return self._shift_right(expr)
            case "/" | "%":
                return self._division(expr)
            case "two_comp_mod" | "sat_cast" | "usat_cast":
                return self._cast(expr)
            case _:
                return self._ring(expr, enough)

    def _ring(self, expr: ir.Binary, enough: Type) -> CValue:
        kind, bounds = self._common(expr, enough)
        left, right = self._part(expr.left, kind), self._part(expr.right, kind)
        if kind is Type.WIDE:
            text = f"snic_wide_{_RING[expr.op]}({left.text}, {right.text})"
        else:
            text = f"({left.whole} {expr.op} {right.text})"
        return exactly(CValue(text, kind, None), bounds)

    def _shift_left(self, expr: ir.Binary, enough: Type) -> CValue:
        kind, bounds = self._common(expr, enough)
        left = self._part(expr.left, kind)
        match expr.right:
            case ir.Const(value=by) if 0 <= by < kind and kind is not Type.WIDE:
                text = f"({left.whole} << {by})"
            case _:
                name = "snic_wide_shift_left" if kind is Type.WIDE else f"snic_shift_left{kind.value}"
                text = f"{name}(w, {left.text}, {self._shift_by(expr.right)})"
        return exactly(CValue(text, kind, None), bounds)

    def _shift_right(self, expr: ir.Binary) -> CValue:
        left, bounds = self.exact(expr.left), self.interval(expr)
        kind, negative = left.type, left.negative_possible
        match expr.right:
            case ir.Const(value=by) if 0 <= by < kind and kind is not Type.WIDE and not negative:
                text = f"({left.whole} >> {by})"
            case _ if kind is Type.WIDE:
                text = f"snic_wide_shift_right(w, {left.text}, {self._shift_by(expr.right)})"
            case _:
                by = self._shift_by(expr.right)
                text = f"snic_shift_right{kind.value}(w, {left.text}, {by}, {flag(negative)})"
        return CValue(text, kind, bounds)

    def _shift_by(self, expr: ir.Expr) -> str:
        """An ``int64_t``: -1 for any negative number, INT64_MAX for any larger one."""
        value = self.exact(expr)
        match value.type:
            case Type.WORD if value.negative_possible or self.interval(expr).high < 1 << 63:
                return f"(int64_t){value.text}"
            case Type.WORD:
                return f"snic_shift_by64({value.text})"
            case Type.DOUBLE:
                return f"snic_shift_by128({value.text}, {flag(value.negative_possible)})"
            case Type.WIDE:
                return f"snic_wide_shift_by({value.text})"

    def _division(self, expr: ir.Binary) -> CValue:
        both = self.interval(expr.left) | self.interval(expr.right)
        kind, negative = both.type, both.negative_possible
        left, right = self._part(expr.left, kind), self._part(expr.right, kind)
        name = "divide" if expr.op == "/" else "remainder"
        if kind is Type.WIDE:
            text = f"snic_wide_{name}(w, {left.text}, {right.text})"
        elif self.interval(expr.right).low > 0 and not negative:
            text = f"({left.whole} {expr.op} {right.whole})"
        else:
            text = f"snic_{name}{kind.value}(w, {left.text}, {right.text}, {flag(negative)})"
        return CValue(text, kind, self.interval(expr))

    def _cast(self, expr: ir.Binary) -> CValue:
        if not isinstance(expr.right, ir.Const):
            raise UnsupportedError(f"{expr.op} to a width that is not constant")
        width = min(int(expr.right.value), MAX_SHIFT)
        if expr.op == "sat_cast":
            half = 1 << max(width - 1, 0)
            return clamped(self.exact(expr.left), Interval(-half, half - 1))
        if expr.op == "usat_cast":
            return clamped(self.exact(expr.left), Interval.unsigned(max(width, 0)))
        if width <= 0:
            return constant(0, Type.WORD)
        if Interval.signed(width).contains(self.interval(expr.left)):
            return self.exact(expr.left)
        kind = Type.of_bits(width)
        return signed(self._part(expr.left, kind), width)

    # ---- truth values -----------------------------------------------------------------------------------------------

    def _truth(self, expr: ir.Expr) -> str:
        """An operand of type bool (or int)."""
        match expr:
            case ir.BoolConst(value=value):
                return flag(value)
            case ir.IsValid(header=header):
                return self._statement_expression(*self.locate(header), lambda place: place.is_valid)
            case ir.UnionIsValid(union=union):
                setup, places = self.locate_union(union)
                valid = " || ".join(place.is_valid for place in places)
                return f"({{ {' '.join(setup)} {valid}; }})" if setup else f"({valid})"
            case ir.Unary(op="not", operand=operand):
                return f"!{_operand(self._truth(operand))}"
            case ir.Unary(op="d2b", operand=operand):
                return self._nonzero(operand)
            case ir.Binary(op="and" | "or" as op, left=left, right=right):
                sign = "&&" if op == "and" else "||"
                return f"({self._truth(left)} {sign} {self._truth(right)})"
            case ir.Binary(op=op) if op in _COMPARISONS:
                return self._comparison(expr)
            case ir.Conditional(condition=condition, then=then, otherwise=other) if ir.kind_of(expr) is ir.Kind.BOOL:
                return f"({self._truth(condition)} ? {self._truth(then)} : {self._truth(other)})"
            case _:
                return self._nonzero(expr)

    def _nonzero(self, expr: ir.Expr) -> str:
        if isinstance(expr, ir.Unary) and expr.op == "b2d":
            return self._truth(expr.operand)
        return self._comparison(ir.Binary("!=", expr, ir.Const(0)))

    def _comparison(self, expr: ir.Binary) -> str:
        match expr.kind:
            case ir.Kind.HEADER:
                return self._same_header(expr)
            case ir.Kind.UNION:
                return self._same_union(expr)
            case ir.Kind.BOOL:
                return f"({_operand(self._truth(expr.left))} {expr.op} {_operand(self._truth(expr.right))})"
            case _:
                return self._compare_numbers(expr)

    def _compare_numbers(self, expr: ir.Binary) -> str:
        left, right = self.interval(expr.left), self.interval(expr.right)
        decided = _decide(expr.op, left, right)
        if decided is not None and not has_effects(expr.left) and not has_effects(expr.right):
            return flag(decided)
        kind = (left | right).type
        a, b = self._part(expr.left, kind), self._part(expr.right, kind)
        if a.text == b.text and not has_effects(expr.left):  # C compilers warn about comparing a number with itself
            return flag(expr.op in ("==", "<=", ">="))
        if decided is not None:  # ... and about comparisons that cannot fail
            return f"((void){a.text}, (void){b.text}, {flag(decided)})"
        if kind is Type.WIDE:
            return _compare_wide(expr.op, a.text, b.text)
        if (left | right).negative_possible:
            cast = "(int64_t)" if kind is Type.WORD else "(snic_i128)"
            return f"({cast}{a.text} {expr.op} {cast}{b.text})"
        return f"({a.text} {expr.op} {b.text})"

    def _same_header(self, expr: ir.Binary) -> str:
        setup_a, a = self.locate(expr.left, "left")  # type: ignore[arg-type]
        setup_b, b = self.locate(expr.right, "right")  # type: ignore[arg-type]
        return self._equality(expr.op, [*setup_a, *setup_b], [(a, b)])

    def _same_union(self, expr: ir.Binary) -> str:
        setup_a, lefts = self.locate_union(expr.left, "left")  # type: ignore[arg-type]
        setup_b, rights = self.locate_union(expr.right, "right")  # type: ignore[arg-type]
        return self._equality(expr.op, [*setup_a, *setup_b], list(zip(lefts, rights, strict=True)))

    def _equality(self, op: str, setup: list[str], pairs: list[tuple[Place, Place]]) -> str:
        """Both invalid, or both valid with equal fields (P4_16 section 8.17): invalid headers are all zero."""
        same = " && ".join(self._same_place(a, b) for a, b in pairs)
        text = f"({{ {' '.join(setup)} {same}; }})" if setup else f"({same})"
        return text if op == "==" else f"!{text}"

    def _same_place(self, a: Place, b: Place) -> str:
        if a.storage == b.storage:
            return "true"
        valid = f"{a.is_valid} == {b.is_valid}"
        if a.words and b.words:
            fields = [f"snic_equal_words({a.storage}, {b.storage}, {a.word_count})"]
        elif a.wire and b.wire:
            fields = [f"memcmp({a.storage}, {b.storage}, sizeof {a.storage}) == 0"]
            if a.varbit_bits is not None:
                fields.append(f"{a.varbit_bits} == {b.varbit_bits}")
        else:
            fields = [_same_field(a, b, field) for field in a.type.fields]
        return " && ".join([valid, *fields])

    # ---- pieces -----------------------------------------------------------------------------------------------------

    def _choose(self, header: ir.HeaderExpr, use: Callable[[Place], CValue]) -> CValue:
        """What `use` makes of a header chosen at run time."""
        setup, place = self.locate(header)
        value = use(place)
        if not setup:
            return value
        return CValue(f"({{ {' '.join(setup)} {value.text}; }})", value.type, value.interval, value.small)

    def _statement_expression(self, setup: list[str], place: Place, use: Callable[[Place], str]) -> str:
        return f"({{ {' '.join(setup)} {use(place)}; }})" if setup else use(place)

    def _element(self, stack: ir.AnyStack, index: ir.Expr, name: str) -> str:
        return f"const uint32_t {name} = snic_element(w, {self.index(index)}, {len(stack.elements)});"

    def _members(self, union: ir.HeaderUnion) -> tuple[Place, ...]:
        return tuple(self.layout.place(member) for member in union.members)

    def _wire_bytes(self, expr: ir.Expr, width: int) -> str | None:
        """Where the bytes of `expr` stand as they are wanted, if they do."""
        if not isinstance(expr, ir.FieldRef) or expr.field.varbit or expr.field.width != width or width % 8:
            return None
        place = self.layout.place(expr.header)
        offset = bit_offset(place, expr.field)
        if not place.wire or place.words or not offset.isdecimal() or int(offset) % 8:
            return None
        return f"{place.storage} + {int(offset) // 8}" if int(offset) else place.storage


def cell_bytes(register: ir.Register) -> int:
    """Bytes of one cell of a register array: 1, 2, 4, or a multiple of 8."""
    size = (register.width + 7) // 8
    return next((room for room in (1, 2, 4) if size <= room), (size + 7) // 8 * 8)


def has_effects(expr: ir.Expr | Given) -> bool:
    """Whether computing `expr` may count an anomaly or end the parser, so that it has to be computed."""
    match expr:
        case ir.RegisterCell() | ir.Lookahead() | ir.Binary(op="/" | "%" | "<<" | ">>"):
            return True
        case ir.FieldOf(header=inner) | ir.IsValid(header=inner):
            return not _is_static(inner)
        case ir.UnionIsValid(union=union):
            return not isinstance(union, ir.UnionRef)
        case ir.Unary(operand=operand):
            return has_effects(operand)
        case ir.Binary(left=left, right=right, kind=ir.Kind.HEADER | ir.Kind.UNION):
            return not (_is_static(left) and _is_static(right))
        case ir.Binary(left=left, right=right):
            return has_effects(left) or has_effects(right)
        case ir.Conditional(condition=condition, then=then, otherwise=otherwise):
            return has_effects(condition) or has_effects(then) or has_effects(otherwise)
        case _:
            return False


def _is_static(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.HeaderRef | ir.UnionRef) or (
        isinstance(expr, ir.UnionMember) and isinstance(expr.union, ir.UnionRef)
    )


def _load_bits(bytes_: str, offset: int, width: int) -> CValue:
    bits = Interval.unsigned(width)
    call = {Type.WORD: "snic_load64", Type.DOUBLE: "snic_load128", Type.WIDE: "snic_wide_load"}[bits.type]
    return CValue(f"{call}({bytes_}, {offset}, {width})", bits.type, bits)


def _operand(text: str) -> str:
    """`text` fit to stand beside any operator."""
    return f"({text})" if text.startswith("!") else text


def _same_field(a: Place, b: Place, field: ir.Field) -> str:
    left, right = load_field(a, field), load_field(b, field)
    if left.type is Type.WIDE:
        return f"snic_wide_equal({left.text}, {right.text})"
    return f"{left.text} == {right.text}"


def _decide(op: str, a: Interval, b: Interval) -> bool | None:
    """What a comparison yields if the intervals alone tell."""
    apart, one = a.high < b.low or b.high < a.low, a.low == a.high == b.low == b.high
    match op:
        case "==" | "!=":
            return (op == "==") == one if apart or one else None
        case "<" | ">=":
            less = True if a.high < b.low else False if a.low >= b.high else None
            return less if op == "<" or less is None else not less
        case _:
            greater = True if a.low > b.high else False if a.high <= b.low else None
            return greater if op == ">" or greater is None else not greater


def _compare_wide(op: str, a: str, b: str) -> str:
    match op:
        case "==":
            return f"snic_wide_equal({a}, {b})"
        case "!=":
            return f"!snic_wide_equal({a}, {b})"
        case "<":
            return f"snic_wide_less({a}, {b})"
        case ">=":
            return f"!snic_wide_less({a}, {b})"
        case ">":
            return f"snic_wide_less({b}, {a})"
        case _:
            return f"!snic_wide_less({b}, {a})"
