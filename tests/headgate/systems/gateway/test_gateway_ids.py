# SPDX-License-Identifier: Apache-2.0
"""Numbers that follow from what a thing is: one each, and the same whatever else is edited."""

from __future__ import annotations

from typing import Any

import pytest
from gateways import gateways, small
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.config import GatewayConfig, parse_config
from headgate.systems.gateway import Ids
from headgate.systems.gateway.ids import MAX_CONFIGURED_NEXT_HOP_ID, spread


def ids(*changes: tuple[str, Any]) -> Ids:
    return Ids.of(parse_config(small(*changes), GatewayConfig))


@given(st.sets(st.text(max_size=3), max_size=50), st.integers(50, 60))
def test_each_gets_a_number_of_its_own_within_bounds(identities: set[str], last: int) -> None:
    numbers = spread(identities, last)
    assert numbers.keys() == identities
    assert len(set(numbers.values())) == len(identities)
    assert all(1 <= number <= last for number in numbers.values())


@given(st.sets(st.text(max_size=3), max_size=20), st.randoms())
def test_the_order_of_things_does_not_matter(identities: set[str], rng: Any) -> None:
    shuffled = rng.sample(sorted(identities), len(identities))
    assert spread(shuffled, 30) == spread(identities, 30)


@given(st.sets(st.text(max_size=3), max_size=20), st.text(max_size=3))
def test_where_there_is_room_an_addition_moves_no_other_number(identities: set[str], new: str) -> None:
    before, after = spread(identities, 1 << 31), spread({*identities, new}, 1 << 31)
    assert {identity: after[identity] for identity in identities} == before


def test_more_than_there_are_numbers_is_an_error() -> None:
    with pytest.raises(ValueError, match="3 need a number each, and there are 2"):
        spread("abc", 2)


@pytest.mark.parametrize(
    "changes",
    [
        [("tenants.0.name", "rot"), ("tenants.0.segments.0.name", "netz")],
        [("tenants.0.segments.0.hosts.0.mac", "02:00:00:00:00:99")],
        [("tenants.0.firewall.rules", small()["tenants"][0]["firewall"]["rules"][::-1])],
        [("tenants", small()["tenants"][::-1])],
    ],
    ids=["renamed", "a host with another MAC address", "rules in another order", "tenants in another order"],
)
def test_an_edit_keeps_the_numbers_of_what_stays_the_same(changes: list[tuple[str, Any]]) -> None:
    assert ids(*changes) == ids()


@settings(deadline=None, max_examples=50)
@given(gateways())
def test_configured_next_hops_leave_half_of_the_numbers_to_learned_ones(data: dict[str, Any]) -> None:
    numbers = Ids.of(parse_config(data, GatewayConfig)).next_hops.values()
    assert all(1 <= number <= MAX_CONFIGURED_NEXT_HOP_ID for number in numbers)
