# SPDX-License-Identifier: Apache-2.0
"""Random packets, expressions and statements over the program of `snippets`."""

from __future__ import annotations

import random

from snippets import PARAMS, PROGRAM, Snapshot

from softnic import ir

_AT = {header.name: header for header in PROGRAM.headers}
_LABELS, _SPARE = PROGRAM.stacks
_UNION_STACK = PROGRAM.union_stacks[0]
_LABEL = _AT["labels[0]"].type
_PLAIN = [_AT[name] for name in ("meta", "wire", "twin", "u.a", "v.b", "wire2")]
_RING = ("+", "-", "*", "&", "|", "^")
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


class Generator:
    """Everything drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._hashes = 0

    # ---- packets ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        valid = [header.metadata or self._rng.random() < 0.75 for header in PROGRAM.headers]
        for union in PROGRAM.unions:
            kept = self._rng.choice(union.members)
            for member in union.members:
                valid[member.index] = valid[member.index] and member is kept
        varbits = [
            8 * self._rng.randint(0, header.type.varbit.width // 8) if header.type.varbit and valid[header.index] else 0
            for header in PROGRAM.headers
        ]
        fields = tuple(
            tuple(self._content(f, varbits[header.index]) if valid[header.index] else 0 for f in header.type.fields)
            for header in PROGRAM.headers
        )
        registers = tuple(tuple(self.number(r.width) for _ in range(r.size)) for r in PROGRAM.registers)
        sizes = (self._rng.randint(0, 3), self._rng.randint(0, 3), self._rng.randint(0, 2))
        args = tuple(self.number(param.width) for param in PARAMS)
        return Snapshot(tuple(valid), fields, tuple(varbits), sizes, registers, args)

    def _content(self, of: ir.Field, varbit_bits: int) -> int:
        number = self.number(varbit_bits if of.varbit else of.width)
        return number - (1 << of.width) if of.signed and number >> (of.width - 1) else number

    def number(self, width: int) -> int:
        """Of `width` bits; the ends, and few bits, more often than chance has it."""
        return self._rng.choice([0, 1, -1, 1 << max(width - 1, 0), self._rng.getrandbits(max(width, 1)), 5, -2]) & (
            (1 << width) - 1
        )

    # ---- expressions ------------------------------------------------------------------------------------------------

    def data(self, depth: int) -> ir.Expr:
        if depth == 0:
            return self._leaf()
        left = lambda: self.data(depth - 1)  # noqa: E731
        width = ir.Const(self._rng.choice([1, 7, 8, 16, 32, 33, 64, 65, 100, 128, 130]))
        return self._rng.choice([
            lambda: ir.Binary(self._rng.choice(_RING), left(), left()),
            lambda: ir.Binary(self._rng.choice(_RING), left(), left()),
            lambda: ir.Binary("&", left(), ir.Const((1 << width.value) - 1)),
            lambda: ir.Binary(self._rng.choice(("/", "%")), left(), left()),
            lambda: ir.Binary(self._rng.choice(("<<", ">>")), left(), ir.Const(self._rng.choice([0, 8, 63, 64, 130]))),
            lambda: ir.Binary(self._rng.choice(("<<", ">>")), left(), self._small()),
            lambda: ir.Binary(self._rng.choice(("two_comp_mod", "sat_cast", "usat_cast")), left(), width),
            lambda: ir.Unary("~", left()),
            lambda: ir.Unary("b2d", self.truth(depth - 1)),
            lambda: ir.Conditional(self.truth(depth - 1), left(), left()),
        ])()  # fmt: skip

    def truth(self, depth: int) -> ir.Expr:
        if depth <= 0:
            return self._rng.choice([
                lambda: ir.BoolConst(self._rng.random() < 0.5),
                lambda: ir.IsValid(self.label()),
                lambda: ir.IsValid(ir.HeaderRef(self._rng.choice(PROGRAM.headers))),
                lambda: ir.UnionIsValid(self.union()),
            ])()  # fmt: skip
        return self._rng.choice([
            lambda: ir.Binary(self._rng.choice(_COMPARISONS), self.data(depth - 1), self.data(depth - 1)),
            lambda: ir.Binary(self._rng.choice(_COMPARISONS), self.data(depth - 1), self.data(depth - 1)),
            lambda: ir.Binary(self._rng.choice(("and", "or")), self.truth(depth - 1), self.truth(depth - 1)),
            lambda: ir.Binary(self._equality(), self.truth(depth - 1), self.truth(depth - 1), ir.Kind.BOOL),
            lambda: ir.Binary(self._equality(), self.label(), self.label(), ir.Kind.HEADER),
            lambda: ir.Binary(self._equality(), self.union(), self.union(), ir.Kind.UNION),
            lambda: ir.Unary("not", self.truth(depth - 1)),
            lambda: ir.Unary("d2b", self.data(depth - 1)),
            lambda: ir.Conditional(self.truth(depth - 1), self.truth(depth - 1), self.truth(depth - 1)),
        ])()  # fmt: skip

    def _equality(self) -> ir.BinaryOp:
        return self._rng.choice(("==", "!="))

    def _leaf(self) -> ir.Expr:
        return self._rng.choice([
            lambda: ir.Const(self._rng.choice([0, 1, -1, 255, self._rng.getrandbits(40), -self._rng.getrandbits(70)])),
            self._field,
            self._field,
            self._field,
            lambda: ir.FieldOf(self.label(), self._rng.choice(_LABEL.fields)),
            lambda: ir.ParamRef(self._rng.randrange(len(PARAMS))),
            lambda: ir.RegisterCell(self._rng.choice(PROGRAM.registers), self._small()),
            lambda: ir.StackSize(self._rng.choice((*PROGRAM.stacks, _UNION_STACK))),
            lambda: ir.LastIndex(self._rng.choice((*PROGRAM.stacks, _UNION_STACK))),
        ])()  # fmt: skip

    def _field(self) -> ir.FieldRef:
        header = self._rng.choice(_PLAIN)
        return ir.FieldRef(header, self._rng.choice(header.type.fields))

    def _small(self) -> ir.Expr:
        """An index or a shift: mostly small, sometimes negative or huge."""
        meta = _AT["meta"]
        fields = [ir.FieldRef(meta, meta.type.fields[at]) for at in (2, 18, 18, 18, 0, 3)]
        low = ir.Binary("-", fields[1], ir.Const(1))
        return self._rng.choice([*fields, low, ir.Const(0), ir.Const(2), ir.Const(5)])

    def label(self) -> ir.HeaderExpr:
        """A header of type ``label_t``."""
        static = [header for header in PROGRAM.headers if header.type == _LABEL]
        return self._rng.choice([
            lambda: ir.HeaderRef(self._rng.choice(static)),
            lambda: ir.StackElement(self._rng.choice(PROGRAM.stacks), self._small()),
            lambda: ir.LastElement(self._rng.choice(PROGRAM.stacks)),
            lambda: ir.UnionMember(self.union(), 0),
        ])()  # fmt: skip

    def union(self) -> ir.UnionExpr:
        return self._rng.choice([
            lambda: ir.UnionRef(self._rng.choice(PROGRAM.unions)),
            lambda: ir.UnionStackElement(_UNION_STACK, self._small()),
            lambda: ir.LastUnion(_UNION_STACK),
        ])()  # fmt: skip

    def target(self) -> ir.LValue:
        return self._rng.choice([
            self._field,
            self._field,
            lambda: ir.FieldOf(self.label(), self._rng.choice(_LABEL.fields)),
            lambda: ir.RegisterCell(self._rng.choice(PROGRAM.registers), self._small()),
        ])()  # fmt: skip

    def assignment(self, depth: int) -> ir.Assign:
        return ir.Assign(self.target(), self.data(depth))

    # ---- statements -------------------------------------------------------------------------------------------------

    def statement(self) -> ir.Statement:
        any_stack = self._rng.choice((*PROGRAM.stacks, _UNION_STACK))
        options = [_AT["options"], _AT["options2"]]
        register = self._rng.choice(PROGRAM.registers)
        headers = [ir.HeaderRef(header) for header in PROGRAM.headers]
        by = self._rng.choice([ir.Const(0), ir.Const(1), ir.Const(2), ir.Const(9), self._unsigned()])
        return self._rng.choice([
            lambda: self.assignment(2),
            lambda: ir.SetValid(self._rng.choice([self.label(), self._rng.choice(headers)])),
            lambda: ir.SetInvalid(self._rng.choice([self.label(), self._rng.choice(headers)])),
            lambda: ir.AssignHeader(self.label(), self.label()),
            lambda: ir.AssignHeader(ir.HeaderRef(_AT["wire"]), ir.HeaderRef(_AT["wire2"])),
            lambda: ir.AssignHeader(ir.HeaderRef(self._rng.choice(options)), ir.HeaderRef(self._rng.choice(options))),
            lambda: ir.AssignUnion(self.union(), self.union()),
            lambda: ir.AssignStack(self._rng.choice(PROGRAM.stacks), self._rng.choice(PROGRAM.stacks)),
            lambda: ir.AssignVarbit(self._varbit(), self._varbit()),
            lambda: ir.Push(any_stack, by),
            lambda: ir.Pop(any_stack, by),
            lambda: ir.ReadRegister(self.target(), register, self._small()),
            lambda: ir.WriteRegister(register, self._small(), self.data(1)),
            lambda: ir.Assert(self.truth(1), self._rng.choice(("assert", "assume"))),
            lambda: ir.Exit(),
            lambda: ir.NoOp(),
            lambda: ir.MarkToDrop(),
        ])()  # fmt: skip

    def hash(self, algorithm: str) -> ir.Hash:
        """Over some fields, constants and headers; half of the time all of them of whole bytes."""
        whole = self._rng.random() < 0.5
        inputs = [self._hashed(whole) for _ in range(self._rng.randint(0, 6))]
        self._hashes += 1
        calc = ir.Calculation(f"calc{self._hashes}", algorithm, tuple(inputs), payload=self._rng.random() < 0.3)
        limit = self._rng.choice([ir.Const(0), ir.Const(1 << 16), ir.Const(1 << 64), ir.Const(10), self._unsigned()])
        return ir.Hash(self.target(), self._rng.choice([ir.Const(0), self.data(1)]), calc, limit)

    def _hashed(self, whole: bool) -> ir.FieldRef | ir.HeaderRef | ir.PaddedConst:
        width = self._rng.choice([8, 16, 24, 64, 72, 136] if whole else [1, 4, 7, 12, 80])
        fields = [ir.FieldRef(h, f) for h in PROGRAM.headers for f in h.type.fields]
        wholes = [ref for ref in fields if ref.field.width % 8 == 0 and ref.field.offset % 8 == 0]
        headers = [header for header in PROGRAM.headers if not header.metadata]
        return self._rng.choice([
            ir.PaddedConst(self.number(width), width),
            ir.HeaderRef(self._rng.choice(headers)),
            self._rng.choice(wholes if whole else fields),
            self._rng.choice(wholes if whole else fields),
        ])  # fmt: skip

    def _varbit(self) -> ir.FieldRef:
        return ir.FieldRef(_AT[self._rng.choice(("options", "options2"))], _AT["options"].type.fields[1])

    def _unsigned(self) -> ir.Expr:
        meta = _AT["meta"]
        return ir.FieldRef(meta, meta.type.fields[18])

    def body(self, length: int) -> tuple[ir.Statement, ...]:
        """With jumps, some of them back."""
        statements = [self.statement() for _ in range(length)]
        for at in range(length):
            if self._rng.random() < 0.15:
                back = self._rng.random() < 0.1
                target = self._rng.randint(0, at) if back else self._rng.randint(at + 1, length)
                statements[at] = ir.Jump(target, self.truth(1) if self._rng.random() < 0.8 else None)
        return tuple(statements)
