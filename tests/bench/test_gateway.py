# SPDX-License-Identifier: Apache-2.0
"""The gateway's bench: its packets are learned as headgate learns, and by the cache they come out as before."""

from __future__ import annotations

from functools import cache

import pytest

from bench.frames import internet_checksum
from bench.gateway.hit_path import agree
from bench.gateway.many_tenants import bumped, shares
from bench.gateway.rig import PROGRAM, Gateway, Learned, Learner, configuration
from bench.gateway.tenants import FABRIC_PORT, WAN_PORT, gateway_of
from bench.gateway.traffic import FRAME_BYTES, Arrival, Flow, flows_of, inbound, outbound, trace
from bench.process import PeerError
from headgate.config.gateway import GatewayConfig
from headgate.vocabulary import CPU_PORT
from softnic import ir
from softnic.inputs import read_program
from softnic.reference import ReferenceEngine

TENANTS, FLOWS = 4, 16
RULES = [0, 7]


@cache
def program() -> ir.Program:
    return read_program(PROGRAM)


def learned_by(config: GatewayConfig, *, answers: bool) -> tuple[Gateway, tuple[Flow, ...], Learned]:
    gateway = Gateway(program(), ReferenceEngine(program(), cpu_port=CPU_PORT))
    tables, _ = configuration(config)
    gateway.write(tables)
    flows = flows_of(TENANTS, FLOWS)
    return gateway, flows, Learner(gateway, config).open(flows, answers=answers)


def test_the_cache_sends_what_the_stages_send_in_either_direction():
    config = gateway_of(TENANTS, 7)
    gateway, flows, learned = learned_by(config, answers=True)
    packets = [outbound(flow) for flow in flows]
    packets += [inbound(flow, outside) for flow, outside in zip(flows, learned.outside, strict=True)]
    by_stages = list(gateway.process(packets))
    assert set(shares(gateway, config, packets).values()) == {0.0}
    gateway.write_encoded(learned.cache)
    assert list(gateway.process(packets)) == by_stages
    assert [output.port for output in by_stages] == [WAN_PORT] * FLOWS + [FABRIC_PORT] * FLOWS
    assert set(shares(gateway, config, packets).values()) == {1.0}


@pytest.mark.parametrize("rules", RULES)
def test_a_change_of_one_tenant_leaves_the_hits_of_all_others(rules):
    config = gateway_of(TENANTS, rules)
    gateway, flows, learned = learned_by(config, answers=False)
    gateway.write_encoded(learned.cache)
    packets = [outbound(flow) for flow in flows]
    assert shares(gateway, config, packets) == {1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0}
    gateway.write([bumped(config, 3)])
    assert shares(gateway, config, packets) == {1: 1.0, 2: 1.0, 3: 0.0, 4: 1.0}


def test_every_flow_has_sessions_mappings_and_an_entry_for_each_direction():
    _, _, learned = learned_by(gateway_of(TENANTS, 7), answers=True)
    assert len(learned.state) == FLOWS * (2 + 2)
    assert len(learned.cache) == FLOWS * 2


def test_flows_are_the_same_every_time_and_no_two_are_alike():
    flows = flows_of(1000, 65_536)
    assert flows == flows_of(1000, 65_536)
    assert len({(flow.tenant_id, flow.protocol, flow.inside) for flow in flows}) == len(flows)


@pytest.mark.parametrize("make", [outbound, lambda flow: inbound(flow, flow.inside)], ids=["out", "in"])
def test_frames_have_the_length_they_are_said_to_have_and_right_checksums(make):
    for flow in flows_of(2, 8):
        arrival: Arrival = make(flow)
        _, frame = arrival
        assert len(frame) == FRAME_BYTES
        assert internet_checksum(frame[14:34]) == 0


def test_a_trace_has_as_many_packets_of_each_flow():
    arrivals = [outbound(flow) for flow in flows_of(TENANTS, FLOWS)]
    packets = trace(arrivals)
    assert {packets.count(arrival) for arrival in arrivals} == {len(packets) // FLOWS}


@pytest.mark.parametrize(
    "actual", [[b"a"], [b"a", b"c"], [b"a", b"b", b"b"]], ids=["one missing", "another", "one too many"]
)
def test_what_is_not_sent_alike_is_not_measured(actual):
    agree("one", [b"a", b"b"], "other", [b"b", b"a"])
    with pytest.raises(PeerError, match="other"):
        agree("one", [b"a", b"b"], "other", actual)


def test_the_last_of_so_many_rules_lets_packets_out():
    config = gateway_of(TENANTS, 100)
    assert all(len(tenant.firewall.rules) == 100 for tenant in config.tenants if tenant.firewall)
    assert all(tenant.firewall is None and tenant.nat is None for tenant in gateway_of(TENANTS, 0).tenants)
