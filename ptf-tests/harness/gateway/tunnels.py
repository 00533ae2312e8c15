# SPDX-License-Identifier: Apache-2.0
"""The tunnels of the tests, and a second opinion on their encodings: Scapy's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.contrib.gtp import GTP_U_Header
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from harness.frames import FAMILIES, IPV4, Family, tagged
from harness.gateway.ports import UNDERLAY, UNDERLAY_TAGGED, UNDERLAY_VLAN
from headgate.vocabulary import TunnelType

UNDERLAY_MAC = "02:00:00:00:aa:01"
"""The gateway's, where tunnels end."""
FABRIC_MAC = "00:00:5e:00:53:aa"
"""The next hop of the underlay."""

LOCAL = {IPV4: "192.0.2.1", FAMILIES["ipv6"]: "2001:db8:ff::1"}
TUNNEL_TTL = 61

ETHERNET_BYTES = 14
_TRANSPARENT_ETHERNET = 0x6558  # RFC 7637, RFC 8926


@dataclass(frozen=True, slots=True)
class Tunnel:
    """One tunnel, and how its frames look."""

    tunnel_id: int
    kind: TunnelType
    underlay: Family
    peer: str
    port: int = UNDERLAY
    udp_checksum: bool = False
    dscp: int | None = 0
    """None: the tenant's packet's own (RFC 2983, uniform model)."""
    option: tuple[int, int, int] | None = None
    """Geneve: class, type and 32 bits of data of the option that is added."""

    @property
    def carries_ethernet(self) -> bool:
        return self.kind in (TunnelType.VXLAN, TunnelType.GENEVE)

    @property
    def is_over_udp(self) -> bool:
        return self.kind in _UDP_PORTS

    @property
    def local(self) -> str:
        return LOCAL[self.underlay]

    def received(self, inner: bytes, network_id: int, **changes: Any) -> bytes:
        """A frame of the peer's that carries `inner`; `changes` as in `outer`."""
        eth = Ether(src=FABRIC_MAC, dst=UNDERLAY_MAC)
        frame = bytes(eth / self.outer(inner, network_id, src=self.peer, dst=self.local, **changes))
        return tagged(frame, UNDERLAY_VLAN) if self.port == UNDERLAY_TAGGED else frame

    def sent(self, inner: bytes, network_id: int, *, flow_label: int = 0, **changes: Any) -> bytes:
        """The frame that the gateway makes of `inner`."""
        eth = Ether(src=UNDERLAY_MAC, dst=FABRIC_MAC)
        header = {"id": 0, "flags": "DF"} if self.underlay is IPV4 else {"fl": flow_label}
        changes = {"hops": TUNNEL_TTL, "udp_checksum": self.udp_checksum, "header": header, **changes}
        frame = bytes(eth / self.outer(inner, network_id, src=self.local, dst=self.peer, **changes))
        return tagged(frame, UNDERLAY_VLAN) if self.port == UNDERLAY_TAGGED else frame

    def outer(
        self,
        inner: bytes,
        network_id: int,
        *,
        src: str,
        dst: str,
        sport: int = 54321,
        dport: int | None = None,
        dscp: int = 0,
        ecn: int = 0,
        hops: int = 64,
        udp_checksum: bool = False,
        header: dict[str, Any] | None = None,
        shim: Sequence[Packet] | None = None,
    ) -> Packet:
        """The outer packet, from its IP header on, around `inner`, an Ethernet frame without a tag.

        Args:
            header: more fields of the outer IP header, as Scapy names them
            shim: instead of the tunnel's own header
        """
        payload = inner if self.carries_ethernet else inner[ETHERNET_BYTES:]
        shim = self.shim(network_id, inner) if shim is None else shim
        family = {"tos" if self.underlay is IPV4 else "tc": dscp << 2 | ecn, **(header or {})}
        packet = self.underlay.header(src, dst, hops=hops, **family)
        if self.kind in _UDP_PORTS:
            checksum = {} if udp_checksum else {"chksum": 0}
            packet /= UDP(sport=sport, dport=_UDP_PORTS[self.kind] if dport is None else dport, **checksum)
        else:
            packet[IP if self.underlay is IPV4 else IPv6].setfieldval(
                "proto" if self.underlay is IPV4 else "nh", _protocol(self.kind, inner)
            )
        for layer in shim:
            packet /= layer
        return packet / Raw(payload)

    def shim(self, network_id: int, inner: bytes) -> list[Packet]:
        """What stands between the outer IP or UDP header and the tenant's."""
        match self.kind:
            case TunnelType.VXLAN:
                return [VXLAN(flags=0x08, vni=network_id)]
            case TunnelType.GENEVE:
                options = [geneve_option(*self.option)] if self.option else []
                critical = self.option[1] >> 7 if self.option else 0  # RFC 8926 3.4: as the options' types say
                return [GENEVE(proto=_TRANSPARENT_ETHERNET, vni=network_id, critical=critical, options=options)]
            case TunnelType.GRE:
                key = {"key_present": 1, "key": network_id} if network_id else {}
                return [GRE(proto=int.from_bytes(inner[12:14]), **key)]
            case TunnelType.GTPU:
                return [GTP_U_Header(teid=network_id, gtp_type=255, length=len(inner) - ETHERNET_BYTES)]
            case _:
                return []


_UDP_PORTS = {TunnelType.VXLAN: 4789, TunnelType.GENEVE: 6081, TunnelType.GTPU: 2152}  # RFC 7348, RFC 8926, TS 29.281


def _protocol(kind: TunnelType, inner: bytes) -> int:
    if kind is TunnelType.GRE:
        return 47
    return 4 if inner[12:14] == b"\x08\x00" else 41  # RFC 2003, RFC 2473


def geneve_option(option_class: int, option_type: int, data: int) -> Packet:
    return GeneveOptions(classid=option_class, type=option_type, length=1, data=data.to_bytes(4))


def _tunnels() -> dict[str, Tunnel]:
    """One of each kind over each underlay; those over IPv6 over tagged frames."""
    made = {}
    for family_name, family in FAMILIES.items():
        for kind in (kind for kind in TunnelType if kind is not TunnelType.NONE):
            tunnel_id = 10 * kind + (4 if family is IPV4 else 6)
            peer = f"192.0.2.{tunnel_id}" if family is IPV4 else f"2001:db8:ff::{tunnel_id:x}"
            port = UNDERLAY if family is IPV4 else UNDERLAY_TAGGED
            made[f"{kind.name.lower()}_over_{family_name}"] = Tunnel(tunnel_id, kind, family, peer, port)
    return made


TUNNELS = _tunnels()
