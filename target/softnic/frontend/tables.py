# SPDX-License-Identifier: Apache-2.0
"""Pipelines: tables, branches and calls, and the graph they form."""

from __future__ import annotations

from softnic import ir

from . import expressions, mirror
from .scope import Scope, source_of

_SPECIFICITY = list(ir.MatchKind)


def pipeline(scope: Scope, decl: mirror.Pipeline) -> ir.Pipeline:
    """One pipeline with its nodes in the order tables, conditionals, calls. Raises: ProgramError."""
    nodes = _Nodes(scope, decl)
    for profile in scope.trail.each("action_profiles", decl.action_profiles):
        scope.add(scope.profiles, "action profile", profile.name, _profile(scope, profile))
    lowered: list[ir.Node] = []
    lowered += [_table(scope, table, nodes) for table in scope.trail.each("tables", decl.tables)]
    lowered += [_branch(scope, branch, nodes) for branch in scope.trail.each("conditionals", decl.conditionals)]
    lowered += [_direct_call(scope, call, nodes) for call in scope.trail.each("action_calls", decl.action_calls)]
    first = nodes.index("init_table", decl.init_table)
    _refuse_unequal_users(scope, lowered)
    _refuse_loops(scope, lowered, first)
    return ir.Pipeline(decl.name, tuple(lowered), first)


class _Nodes:
    """The index of each node of a pipeline, by its name."""

    def __init__(self, scope: Scope, decl: mirror.Pipeline) -> None:
        self._scope = scope
        self._indices: dict[str, int] = {}
        for section, nodes in (
            ("tables", decl.tables),
            ("conditionals", decl.conditionals),
            ("action_calls", decl.action_calls),
        ):
            for node in scope.trail.each(section, nodes):
                scope.add(self._indices, "node", node.name, len(self._indices))

    def index(self, key: str, name: str | None) -> int | None:
        """Of the node that `key` names; None where the pipeline ends."""
        if name is None:
            return None
        with self._scope.trail.at(key):
            return self._scope.find(self._indices, "table, conditional or action call", name)


def _refuse_unequal_users(scope: Scope, nodes: list[ir.Node]) -> None:
    """A member of an action profile may be run by any table that uses it: each has to know its action."""
    first_users: dict[str, ir.Table] = {}
    for table in nodes:
        if not isinstance(table, ir.Table) or table.profile is None:
            continue
        first = first_users.setdefault(table.profile.name, table)
        if {action.action.name for action in table.actions} != {action.action.name for action in first.actions}:
            raise scope.trail.error(
                f"tables {first.name!r} and {table.name!r} share action profile {table.profile.name!r} "
                "but not the same actions"
            )


def _refuse_loops(scope: Scope, nodes: list[ir.Node], first: int | None) -> None:
    """A packet must get out of a pipeline: depth first, a node met again on the way down is a loop."""
    done: set[int] = set()
    path: list[int] = []
    pending: list[tuple[int, bool]] = [] if first is None else [(first, False)]
    while pending:
        index, leaving = pending.pop()
        if leaving:
            done.add(path.pop())
        elif index in path:
            raise scope.trail.error(f"the control flow loops through {nodes[index].name!r}")
        elif index not in done:
            path.append(index)
            pending.append((index, True))
            pending += [(successor, False) for successor in _successors(nodes[index])]


def _successors(node: ir.Node) -> set[int]:
    match node:
        case ir.Branch():
            candidates = {node.next_if_true, node.next_if_false}
        case ir.DirectCall():
            candidates = {node.next}
        case ir.Table():
            candidates = {node.next_without_action}
            candidates |= {a.next_on_hit for a in node.actions} | {a.next_on_miss for a in node.actions}
    return {candidate for candidate in candidates if candidate is not None}


