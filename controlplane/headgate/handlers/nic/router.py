# SPDX-License-Identifier: Apache-2.0
"""The part of a VNIC's router that takes more than tables: resolving neighbors and answering with ICMP errors.

Packets and the time go in, `Effect`s come out; nothing here touches a device.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from random import Random

from finsy import Action as TableAction
from finsy import MACAddress, P4TableEntry

from headgate.handlers.nic.effects import (
    DeleteNeighbor,
    Effect,
    Punt,
    SendFrame,
    WriteNeighbor,
)
from headgate.handlers.nic.router_view import RouterView
from headgate.metrics import Metrics
from headgate.protocols import arp, icmp, nd
from headgate.protocols.errors import DecodeError
from headgate.protocols.ethernet import EtherType, Frame
from headgate.protocols.icmp import IcmpError
from headgate.protocols.ip import Ipv4Packet, Ipv6Packet
from headgate.protocols.neighbor_cache import (
    Action,
    Forget,
    GiveUp,
    Lose,
    NeighborCache,
    NeighborLimits,
    NextHop,
    Resolve,
    Solicit,
)
from headgate.protocols.token_bucket import TokenBucket
from headgate.vocabulary import PacketOutMode, PuntReason

_ERRORS = {
    PuntReason.TTL_EXPIRED: IcmpError.TIME_EXCEEDED,
    PuntReason.PACKET_TOO_BIG: IcmpError.PACKET_TOO_BIG,
    PuntReason.NO_ROUTE: IcmpError.NO_ROUTE,
}


@dataclass(frozen=True, slots=True)
class RouterLimits:
    """What one router may spend.

    Attributes:
        neighbors: See `NeighborLimits`.
        icmp_errors_per_s: ICMP errors it sends on average (RFC 1812 4.3.2.8, RFC 4443 2.4(f)).
        icmp_errors_burst: As many at once, for a traceroute to get through.
    """

    neighbors: NeighborLimits = field(default_factory=NeighborLimits)
    icmp_errors_per_s: int = 100
    icmp_errors_burst: int = 10


class Router:
    """One VNIC's router: its neighbors, and its share of ICMP errors. `now_ns` is a monotonic clock's."""

    def __init__(
        self, view: RouterView, metrics: Metrics, now_ns: int, *, limits: RouterLimits, random: Random
    ) -> None:
        self._view = view
        self._metrics = metrics
        self._neighbors = NeighborCache(limits.neighbors, random)
        self._icmp_errors = TokenBucket(limits.icmp_errors_per_s, limits.icmp_errors_burst, now_ns)

    @property
    def next_deadline_ns(self) -> int | None:
        """When `expire` is due; None where nothing is waited for."""
        return self._neighbors.next_deadline_ns

    @property
    def known_neighbors(self) -> int:
        """How many neighbors have been found."""
        return len(self._neighbors) - self._neighbors.unresolved

    @property
    def unresolved_neighbors(self) -> int:
        """How many neighbors are being asked for, and may not be there at all."""
        return self._neighbors.unresolved

    def adopt(self, entry: P4TableEntry, now_ns: int) -> None:
        """Take over a neighbor that an earlier controller learned, from the entry that reconciliation left in place."""
        if isinstance(entry.action, TableAction):
            next_hop = NextHop(entry["vlan_id"], entry["next_hop"])
            self._neighbors.adopt(next_hop, MACAddress(entry.action.args["dst_mac"]), now_ns)

    def refused(self, next_hop: NextHop) -> None:
        """The device did not take a neighbor's entry: the neighbor is unknown again."""
        self._neighbors.discard(next_hop)

    def waiting(self) -> list[SendFrame]:
        """What waits for an answer, to be routed afresh: under another configuration, the way may be another."""
        return [self._route(next_hop.vlan_id, frame) for next_hop, frame in self._neighbors.waiting()]

    def punted(self, punt: Punt, now_ns: int) -> list[Effect]:
        """What to do about a packet that the data plane could not deal with alone."""
        try:
            frame = Frame.parse(punt.frame)
            match punt.reason:
                case PuntReason.NEIGHBOR_MISS:
                    return self._miss(frame, punt, now_ns)
                case PuntReason.NEIGHBOR_HEARD:
                    return self._heard(frame, punt.vlan_id, now_ns)
                case PuntReason.TTL_EXPIRED | PuntReason.PACKET_TOO_BIG | PuntReason.NO_ROUTE as reason:
                    return self._answer(_ERRORS[reason], frame, punt.vlan_id, now_ns)
                case other:
                    raise DecodeError("packet-in", f"{other.name} is no reason to ask a router")
        except DecodeError as error:
            self._metrics.malformed(error.layer)
            return []

    def expire(self, now_ns: int) -> list[Effect]:
        """What is due at `now_ns`."""
        return self._carry_out(self._neighbors.expire(now_ns), now_ns)

    # ---- neighbors

    def _miss(self, frame: Frame, punt: Punt, now_ns: int) -> list[Effect]:
        family = type(_parse_ip(frame).dst)
        next_hop = NextHop(punt.vlan_id, family(punt.next_hop))
        if self._view.source_towards(next_hop) is None:
            self._metrics.frame_lost("not_a_neighbor")
            return []
        return self._carry_out(self._neighbors.miss(next_hop, punt.frame, now_ns), now_ns)

    def _heard(self, frame: Frame, vlan_id: int, now_ns: int) -> list[Effect]:
        if frame.ether_type == EtherType.ARP:
            reply = arp.ArpPacket.parse(frame.payload)
            if reply.operation != arp.ArpOperation.REPLY:
                raise DecodeError("ARP", f"operation {reply.operation} is not a reply")
            address, mac, solicited, override = reply.sender_ip, reply.sender_mac, True, True
        else:
            advertisement = nd.NeighborAdvertisement.parse(Ipv6Packet.parse(frame.payload))
            address, mac = advertisement.target, advertisement.target_mac
            solicited, override = advertisement.solicited, advertisement.override

        next_hop = NextHop(vlan_id, address)
        if self._view.source_towards(next_hop) is None or (mac is not None and not self._is_station(mac)):
            self._metrics.neighbor_message_ignored()
            return []
        actions = self._neighbors.heard(next_hop, mac, solicited=solicited, override=override, now_ns=now_ns)
        return self._carry_out(actions, now_ns)

    def _is_station(self, mac: MACAddress) -> bool:
        """Whether somebody else can be reached at `mac`."""
        return not (mac.is_multicast or mac.is_unspecified or mac in self._view.macs)

    def _carry_out(self, actions: list[Action], now_ns: int) -> list[Effect]:
        return [effect for action in actions for effect in self._effects(action, now_ns)]

    def _effects(self, action: Action, now_ns: int) -> list[Effect]:
        match action:
            case Solicit(next_hop, to):
                return self._solicit(next_hop, to)
            case Resolve(next_hop, mac, waiting):
                frames = tuple(self._route(next_hop.vlan_id, frame) for frame in waiting)
                self._metrics.resolution("resolved")
                return [WriteNeighbor(next_hop, self._view.entry(next_hop, mac), frames)]
            case Forget(next_hop):
                self._metrics.resolution("lost")
                return [DeleteNeighbor(self._view.key(next_hop))]
            case GiveUp(next_hop, waiting):
                self._metrics.resolution("failed")
                return self._answer_all(IcmpError.NEIGHBOR_UNREACHABLE, waiting, next_hop.vlan_id, now_ns)
            case Lose(_, reason):
                self._metrics.frame_lost(reason.value)
                return []

    def _solicit(self, next_hop: NextHop, to: MACAddress | None) -> list[Effect]:
        match next_hop.address, self._view.source_towards(next_hop):
            case IPv4Address() as target, IPv4Address() as source:
                frame = arp.request(self._view.macs[0], source, target, to)
            case IPv6Address() as target, IPv6Address() as source:
                frame = nd.solicitation(self._view.macs[0], source, target, to)
            case _:
                return []
        return [SendFrame(PacketOutMode.TRANSMIT, self._view.vnic.vnic_id, next_hop.vlan_id, frame.pack())]

    # ---- ICMP errors

    def _answer_all(self, error: IcmpError, frames: tuple[bytes, ...], vlan_id: int, now_ns: int) -> list[Effect]:
        return [effect for frame in frames for effect in self._answer(error, Frame.parse(frame), vlan_id, now_ns)]

    def _answer(self, error: IcmpError, frame: Frame, vlan_id: int, now_ns: int) -> list[Effect]:
        packet = _parse_ip(frame)
        source = self._view.source_of_error(packet.src, vlan_id)
        refusal = icmp.refusal(icmp.Subject(packet, frame.dst), error, self._view.subnet_broadcasts)
        if refusal is not None:
            self._metrics.icmp_suppressed(error, refusal.value)
        elif source is None:
            self._metrics.icmp_suppressed(error, "no_source_address")
        elif not self._icmp_errors.take(now_ns):
            self._metrics.icmp_suppressed(error, "rate_limited")
        else:
            self._metrics.icmp_sent(error)
            mtu_bytes = self._view.mtu_bytes if error is IcmpError.PACKET_TOO_BIG else 0
            answer = icmp.error_packet(packet, error, source, mtu_bytes=mtu_bytes)
            # Routed like anything else the router passes on: as if it had come in at the router's own address.
            reply = Frame(self._view.macs[0], self._view.macs[0], frame.ether_type, answer)
            return [self._route(vlan_id, reply.pack())]
        return []

    def _route(self, vlan_id: int, frame: bytes) -> SendFrame:
        return SendFrame(PacketOutMode.ROUTE, self._view.vnic.vnic_id, vlan_id, frame)


def _parse_ip(frame: Frame) -> Ipv4Packet | Ipv6Packet:
    match frame.ether_type:
        case EtherType.IPV4:
            return Ipv4Packet.parse(frame.payload)
        case EtherType.IPV6:
            return Ipv6Packet.parse(frame.payload)
        case _:
            raise DecodeError("IP", f"EtherType {frame.ether_type:#06x} is neither IPv4's nor IPv6's")
