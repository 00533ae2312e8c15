# SPDX-License-Identifier: Apache-2.0
"""What the routers of a gateway do beyond their tables: neighbors, ICMP errors, answers for their own addresses.

Packets and the time go in, `Effect`s come out; nothing here touches a device.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from random import Random

from finsy import Action, MACAddress, P4TableEntry

from headgate.config.gateway import GatewayConfig
from headgate.config.scalars import IpAddress
from headgate.handlers.gateway.answers import Answers, parse_ip
from headgate.handlers.gateway.effects import Effect, Punted, SendFrame, WriteNeighbor
from headgate.handlers.gateway.links import Link, Links, place_in
from headgate.handlers.gateway.neighbors import LinkNeighbors, NextHopIds
from headgate.metrics import Metrics
from headgate.protocols.errors import DecodeError
from headgate.protocols.ethernet import Frame
from headgate.protocols.icmp import IcmpError
from headgate.protocols.neighbor_cache import NeighborLimits
from headgate.systems.entity import LEARNED
from headgate.systems.gateway.hops import next_hops
from headgate.systems.gateway.ids import Ids
from headgate.vocabulary import PuntReason

_ERRORS = {
    PuntReason.TTL_EXPIRED: IcmpError.TIME_EXCEEDED,
    PuntReason.PACKET_TOO_BIG: IcmpError.PACKET_TOO_BIG,
    PuntReason.NO_ROUTE: IcmpError.NO_ROUTE,
}


class GatewayRouter:
    """All routers of one gateway. `now_ns` is a monotonic clock's."""

    def __init__(
        self,
        config: GatewayConfig,
        metrics: Metrics,
        now_ns: int,
        *,
        limits: NeighborLimits | None = None,
        random: Random | None = None,
    ) -> None:
        self._metrics = metrics
        self._random = random or Random()
        self._limits = limits or NeighborLimits()
        self._links = Links.of(config)
        configured = Ids.of(config).next_hops
        hops = {configured[identity]: hop for identity, hop in next_hops(config).items()}
        self._neighbor_of = {
            number: (self._links.by_name[hop.identity.rpartition(" ")[0]], hop.address) for number, hop in hops.items()
        }
        self._ids = NextHopIds(configured)
        self._answers = Answers(
            self._links, lambda number: hops[number].place.mtu_bytes if number in hops else 0, metrics, now_ns
        )
        self._neighbors: dict[str, LinkNeighbors] = {}

    @property
    def known_neighbors(self) -> int:
        """How many neighbors have been found."""
        return sum(neighbors.known for neighbors in self._neighbors.values())

    @property
    def unresolved_neighbors(self) -> int:
        """How many neighbors are being asked for."""
        return sum(neighbors.unresolved for neighbors in self._neighbors.values())

    def adopt(self, next_hop: P4TableEntry, now_ns: int) -> None:
        """Take over a next hop that an earlier controller learned, from the entry that reconciliation left in place."""
        identity = next_hop.metadata.removeprefix(LEARNED + b" ").decode(errors="replace")
        name, _, address = identity.rpartition(" ")
        link = self._links.by_name.get(name)
        if link is None or not isinstance(next_hop.action, Action):
            return
        self._ids.adopt(identity, next_hop["next_hop_id"])
        args = next_hop.action.args
        if "dst_mac" in args:
            place = place_in(link, args.get("tunnel_id", 0), args.get("network_id", 0))
            self._neighbors_on(link).adopt(ip_address(address), MACAddress(args["dst_mac"]), place, now_ns)

    def refused(self, effect: WriteNeighbor) -> None:
        """The device did not take a neighbor's entries: it is unknown again."""
        self._metrics.frame_lost("neighbor_refused", len(effect.waiting))
        self._neighbors_on(effect.link).refused(effect.address)

    def waiting(self) -> list[SendFrame]:
        """What waits for an answer, to be routed afresh: under another configuration, the way may be another."""
        return [frame for neighbors in self._neighbors.values() for frame in neighbors.waiting()]

    def expire(self, now_ns: int) -> list[Effect]:
        """What is due at `now_ns`."""
        return [effect for neighbors in self._neighbors.values() for effect in neighbors.expire(now_ns)]

    def punted(self, punted: Punted, now_ns: int) -> list[Effect]:
        """What to do about a packet that the pipeline could not deal with alone."""
        try:
            match punted.reason:
                case PuntReason.NEIGHBOR_MISS:
                    return self._miss(punted, now_ns)
                case PuntReason.NEIGHBOR_HEARD:
                    return self._heard(punted, now_ns)
                case PuntReason.TTL_EXPIRED | PuntReason.PACKET_TOO_BIG | PuntReason.NO_ROUTE as reason:
                    return [*self._answers.error(_ERRORS[reason], punted, now_ns)]
                case PuntReason.LOCAL:
                    return [*self._answers.local(punted)]
                case _:
                    raise DecodeError("packet-in", f"reason {punted.reason.name} is not a router's")
        except DecodeError as error:
            self._metrics.malformed(error.layer)
            return []

    def _miss(self, punted: Punted, now_ns: int) -> list[Effect]:
        """The next hop is known by its number, or else by its address in a segment. One without an address stands for
        all of an uplink's prefix: it is the packet's destination that is looked for."""
        fields = punted.fields
        found = self._neighbor_with(fields["next_hop_id"])
        if found is None:
            link = self._links.segments.get((fields["tenant_id"], fields["out_segment_id"]))
            version = parse_ip(Frame.parse(punted.frame)).src.version
            if link is None:
                self._metrics.frame_lost("not_a_neighbor")
                return []
            found = link, IPv4Address(fields["next_hop"]) if version == 4 else IPv6Address(fields["next_hop"])
        link, address = found
        if address.is_unspecified:
            address = parse_ip(Frame.parse(punted.frame)).dst
        if link.owns(address):  # in a segment that the packet did not come in by
            return [*self._answers.local(punted)]
        return self._neighbors_on(link).miss(address, punted, now_ns)

    def _neighbor_with(self, next_hop_id: int) -> tuple[Link, IpAddress] | None:
        learned = self._ids.learned_identity(next_hop_id)
        if learned is None:
            return self._neighbor_of.get(next_hop_id)
        name, _, address = learned.rpartition(" ")
        return self._links.by_name[name], ip_address(address)

    def _heard(self, punted: Punted, now_ns: int) -> list[Effect]:
        frame = Frame.parse(punted.frame)
        link = self._answers.link_of(punted, frame)
        if link is None:
            self._metrics.neighbor_message_ignored()
            return []
        return self._neighbors_on(link).heard(frame, punted, now_ns)

    def _neighbors_on(self, link: Link) -> LinkNeighbors:
        if link.name not in self._neighbors:
            self._neighbors[link.name] = LinkNeighbors(
                link, self._ids, self._answers, self._metrics, limits=self._limits, random=self._random
            )
        return self._neighbors[link.name]
