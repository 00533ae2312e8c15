# SPDX-License-Identifier: Apache-2.0
"""Every value that can't be is refused with its path and the fix."""

from __future__ import annotations

from typing import Any

import pytest
from bend import Case, problems
from gateways import small

CASES: dict[str, Case] = {
    # changes -> the messages
    "an unknown key deep inside": (
        [("tenants.0.segments.0.hosts.0.mack", "02:00:00:00:00:01")],
        ["tenants[0].segments[0].hosts[0].mack: is not a key here: did you mean 'mac'?"],
    ),
    "an unknown program": (
        [("program", "gatway")],
        ["program: 'gatway' is not a program of ours: write 'nic' or 'gateway'"],
    ),
    "a tenant id beyond what counters have rows for": (
        [("tenants.0.tenant_id", 4096)],
        ["tenants[0].tenant_id: 4096 is too large: give 4095 or less"],
    ),
    "the tenant id that stands for none": (
        [("tenants.0.tenant_id", 0)],
        ["tenants[0].tenant_id: 0 is too small: give 1 or more"],
    ),
    "an attachment to nothing": (
        [("tenants.0.segments.0.attached.0", {"scope": 3})],
        [("tenants[0].segments[0].attached[0]: has to have either `interface: NAME` or `network_id: NUMBER`")],
    ),
    "a tunnel between two families": (
        [("tunnels.0.remote", "2001:db8::1")],
        ["tunnels[0]: goes from IPv4 to IPv6: give addresses of one family"],
    ),
    "a Geneve option in another tunnel": (
        [("tunnels.0.geneve_option", {"option_class": 1, "option_type": 1})],
        ["tunnels[0]: is vxlan, and `geneve_option` is Geneve's: take it out"],
    ),
    "a critical Geneve option": (
        [("tunnels.0.type", "geneve"), ("tunnels.0.geneve_option", {"option_class": 1, "option_type": 128})],
        ["tunnels[0].geneve_option.option_type: 128 is too large: give 127 or less"],
    ),
    "a Geneve option class of 17 bits": (
        [("tunnels.0.type", "geneve"), ("tunnels.0.geneve_option", {"option_class": 65536, "option_type": 1})],
        ["tunnels[0].geneve_option.option_class: 65536 is too large: give 65535 or less"],
    ),
    "a UDP checksum without UDP": (
        [("tunnels.1.udp_checksum", True)],
        ["tunnels[1]: is gre, which has no UDP: take `udp_checksum` out"],
    ),
    "a network id of 33 bits": (
        [("tenants.0.segments.0.attached.0.network_id", 4294967296)],
        [("tenants[0].segments[0].attached[0].network_id: 4294967296 is too large: give 4294967295 or less")],
    ),
    "a DSCP of seven bits": (
        [("tunnels.0.dscp", 64)],
        ["tunnels[0].dscp: 64 is not a DSCP: write a number up to 63, or uniform"],
    ),
    "a route with nowhere to go": (
        [("tenants.0.routes.0.to", None)],
        [("tenants[0].routes[0]: has to have either `via: ADDRESS` or `to: router` or `to: blackhole`")],
    ),
    "a route with two ways": (
        [("tenants.0.routes.0.via", "10.0.1.10")],
        [("tenants[0].routes[0]: has to have either `via: ADDRESS` or `to: router` or `to: blackhole`")],
    ),
    "an ECMP group without members": (
        [("tenants.0.routes.2.via", [])],
        ["tenants[0].routes[2].via: is empty: give at least 1"],
    ),
    "a next hop of the other family": (
        [("tenants.0.routes.1.via", "2001:db8:1:1::10")],
        ["tenants[0].routes[1]: leads an IPv4 prefix to an IPv6 next hop: give IPv4 addresses"],
    ),
    "a range that runs backwards": (
        [("tenants.0.firewall.rules.0.destination_ports", "90-80")],
        ["tenants[0].firewall.rules[0].destination_ports[0]: runs backwards: write 80-90"],
    ),
    "a port that is none": (
        [("tenants.0.firewall.rules.0.destination_ports", "http")],
        [
            (
                "tenants[0].firewall.rules[0].destination_ports[0]: 'http' is not a port or a range "
                "of ports: write 80 or 8000-8099"
            )
        ],
    ),
    "ports of any protocol": (
        [("tenants.0.firewall.rules.0.protocol", None)],
        [
            (
                "tenants[0].firewall.rules[0]: has ports, and any protocol has none: say `protocol: "
                "tcp` or `protocol: udp`, or take them out"
            )
        ],
    ),
    "ports of a protocol without": (
        [("tenants.0.firewall.rules.0.protocol", "icmp")],
        [
            (
                "tenants[0].firewall.rules[0]: has ports, and protocol 1 has none: say `protocol: "
                "tcp` or `protocol: udp`, or take them out"
            )
        ],
    ),
    "an unknown protocol": (
        [("tenants.0.firewall.rules.0.protocol", "tpc")],
        [
            (
                "tenants[0].firewall.rules[0].protocol: 'tpc' is not a protocol: write any, icmp, "
                "igmp, tcp, udp, gre, esp, ah, icmpv6, ospf, sctp or its number"
            )
        ],
    ),
    "two families in one rule": (
        [("tenants.0.firewall.rules.2.source", "2001:db8::/32")],
        [
            (
                "tenants[0].firewall.rules[2]: has IPv4 in `destination` and none in `source`, so "
                "those would never fit: give both families on both sides, or make two rules"
            )
        ],
    ),
    "a family on one side only": (
        [("tenants.0.firewall.rules.2.source", ["10.0.0.0/8", "2001:db8::/32"])],
        [
            (
                "tenants[0].firewall.rules[2]: has IPv6 in `source` and none in `destination`, so "
                "those would never fit: give both families on both sides, or make two rules"
            )
        ],
    ),
    "ICMP with IPv6 addresses": (
        [
            (
                "tenants.0.firewall.rules.0",
                {"name": "x", "protocol": "icmp", "source": "2001:db8::/32", "action": "deny"},
            )
        ],
        [("tenants[0].firewall.rules[0]: is icmp with IPv6 addresses: icmp is IPv4's, so give those")],
    ),
    "an unknown action": (
        [("tenants.0.firewall.rules.0.action", "reject")],
        [
            (
                "tenants[0].firewall.rules[0].action: 'reject' is not one of the choices: write "
                "'allow', 'allow_stateful' or 'deny'"
            )
        ],
    ),
    "an IPv6 pool": (
        [("tenants.0.nat.pools.0.outside", "2001:db8::/64")],
        [
            (
                "tenants[0].nat.pools[0].outside[0]: '2001:db8::/64' is an IPv6 prefix, and only IPv4"
                " is translated: give an IPv4 prefix"
            )
        ],
    ),
    "an IPv6 address to translate": (
        [("tenants.0.nat.one_to_one.0.inside", "2001:db8::1")],
        [
            (
                "tenants[0].nat.one_to_one[0].inside: '2001:db8::1' is an IPv6 address, and only IPv4"
                " is translated: give an IPv4 address"
            )
        ],
    ),
    "no DSCP at all": (
        [("tunnels.0.dscp", "ef")],
        ["tunnels[0].dscp: 'ef' is not a DSCP: write a number up to 63, or uniform"],
    ),
}


@pytest.mark.parametrize(("changes", "messages"), CASES.values(), ids=CASES)
def test_a_value_that_can_not_be_is_refused(changes: list[tuple[str, Any]], messages: list[str]) -> None:
    assert problems(small(*changes)) == messages
