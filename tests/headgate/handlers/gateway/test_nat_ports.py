# SPDX-License-Identifier: Apache-2.0
"""Who gets which outside address and port."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.handlers.gateway.nat_ports import Pool, PortAllocator, host_of

SECOND_NS = 1_000_000_000
QUARANTINE_NS = 120 * SECOND_NS
RED, BLUE = b"\0\1", b"\0\2"
TCP, UDP = b"\x06", b"\x11"
OUTSIDE = (bytes((203, 0, 113, 1)), bytes((203, 0, 113, 2)))
ROOMY = Pool(OUTSIDE)
FOUR_PORTS = Pool(OUTSIDE[:1], 5000, 5003)


def allocator(red: Pool, blue: Pool | None = None) -> PortAllocator:
    pools = {(RED, 1): red} | ({(BLUE, 1): blue} if blue else {})
    return PortAllocator(pools, QUARANTINE_NS, Random(1))


def endpoint(host: int, port: int, tenant_id: bytes = RED, protocol: bytes = TCP) -> bytes:
    return tenant_id + protocol + bytes((10, 0, 0, host)) + port.to_bytes(2, "big")


def allocate(ports: PortAllocator, inside: bytes, now_ns: int = 0) -> bytes:
    outside = ports.allocate(1, inside, now_ns)
    assert outside is not None
    return outside


def test_an_endpoint_keeps_its_mapping_whoever_it_talks_to() -> None:
    ports = allocator(ROOMY)
    assert allocate(ports, endpoint(1, 1000)) == allocate(ports, endpoint(1, 1000))


def test_the_outside_endpoint_leads_back_to_the_inside_one() -> None:
    ports = allocator(ROOMY)
    assert ports.inside_of(allocate(ports, endpoint(1, 1000))) == endpoint(1, 1000)


def test_all_endpoints_of_a_host_share_an_outside_address() -> None:
    ports = allocator(ROOMY)
    for host in range(1, 20):
        assert len({allocate(ports, endpoint(host, port))[1:5] for port in range(1000, 1010)}) == 1


def test_hosts_are_spread_over_the_outside_addresses() -> None:
    ports = allocator(ROOMY)
    assert {allocate(ports, endpoint(host, 1000))[1:5] for host in range(50)} == set(OUTSIDE)


def test_an_outside_port_is_not_foretold_by_the_inside_one() -> None:
    ports = allocator(ROOMY)
    outside = [int.from_bytes(allocate(ports, endpoint(1, 1000 + n))[5:], "big") for n in range(50)]
    assert len({b - a for a, b in pairwise(outside)}) > 40


def test_the_same_port_may_be_given_for_each_protocol() -> None:
    ports = allocator(replace(FOUR_PORTS, last_port=5000))
    assert allocate(ports, endpoint(1, 1, protocol=TCP))[1:] == allocate(ports, endpoint(1, 1, protocol=UDP))[1:]


def test_tenants_with_the_same_addresses_have_mappings_of_their_own() -> None:
    ports = allocator(Pool(OUTSIDE[:1]), Pool(OUTSIDE[1:]))
    assert allocate(ports, endpoint(1, 1, RED))[1:5] == OUTSIDE[0]
    assert allocate(ports, endpoint(1, 1, BLUE))[1:5] == OUTSIDE[1]


def test_a_pool_of_another_tenant_gives_nothing() -> None:
    assert allocator(ROOMY).allocate(1, endpoint(1, 1, BLUE), 0) is None


def test_a_pool_gives_each_of_its_ports_and_then_none() -> None:
    ports = allocator(FOUR_PORTS)
    given_out = {int.from_bytes(allocate(ports, endpoint(host, 1))[5:], "big") for host in range(4)}
    assert given_out == {5000, 5001, 5002, 5003}
    assert ports.allocate(1, endpoint(9, 1), 0) is None


def test_a_port_forwards_port_is_not_given_out() -> None:
    forwarded = TCP + OUTSIDE[0] + (5001).to_bytes(2, "big")
    ports = allocator(replace(FOUR_PORTS, reserved=frozenset([forwarded])))
    assert forwarded not in {allocate(ports, endpoint(host, 1)) for host in range(3)}
    assert ports.allocate(1, endpoint(9, 1), 0) is None


def test_a_port_rests_before_it_is_given_to_another() -> None:
    ports = allocator(replace(FOUR_PORTS, last_port=5000))
    first = allocate(ports, endpoint(1, 1))
    assert ports.release(endpoint(1, 1), 0) == first
    assert ports.allocate(1, endpoint(2, 1), QUARANTINE_NS - 1) is None
    assert ports.allocate(1, endpoint(2, 1), QUARANTINE_NS) == first


def test_a_host_whose_address_has_no_port_left_gets_no_other_address() -> None:
    ports = allocator(Pool(OUTSIDE, 5000, 5000))
    allocate(ports, endpoint(1, 1))
    assert ports.allocate(1, endpoint(1, 2), 0) is None
    assert allocate(ports, endpoint(2, 1))


def test_a_host_that_let_go_of_everything_may_get_another_address() -> None:
    ports = allocator(Pool(OUTSIDE, 5000, 5000))
    first = allocate(ports, endpoint(1, 1))
    ports.release(endpoint(1, 1), 0)
    assert allocate(ports, endpoint(1, 2), 1)[1:5] != first[1:5]


def test_an_adopted_mapping_is_as_if_it_had_been_given() -> None:
    ports = allocator(FOUR_PORTS)
    outside = TCP + OUTSIDE[0] + (5002).to_bytes(2, "big")
    assert ports.adopt(endpoint(1, 1), outside)
    assert allocate(ports, endpoint(1, 1)) == outside
    assert outside not in {allocate(ports, endpoint(host, 1)) for host in range(2, 5)}


@pytest.mark.parametrize(
    "outside",
    [
        TCP + bytes((203, 0, 113, 9)) + (5002).to_bytes(2, "big"),
        TCP + OUTSIDE[0] + (80).to_bytes(2, "big"),
    ],
    ids=["address", "port"],
)
def test_a_mapping_to_what_is_no_pools_is_not_adopted(outside: bytes) -> None:
    assert not allocator(FOUR_PORTS).adopt(endpoint(1, 1), outside)


def test_an_outside_endpoint_is_not_adopted_twice() -> None:
    ports = allocator(FOUR_PORTS)
    outside = TCP + OUTSIDE[0] + (5002).to_bytes(2, "big")
    assert ports.adopt(endpoint(1, 1), outside)
    assert not ports.adopt(endpoint(2, 1), outside)


def test_other_pools_keep_what_is_still_theirs_and_name_the_rest() -> None:
    ports = allocator(Pool(OUTSIDE))
    mine = {host: allocate(ports, endpoint(host, 1)) for host in range(20)}
    lost = ports.replace_pools({(RED, 1): Pool(OUTSIDE[:1])})
    assert set(lost) == {endpoint(host, 1) for host, outside in mine.items() if outside[1:5] == OUTSIDE[1]}
    for inside in lost:
        ports.release(inside, 0)
    taken = set(ports.mappings.values())
    assert not taken & {allocate(ports, endpoint(host, 2)) for host in range(100, 150)}


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans()), max_size=80))
def test_no_two_endpoints_ever_share_an_outside_endpoint(steps: list[tuple[int, int, bool]]) -> None:
    ports = allocator(Pool(OUTSIDE, 5000, 5005))
    for now_s, (host, port, release) in enumerate(steps):
        inside = endpoint(host, port)
        if release and inside in ports.mappings:
            ports.release(inside, now_s * 30 * SECOND_NS)
        else:
            ports.allocate(1, inside, now_s * 30 * SECOND_NS)
        assert len(set(ports.mappings.values())) == len(ports.mappings)
        for one in ports.mappings:
            assert ports.inside_of(ports.mappings[one]) == one
            same_host = {ports.mappings[other][1:5] for other in ports.mappings if host_of(other) == host_of(one)}
            assert len(same_host) == 1
