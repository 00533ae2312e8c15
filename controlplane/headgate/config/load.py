# SPDX-License-Identifier: Apache-2.0
"""From a YAML file, or the data in it, to a configuration that holds together."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, overload

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from headgate.config import gateway, nic
from headgate.config.errors import ConfigError, Path, Problem
from headgate.config.gateway import GatewayConfig
from headgate.config.nic import NicConfig
from headgate.config.problems import did_you_mean

Config = NicConfig | GatewayConfig
"""Of any program."""

_Chosen = TypeVar("_Chosen", NicConfig, GatewayConfig)

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML was built with it: ten times as fast."""


@overload
def load_config(path: str | FilePath) -> Config: ...


@overload
def load_config(path: str | FilePath, model: type[_Chosen]) -> _Chosen: ...


@overload
def load_config(path: str | FilePath, model: type[Config]) -> Config: ...


def load_config(path: str | FilePath, model: type[Config] | None = None) -> Config:
    """The configuration in a YAML file.

    Args:
        model: the kind of configuration that it has to be, where not any will do.

    Raises:
        ConfigError: with the line of each problem; also when the file can't be read or is not YAML.
    """
    source = str(path)
    try:
        loader = _Loader(FilePath(path).read_text(encoding="utf-8"))
        root = loader.get_single_node()
        data = loader.construct_document(root) if root is not None else None
        problems = list(_repeated_keys(root))
    except yaml.YAMLError as error:
        raise ConfigError((_yaml_problem(error),), source) from error
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        # Besides the file's own: what PyYAML lets through of a value that is not what its tag says (!!int x, a 13th
        # month), and of a node that contains itself.
        raise ConfigError((Problem((), None, f"can't be read: {error}"),), source) from error
    try:
        config = parse_config(data, model)
    except ConfigError as error:
        problems.extend(error.problems)
    else:
        if not problems:
            return config
    located = (problem if problem.line else replace(problem, line=_line_of(root, problem.path)) for problem in problems)
    raise ConfigError(tuple(sorted(located, key=lambda problem: problem.line or 0)), source)


@overload
def parse_config(data: object) -> Config: ...


@overload
def parse_config(data: object, model: type[_Chosen]) -> _Chosen: ...


@overload
def parse_config(data: object, model: type[Config] | None) -> Config: ...


def parse_config(data: object, model: type[Config] | None = None) -> Config:
    """The configuration in `data`: what a YAML or JSON reader made of a document. Its `program` says whose it is.

    Args:
        model: see `load_config`.

    Raises:
        ConfigError: with every problem found. Whether things fit together is looked at once each is well-formed.
    """
    if not isinstance(data, Mapping):
        raise ConfigError((Problem((), data, f"is not a mapping: begin with `program: {_names()}`"),))
    name = data.get("program", "nic")
    if not isinstance(name, str) or name not in _PROGRAMS:
        raise ConfigError((Problem(("program",), name, f"is not a program of ours: write {_names()}"),))
    found, check = _PROGRAMS[name]
    if model is not None and model is not found:
        raise ConfigError((Problem(("program",), name, "is another program's configuration than the one needed here"),))
    try:
        config = found.model_validate(data)
    except ValidationError as error:
        raise ConfigError(tuple(_explain_all(error.errors(include_url=False), found))) from None
    if problems := tuple(check(config)):
        raise ConfigError(problems)
    return config


_PROGRAMS: dict[str, tuple[type[Config], Callable[[Any], Iterator[Problem]]]] = {
    "nic": (NicConfig, nic.check),
    "gateway": (GatewayConfig, gateway.check),
}


def _names() -> str:
    return " or ".join(map(repr, _PROGRAMS))


def _explain_all(errors: list[ErrorDetails], model: type[BaseModel]) -> Iterator[Problem]:
    """All but the complaint that a list is too short because none of its items was any good."""
    paths = [details["loc"] for details in errors]
    for details in errors:
        place = details["loc"]
        bad_items = any(path[: len(place)] == place and path != place for path in paths)
        if details["type"] != "too_short" or not bad_items:
            yield _explain(details, model)


def _explain(details: ErrorDetails, model: type[BaseModel]) -> Problem:
    """A pydantic error in our words: the offending value, and the fix."""
    path: Path = details["loc"]
    value: object = details["input"]
    context = details.get("ctx", {})
    match details["type"]:
        case "headgate":
            shown = None if isinstance(value, Mapping) else value
            return Problem(path, shown, details["msg"])
        case "extra_forbidden":
            keys = _keys_at(model, path[:-1])
            return Problem(path, None, f"is not a key here: {did_you_mean(str(path[-1]), keys)}")
        case "missing":
            return Problem(path, None, "is missing: add it")
        case "literal_error":
            return Problem(path, value, f"is not one of the choices: write {context['expected']}")
        case "string_pattern_mismatch":
            return Problem(path, value, "is not a name: begin with a letter, go on with letters, digits, '_', '.', '-'")
        case "greater_than_equal":
            return Problem(path, value, f"is too small: give {context['ge']} or more")
        case "less_than_equal":
            return Problem(path, value, f"is too large: give {context['le']} or less")
        case "too_short":
            return Problem(path, None, f"is empty: give at least {context['min_length']}")
        case "too_long":
            return Problem(path, None, f"has too many: give {context['max_length']} at most")
        case "model_type" | "model_attributes_type" | "dict_type":
            return Problem(path, value, "is not a mapping: write `{key: value, ...}`")
        case "tuple_type":
            return Problem(path, value, "is not a list: write `[..., ...]`")
        case "string_type":
            return Problem(path, value, "is not a text: write a name, in quotes if it looks like a number")
        case "int_type":
            return Problem(path, value, "is not a number: write an integer, without quotes")
        case _:
            return Problem(path, value, details["msg"].removeprefix("Input "))


def _keys_at(model: type[BaseModel], path: Path) -> Iterable[str]:
    """The keys that the model at `path` in `model` knows."""
    for step in path:
        if isinstance(step, str) and step in model.model_fields:
            field = model.model_fields[step]
            model = next(_models_in(field.annotation), model)
    return model.model_fields


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, tuple, Annotated):
        for argument in get_args(annotation):
            yield from _models_in(argument)


def _yaml_problem(error: yaml.YAMLError) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return Problem((), None, f"is not YAML: {error.problem}", line=error.problem_mark.line + 1)
    return Problem((), None, f"is not YAML: {' '.join(str(error).split())}")


def _repeated_keys(node: yaml.Node | None, path: Path = ()) -> Iterator[Problem]:
    """YAML readers keep the last of several like keys and say nothing."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated_keys(item, (*path, index))
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            here = (*path, key.value)
            if key.value in seen:
                yield Problem(here, None, "is there twice: keep one of the two", _line(key))
            seen.add(key.value)
            yield from _repeated_keys(value, here)


def _line_of(root: yaml.Node | None, path: Path) -> int | None:
    """The line where the value at `path` begins; of its nearest ancestor, where it is missing."""
    if root is None:
        return None
    node, line = root, _line(root)
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == step), None)
            if pair is None:
                return line
            line, node = _line(pair[0]), pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = _line(node)
        else:
            return line
    return line


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1 if node.start_mark is not None else 0
