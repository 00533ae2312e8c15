# SPDX-License-Identifier: Apache-2.0
"""NAT mappings for packets that have none, and ICMP errors about packets that have one."""

from __future__ import annotations

from random import Random

import pytest
from finsy import GRPCStatusCode
from flow_samples import sample
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from headgate.handlers.gateway.entries import MAPPING_IN, MAPPING_OUT, Entry
from headgate.handlers.gateway.flow_cache import DELETE, INSERT, MODIFY, RECENT_NS, Change
from headgate.handlers.gateway.flow_index import FlowIndex
from headgate.handlers.gateway.icmp_errors import translate_error
from headgate.handlers.gateway.nat_ports import Pool
from headgate.handlers.gateway.synthesis import Timeouts
from headgate.handlers.gateway.translation import WAITING_FRAMES, Translation, Untranslated
from headgate.protocols.errors import DecodeError
from headgate.vocabulary import FlowResult

SECOND_NS = 1_000_000_000
RED = b"\0\1"
OUTSIDE = "203.0.113.1"
POOLS = {(RED, 1): Pool((bytes((203, 0, 113, 1)),), 5000, 5001)}
TIMEOUTS = Timeouts()
ENDPOINT = bytes.fromhex("0001 11 0a000001 03e8")


class Model:
    """Translation with a device that does all it is told."""

    def __init__(self) -> None:
        self.translation = Translation(POOLS, TIMEOUTS, 120 * SECOND_NS, Random(1))
        self.index = FlowIndex(self.translation.mappings)
        self.now_ns = 0
        self.held: dict[tuple[str, bytes], Entry] = {}

    def punt(self, packet: Untranslated) -> list[Untranslated]:
        """Returns: what is submitted again."""
        changes, ready = self.translation.punted(packet, self.now_ns)
        return ready + self.carry_out(changes)

    def carry_out(self, changes: list[Change]) -> list[Untranslated]:
        for change in changes:
            place = (change.entry.table, change.entry.key)
            assert (place in self.held) == (change.type != INSERT), f"{change} would fail"
            if change.type == DELETE:
                del self.held[place]
            else:
                self.held[place] = change.entry
        return self.translation.written(changes, self.now_ns)

    def idle(self) -> None:
        """A notice of each mapping."""
        entries = [entry for (table, _), entry in self.held.items() if table == MAPPING_OUT]
        self.carry_out(self.translation.idle(entries, self.index, self.now_ns))


@pytest.fixture
def model() -> Model:
    return Model()


def untranslated(packet: Packet) -> Untranslated:
    return Untranslated(1, 1, 1, 1, bytes(Ether() / packet))


def datagram(sport: int = 1000) -> Untranslated:
    return untranslated(IP(src="10.0.0.1", dst="198.51.100.1") / UDP(sport=sport, dport=53) / b"data")


def test_a_packet_without_a_mapping_goes_on_once_both_directions_are_written(model: Model) -> None:
    packet = datagram()
    assert model.punt(packet) == [packet]
    assert {table for table, _ in model.held} == {MAPPING_IN, MAPPING_OUT}
    out = model.held[MAPPING_OUT, ENDPOINT]
    back = model.held[MAPPING_IN, RED + b"\x11" + b"".join(out.args)]
    assert back.args == (ENDPOINT[3:7], ENDPOINT[7:])


def test_packets_that_come_while_the_mapping_is_written_wait_and_the_oldest_give_way(model: Model) -> None:
    changes, _ = model.translation.punted(datagram(), 0)
    later = [untranslated(IP(src="10.0.0.1") / UDP(sport=1000) / bytes([number])) for number in range(WAITING_FRAMES)]
    assert all(model.translation.punted(packet, 0) == ([], []) for packet in later)
    assert model.carry_out(changes) == later
    assert model.translation.counts["queue_full"] == 1


def test_a_packet_that_was_on_its_way_when_the_mapping_was_written_goes_on_at_once(model: Model) -> None:
    model.punt(datagram())
    packet = datagram()
    assert model.translation.punted(packet, RECENT_NS - 1) == ([], [packet])


def test_a_mapping_the_device_has_lost_is_written_again(model: Model) -> None:
    model.punt(datagram())
    changes, ready = model.translation.punted(datagram(), RECENT_NS)
    assert ([change.type for change in changes], ready) == ([MODIFY, MODIFY], [])


def test_a_mapping_that_the_device_refuses_is_taken_back_with_what_waits(model: Model) -> None:
    changes, _ = model.translation.punted(datagram(), 0)
    instead = model.translation.refused(changes[0], GRPCStatusCode.RESOURCE_EXHAUSTED, 0)
    assert [change.type for change in instead] == [DELETE, DELETE]
    assert model.translation.written(changes[1:], 0) == []
    assert (len(model.translation.mappings), model.translation.counts["frames_lost"]) == (0, 1)


@pytest.mark.parametrize(
    "packet",
    [
        IP(src="10.0.0.1") / ICMP(type=0, id=5) / bytes(8),
        IP(src="10.0.0.1", proto=47) / bytes(8),
        IP(src="10.0.0.1", frag=3, proto=17) / bytes(8),
        IP(src="10.0.0.1", proto=17) / bytes(3),
    ],
    ids=["echo reply", "gre", "later fragment", "cut short"],
)
def test_what_has_no_ports_gets_no_mapping(model: Model, packet: Packet) -> None:
    assert model.punt(untranslated(packet)) == []
    assert (model.held, model.translation.counts["malformed"]) == ({}, 1)


