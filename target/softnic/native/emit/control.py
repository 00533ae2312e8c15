# SPDX-License-Identifier: Apache-2.0
"""A pipeline as one C function: a label for each node, a jump for each edge.

``program_ingress(w, p, k)`` runs packet `p` until the pipeline ends (it returns 0) or the packet parks (it returns the
number of the stage, see stages.py; `k` remembers where to go on, and the next call does). With `k` NULL nobody parks.
"""

from __future__ import annotations

from softnic import ir

from .actions import Actions, constant_args
from .expressions import Expressions
from .layout import Layout
from .names import Names, source_comment
from .stages import TableStage, plan, successors
from .tables import Tables, has_fixed_default, is_constant
from .writer import Writer


class Control:
    """Emits one pipeline, `name` being ``ingress`` or ``egress``. `parks`: packets may overtake one another."""

    def __init__(
        self,
        name: str,
        pipeline: ir.Pipeline,
        layout: Layout,
        expressions: Expressions,
        tables: Tables,
        actions: Actions,
        *,
        parks: bool,
    ) -> None:
        self._name = name
        self._function = layout.function
        self._nodes = pipeline.nodes
        self._expressions = expressions
        self._tables = tables
        self._actions = actions
        self._plan = plan(pipeline, tables.may_park(pipeline) if parks else frozenset())
        names = Names(("end",))
        self._labels = {at: names.unique(node.name) for at, node in self._reachable()}
        self._parked = {at: names.unique(f"{node.name}_parked") for at, node in self._reachable()}
        self._found = {at: names.unique(f"{node.name}_found") for at, node in self._reachable()}

    @property
    def stages(self) -> int:
        return len(self._plan.stages)

    def is_large(self) -> list[str]:
        """C conditions under which packets had better park: any of them."""
        stages = [stage for stage in self._plan.stages if isinstance(stage, TableStage)]
        return [f"snic_table_large({self._tables.handle(self._table(stage.node))})" for stage in stages]

    def _reachable(self) -> list[tuple[int, ir.Node]]:
        return [(at, self._nodes[at]) for at in self._plan.order]

    def emit(self, writer: Writer) -> None:
        """The function of the pipeline, and the one that goes on fetching for packets that are parked."""
        parameters = "struct snic_worker *w, struct packet *p, struct parked *k"
        with writer.function(f"{self._function} uint32_t program_{self._name}({parameters})"):
            self._resume(writer)
            for at in self._plan.order:
                self._node(writer, at)
            writer.label("end")
            writer.line("p->base.exited = false;")
            writer.line("return 0;")
        self._advance(writer)

    # ---- parking ----------------------------------------------------------------------------------------------------

    def _resume(self, writer: Writer) -> None:
        """Jumps to where the packet was parked. `at` is 0, the beginning, or 1 + the node's number."""
        parked = [stage.node for stage in self._plan.stages if isinstance(stage, TableStage)]
        behind_cuts = sorted({target for _, target in self._cut_edges()})
        if not parked and not behind_cuts:
            return
        with writer.block("switch (k == NULL ? 0 : k->at)"):
            for at in parked:
                writer.line(f"case {at + 1}: goto {self._parked[at]};")
            for at in behind_cuts:
                writer.line(f"case {at + 1}: goto {self._labels[at]};")

    def _cut_edges(self) -> list[tuple[int, int]]:
        return [
            (at, following)
            for at in self._plan.order
            for following in successors(self._nodes[at])
            if self._plan.cut_between(at, following) is not None
        ]

    def _advance(self, writer: Writer) -> None:
        parameters = "struct snic_worker *w, struct parked *k, uint32_t stage"
        signature = f"static inline void program_{self._name}_advance({parameters})"
        with writer.function(signature), writer.block("switch (stage)"):
            for number, stage in enumerate(self._plan.stages, 1):
                if isinstance(stage, TableStage):
                    writer.line(f"case {number}: {self._tables.advance(self._table(stage.node))} break;")
            writer.line("default: break;")

    def _table(self, at: int) -> ir.Table:
        node = self._nodes[at]
        if not isinstance(node, ir.Table):
            raise TypeError(f"node {at} of {self._name} is not a table")
        return node

    def _go(self, writer: Writer, origin: int, target: int | None) -> None:
        """On to `target`, after a wait if a cut lies in between."""
        if target is None:
            writer.line("goto end;")
            return
        stage = self._plan.cut_between(origin, target)
        if stage is not None:
            with writer.block("if (k != NULL)"):
                writer.line(f"k->at = {target + 1};")
                writer.line(f"return {stage};")
        writer.line(f"goto {self._labels[target]};")

    # ---- nodes ------------------------------------------------------------------------------------------------------

    def _node(self, writer: Writer, at: int) -> None:
        node = self._nodes[at]
        writer.label(self._labels[at])
        match node:
            case ir.Branch():
                with writer.block(
                    f"if ({self._expressions.condition(node.condition)})", comment=source_comment(node.source)
                ):
                    self._go(writer, at, node.next_if_true)
                self._go(writer, at, node.next_if_false)
            case ir.DirectCall():
                writer.lines(self._actions.call(node.action, "NULL", node.source))
                self._after_action(writer, node.action)
                self._go(writer, at, node.next)
            case ir.Table():
                self._apply(writer, at, node)

    def _after_action(self, writer: Writer, action: ir.Action) -> None:
        if condition := self._actions.ends_pipeline(action):
            writer.line(f"if ({condition}) goto end;")

    def _apply(self, writer: Writer, at: int, table: ir.Table) -> None:
        if is_constant(table):
            self._run_fixed_default(writer, at, table)
            return
        with writer.block():
            handle = f"const struct snic_table *t = {self._tables.handle(table)};"
            writer.line(f"{handle} {source_comment(table.source)}".rstrip())
            writer.line("const struct snic_call *call;")
            if table.key:
                if not has_fixed_default(table):
                    writer.line("bool hit;")
                self._find(writer, at, table)
                self._choose(writer, at, table)
            else:
                writer.lines(self._tables.default(table))
                self._skip_without_action(writer, at, table)
            self._run(writer, at, table)

    def _run_fixed_default(self, writer: Writer, at: int, table: ir.Table) -> None:
        if table.default is None:
            self._go(writer, at, table.next_without_action)
            return
        action = table.default.action
        args = constant_args(action.action, table.default.args)
        writer.lines(self._actions.call(action.action, args, table.source))
        self._after_action(writer, action.action)
        self._go(writer, at, action.next_on_miss)

    def _find(self, writer: Writer, at: int, table: ir.Table) -> None:
        """Leaves in `call` what the entry says; NULL: none."""
        parks = self._plan.stage_of(at)
        with writer.block():
            writer.lines(self._tables.key(table))
            if parks is not None:
                number, stage = parks
                large = "" if stage.always else " && snic_table_large(t)"
                with writer.block(f"if (k != NULL{large})"):
                    writer.lines(self._tables.begin(table))
                    writer.line(f"k->at = {at + 1};")
                    writer.line(f"return {number};")
            writer.line(f"call = {self._tables.find(table)};")
        if parks is not None:
            writer.line(f"goto {self._found[at]};")
            writer.label(self._parked[at])
            writer.line(f"t = {self._tables.handle(table)};")
            writer.line(f"call = {self._tables.finish(table)};")
            writer.label(self._found[at])

    def _choose(self, writer: Writer, at: int, table: ir.Table) -> None:
        """Leaves in `call` what to run; what a miss runs is known where it is part of the program."""
        if has_fixed_default(table):
            with writer.block("if (call == NULL)"):
                writer.line(self._tables.missed(table))
                self._run_fixed_default(writer, at, table)
            writer.lines(self._tables.hit(table))
            return
        writer.line("hit = call != NULL;")
        with writer.block("if (hit)"):
            writer.lines(self._tables.hit(table))
        with writer.block("if (!hit)"):
            writer.line(self._tables.missed(table))
            writer.lines(self._tables.default(table))
            self._skip_without_action(writer, at, table)

    def _skip_without_action(self, writer: Writer, at: int, table: ir.Table) -> None:
        with writer.block("if (call->kind == SNIC_TARGET_NONE)"):
            self._go(writer, at, table.next_without_action)

    def _run(self, writer: Writer, at: int, table: ir.Table) -> None:
        """The action that `call` names, then on to what follows it."""
        if table.profile is not None:
            writer.lines(self._tables.resolve(table.profile))
            if table.profile.selector is not None:
                with writer.block("if (call == NULL)"):
                    self._go(writer, at, table.next_without_action)
        with writer.block("switch (call->action)"):
            for number, action in enumerate(table.actions):
                with writer.block(f"case {number}:"):
                    writer.lines(self._actions.call(action.action, "call->args"))
                    self._after_action(writer, action.action)
                    self._follow(writer, at, table, action)
            writer.line("default: __builtin_unreachable();")

    def _follow(self, writer: Writer, at: int, table: ir.Table, action: ir.TableAction) -> None:
        if has_fixed_default(table):
            self._go(writer, at, action.next_on_hit)
            return
        if not table.key or action.next_on_hit == action.next_on_miss:
            self._go(writer, at, action.next_on_miss)
            return
        with writer.block("if (hit)"):
            self._go(writer, at, action.next_on_hit)
        self._go(writer, at, action.next_on_miss)
