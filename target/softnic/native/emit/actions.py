# SPDX-License-Identifier: Apache-2.0
"""Actions as C functions: ``void ingress__vnic__admit(w, p, args)``.

`args` holds the arguments big-endian, each in whole bytes, without anything between them.
"""

from __future__ import annotations

from collections.abc import Iterable

from softnic import ir

from .layout import Layout
from .names import Names, source_comment
from .ordering import walk
from .statements import Statements
from .writer import Writer, c_bytes


class Actions:
    """The actions `used`, in the program's order; p4c's copies of one action, one for each table, are one function."""

    def __init__(
        self, program: ir.Program, used: Iterable[ir.Action], layout: Layout, statements: Statements, names: Names
    ) -> None:
        wanted = {action.id for action in used if action.body}
        self._functions: dict[tuple[object, ...], str] = {}
        self._actions: list[ir.Action] = []
        for action in program.actions:
            if action.id in wanted and _content(action) not in self._functions:
                self._functions[_content(action)] = names.unique(_qualified(action.name))
                self._actions.append(action)
        self._function = layout.function
        self._statements = statements

    def emit(self, writer: Writer) -> None:
        for action in self._actions:
            if comment := source_comment(action.source):
                writer.line(comment)
            name = self._functions[_content(action)]
            parameters = "struct snic_worker *w, struct packet *p, const uint8_t *args"
            with writer.function(f"{self._function} void {name}({parameters})"):
                writer.lines(self._statements.body(action.body, action.params))

    def call(self, action: ir.Action, args: str, source: ir.Source | None = None) -> list[str]:
        """Nothing for an action that does nothing."""
        if not action.body:
            return []
        return [f"{self._functions[_content(action)]}(w, p, {args}); {source_comment(source)}".rstrip()]

    def ends_pipeline(self, action: ir.Action) -> str:
        """C condition, after the action ran; empty if it can't."""
        causes = ["p->base.exited"] if any(isinstance(part, ir.Exit) for part in walk(action.body)) else []
        if any(isinstance(part, ir.Assert) for part in walk(action.body)):
            causes.append("p->base.aborted")
        return " || ".join(causes)


def _qualified(name: str) -> str:
    """With a control in front, so that no action is named as a function of C or of the runtime."""
    return name if "." in name else f"action.{name}"


def _content(action: ir.Action) -> tuple[object, ...]:
    return action.name, action.params, action.body


def args_bytes(action: ir.Action) -> int:
    return sum((param.width + 7) // 8 for param in action.params)


def constant_args(action: ir.Action, args: tuple[int, ...]) -> str:
    """C text of the packed arguments."""
    if not args:
        return "NULL"
    packed = b"".join(
        (value & ((1 << param.width) - 1)).to_bytes((param.width + 7) // 8, "big")
        for param, value in zip(action.params, args, strict=True)
    )
    return f"(const uint8_t[]){c_bytes(int.from_bytes(packed, 'big'), len(packed))}"
