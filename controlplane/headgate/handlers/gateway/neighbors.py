# SPDX-License-Identifier: Apache-2.0
"""The neighbors on one link: who is asked for, where they are, and who asks for the gateway itself.

A neighbor's next hop keeps its number, for cached flows know it by that alone: one that moves, or is lost and found
again, is modified in place. Packets and the time go in, `Effect`s come out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from random import Random

from finsy import MACAddress, P4TableEntry

from headgate.config.gateway import InTunnel, OnInterface, Place
from headgate.config.scalars import IpAddress
from headgate.handlers.gateway.answers import Answers
from headgate.handlers.gateway.effects import RESUBMITTED, Effect, Punted, SendFrame, WriteNeighbor
from headgate.handlers.gateway.links import Link, place_in
from headgate.metrics import Metrics
from headgate.protocols import arp, nd, neighbor_cache
from headgate.protocols.arp import ArpOperation, ArpPacket
from headgate.protocols.errors import DecodeError
from headgate.protocols.ethernet import EtherType, Frame, VlanTag
from headgate.protocols.icmp import IcmpError
from headgate.protocols.ip import IpProtocol, Ipv6Packet, ipv6_packet
from headgate.protocols.neighbor_cache import Forget, GiveUp, Lose, NeighborCache, NeighborLimits, Resolve, Solicit
from headgate.systems.entity import LEARNED
from headgate.systems.gateway.ids import MAX_CONFIGURED_NEXT_HOP_ID
from headgate.systems.gateway.next_hops import next_hop_entry
from headgate.vocabulary import PacketOutMode, PuntReason

_ONLY_LINK = 0
"""Each link has a cache of its own, so that a next hop of the cache needs no VLAN."""

_WAITING = struct.Struct("!HHH")
"""What stands before a frame that waits: `RESUBMITTED`."""


class NextHopIds:
    """The numbers of next hops. Of those that the configuration does not know, each gets one when it is first found."""

    def __init__(self, configured: Mapping[str, int]) -> None:
        self._configured = configured
        self._learned: dict[str, int] = {}
        self._identities: dict[int, str] = {}  # of the learned ones
        self._next = MAX_CONFIGURED_NEXT_HOP_ID + 1

    def adopt(self, identity: str, next_hop_id: int) -> None:
        """A next hop has had its number before."""
        if next_hop_id > MAX_CONFIGURED_NEXT_HOP_ID:
            self._learned[identity] = next_hop_id
            self._identities[next_hop_id] = identity
            self._next = max(self._next, next_hop_id + 1)

    def is_configured(self, identity: str) -> bool:
        return identity in self._configured

    def of(self, identity: str) -> int:
        """The number of a next hop, by its identity."""
        known = self._configured.get(identity) or self._learned.get(identity)
        if known is None:
            known = self._next
            self.adopt(identity, known)
        return known

    def learned_identity(self, next_hop_id: int) -> str | None:
        """Whose number one is that the configuration does not know."""
        return self._identities.get(next_hop_id)


class LinkNeighbors:
    """The neighbors on one link. `now_ns` is a monotonic clock's."""

    def __init__(
        self,
        link: Link,
        ids: NextHopIds,
        answers: Answers,
        metrics: Metrics,
        *,
        limits: NeighborLimits,
        random: Random,
    ) -> None:
        self.link = link
        self._ids = ids
        self._answers = answers
        self._metrics = metrics
        self._cache = NeighborCache(limits, random)
        self._heard_at: dict[IpAddress, Place] = {}

    @property
    def next_deadline_ns(self) -> int | None:
        """When `expire` is due; None where nothing is waited for."""
        return self._cache.next_deadline_ns

    @property
    def known(self) -> int:
        """How many neighbors have been found."""
        return len(self._cache) - self._cache.unresolved

    @property
    def unresolved(self) -> int:
        """How many neighbors are being asked for."""
        return self._cache.unresolved

    def adopt(self, address: IpAddress, mac: MACAddress, place: Place | None, now_ns: int) -> None:
        """Take over a neighbor that an earlier controller learned."""
        if place is not None:
            self._heard_at[address] = place
        self._cache.adopt(_key(address), mac, now_ns)

    def refused(self, address: IpAddress) -> None:
        """The device did not take a neighbor's entries: it is unknown again."""
        self._cache.discard(_key(address))

    def waiting(self) -> list[SendFrame]:
        """What waits for an answer, to be routed afresh."""
        return [self._resubmit(waiting) for _, waiting in self._cache.waiting()]

    def expire(self, now_ns: int) -> list[Effect]:
        """What is due at `now_ns`."""
        return list(self._carry_out(self._cache.expire(now_ns), now_ns))

    def miss(self, address: IpAddress, punted: Punted, now_ns: int) -> list[Effect]:
        """The data plane has a packet for a neighbor and does not know where that is."""
        if self.link.source_towards(address) is None:
            self._metrics.frame_lost("not_a_neighbor")
            return []
        waiting = _WAITING.pack(*(punted.fields[name] for name in RESUBMITTED)) + punted.frame
        return list(self._carry_out(self._cache.miss(_key(address), waiting, now_ns), now_ns))

    def heard(self, frame: Frame, punted: Punted, now_ns: int) -> list[Effect]:
        """ARP or neighbor discovery came in by the link. Raises: DecodeError."""
        place = place_in(self.link, punted.fields["tunnel_id"], punted.fields["network_id"])
        if place is None or self.link.mac is None:
            self._metrics.neighbor_message_ignored()
            return []
        if frame.ether_type == EtherType.ARP:
            return self._arp(ArpPacket.parse(frame.payload), place, now_ns)
        packet = Ipv6Packet.parse(frame.payload)
        if packet.payload[:1] == bytes((nd.NdType.NEIGHBOR_SOLICITATION,)):
            return self._solicited(packet, frame, place)
        message = nd.NeighborAdvertisement.parse(packet)
        return self._spoke(
            message.target,
            message.target_mac,
            place,
            solicited=message.solicited,
            override=message.override,
            now_ns=now_ns,
        )

    def _arp(self, packet: ArpPacket, place: Place, now_ns: int) -> list[Effect]:
        effects: list[Effect] = []
        if packet.operation == ArpOperation.REQUEST and self.link.answers_for(packet.target_ip):
            effects.append(self._arp_reply(packet, place))
        solicited = packet.operation == ArpOperation.REPLY
        if packet.sender_ip.is_unspecified:  # a probe, RFC 5227 2.1.1
            return effects
        return effects + self._spoke(
            packet.sender_ip, packet.sender_mac, place, solicited=solicited, override=True, now_ns=now_ns
        )

    def _arp_reply(self, request: ArpPacket, place: Place) -> SendFrame:
        mac = self._mac
        reply = ArpPacket(ArpOperation.REPLY, mac, request.target_ip, request.sender_mac, request.sender_ip)
        return self._send(Frame(request.sender_mac, mac, EtherType.ARP, reply.pack()), place)

    def _solicited(self, packet: Ipv6Packet, frame: Frame, place: Place) -> list[Effect]:
        """RFC 4861 7.2.3 and 7.2.4. Who asks from :: looks for another with his address, and is answered to all."""
        solicitation = nd.NeighborSolicitation.parse(packet)
        if not self.link.owns(solicitation.target):
            return []
        all_nodes = IPv6Address("ff02::1")
        anonymous = packet.src.is_unspecified
        dst = all_nodes if anonymous else packet.src
        dst_mac = nd.multicast_mac(all_nodes) if anonymous else solicitation.source_mac or frame.src
        advertisement = nd.NeighborAdvertisement(
            solicitation.target, self._mac, router=True, solicited=not anonymous, override=True
        )
        message = advertisement.pack(solicitation.target, dst)
        answer = ipv6_packet(
            solicitation.target, dst, IpProtocol.ICMPV6, message, hop_limit=nd.HOP_LIMIT, traffic_class=0
        )
        return [self._send(Frame(dst_mac, self._mac, EtherType.IPV6, answer), place)]

    def _spoke(
        self,
        address: IpAddress,
        mac: MACAddress | None,
        place: Place,
        *,
        solicited: bool,
        override: bool,
        now_ns: int,
    ) -> list[Effect]:
        """A station says that an address is its own. It is believed if it was asked, or is known."""
        impossible = mac is not None and (mac.is_multicast or mac.is_unspecified or mac == self.link.mac)
        if self.link.source_towards(address) is None or impossible:
            self._metrics.neighbor_message_ignored()
            return []
        previous = self._heard_at.pop(address, None)
        self._heard_at[address] = place
        actions = self._cache.heard(_key(address), mac, solicited=solicited, override=override, now_ns=now_ns)
        if not any(isinstance(action, Resolve) for action in actions):
            del self._heard_at[address]
            if previous is not None:
                self._heard_at[address] = previous
        return list(self._carry_out(actions, now_ns))

    # ---- what the cache wants done

    def _carry_out(self, actions: list[neighbor_cache.Action], now_ns: int) -> Iterator[Effect]:
        for action in actions:
            match action:
                case Solicit(next_hop, to):
                    yield from self._solicit(next_hop.address, to)
                case Resolve(next_hop, mac, waiting):
                    yield from self._resolve(next_hop.address, mac, waiting)
                case Forget(next_hop):
                    self._metrics.resolution("lost")
                    yield from self._forget(next_hop.address)
                case GiveUp(_, waiting):
                    self._metrics.resolution("failed")
                    for each in waiting:
                        yield from self._unreachable(each, now_ns)
                case Lose(_, reason):
                    self._metrics.frame_lost(reason.value)

    def _solicit(self, address: IpAddress, to: MACAddress | None) -> Iterator[SendFrame]:
        match address, self.link.source_towards(address):
            case IPv4Address() as target, IPv4Address() as source:
                frame = arp.request(self._mac, source, target, to)
            case IPv6Address() as target, IPv6Address() as source:
                frame = nd.solicitation(self._mac, source, target, to)
            case _:
                return
        hop = self.link.next_hop(address, self._heard_at.get(address) if to is not None else None)
        for place in self.link.places if hop is None else (hop.place,):
            yield self._send(frame, place)

    def _resolve(self, address: IpAddress, mac: MACAddress, waiting: tuple[bytes, ...]) -> Iterator[WriteNeighbor]:
        entries = self._entries(address, mac)
        if entries:
            self._metrics.resolution("resolved")
            yield WriteNeighbor(self.link, address, entries, tuple(map(self._resubmit, waiting)))
        else:
            self._metrics.frame_lost("no_place", len(waiting))

    def _forget(self, address: IpAddress) -> Iterator[WriteNeighbor]:
        """From now on its packets are punted, and it is asked for again."""
        entries = self._entries(address, None)
        if entries:
            yield WriteNeighbor(self.link, address, entries[:1])

    def _entries(self, address: IpAddress, mac: MACAddress | None) -> tuple[P4TableEntry, ...]:
        """Its next hop; and where the configuration does not know it, the way there."""
        hop = self.link.next_hop(address, self._heard_at.get(address))
        if hop is None:
            return ()
        next_hop_id = self._ids.of(hop.identity)
        learned = next_hop_entry(hop, next_hop_id, learned_mac=str(mac) if mac is not None else None)
        if self._ids.is_configured(hop.identity):
            return (learned,)
        learned = replace(learned, metadata=LEARNED + b" " + hop.identity.encode())
        return learned, replace(self.link.way_to(address, next_hop_id), metadata=LEARNED)

    def _unreachable(self, waiting: bytes, now_ns: int) -> Iterator[Effect]:
        values = _WAITING.unpack_from(waiting)
        fields = dict(zip(RESUBMITTED, values, strict=True))
        punted = Punted(PuntReason.NEIGHBOR_MISS, waiting[_WAITING.size :], fields)
        try:
            yield from self._answers.error(IcmpError.NEIGHBOR_UNREACHABLE, punted, now_ns)
        except DecodeError as error:
            self._metrics.malformed(error.layer)

    def _resubmit(self, waiting: bytes) -> SendFrame:
        fields = dict(zip(RESUBMITTED, _WAITING.unpack_from(waiting), strict=True))
        return self._answers.again(waiting[_WAITING.size :], fields)

    @property
    def _mac(self) -> MACAddress:
        assert self.link.mac is not None, "a link without MAC addresses has no neighbors to resolve"
        return self.link.mac

    def _send(self, frame: Frame, place: Place) -> SendFrame:
        match place:
            case OnInterface(interface):
                if interface.vlan_id is not None:
                    frame = replace(frame, tags=(VlanTag(EtherType.VLAN, interface.vlan_id),))
                return SendFrame(PacketOutMode.SEND, frame.pack(), {"port": interface.port})
            case InTunnel(tunnel, network_id):
                fields = {"tunnel_id": tunnel.tunnel_id, "network_id": network_id}
                return SendFrame(PacketOutMode.ENCAPSULATE, frame.pack(), fields)


def _key(address: IpAddress) -> neighbor_cache.NextHop:
    return neighbor_cache.NextHop(_ONLY_LINK, address)
