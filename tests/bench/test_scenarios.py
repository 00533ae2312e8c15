# SPDX-License-Identifier: Apache-2.0
"""The scenarios: the same every time, and every packet of a trace is forwarded, on port 1, as its flow's entry says."""

from __future__ import annotations

import struct

import pytest

from bench import router, vxlan
from bench.equality import difference
from bench.frames import internet_checksum, udp_frame
from bench.measure import Plan
from bench.peers import ovs, plain_c, swx
from bench.peers.plain_c import PlainC, compile_c
from bench.scenario import ENTROPY_BYTES, Scenario, router_scenario, scenarios, vxlan_scenario
from bench.shuffle import scattered
from softnic.inputs import read_p4info, read_program
from softnic.offline import offline_engine
from softnic.pcap import read_pcap

SMALL = [router_scenario(16, 128), router_scenario(64, 64), vxlan_scenario(16, 64, goal_mpps=8.0)]


def sent(scenario: Scenario) -> list[tuple[int, bytes]]:
    engine = offline_engine(
        read_program(scenario.program_json), read_p4info(scenario.p4info), scenario.writes().updates, cpu_port=510
    )
    return [(output.port, output.data) for frame in scenario.trace for output in engine.process(0, frame)]


@pytest.mark.parametrize("scenario", SMALL, ids=lambda scenario: scenario.name)
def test_every_packet_leaves_once_on_the_other_port(scenario):
    outputs = sent(scenario)
    assert [port for port, _ in outputs] == [1] * len(scenario.trace)


@pytest.mark.parametrize("scenario", SMALL, ids=lambda scenario: scenario.name)
def test_every_ipv4_header_that_leaves_has_a_right_checksum(scenario):
    assert {internet_checksum(data[14:34]) for _, data in sent(scenario)} == {0}


def test_a_routed_packet_has_one_hop_less_and_the_macs_of_its_next_hop():
    scenario = SMALL[0]
    assert isinstance(scenario.facts, router.Router)
    macs = {(hop.dst_mac.to_bytes(6), hop.src_mac.to_bytes(6)) for hop in scenario.facts.nexthops}
    outputs = [data for _, data in sent(scenario)]
    assert {(data[:6], data[6:12]) for data in outputs} == macs
    assert {data[22] for data in outputs} == {63}


def test_an_encapsulated_packet_carries_the_whole_frame_behind_its_tunnels_header():
    scenario = SMALL[2]
    _, data = sent(scenario)[0]
    assert data[50:] == scenario.trace[0]
    (source_port,) = struct.unpack("!H", data[ENTROPY_BYTES])
    assert source_port >= 49152
    assert data[36:38] == (4789).to_bytes(2)


def test_a_quarter_of_the_flows_is_routed_by_a_prefix():
    lengths = [route.prefix_len for route in router.router(1024).routes]
    assert lengths.count(24) == 256
    assert lengths.count(32) == 768


@pytest.mark.parametrize("make", [lambda: router.router(65_536), lambda: vxlan.tunnels(4_096)], ids=["router", "vxlan"])
def test_facts_are_the_same_every_time_and_no_two_entries_have_one_key(make):
    facts = make()
    assert facts == make()
    keys = (
        [route.address for route in facts.routes]
        if isinstance(facts, router.Router)
        else [t.station_mac for t in facts]
    )
    assert len(set(keys)) == len(keys)


def test_scattering_is_a_permutation():
    assert sorted(scattered(index, bits=10) for index in range(1024)) == list(range(1024))


def test_scenarios_have_names_of_their_own():
    names = [scenario.name for scenario in scenarios()]
    assert len(set(names)) == len(names)


def test_a_trace_is_written_as_it_is(tmp_path):
    scenario = SMALL[1]
    with scenario.write_trace(tmp_path / "trace.pcap").open("rb") as stream:
        assert tuple(record.data for record in read_pcap(stream)) == scenario.trace


@pytest.mark.parametrize("frame_bytes", [64, 128, 1514])
def test_a_frame_has_the_length_asked_for_and_says_so(frame_bytes):
    frame = udp_frame(dst_mac=1, src_mac=2, src=3, dst=4, src_port=5, dst_port=6, frame_bytes=frame_bytes)
    assert len(frame) == frame_bytes
    assert struct.unpack_from("!H", frame, 16) == (frame_bytes - 14,)
    assert struct.unpack_from("!H", frame, 38) == (frame_bytes - 34,)


@pytest.mark.parametrize("scenario", SMALL, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize(
    "entries",
    [ovs.flows, plain_c.table_lines, lambda facts: [line for lines in swx.entries(facts).values() for line in lines]],
    ids=["ovs", "plain C", "rte_swx"],
)
def test_every_peer_has_an_entry_for_each_flow(scenario, entries):
    facts = scenario.facts
    flows = facts.routes if isinstance(facts, router.Router) else facts
    assert len(entries(facts)) >= len(flows)


# ---- equality -------------------------------------------------------------------------------------------------------

ROUTED, ENCAPSULATED = SMALL[0], SMALL[2]
PACKETS = [bytes(range(n, n + 60)) for n in range(3)]


def with_source_port(packet: bytes, port: int) -> bytes:
    return packet[: ENTROPY_BYTES.start] + port.to_bytes(2) + packet[ENTROPY_BYTES.stop :]


def test_the_same_packets_in_another_order_are_no_difference():
    assert difference(ROUTED, PACKETS, PACKETS[::-1], own_entropy=False) is None


@pytest.mark.parametrize(
    "actual", [PACKETS[:2], [*PACKETS, PACKETS[0]], [*PACKETS[:2], b"\0"]], ids=["less", "more", "other"]
)
def test_a_packet_missing_added_or_changed_is_a_difference(actual):
    assert difference(ROUTED, PACKETS, actual, own_entropy=False)


def test_source_ports_may_differ_only_where_the_hash_is_the_engines_own():
    actual = [with_source_port(packet, 50_000) for packet in PACKETS]
    assert difference(ENCAPSULATED, PACKETS, actual, own_entropy=True) is None
    assert difference(ENCAPSULATED, PACKETS, actual, own_entropy=False)
    assert difference(ROUTED, PACKETS, actual, own_entropy=True)


# ---- the yardstick --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(PlainC().missing() is not None, reason="no C compiler")
@pytest.mark.parametrize("scenario", SMALL, ids=lambda scenario: scenario.name)
def test_plain_c_sends_what_the_program_sends_byte_by_byte(scenario, tmp_path):
    assert PlainC().outputs(scenario, tmp_path) == [data for _, data in sent(scenario)]


@pytest.mark.skipif(PlainC().missing() is not None, reason="no C compiler")
def test_plain_c_tells_packets_and_time_of_each_window(tmp_path):
    windows = PlainC().windows(SMALL[0], tmp_path, Plan(2, 0.01, core=0, control_core=0))
    assert len(windows) == 2
    assert all(window.packets > 0 and window.wall_ns >= 10_000_000 for window in windows)


@pytest.mark.skipif(PlainC().missing() is not None, reason="no C compiler")
@pytest.mark.parametrize("program", ["generate", "forward"])
def test_the_programs_for_links_compile_without_a_warning(program, tmp_path):
    assert compile_c(program, ("trace",), tmp_path).exists()
