# SPDX-License-Identifier: Apache-2.0
"""Where the packets of a vector wait for each other on their way through a pipeline.

A packet *parks* in front of a table whose memory is large: while the entry is fetched, other packets run. Stages stand
in topological order, so that one sweep over them serves all packets.

Parking lets packets overtake one another. In front of shared state (ordering.py) they must be in order of arrival
again: from the first node that touches a resource to the last, nobody parks, and who goes in there waits for all others
at a `Cut`. Where that is one table, parking in front of it is the cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from softnic import ir

from .ordering import Resource, resources


@dataclass(frozen=True, slots=True)
class TableStage:
    """`always`: also while the table is small, because the order of packets depends on it."""

    node: int
    always: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """In front of the nodes `first` .. `last`, positions in the plan's order."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A pipeline's nodes that can be reached, in topological order, and its stages in the order of the sweep.

    Stage numbers count from 1; 0 is the end of the pipeline.
    """

    order: tuple[int, ...]
    stages: tuple[TableStage | Cut, ...]

    def stage_of(self, node: int) -> tuple[int, TableStage] | None:
        """Number and stage of a table that parks."""
        for number, stage in enumerate(self.stages, 1):
            if isinstance(stage, TableStage) and stage.node == node:
                return number, stage
        return None

    def cut_between(self, origin: int, target: int) -> int | None:
        """Number of the stage at which a packet waits on its way from node `origin` to node `target`."""
        start, end = self.order.index(origin), self.order.index(target)
        for number, stage in enumerate(self.stages, 1):
            if isinstance(stage, Cut) and start < stage.first <= end <= stage.last:
                return number
        return None


def successors(node: ir.Node) -> tuple[int, ...]:
    """The nodes that may follow, without repetition."""
    match node:
        case ir.Table():
            following = [node.next_without_action]
            for action in node.actions:
                following += [action.next_on_hit, action.next_on_miss]
        case ir.Branch():
            following = [node.next_if_true, node.next_if_false]
        case ir.DirectCall():
            following = [node.next]
    return tuple(dict.fromkeys(at for at in following if at is not None))


def reachable(pipeline: ir.Pipeline) -> list[ir.Node]:
    """The nodes that packets can come to."""
    return [pipeline.nodes[at] for at in _topological(pipeline)[0]]


def plan(pipeline: ir.Pipeline, may_park: frozenset[int]) -> Plan:
    """`may_park`: the tables that are worth it. No stages for a pipeline with a loop, which P4 does not have."""
    order, acyclic = _topological(pipeline)
    if not acyclic:
        return Plan(order, ())
    spans = _spans(pipeline, order)
    stages: list[TableStage | Cut] = []
    for position, node in enumerate(order):
        span = next((s for s in spans if s.first <= position <= s.last), None)
        if span is None:
            if node in may_park:
                stages.append(TableStage(node, always=False))
        elif span.first == span.last and node in may_park:
            stages.append(TableStage(node, always=True))
        elif span.first == position and stages:  # nobody has parked before the first stage
            stages.append(span)
    return Plan(order, tuple(stages))


def _topological(pipeline: ir.Pipeline) -> tuple[tuple[int, ...], bool]:
    """Nodes that can be reached from the first, those before others first; and whether there is no way back."""
    finished: list[int] = []
    state: dict[int, str] = {}
    acyclic = True
    stack = [] if pipeline.first is None else [(pipeline.first, False)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            state[node] = "finished"
            finished.append(node)
        elif node not in state:
            state[node] = "open"
            stack.append((node, True))
            for following in reversed(successors(pipeline.nodes[node])):
                acyclic &= state.get(following) != "open"
                stack.append((following, False))
    return tuple(reversed(finished)), acyclic


def _spans(pipeline: ir.Pipeline, order: tuple[int, ...]) -> list[Cut]:
    """From the first to the last node that touch a resource; spans that overlap are one."""
    reach: dict[Resource, Cut] = {}
    for position, node in enumerate(order):
        for resource in resources(pipeline.nodes[node]):
            reach[resource] = Cut(reach[resource].first if resource in reach else position, position)
    spans: list[Cut] = []
    for span in sorted(reach.values(), key=lambda span: span.first):
        if spans and span.first <= spans[-1].last:
            spans[-1] = Cut(spans[-1].first, max(spans[-1].last, span.last))
        else:
            spans.append(span)
    return spans
