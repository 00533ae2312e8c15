# SPDX-License-Identifier: Apache-2.0
"""Single values of a configuration: identifiers, MAC and IP addresses, and the model class all nouns share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from headgate.vocabulary import MAX_WIRED_PORT

IpAddress = IPv4Address | IPv6Address
IpInterface = IPv4Interface | IPv6Interface
IpNetwork = IPv4Network | IPv6Network

_T = TypeVar("_T")


class Model(BaseModel):
    """A noun of the configuration: immutable, and no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def refuse(message: str) -> PydanticCustomError:
    """The error a validator raises; `message` follows the value it is about."""
    return PydanticCustomError("headgate", "{message}", {"message": message})


def _mac_address(value: object) -> str:
    if isinstance(value, int):
        raise refuse("was read as a number (YAML counts in base 60): put the MAC address in quotes")
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}", value):
        raise refuse('is not a MAC address: write six pairs of hexadecimal digits, like "02:00:00:00:00:01"')
    mac = value.lower().replace("-", ":")
    if int(mac[:2], 16) & 1:
        raise refuse("is a group address (the lowest bit of its first byte is 1): give an individual address")
    if mac == "00:00:00:00:00:00":
        raise refuse("is the all-zero address: give the interface an address of its own")
    return mac


def _text(example: str, parse: Callable[[str], _T], kind: str) -> Callable[[object], _T]:
    def validate(value: object) -> _T:
        text = str(value) if isinstance(value, IpAddress | IpInterface | IpNetwork) else value
        if not isinstance(text, str):  # the ipaddress module would take 5 for 0.0.0.5
            raise refuse(f"is not {kind}: write it like {example}")
        try:
            return parse(text)
        except ValueError as error:
            if "has host bits set" in str(error):
                network = ip_network(text, strict=False)
                raise refuse(f"has bits set behind its prefix length: write {network}") from None
            raise refuse(f"is not {kind}: write it like {example}") from None

    return validate


def _interface(text: str) -> IpInterface:
    if "/" not in text:
        raise ValueError(text)
    return ip_interface(text)


def routed_networks(interfaces: Iterable[IpInterface]) -> tuple[IpNetwork, ...]:
    """The prefixes of interfaces, each once; link-local ones, which are never routed, left out (RFC 4291 2.5.6)."""
    networks = (interface.network for interface in interfaces)
    return tuple(dict.fromkeys(item for item in networks if not (item.version == 6 and item.is_link_local)))


Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
PortNumber = Annotated[int, Field(strict=True, ge=0, le=MAX_WIRED_PORT)]
VlanId = Annotated[int, Field(strict=True, ge=1, le=4094)]
"""IEEE 802.1Q 9.6: 0 names no VLAN and 4095 is reserved."""
VnicId = Annotated[int, Field(strict=True, ge=1, le=0xFFFF)]
RingId = Annotated[int, Field(strict=True, ge=1, le=0xFFFF)]
"""0 stands for "no ring" in the data plane."""
MacAddress = Annotated[str, BeforeValidator(_mac_address)]
"""An individual address in lower case with colons."""
parse_address = _text("10.0.0.1 or 2001:db8::1", ip_address, "an IP address")
parse_prefix = _text("10.0.0.0/8 or 2001:db8::/32", ip_network, "a prefix")

Address = Annotated[IpAddress, BeforeValidator(parse_address)]
AddressAndPrefix = Annotated[
    IpInterface,
    BeforeValidator(_text("10.0.0.1/24 or 2001:db8::1/64", _interface, "an address with its prefix length")),
]
MtuBytes = Annotated[int, Field(strict=True, ge=68, le=9216)]
"""Of the IP packet. RFC 791: every link carries 68 bytes; 9216 is what Ethernet hardware calls jumbo."""
Prefix = Annotated[IpNetwork, BeforeValidator(parse_prefix)]
