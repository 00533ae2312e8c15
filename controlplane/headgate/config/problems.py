# SPDX-License-Identifier: Apache-2.0
"""Problems that checks of several programs find: names that lead nowhere, things that are there twice."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from difflib import get_close_matches

from headgate.config.errors import Path, Problem, format_path
from headgate.config.scalars import IpInterface


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown `name`: the nearest of `known`, or all of them."""
    known = sorted(known)
    if close := get_close_matches(name, known, n=1):
        return f"did you mean {close[0]!r}?"
    return f"there is {', '.join(map(repr, known))}" if known else "there is none"


def duplicates(items: Iterable[tuple[Hashable, Path, object]], fix: str) -> Iterator[Problem]:
    """A problem for each item (key, path, value) whose key came before."""
    first: dict[Hashable, Path] = {}
    for key, path, value in items:
        if key in first:
            yield Problem(path, value, f"is also {format_path(first[key])}: {fix}")
        else:
            first[key] = path


def unusable(interface: IpInterface) -> str | None:
    """Why no interface can have this address, or None."""
    ip = interface.ip
    if ip.is_multicast or ip.is_unspecified or ip.is_loopback:
        return "is a multicast, unspecified or loopback address"
    if ip.version == 4 and interface.network.prefixlen < 31:  # RFC 3021: /31 and /32 have no broadcast address
        if ip == interface.network.broadcast_address:
            return "is the broadcast address of its prefix"
        if ip == interface.network.network_address:
            return "is the prefix itself"
    return None
