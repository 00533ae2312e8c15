# SPDX-License-Identifier: Apache-2.0
"""Routes: a prefix, and one or several next hops."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from headgate.config.scalars import Address, Model, Name, Prefix, refuse

MAX_MEMBERS = 64
"""Next hops of one route, weights counted."""


def one_or_many(value: object) -> object:
    """A list, where a single item may stand for a list of one."""
    return value if isinstance(value, (list, tuple)) else [value]


def _address_alone(value: object) -> object:
    return {"address": value} if isinstance(value, str) else value


class Via(Model):
    """A next hop of a route."""

    address: Address
    on: Name | None = None
    """Where a link-local address is: a segment of the tenant, or the interface of a router's uplink."""
    weight: Annotated[int, Field(strict=True, ge=1, le=16)] = 1
    """Its share of the flows, against the others'."""


Vias = Annotated[
    tuple[Annotated[Via, BeforeValidator(_address_alone)], ...],
    BeforeValidator(one_or_many),
    Field(min_length=1, max_length=MAX_MEMBERS),
]


class Route(Model):
    """What all routes have. More than one next hop share a prefix's flows (ECMP)."""

    prefix: Prefix
    via: Vias | None = None

    @property
    def is_shared(self) -> bool:
        """Whether several next hops share its flows."""
        return self.via is not None and len(self.via) > 1

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        for via in self.via or ():
            if via.address.version != self.prefix.version:
                raise refuse(
                    f"leads an IPv{self.prefix.version} prefix to an IPv{via.address.version} next hop: "
                    f"give IPv{self.prefix.version} addresses"
                )
        return self

    def _one_way_out(self, to: Any, choices: str) -> None:
        if (self.via is None) == (to is None):
            raise refuse(f"has to have either `via: ADDRESS` or {choices}")


class TenantRoute(Route):
    """A route of a tenant's own router: to hosts of its segments, to the central router, or to nowhere."""

    to: Literal["router", "blackhole"] | None = None

    @model_validator(mode="after")
    def _has_one_way_out(self) -> Self:
        self._one_way_out(self.to, "`to: router` or `to: blackhole`")
        return self


class RouterRoute(Route):
    """A route of a central router: to neighbors on its uplinks, or to nowhere."""

    to: Literal["blackhole"] | None = None

    @model_validator(mode="after")
    def _has_one_way_out(self) -> Self:
        self._one_way_out(self.to, "`to: blackhole`")
        return self
