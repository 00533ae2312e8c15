# SPDX-License-Identifier: Apache-2.0
"""What the gateway itself says to senders: ICMP errors, and answers to echo requests for its own addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address

from finsy import MACAddress

from headgate.config.scalars import IpAddress
from headgate.handlers.gateway.effects import RESUBMITTED, Punted, SendFrame
from headgate.handlers.gateway.links import Link, Links
from headgate.metrics import Metrics
from headgate.protocols import icmp
from headgate.protocols.checksum import internet_checksum, ipv6_pseudo_header
from headgate.protocols.errors import DecodeError
from headgate.protocols.ethernet import EtherType, Frame
from headgate.protocols.icmp import IcmpError
from headgate.protocols.ip import IpProtocol, Ipv4Packet, Ipv6Packet, ipv4_packet, ipv6_packet
from headgate.protocols.token_bucket import TokenBucket
from headgate.vocabulary import FROM_OUTSIDE, TENANTLESS, PacketOutMode

ROUTERS_MAC = MACAddress("02:00:00:00:00:01")
"""In frames that the router itself sends: the pipeline looks at the IP packet only and writes both addresses anew."""

_ECHO = {4: (IpProtocol.ICMP, 8, 0), 6: (IpProtocol.ICMPV6, 128, 129)}
"""By version: protocol, type of a request, type of a reply."""


class Answers:
    """The gateway's own voice.

    Args:
        links: Where it has addresses.
        mtu_of: Of a next hop, by its number; 0 where it is not known.
        errors_per_s, errors_burst: ICMP errors about packets of each link, on average and at once (RFC 1812 4.3.2.8,
            RFC 4443 2.4(f)).
    """

    def __init__(
        self,
        links: Links,
        mtu_of: Callable[[int], int],
        metrics: Metrics,
        now_ns: int,
        *,
        errors_per_s: int = 100,
        errors_burst: int = 10,
    ) -> None:
        self._links = links
        self._mtu_of = mtu_of
        self._metrics = metrics
        self._own = {interface.ip for link in links for interface in link.interfaces}
        self._buckets: dict[str, TokenBucket] = {}
        self._rate = (errors_per_s, errors_burst)
        self._since_ns = now_ns

    def again(self, frame: bytes, fields: Mapping[str, int]) -> SendFrame:
        """Route a packet that was punted: as it came in, or, if it was the gateway's own, as it was sent."""
        mode = PacketOutMode.TENANT
        try:
            if parse_ip(Frame.parse(frame)).src in self._own:
                mode = PacketOutMode.ROUTED
        except DecodeError:
            pass  # for the pipeline to refuse
        return SendFrame(mode, frame, {name: fields[name] for name in RESUBMITTED})

    def error(self, error: IcmpError, punted: Punted, now_ns: int) -> list[SendFrame]:
        """Tell the sender of a packet what went wrong. Raises: DecodeError."""
        frame = Frame.parse(punted.frame)
        packet = parse_ip(frame)
        link = self.link_of(punted, frame)
        source = link.source_of_error(packet.src.version) if link is not None else None
        broadcasts = link.broadcasts if link is not None else frozenset()
        refusal = icmp.refusal(icmp.Subject(packet, frame.dst), error, broadcasts)
        if refusal is not None:
            self._metrics.icmp_suppressed(error, refusal.value)
        elif source is None or link is None or packet.src in self._own:
            self._metrics.icmp_suppressed(error, "no_source_address")
        elif not self._bucket(link).take(now_ns):
            self._metrics.icmp_suppressed(error, "rate_limited")
        else:
            self._metrics.icmp_sent(error)
            too_big = error is IcmpError.PACKET_TOO_BIG
            mtu_bytes = self._mtu_of(punted.fields["next_hop_id"]) if too_big else 0
            answer = icmp.error_packet(packet, error, source, mtu_bytes=mtu_bytes)
            return [self._routed(answer, packet.src.version, punted)]
        return []

    def local(self, punted: Punted) -> list[SendFrame]:
        """A packet is for the gateway itself. Echo requests are answered (RFC 1122 3.2.2.6, RFC 4443 4.2), no others.

        Raises: DecodeError.
        """
        packet = parse_ip(Frame.parse(punted.frame))
        protocol, request, reply = _ECHO[packet.src.version]
        is_request = packet.protocol == protocol and packet.payload[:2] == bytes((request, 0))
        if not is_request or packet.fragment_offset or packet.dst not in self._own or len(packet.payload) < 8:
            return []
        message = bytearray(packet.payload)
        message[:4] = bytes((reply, 0, 0, 0))
        return [self._routed(_echo(packet.dst, packet.src, message), packet.src.version, punted)]

    def link_of(self, punted: Punted, frame: Frame) -> Link | None:
        """Where a packet came in."""
        fields = punted.fields
        if fields["segment_id"] != FROM_OUTSIDE:
            return self._links.segments.get((fields["tenant_id"], fields["segment_id"]))
        return self._links.uplinks.get((fields["ingress_port"], frame.tags[0].vlan_id if frame.tags else 0))

    def _routed(self, packet: bytes, version: int, punted: Punted) -> SendFrame:
        """Send from the router that the packet was at: the tenant's own, or for the outside the central one."""
        fields = punted.fields
        inside = fields["segment_id"] != FROM_OUTSIDE
        frame = Frame(ROUTERS_MAC, ROUTERS_MAC, EtherType.IPV4 if version == 4 else EtherType.IPV6, packet)
        whose = {"tenant_id": fields["tenant_id"] if inside else TENANTLESS, "router_id": fields["router_id"]}
        return SendFrame(PacketOutMode.ROUTED, frame.pack(), whose)

    def _bucket(self, link: Link) -> TokenBucket:
        return self._buckets.setdefault(link.name, TokenBucket(*self._rate, self._since_ns))


def parse_ip(frame: Frame) -> Ipv4Packet | Ipv6Packet:
    """The IP packet in a frame. Raises: DecodeError."""
    match frame.ether_type:
        case EtherType.IPV4:
            return Ipv4Packet.parse(frame.payload)
        case EtherType.IPV6:
            return Ipv6Packet.parse(frame.payload)
        case _:
            raise DecodeError("IP", f"EtherType {frame.ether_type:#06x} is neither IPv4's nor IPv6's")


def _echo(src: IpAddress, dst: IpAddress, message: bytearray) -> bytes:
    """The packet around an echo message whose checksum is still zero."""
    match src, dst:
        case IPv4Address(), IPv4Address():
            message[2:4] = internet_checksum(bytes(message)).to_bytes(2, "big")
            return ipv4_packet(src, dst, IpProtocol.ICMP, bytes(message), ttl=icmp.TTL, traffic_class=0)
        case IPv6Address(), IPv6Address():
            pseudo_header = ipv6_pseudo_header(src, dst, IpProtocol.ICMPV6, len(message))
            message[2:4] = internet_checksum(pseudo_header + bytes(message)).to_bytes(2, "big")
            return ipv6_packet(src, dst, IpProtocol.ICMPV6, bytes(message), hop_limit=icmp.TTL, traffic_class=0)
        case _:
            raise TypeError(f"{src} and {dst} are of different families")
