# SPDX-License-Identifier: Apache-2.0
"""Addresses of the outside that could mean two things, and translations that lead nowhere, are refused."""

from __future__ import annotations

from typing import Any

import pytest
from bend import Case, problems
from gateways import small

CASES: dict[str, Case] = {
    # changes -> the messages
    "overlapping pools of a tenant": (
        [
            (
                "tenants.0.nat.pools.1",
                {"name": "more", "pool_id": 2, "inside": "10.1.0.0/16", "outside": "203.0.113.64/30"},
            )
        ],
        [
            (
                "tenants[0].nat.pools[1].outside[0]: '203.0.113.64/30' overlaps "
                "tenants[0].nat.pools[0].outside[0] (203.0.113.64/31): what comes back could be for "
                "either, so give each its own addresses"
            )
        ],
    ),
    "overlapping pools of two tenants": (
        [
            (
                "tenants.1.nat",
                {"pools": [{"name": "shared", "pool_id": 1, "inside": "10.0.0.0/16", "outside": "203.0.113.65"}]},
            )
        ],
        [
            "tenants[1].nat: is never met: no route of the tenant leads `to: router`, so add one",
            (
                "tenants[1].nat.pools[0].outside[0]: '203.0.113.65' overlaps "
                "tenants[0].nat.pools[0].outside[0] (203.0.113.64/31): what comes back could be for "
                "either, so give each its own addresses"
            ),
        ],
    ),
    "a 1:1 address of a pool": (
        [("tenants.0.nat.one_to_one.0.outside", "203.0.113.65")],
        [
            (
                "tenants[0].nat.one_to_one[0].outside: '203.0.113.65' overlaps "
                "tenants[0].nat.pools[0].outside[0] (203.0.113.64/31): what comes back could be for "
                "either, so give each its own addresses"
            )
        ],
    ),
    "a forwarded port of another tenant's pool": (
        [
            (
                "tenants.1.nat",
                {
                    "port_forwards": [
                        {"protocol": "udp", "outside": "203.0.113.64", "outside_port": 53, "inside": "10.0.1.9"}
                    ]
                },
            )
        ],
        [
            "tenants[1].nat: is never met: no route of the tenant leads `to: router`, so add one",
            (
                "tenants[1].nat.port_forwards[0].outside: '203.0.113.64' overlaps "
                "tenants[0].nat.pools[0].outside[0] (203.0.113.64/31): what comes back could be for "
                "either, so give each its own addresses"
            ),
        ],
    ),
    "a forwarded port of a 1:1 address": (
        [("tenants.0.nat.port_forwards.0.outside", "203.0.113.70")],
        [
            (
                "tenants[0].nat.port_forwards[0].outside: '203.0.113.70' overlaps "
                "tenants[0].nat.one_to_one[0].outside (203.0.113.70): what comes back could be for "
                "either, so give each its own addresses"
            )
        ],
    ),
    "a pool with the router's address": (
        [("tenants.0.nat.pools.0.outside", "203.0.113.0/29")],
        [
            (
                "tenants[0].nat.pools[0].outside[0]: '203.0.113.0/29' has north's own address "
                "203.0.113.2 in it: use addresses that are nobody's"
            )
        ],
    ),
    "a pool of what another tenant advertises": (
        [
            ("tenants.1.advertise.0", "203.0.113.64/26"),
            ("tenants.1.routes", [{"prefix": "203.0.113.64/26", "via": "10.0.1.9"}]),
        ],
        [
            (
                "tenants[0].nat.pools[0].outside[0]: '203.0.113.64/31' overlaps "
                "tenants[1].advertise[0] (203.0.113.64/26): by north an address leads to one tenant, "
                "so give each its own"
            ),
            (
                "tenants[0].nat.one_to_one[0].outside: '203.0.113.70' overlaps "
                "tenants[1].advertise[0] (203.0.113.64/26): by north an address leads to one tenant, "
                "so give each its own"
            ),
            (
                "tenants[0].nat.port_forwards[0].outside: '203.0.113.64' overlaps "
                "tenants[1].advertise[0] (203.0.113.64/26): by north an address leads to one tenant, "
                "so give each its own"
            ),
        ],
    ),
    "one inside prefix of two pools": (
        [("tenants.0.nat.pools.1", {"name": "more", "pool_id": 2, "inside": "10.0.0.0/16", "outside": "203.0.113.72"})],
        [
            (
                "tenants[0].nat.pools[1].inside[0]: '10.0.0.0/16' is also "
                "tenants[0].nat.pools[0].inside[0]: who comes from there has one pool, so keep one of"
                " the two"
            )
        ],
    ),
    "one port forwarded twice": (
        [
            (
                "tenants.0.nat.port_forwards.1",
                {"protocol": "tcp", "outside": "203.0.113.64", "outside_port": 443, "inside": "10.0.1.11"},
            )
        ],
        [
            (
                "tenants[0].nat.port_forwards[1].outside: '203.0.113.64 tcp port 443' is also "
                "tenants[0].nat.port_forwards[0].outside: each outside port is translated to one, so "
                "keep one of the two"
            )
        ],
    ),
    "one port that two are forwarded to": (
        [
            (
                "tenants.0.nat.port_forwards.1",
                {
                    "protocol": "tcp",
                    "outside": "203.0.113.64",
                    "outside_port": 80,
                    "inside": "10.0.1.10",
                    "inside_port": 8443,
                },
            )
        ],
        [
            (
                "tenants[0].nat.port_forwards[1].inside: '10.0.1.10 tcp port 8443' is also "
                "tenants[0].nat.port_forwards[0].inside: each inside port is translated to one, so "
                "keep one of the two"
            )
        ],
    ),
    "a 1:1 address without a way": (
        [("tenants.0.nat.one_to_one.0.inside", "10.0.9.12")],
        [
            (
                "tenants[0].nat.one_to_one[0].inside: '10.0.9.12' can't be reached: no segment and no"
                " route of the tenant leads there, so add one"
            )
        ],
    ),
    "translation without a router": (
        [("tenants.1.router", None), ("tenants.1.advertise", None), ("tenants.1.nat", {})],
        ["tenants[1].nat: is done on the way to the outside: give the tenant a `router`"],
    ),
    "a translation that nothing meets": (
        [("tenants.0.routes.0", {"prefix": "10.88.0.0/16", "via": "10.0.3.2"})],
        ["tenants[0].nat: is never met: no route of the tenant leads `to: router`, so add one"],
    ),
}


@pytest.mark.parametrize(("changes", "messages"), CASES.values(), ids=CASES)
def test_a_translation_that_can_not_be_is_refused(changes: list[tuple[str, Any]], messages: list[str]) -> None:
    assert problems(small(*changes)) == messages