def _branch(scope: Scope, decl: mirror.Conditional, nodes: _Nodes) -> ir.Branch:
    with scope.trail.at("expression"):
        condition = expressions.boolean(scope, decl.expression)
    return ir.Branch(
        decl.name,
        condition,
        nodes.index("true_next", decl.true_next),
        nodes.index("false_next", decl.false_next),
        source_of(decl.source_info),
    )


def _direct_call(scope: Scope, decl: mirror.ActionCall, nodes: _Nodes) -> ir.DirectCall:
    with scope.trail.at("action_id"):
        action = scope.find(scope.actions, "action with id", decl.action_id)
        if action.params:
            raise scope.trail.error(f"action {action.name!r} has parameters: only a table can call it")
    return ir.DirectCall(decl.name, action, nodes.index("next_node", decl.next_node), source_of(decl.source_info))


def _profile(scope: Scope, decl: mirror.ActionProfile) -> ir.ActionProfile:
    selector = None
    if decl.selector is not None:
        with scope.trail.at("selector"):
            if decl.selector.algo not in ir.HASH_ALGORITHMS:
                raise scope.trail.error(f"hash algorithm {decl.selector.algo!r} is not known")
            inputs = tuple(scope.field_ref(*f.value) for f in scope.trail.each("input", decl.selector.input))
            selector = ir.Selector(ir.Calculation(decl.name, decl.selector.algo, inputs))
    return ir.ActionProfile(decl.name, decl.max_size, selector, source_of(decl.source_info))


# ---- tables ---------------------------------------------------------------------------------------------------------


def _table(scope: Scope, decl: mirror.Table, nodes: _Nodes) -> ir.Table:
    if decl.name in scope.tables:
        raise scope.trail.error(f"table {decl.name!r} is declared twice")
    scope.tables.add(decl.name)
    key = tuple(_key_field(scope, field) for field in scope.trail.each("key", decl.key))
    actions = _table_actions(scope, decl, nodes)
    after_no_action = decl.next_tables.get("__MISS__", decl.base_default_next)
    return ir.Table(
        name=decl.name,
        match_kind=_match_kind(scope, decl, key),
        key=key,
        max_size=_max_size(scope, decl),
        actions=tuple(actions.values()),
        default=_default(scope, decl, actions),
        default_constant=decl.default_entry is not None and decl.default_entry.action_entry_const,
        entries=_entries(scope, decl, key, actions),
        entries_constant=decl.entries is not None,
        next_without_action=nodes.index("next_tables", after_no_action),
        profile=_profile_of(scope, decl),
        direct_counter=scope.direct_counters.get(decl.name, decl.name) if decl.with_counters else None,
        direct_meter=_direct_meter(scope, decl),
        idle_timeout=decl.support_timeout,
        source=source_of(decl.source_info),
    )


def _match_kind(scope: Scope, decl: mirror.Table, key: tuple[ir.KeyField, ...]) -> ir.MatchKind:
    """The declared one, which may not be more specific than any field's. A table of all kinds up to exact is exact."""
    kinds = [field.kind for field in key]
    strongest = max([ir.MatchKind.EXACT, *kinds], key=_SPECIFICITY.index)
    with scope.trail.at("match_type"):
        if kinds.count(ir.MatchKind.LPM) > 1:
            raise scope.trail.error("a table can have one lpm field only: which of two prefixes is longer is undefined")
        if decl.match_type not in ("exact", "lpm", "ternary", "range"):
            raise scope.trail.error(f"match type {decl.match_type!r} is not known")
        declared = ir.MatchKind(decl.match_type)
        if _SPECIFICITY.index(declared) < _SPECIFICITY.index(strongest):
            raise scope.trail.error(f"a table with a {strongest} field cannot be of match type {declared}")
        if declared is ir.MatchKind.LPM and strongest is not ir.MatchKind.LPM:
            raise scope.trail.error("a table of match type lpm needs an lpm field")
    return declared


