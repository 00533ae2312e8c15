# SPDX-License-Identifier: Apache-2.0
"""A tenant's firewall: the first rule that fits decides, and what none fits is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from headgate.config.gateway.routes import one_or_many
from headgate.config.gateway.transport import PortRange
from headgate.config.scalars import IpNetwork, Model, Name, Prefix, refuse
from headgate.vocabulary import Protocol

OUTSIDE = "outside"
"""In place of a segment's name: what comes in by an uplink."""
INSIDE = "inside"
"""In place of a segment's name: what comes from any segment."""

_WITH_PORTS = (Protocol.TCP, Protocol.UDP)
_OF_ONE_FAMILY = {Protocol.ICMP: 4, Protocol.ICMPV6: 6}


def _protocol(value: object) -> object:
    if isinstance(value, str):
        if value == "any":
            return None
        if value.upper() not in Protocol.__members__:
            names = ", ".join(protocol.name.lower() for protocol in Protocol)
            raise refuse(f"is not a protocol: write any, {names} or its number")
        return Protocol[value.upper()].value
    return value


Prefixes = Annotated[tuple[Prefix, ...], BeforeValidator(one_or_many)]
Ports = Annotated[tuple[Annotated[PortRange, BeforeValidator(PortRange.spell_out)], ...], BeforeValidator(one_or_many)]


class Rule(Model):
    """What fits all that it names. Of what it doesn't name, anything fits."""

    name: Name
    ingress: Annotated[tuple[Name, ...], BeforeValidator(one_or_many)] = ()
    """Where packets come in: `outside`, `inside`, or segments by their names."""
    protocol: Annotated[Annotated[int, Field(strict=True, ge=0, le=255)] | None, BeforeValidator(_protocol)] = None
    """Its number (IANA), None for any."""
    source: Prefixes = ()
    destination: Prefixes = ()
    source_ports: Ports = ()
    destination_ports: Ports = ()
    action: Literal["allow", "allow_stateful", "deny"]
    """`allow_stateful` lets the answers through as well, and of TCP only what begins with a SYN."""

    @model_validator(mode="after")
    def _holds_together(self) -> Rule:
        if (self.source_ports or self.destination_ports) and self.protocol not in _WITH_PORTS:
            what = "any protocol" if self.protocol is None else f"protocol {self.protocol}"
            raise refuse(f"has ports, and {what} has none: say `protocol: tcp` or `protocol: udp`, or take them out")
        for version in sorted(self._families(self.source) ^ self._families(self.destination)):
            if self.source and self.destination:
                side = "source" if version in self._families(self.source) else "destination"
                other = "destination" if side == "source" else "source"
                raise refuse(
                    f"has IPv{version} in `{side}` and none in `{other}`, so those would never fit: "
                    "give both families on both sides, or make two rules"
                )
        family = _OF_ONE_FAMILY.get(Protocol(self.protocol)) if self.protocol in _OF_ONE_FAMILY else None
        if family is not None and 10 - family in self._families((*self.source, *self.destination)):
            name = Protocol(self.protocol or 0).name.lower()
            raise refuse(f"is {name} with IPv{10 - family} addresses: {name} is IPv{family}'s, so give those")
        return self

    @property
    def families(self) -> tuple[int, ...]:
        """The versions of IP that it can fit."""
        if self.protocol in _OF_ONE_FAMILY:
            return (_OF_ONE_FAMILY[Protocol(self.protocol)],)
        named = self._families((*self.source, *self.destination))
        return tuple(sorted(named)) or (4, 6)

    @staticmethod
    def _families(prefixes: Sequence[IpNetwork]) -> set[int]:
        return {prefix.version for prefix in prefixes}


class Firewall(Model):
    """The rules, in the order in which they are asked."""

    rules: tuple[Rule, ...] = ()
