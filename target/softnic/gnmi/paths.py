# SPDX-License-Identifier: Apache-2.0
"""gNMI paths: of leaves, and patterns that select them (gNMI specification 2.2.2, gNMI path conventions)."""

from __future__ import annotations

from dataclasses import dataclass

from finsy.proto import gnmi

from .errors import invalid, unimplemented


@dataclass(frozen=True, slots=True)
class Element:
    """``name[key=value]``; `keys` are in the order of their names."""

    name: str
    keys: tuple[tuple[str, str], ...] = ()


Path = tuple[Element, ...]


def decode(prefix: gnmi.Path, path: gnmi.Path) -> Path:
    """The path that `path` is below `prefix`. Raises: INVALID_ARGUMENT, UNIMPLEMENTED."""
    for part in (prefix, path):
        if part.origin not in ("", "openconfig"):
            raise invalid(f"origin {part.origin!r} is not here; the ports are in openconfig")
        if not part.elem and part.element:
            raise unimplemented("paths of the deprecated field element; use elem")
    elements = tuple(Element(e.name, tuple(sorted(e.key.items()))) for e in (*prefix.elem, *path.elem))
    if Element("...") in elements:
        raise unimplemented("the wildcard ... is not supported; name each element, or *")
    return elements


def encode(path: Path) -> gnmi.Path:
    return gnmi.Path(elem=[gnmi.PathElem(name=element.name, key=dict(element.keys)) for element in path])


def describe(path: Path) -> str:
    """The path for people: ``/interfaces/interface[name=eth0]/state``."""
    return "".join(f"/{e.name}{''.join(f'[{key}={value}]' for key, value in e.keys)}" for e in path) or "/"


def selects(pattern: Path, path: Path) -> bool:
    """Whether `path` is at or below `pattern`, in which ``*`` and keys that are left out stand for anything."""
    return len(pattern) <= len(path) and all(map(_matches, pattern, path))


def _matches(wanted: Element, element: Element) -> bool:
    keys = dict(element.keys)
    return wanted.name in ("*", element.name) and all(
        key in keys and value in ("*", keys[key]) for key, value in wanted.keys
    )