def _max_size(scope: Scope, decl: mirror.Table) -> int:
    if decl.entries is not None:
        return max(decl.max_size or 0, len(decl.entries))
    if decl.max_size is None:
        raise scope.trail.error("a table needs max_size or entries")
    return decl.max_size


def _key_field(scope: Scope, decl: mirror.KeyField) -> ir.KeyField:
    if decl.match_type not in _SPECIFICITY:
        with scope.trail.at("match_type"):
            raise scope.trail.error(f"match type {decl.match_type!r} is not known")
    kind = ir.MatchKind(decl.match_type)
    with scope.trail.at("target"):
        if kind is ir.MatchKind.VALID:
            if not isinstance(decl.target, str):
                raise scope.trail.error("the target of a valid match is a header")
            header = scope.find(scope.headers, "header", decl.target)
            expr, width, name = ir.Unary("b2d", ir.IsValid(ir.HeaderRef(header))), 1, header.name
        else:
            if isinstance(decl.target, str):
                raise scope.trail.error(f"the target of a {kind} match is a field")
            expr = scope.field_value(*decl.target)
            width = expr.field.width if isinstance(expr, ir.FieldRef) else 1
            name = ".".join(decl.target)
            if isinstance(expr, ir.FieldRef) and expr.field.varbit:
                raise scope.trail.error("a varbit field cannot be a match field")
    mask = (1 << width) - 1
    if decl.mask is not None:
        with scope.trail.at("mask"):
            mask &= scope.hex(decl.mask)
    return ir.KeyField(decl.name or name, kind, expr, width, mask)


def _table_actions(scope: Scope, decl: mirror.Table, nodes: _Nodes) -> dict[int, ir.TableAction]:
    """By action id, in the order of the program."""
    found: dict[int, ir.TableAction] = {}
    for number in _action_ids(scope, decl):
        action = scope.find(scope.actions, "action with id", number)
        if "__HIT__" in decl.next_tables or "__MISS__" in decl.next_tables:
            on_hit, on_miss = decl.next_tables.get("__HIT__"), decl.next_tables.get("__MISS__")
        else:
            with scope.trail.at("next_tables"):
                on_hit = on_miss = scope.find(decl.next_tables, "next node for action", action.name)
        found[number] = ir.TableAction(action, nodes.index("next_tables", on_hit), nodes.index("next_tables", on_miss))
    return found


def _action_ids(scope: Scope, decl: mirror.Table) -> list[int]:
    if decl.action_ids is not None:
        return decl.action_ids
    by_name = {action.name: action.id for action in scope.actions.values()}
    return [scope.find(by_name, "action", name) for name in scope.trail.each("actions", decl.actions)]


def _default(scope: Scope, decl: mirror.Table, actions: dict[int, ir.TableAction]) -> ir.ActionArgs | None:
    if decl.default_entry is None:
        return None
    with scope.trail.at("default_entry"):
        return _call(scope, decl.default_entry, actions)


def _call(scope: Scope, decl: mirror.ActionEntry, actions: dict[int, ir.TableAction]) -> ir.ActionArgs:
    with scope.trail.at("action_id"):
        action = scope.find(actions, "action of this table with id", decl.action_id)
    params = action.action.params
    with scope.trail.at("action_data"):
        if len(decl.action_data) != len(params):
            raise scope.trail.error(
                f"action {action.action.name!r} takes {len(params)} arguments, not {len(decl.action_data)}"
            )
    data = scope.trail.each("action_data", decl.action_data)
    return ir.ActionArgs(
        action, tuple(scope.unsigned(digits, param.width) for digits, param in zip(data, params, strict=True))
    )


def _entries(
    scope: Scope, decl: mirror.Table, key: tuple[ir.KeyField, ...], actions: dict[int, ir.TableAction]
) -> tuple[ir.ProgramEntry, ...]:
    found: dict[tuple[object, ...], ir.ProgramEntry] = {}
    for written in scope.trail.each("entries", decl.entries or []):
        entry = _entry(scope, written, key, actions, decl)
        if (entry.key, entry.priority) in found:
            raise scope.trail.error("the table has an entry of this key and priority already")
        found[entry.key, entry.priority] = entry
    return tuple(found.values())