def test_an_echo_request_is_mapped_by_its_identifier(model: Model) -> None:
    model.punt(untranslated(IP(src="10.0.0.1") / ICMP(id=0x1234)))
    assert (MAPPING_OUT, bytes.fromhex("0001 01 0a000001 1234")) in model.held


def test_an_unused_mapping_is_given_back_when_it_is_idle(model: Model) -> None:
    model.punt(datagram())
    model.idle()
    assert (model.held, len(model.translation.mappings)) == ({}, 0)


def test_a_mapping_stays_while_a_cached_flow_uses_it_and_its_timeout_after(model: Model) -> None:
    model.punt(datagram())
    flow = sample(protocol=17, result=FlowResult.TRANSLATE, new_src_addr=OUTSIDE, new_src_port=5000)
    model.index.add_flow(flow.flow, flow.epochs, flow.session)
    model.now_ns = 2 * TIMEOUTS.udp_ns
    model.idle()
    assert len(model.held) == 2
    model.index.remove_flow(flow.flow, model.now_ns)
    model.now_ns += TIMEOUTS.udp_ns - 1
    model.idle()
    assert len(model.held) == 2
    model.now_ns += 1
    model.idle()
    assert model.held == {}


def test_a_mapping_stays_while_a_connection_uses_it(model: Model) -> None:
    model.punt(datagram())
    model.index.add_connection(sample(protocol=17).session)
    model.idle()
    assert len(model.held) == 2


def test_a_restart_takes_mappings_over(model: Model) -> None:
    model.punt(datagram())
    again = Model()
    assert again.translation.adopt(model.held.values()) == []
    assert again.translation.mappings == model.translation.mappings


@pytest.mark.parametrize("left", [MAPPING_IN, MAPPING_OUT])
def test_a_restart_deletes_half_a_mapping(model: Model, left: str) -> None:
    model.punt(datagram())
    [half] = [entry for (table, _), entry in model.held.items() if table == left]
    assert Model().translation.adopt([half]) == [Change(DELETE, Entry(left, half.key))]


def test_mappings_of_a_pool_that_is_gone_are_deleted(model: Model) -> None:
    model.punt(datagram())
    model.carry_out(model.translation.configure({}, TIMEOUTS, 0))
    assert model.held == {}


# ---- ICMP errors


def error_about(quoted: Packet, length: int | None = None, **outer: object) -> bytes:
    """An unreachable from the outside about a packet as it was there."""
    quotation = bytes(quoted)[:length]
    packet = IP(src="198.51.100.9", dst=OUTSIDE, ttl=9, **outer) / ICMP(type=3, code=1) / quotation
    return bytes(packet)


def sent(transport: Packet) -> Packet:
    return IP(bytes(IP(src=OUTSIDE, dst="198.51.100.1") / transport / b"some data"))


def inside_of(endpoint: bytes):
    return lambda outside: endpoint if outside[1:5] == bytes((203, 0, 113, 1)) else None


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        (UDP(sport=5000, dport=53), UDP(sport=1000, dport=53)),
        (UDP(sport=5000, dport=53, chksum=0), UDP(sport=1000, dport=53, chksum=0)),
        (TCP(sport=5000, dport=80, seq=7), TCP(sport=1000, dport=80, seq=7)),
        (ICMP(id=5000, seq=2), ICMP(id=1000, seq=2)),
    ],
    ids=["udp", "udp without checksum", "tcp", "echo"],
)
def test_an_error_quotes_the_packet_as_the_inside_host_sent_it(outside: Packet, inside: Packet) -> None:
    quoted = sent(outside)
    endpoint = RED + bytes([quoted.proto]) + bytes((10, 0, 0, 1)) + (1000).to_bytes(2, "big")
    error = translate_error(error_about(quoted), inside_of(endpoint))
    assert error is not None
    expected = IP(src="198.51.100.9", dst="10.0.0.1", ttl=8) / ICMP(type=3, code=1)
    original = bytes(IP(src="10.0.0.1", dst="198.51.100.1") / inside / b"some data")
    assert error.packet == bytes(expected / original)


def test_an_error_that_quotes_eight_bytes_is_translated_without_the_checksum_it_does_not_have() -> None:
    quoted = sent(TCP(sport=5000, dport=80, seq=7))
    error = translate_error(error_about(quoted, 28), inside_of(bytes.fromhex("0001 06 0a000001 03e8")))
    assert error is not None
    assert error.packet[-28:][12:16] == bytes((10, 0, 0, 1))
    assert error.packet[-8:] == (1000).to_bytes(2, "big") + bytes(quoted)[22:28]


def test_the_session_of_an_error_is_the_quoted_packets() -> None:
    error = translate_error(error_about(sent(UDP(sport=5000, dport=53))), inside_of(ENDPOINT))
    assert error is not None
    assert error.session == bytes.fromhex("0001 0a000001 c6336401 11 03e8 0035")


def test_an_error_about_nobodys_packet_goes_nowhere() -> None:
    stranger = IP(src="203.0.113.99", dst="198.51.100.1") / UDP(sport=5000, dport=53) / b"data"
    assert translate_error(error_about(stranger), inside_of(ENDPOINT)) is None


@pytest.mark.parametrize("length", range(28))
def test_an_error_whose_quotation_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(DecodeError):
        translate_error(error_about(sent(UDP(sport=5000)), length), inside_of(ENDPOINT))


def test_an_error_with_a_wrong_checksum_is_refused() -> None:
    spoiled = bytearray(error_about(sent(UDP(sport=5000))))
    spoiled[-1] ^= 1
    with pytest.raises(DecodeError, match="whole"):
        translate_error(bytes(spoiled), inside_of(ENDPOINT))
