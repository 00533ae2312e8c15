# SPDX-License-Identifier: Apache-2.0
"""Tunnels: to whom, in which encapsulation, and what that costs of each packet."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from headgate.config.scalars import Address, Model, Name, refuse
from headgate.vocabulary import TunnelType

TunnelId = Annotated[int, Field(strict=True, ge=1, le=0xFFFF)]
"""0 stands for "no tunnel" in the data plane."""
Scope = Annotated[int, Field(strict=True, ge=0, le=0xFFFF)]
NetworkId = Annotated[int, Field(strict=True, ge=0, le=0xFFFF_FFFF)]

_IP_HEADER = {4: 20, 6: 40}
_ETHERNET_HEADER = 14
_HEADERS = {
    TunnelType.VXLAN: 8 + 8 + _ETHERNET_HEADER,  # UDP, VXLAN (RFC 7348 5), and the frame's own header
    TunnelType.GENEVE: 8 + 8 + _ETHERNET_HEADER,  # UDP, Geneve without options (RFC 8926 3.4)
    TunnelType.GRE: 4 + 4,  # GRE and its key (RFC 2890 2)
    TunnelType.IPIP: 0,
    TunnelType.GTPU: 8 + 8,  # UDP, GTP-U without extensions (3GPP TS 29.281 5.1)
}
_GENEVE_OPTION = 4 + 4
_GREATEST_DSCP = 63  # RFC 2474 3


def _dscp(value: object) -> object:
    if value != "uniform" and not (type(value) is int and 0 <= value <= _GREATEST_DSCP):
        raise refuse(f"is not a DSCP: write a number up to {_GREATEST_DSCP}, or uniform")
    return value


class GeneveOption(Model):
    """An option on every packet (RFC 8926 3.5), with four bytes of data."""

    option_class: Annotated[int, Field(strict=True, ge=0, le=0xFFFF)]
    option_type: Annotated[int, Field(strict=True, ge=0, le=0x7F)]
    """From 0x80 on an option is critical: who doesn't know it has to drop the packet."""
    data: Annotated[int, Field(strict=True, ge=0, le=0xFFFF_FFFF)] = 0


class Tunnel(Model):
    """A tunnel to one peer."""

    name: Name
    tunnel_id: TunnelId
    type: Literal["vxlan", "geneve", "gre", "ipip", "gtpu"]
    scope: Scope = 0
    """Tunnels of one scope share their network ids."""
    local: Address
    remote: Address
    next_hop: Name
    """Of the underlay."""
    dscp: Annotated[Literal["uniform"] | int, BeforeValidator(_dscp)] = 0
    """Of the outer header: the inner one's (RFC 2983, uniform model), or always the same (pipe model)."""
    ttl: Annotated[int, Field(strict=True, ge=1, le=255)] = 64
    """Of the outer header."""
    udp_checksum: bool = False
    """Whether UDP checksums are computed, where there is UDP; else they are zero (RFC 6935)."""
    geneve_option: GeneveOption | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Tunnel:
        if self.local.version != self.remote.version:
            raise refuse(f"goes from IPv{self.local.version} to IPv{self.remote.version}: give addresses of one family")
        if self.geneve_option is not None and self.type != "geneve":
            raise refuse(f"is {self.type}, and `geneve_option` is Geneve's: take it out")
        if self.udp_checksum and self.type in ("gre", "ipip"):
            raise refuse(f"is {self.type}, which has no UDP: take `udp_checksum` out")
        return self

    @property
    def tunnel_type(self) -> TunnelType:
        return TunnelType[self.type.upper()]

    @property
    def carries_frames(self) -> bool:
        """Whether Ethernet frames are inside; else IP packets, without any MAC address."""
        return self.tunnel_type in (TunnelType.VXLAN, TunnelType.GENEVE)

    @property
    def greatest_network_id(self) -> int:
        """A VNI has 24 bits, a GRE key or TEID 32, and IP in IP has none."""
        match self.tunnel_type:
            case TunnelType.IPIP:
                return 0
            case TunnelType.VXLAN | TunnelType.GENEVE:
                return 0xFF_FFFF
            case _:
                return 0xFFFF_FFFF

    @property
    def overhead_bytes(self) -> int:
        """What stands in front of the inner IP packet, beginning with the outer IP header."""
        option = _GENEVE_OPTION if self.geneve_option is not None else 0
        return _IP_HEADER[self.local.version] + _HEADERS[self.tunnel_type] + option