def _entry(
    scope: Scope,
    decl: mirror.Entry,
    key: tuple[ir.KeyField, ...],
    actions: dict[int, ir.TableAction],
    table: mirror.Table,
) -> ir.ProgramEntry:
    with scope.trail.at("match_key"):
        if len(decl.match_key) != len(key):
            raise scope.trail.error(f"the key has {len(key)} fields, not {len(decl.match_key)}")
    matches = scope.trail.each("match_key", decl.match_key)
    lowered = tuple(_match(scope, match, field) for match, field in zip(matches, key, strict=True))
    with scope.trail.at("action_entry"):
        call = _call(scope, decl.action_entry, actions)
    return ir.ProgramEntry(lowered, call, _priority(decl, table), source_of(decl.source_info))


def _priority(decl: mirror.Entry, table: mirror.Table) -> int:
    """In the JSON the smallest number wins, in P4Runtime the largest: turned round within the table, from 1 on."""
    if table.match_type not in ("ternary", "range"):
        return 0
    return max(entry.priority for entry in table.entries or []) + 1 - decl.priority


def _match(
    scope: Scope, decl: mirror.Match, field: ir.KeyField
) -> ir.ExactKey | ir.LpmKey | ir.TernaryKey | ir.RangeKey:
    """Its value without the bits that the field's own mask excludes, as no packet has them."""
    if decl.__struct_config__.tag != field.kind:
        raise scope.trail.error(f"match field {field.name!r} is {field.kind}, not {decl.__struct_config__.tag}")
    match decl:
        case mirror.ValidMatch(key=valid):
            return ir.ExactKey(int(valid))
        case mirror.ExactMatch(key=digits):
            return ir.ExactKey(scope.unsigned(digits, field.width) & field.mask)
        case mirror.LpmMatch(key=digits, prefix_length=length):
            if not 0 <= length <= field.width:
                raise scope.trail.error(f"a prefix of {length} bits is not one of a field of {field.width}")
            host_bits = field.width - length
            return ir.LpmKey(scope.unsigned(digits, field.width) >> host_bits << host_bits & field.mask, length)
        case mirror.TernaryMatch(key=digits, mask=mask_digits):
            mask = scope.unsigned(mask_digits, field.width)
            return ir.TernaryKey(scope.unsigned(digits, field.width) & mask & field.mask, mask)
        case mirror.RangeMatch(start=start, end=end):
            return ir.RangeKey(scope.unsigned(start, field.width) & field.mask, scope.unsigned(end, field.width))


def _profile_of(scope: Scope, decl: mirror.Table) -> ir.ActionProfile | None:
    if decl.type == "simple":
        return None
    with scope.trail.at("type"):
        if decl.type not in ("indirect", "indirect_ws"):
            raise scope.trail.error(f"table type {decl.type!r} is not known")
        if decl.entries is not None:
            raise scope.trail.error("only a simple table can have entries in the program")
    with scope.trail.at("action_profile"):
        if decl.action_profile is None:
            raise scope.trail.error(f"a table of type {decl.type!r} needs an action_profile")
        profile = scope.find(scope.profiles, "action profile", decl.action_profile)
        if (profile.selector is not None) != (decl.type == "indirect_ws"):
            raise scope.trail.error(f"a table of type {decl.type!r} cannot use action profile {profile.name!r}")
        return profile


def _direct_meter(scope: Scope, decl: mirror.Table) -> ir.DirectMeter | None:
    if decl.direct_meters is None:
        return None
    with scope.trail.at("direct_meters"):
        return scope.find(scope.direct_meters, "direct meter", decl.direct_meters)
