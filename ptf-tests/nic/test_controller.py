# SPDX-License-Identifier: Apache-2.0
"""What headgate writes to a device it finds there again, and what the device counts it can read.

- A device that does as a configuration says is not written to for it.
- Going from one configuration to another and back leaves what was there before.
- Each entry with a counter counts the packets that hit it, and no others.
"""

from __future__ import annotations

from typing import Any

from harness.dut import Dut
from harness.frames import BROADCAST, IPV4, IPV6, udp
from harness.nic import nic_test
from harness.nic.ports import VM_A, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    A_SECOND_MAC,
    A_VNIC,
    B_VNIC,
    OUTSIDE_MAC,
    RACK,
    ROUTER_FORWARD_RING,
    ROUTER_IP,
    ROUTER_MAC,
    ROUTER_RING,
    ROUTER_VNIC,
    VLAN_UNTAGGED,
    rack_with_router,
)
from headgate.vocabulary import RingType

ON_RECEIVE = rack_with_router("nic_on_receive")
CONFIGS = {
    "rack": RACK,
    "router_by_guest": rack_with_router("guest"),
    "router_by_nic_on_transmit": rack_with_router("nic_on_transmit"),
    "router_by_nic_on_receive": ON_RECEIVE,
}


@nic_test(RACK, config=CONFIGS)
def test_device_that_does_as_configured_is_not_written_to(dut: Dut, config: dict[str, Any]) -> None:
    dut.program(config)
    assert list(dut.steps(config)) == []


@nic_test(RACK, config=CONFIGS)
def test_way_back_leaves_what_was_there_before(dut: Dut, config: dict[str, Any]) -> None:
    dut.program(config)
    dut.program(RACK)
    assert list(dut.steps(RACK)) == []


COUNTERS: dict[str, tuple[str, dict[str, Any], int]] = {
    "guests_port": ("port", {"port": VM_A}, 5),
    "uplink": ("port", {"port": WAN}, 1),
    "uplinks_vlan": ("uplink_vlan", {"port": WAN, "tag_type": 0, "tag_vlan_id": 0}, 1),
    "guests_mac": ("transmit_mac", {"vnic_id": A_VNIC, "src_mac": A_MAC}, 5),
    "guests_other_mac": ("transmit_mac", {"vnic_id": A_VNIC, "src_mac": A_SECOND_MAC}, 0),
    "routers_mac": ("l2_classify", {"vlan_id": VLAN_UNTAGGED, "dst_mac": ROUTER_MAC}, 5),
    "routers_ipv4_address": ("local_ipv4", {"vnic_id": ROUTER_VNIC, "ipv4_dst": ROUTER_IP[IPV4]}, 1),
    "routers_ipv6_address": ("local_ipv6", {"vnic_id": ROUTER_VNIC, "ipv6_dst": ROUTER_IP[IPV6]}, 1),
    "ipv4_route": ("ipv4_route", {"vnic_id": ROUTER_VNIC, "ipv4_dst": "203.0.113.0/24"}, 2),
    "ipv6_route": ("ipv6_route", {"vnic_id": ROUTER_VNIC, "ipv6_dst": "2001:db8:f::/48"}, 1),
    "another_ipv4_route": ("ipv4_route", {"vnic_id": ROUTER_VNIC, "ipv4_dst": "10.0.0.0/24"}, 0),
    "routers_local_rings": ("ring_group", {"vnic_id": ROUTER_VNIC, "ring_type": RingType.LOCAL}, 2),
    "routers_forwarding_rings": ("ring_group", {"vnic_id": ROUTER_VNIC, "ring_type": RingType.FORWARD}, 0),
    "routers_local_ring": ("ring", {"ring_id": ROUTER_RING}, 2),
    "routers_forwarding_ring": ("ring", {"ring_id": ROUTER_FORWARD_RING}, 0),
    "another_guests_copies": ("replica", {"vnic_id": B_VNIC}, 1),
}


@nic_test(ON_RECEIVE, counter=COUNTERS)
def test_entry_counts_the_packets_that_hit_it(dut: Dut, counter: tuple[str, dict[str, Any], int]) -> None:
    table, key, expected = counter
    eth = (A_MAC, ROUTER_MAC)
    before = dut.controller.hits(table, **key)
    dut.send(
        VM_A,
        udp(IPV4, eth, (A_IP[IPV4], ROUTER_IP[IPV4])),
        udp(IPV6, eth, (A_IP[IPV6], ROUTER_IP[IPV6])),
        udp(IPV4, eth, (A_IP[IPV4], IPV4.far)),
        udp(IPV4, eth, (A_IP[IPV4], IPV4.far)),
        udp(IPV6, eth, (A_IP[IPV6], IPV6.far)),
    )
    dut.send(WAN, udp(IPV4, (OUTSIDE_MAC, BROADCAST), (IPV4.outside, "10.0.0.255")))
    assert dut.controller.hits(table, **key) - before == expected
