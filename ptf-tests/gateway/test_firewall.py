# SPDX-License-Identifier: Apache-2.0
"""firewall: a tenant's rules, one packet at a time (for connections: test_firewall_sessions).

- The rule of largest priority decides; what no rule allows is refused. A rule sees its own tenant's packets only.
- A rule looks at addresses, protocol, ports and the segment a packet comes from, or that it comes from outside.
- What is reported says which fields the tenant's rules look at, and nothing that a session could turn.
- A later fragment has no ports.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6ExtHdrFragment

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, ether, probe, udp
from harness.gateway import gateway_test
from harness.gateway.counted import rule_hits
from harness.gateway.firewall import both_families, guarded, rule
from harness.gateway.flows import EVERY_FIELD, host_flow
from harness.gateway.flows import TCP as TCP_PROTOCOL
from harness.gateway.flows import UDP as UDP_PROTOCOL
from harness.gateway.ports import TRUNK, UPLINK
from harness.gateway.rack import (
    BLUE,
    HOST,
    RACK,
    RED,
    TRUNK_HOST,
    WORLD,
    WORLD_NEXT_HOP,
)
from harness.gateway.traffic import FROM_HOST, at_host, at_trunk, at_world, from_host, from_world
from headgate.vocabulary import Consulted, DropReason, FlowResult

RULE, OTHER_RULE = 3, 4


# ---- rules


@gateway_test(RACK, guarded(BLUE), ip=FAMILIES)
def test_what_no_rule_allows_is_refused(dut: Dut, ip: Family) -> None:
    observed = dut.send(BLUE.port, from_host(ip, WORLD[ip]))
    observed.assert_dropped(DropReason.FIREWALL_DENY)
    assert rule_hits(observed) == {}


@gateway_test(RACK, both_families(BLUE, "allow", RULE), ip=FAMILIES)
def test_rule_lets_pass_and_is_credited(dut: Dut, ip: Family) -> None:
    frame = from_host(ip, WORLD[ip])
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert rule_hits(observed) == {RULE: 1}


@gateway_test(RACK, both_families(BLUE, "deny", RULE), ip=FAMILIES)
def test_rule_refuses_and_is_credited(dut: Dut, ip: Family) -> None:
    observed = dut.send(BLUE.port, from_host(ip, WORLD[ip]))
    observed.assert_dropped(DropReason.FIREWALL_DENY)
    assert rule_hits(observed) == {RULE: 1}


@gateway_test(RACK, both_families(BLUE, "deny", RULE), ip=FAMILIES)
def test_other_tenant_with_the_same_addresses_is_none_of_the_rules_business(dut: Dut, ip: Family) -> None:
    frame = from_host(ip, WORLD[ip])
    observed = dut.send(RED.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert rule_hits(observed) == {}


@gateway_test(RACK, [*guarded(BLUE), *guarded(RED, *both_families(BLUE, "allow", RULE)[1:])], ip=FAMILIES)
def test_rule_of_one_tenant_allows_the_other_nothing(dut: Dut, ip: Family) -> None:
    dut.send(RED.port, from_host(ip, WORLD[ip])).assert_dropped(DropReason.FIREWALL_DENY)


ORDER = [
    *both_families(BLUE, "deny", RULE, priority=10),
    *both_families(BLUE, "allow", OTHER_RULE, priority=20, dst_port=(5000, 5000))[1:],
]


@gateway_test(RACK, ORDER, ip=FAMILIES)
def test_rule_of_larger_priority_goes_first(dut: Dut, ip: Family) -> None:
    passing, refused = from_host(ip, WORLD[ip]), from_host(ip, WORLD[ip], ports=(4000, 5001))
    observed = dut.send(BLUE.port, passing, refused)
    assert observed.frames == {UPLINK: [at_world(passing)]}
    assert observed.drops == {DropReason.FIREWALL_DENY: 1}
    assert rule_hits(observed) == {OTHER_RULE: 1, RULE: 1}


NETWORK_OF_HOST = {
    IPV4: ("10.1.0.0", "255.255.255.0"),
    IPV6: ("2001:db8:1::", "ffff:ffff:ffff:ffff::"),
}


FITTING: dict[str, Callable[[Family], dict[str, Any]]] = {
    "source": lambda ip: {"src_addr": HOST[ip]},
    "source_network": lambda ip: {"src_addr": NETWORK_OF_HOST[ip]},
    "destination": lambda ip: {"dst_addr": WORLD[ip]},
    "protocol": lambda _: {"protocol": UDP_PROTOCOL},
    "segment": lambda _: {"segment_id": BLUE.segment},
    "source_port": lambda _: {"src_port": (4000, 4000)},
    "first_source_port_of_a_range": lambda _: {"src_port": (4000, 4999)},
    "last_source_port_of_a_range": lambda _: {"src_port": (1, 4000)},
    "first_destination_port_of_a_range": lambda _: {"dst_port": (5000, 65535)},
    "last_destination_port_of_a_range": lambda _: {"dst_port": (0, 5000)},
    "everything_together": lambda ip: {
        "segment_id": BLUE.segment,
        "src_addr": HOST[ip],
        "dst_addr": WORLD[ip],
        "protocol": UDP_PROTOCOL,
        "src_port": (4000, 4000),
        "dst_port": (5000, 5000),
    },
}
NOT_FITTING: dict[str, Callable[[Family], dict[str, Any]]] = {
    "source": lambda ip: {"src_addr": TRUNK_HOST[ip]},
    "destination": lambda ip: {"dst_addr": HOST[ip]},
    "protocol": lambda _: {"protocol": TCP_PROTOCOL},
    "segment": lambda _: {"segment_id": BLUE.trunk_segment},
    "outside": lambda _: {"segment_id": (0, 0xFFFF)},
    "source_port_below": lambda _: {"src_port": (4001, 65535)},
    "source_port_above": lambda _: {"src_port": (0, 3999)},
    "destination_port_below": lambda _: {"dst_port": (5001, 65535)},
    "destination_port_above": lambda _: {"dst_port": (0, 4999)},
    "ports_the_other_way_around": lambda _: {"src_port": (5000, 5000), "dst_port": (4000, 4000)},
}


@gateway_test(RACK, guarded(BLUE), ip=FAMILIES, match=FITTING)
def test_rule_that_fits_decides(dut: Dut, ip: Family, match: Callable[[Family], dict[str, Any]]) -> None:
    dut.controller.write([+rule(BLUE, ip, "allow", RULE, **match(ip))])
    frame = from_host(ip, WORLD[ip])
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert rule_hits(observed) == {RULE: 1}


@gateway_test(RACK, guarded(BLUE), ip=FAMILIES, match=NOT_FITTING)
def test_rule_that_does_not_fit_decides_nothing(
    dut: Dut, ip: Family, match: Callable[[Family], dict[str, Any]]
) -> None:
    dut.controller.write([+rule(BLUE, ip, "allow", RULE, **match(ip))])
    observed = dut.send(BLUE.port, from_host(ip, WORLD[ip]))
    observed.assert_dropped(DropReason.FIREWALL_DENY)
    assert rule_hits(observed) == {}


@gateway_test(RACK, both_families(BLUE, "allow", RULE, segment_id=(0, 0xFFFF)), ip=FAMILIES)
def test_rule_for_what_comes_from_outside(dut: Dut, ip: Family) -> None:
    frame = from_world(ip, BLUE.public[ip])
    dut.send(UPLINK, frame).assert_out({BLUE.port: at_host(frame)})
    dut.send(BLUE.port, from_host(ip, WORLD[ip])).assert_dropped(DropReason.FIREWALL_DENY)


@gateway_test(RACK, both_families(BLUE, "allow", RULE), ip=FAMILIES)
def test_rule_is_for_what_stays_among_the_tenants_segments_too(dut: Dut, ip: Family) -> None:
    frame = from_host(ip, TRUNK_HOST[ip])
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({TRUNK: at_trunk(frame, BLUE)})
    assert rule_hits(observed) == {RULE: 1}


# ---- what is reported of stateless rules

LOOKED_AT = {
    "nothing": Consulted(0),
    "destination_port": Consulted.DST_PORT,
    "source_and_protocol": Consulted.SRC_ADDR | Consulted.PROTOCOL,
    "everything": EVERY_FIELD,
}


@gateway_test(RACK, ip=FAMILIES, fields=LOOKED_AT)
def test_what_the_rules_look_at_was_consulted(dut: Dut, ip: Family, fields: Consulted) -> None:
    tenant, *_ = guarded(BLUE, fields=fields)
    dut.controller.write([~tenant, +rule(BLUE, ip, "allow", RULE)])
    flow = host_flow(BLUE, ip, WORLD[ip])
    observed = dut.send(BLUE.port, from_host(ip, WORLD[ip]))
    consulted = Consulted.DST_ADDR | fields
    observed.assert_learned(flow.learned(consulted=consulted, next_hop_id=WORLD_NEXT_HOP, rule_id=RULE))


@gateway_test(RACK, ip=FAMILIES, fields=LOOKED_AT, action={"deny": "deny", "default": None})
def test_refusal_is_reported_with_its_reason(dut: Dut, ip: Family, fields: Consulted, action: str | None) -> None:
    tenant, *_ = guarded(BLUE, fields=fields)
    dut.controller.write([~tenant, *([+rule(BLUE, ip, action, RULE)] if action else [])])
    flow = host_flow(BLUE, ip, WORLD[ip])
    observed = dut.send(BLUE.port, from_host(ip, WORLD[ip]))
    observed.assert_dropped(DropReason.FIREWALL_DENY)
    observed.assert_learned(
        flow.learned(
            consulted=Consulted.DST_ADDR | fields,
            result=FlowResult.REFUSE,
            reason=DropReason.FIREWALL_DENY,
            rule_id=RULE if action else 0,
        )
    )


@gateway_test(RACK, both_families(BLUE, "deny", RULE), ip=FAMILIES)
def test_refusal_that_a_session_could_turn_is_not_reported(dut: Dut, ip: Family) -> None:
    """`guarded` says of blue that it has stateful rules."""
    dut.send(BLUE.port, from_host(ip, WORLD[ip])).assert_learned()


# ---- fragments

ON_PORTS = guarded(BLUE, *(rule(BLUE, ip, "allow", RULE, dst_port=(5000, 5000)) for ip in FAMILIES.values()))
FIRST: dict[str, Callable[[], bytes]] = {
    "ipv4": lambda: udp(IPV4, FROM_HOST, (HOST[IPV4], WORLD[IPV4]), flags="MF"),
    "ipv6": lambda: ether(
        *FROM_HOST, IPV6.header(HOST[IPV6], WORLD[IPV6]), IPv6ExtHdrFragment(m=1), UDP(sport=4000, dport=5000), probe()
    ),
}
LATER: dict[str, Callable[[], bytes]] = {
    "ipv4": lambda: ether(*FROM_HOST, IPV4.header(HOST[IPV4], WORLD[IPV4], proto=17, frag=9), probe()),
    "ipv6": lambda: ether(
        *FROM_HOST, IPV6.header(HOST[IPV6], WORLD[IPV6]), IPv6ExtHdrFragment(nh=17, offset=9), probe()
    ),
}


@gateway_test(RACK, ON_PORTS, build=FIRST)
def test_first_fragment_has_its_ports(dut: Dut, build: Callable[[], bytes]) -> None:
    frame = build()
    dut.send(BLUE.port, frame).assert_out({UPLINK: at_world(frame)})


@gateway_test(RACK, ON_PORTS, build=LATER)
def test_later_fragment_has_no_ports(dut: Dut, build: Callable[[], bytes]) -> None:
    dut.send(BLUE.port, build()).assert_dropped(DropReason.FIREWALL_DENY)


@gateway_test(RACK, both_families(BLUE, "allow", RULE))
def test_fragment_that_would_overwrite_tcp_flags_is_dropped(dut: Dut) -> None:
    frame = ether(*FROM_HOST, IPV4.header(HOST[IPV4], WORLD[IPV4], proto=6, frag=1), probe())
    dut.send(BLUE.port, frame).assert_dropped(DropReason.TCP_FRAGMENT_OVERLAP)  # RFC 1858 3
