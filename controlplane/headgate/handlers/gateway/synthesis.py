# SPDX-License-Identifier: Apache-2.0
"""From what the data plane says of one flow to the entries that spare it the slow path.

An exact entry holds for the packets of its flow: all that the stages look at, but for what no cached packet has (TCP
with SYN, FIN or RST, fragments, options, an expiring TTL), is in its key. An aggregate leaves out what no stage
consulted: had one of those fields been another, every stage would have decided the same, by the same fields, so that
each packet it matches would get the same result from the slow path. It is never wider: a consulted field is matched in
all its bits, for which of them mattered is not recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

from headgate.handlers.gateway.entries import ALL_FIELDS, Entry, consulted_fields
from headgate.handlers.gateway.keys import IPV4, IPV6, Family, reverse
from headgate.handlers.gateway.samples import FLOW, FORWARD, NEW, REFUSE, TRANSLATE, FlowSample

TCP, UDP, ICMP, ICMPV6 = (bytes((protocol,)) for protocol in (6, 17, 1, 58))

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long what is learned stays without use.

    Attributes:
        flow_ns: A cached result.
        tcp_established_ns: A TCP connection, and the NAT mapping it uses (RFC 5382 REQ-5: at least 2 h 4 min).
        tcp_transitory_ns: One that is being opened or was closed (RFC 5382 REQ-5: at least 4 min).
        udp_ns: Of UDP, and of all protocols without a timeout of their own (RFC 4787 REQ-5: at least 2 min).
        icmp_ns: Of ICMP echo (RFC 5508 REQ-2: at least 60 s).
    """

    flow_ns: int = 30 * _NS_PER_S
    tcp_established_ns: int = 7440 * _NS_PER_S
    tcp_transitory_ns: int = 240 * _NS_PER_S
    udp_ns: int = 300 * _NS_PER_S
    icmp_ns: int = 60 * _NS_PER_S

    def first(self, protocol: bytes) -> int:
        """Until a connection has proved itself: how often the device reports a session as idle."""
        return self.tcp_transitory_ns if protocol == TCP else self.lasting(protocol)

    def lasting(self, protocol: bytes) -> int:
        """Of a connection that has carried data."""
        if protocol == TCP:
            return self.tcp_established_ns
        return self.icmp_ns if protocol in (ICMP, ICMPV6) else self.udp_ns


def synthesise(sample: FlowSample, timeouts: Timeouts, *, aggregate: bool = True) -> list[Entry]:
    """The entries that a sample asks for, in the order in which a device should have them.

    A TCP connection proves itself by a packet after its SYN before it is given room in the cache; any other one has
    only the packets that are alike.
    """
    if sample.event == NEW:
        entries = list(session_entries(sample, timeouts))
        return entries if sample.protocol == TCP else [*entries, exact_entry(sample, timeouts)]
    if sample.event != FLOW:
        return []
    wide = aggregate_entry(sample, timeouts) if aggregate else None
    return [exact_entry(sample, timeouts)] if wide is None else [exact_entry(sample, timeouts), wide]


def family_of(sample: FlowSample) -> Family:
    return IPV4 if len(sample.src_addr) == IPV4.address_bytes else IPV6


def exact_entry(sample: FlowSample, timeouts: Timeouts) -> Entry:
    """What the packets of this flow get."""
    return _cached(family_of(sample).cache, sample.flow, sample, timeouts)


def aggregate_entry(sample: FlowSample, timeouts: Timeouts) -> Entry | None:
    """What all packets get that agree with this one in the consulted fields, or None where those are all there are.

    A translated packet's result has addresses and ports of this flow in it: no other flow's is the same.
    """
    mask = sample.consulted[0] & ALL_FIELDS
    if mask == ALL_FIELDS or sample.result == TRANSLATE:
        return None
    kept = consulted_fields(mask)
    fields = [value if place in kept else bytes(len(value)) for place, value in enumerate(sample[:7])]
    return _cached(family_of(sample).aggregate, b"".join((*fields, bytes((mask,)))), sample, timeouts)


def session_entries(sample: FlowSample, timeouts: Timeouts) -> tuple[Entry, Entry]:
    """The sessions of a connection's two ends. Answers are judged by the rules that let it begin, which name segments:
    so the responder's says from which one it was."""
    table, key = family_of(sample).sessions, sample.session
    timeout_ns = timeouts.first(sample.protocol)
    return (
        Entry(table, key, "originator", (), timeout_ns),
        Entry(table, reverse(key), "responder", (sample.segment_id,), timeout_ns),
    )


def _cached(table: str, key: bytes, sample: FlowSample, timeouts: Timeouts) -> Entry:
    epochs = (sample.epoch, sample.router_epoch)
    if sample.result == FORWARD:
        return Entry(table, key, "forward", (*epochs, sample.next_hop_id, sample.rule_id), timeouts.flow_ns)
    if sample.result == REFUSE:
        return Entry(table, key, "refuse", (*epochs, sample.reason, sample.rule_id), timeouts.flow_ns)
    translation = (sample.new_src_addr, sample.new_src_port, sample.new_dst_addr, sample.new_dst_port)
    return Entry(table, key, "translate", (*epochs, sample.next_hop_id, sample.rule_id, *translation), timeouts.flow_ns)
