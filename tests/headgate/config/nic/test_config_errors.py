# SPDX-License-Identifier: Apache-2.0
"""Every mistake is refused with its path, the offending value and the fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nics import SMALL, small

from headgate.config import ConfigError, NicConfig, load_config, parse_config

FORWARDING = "vnics.1.forwarding"
VM1 = SMALL["vnics"][0]


def problems(data: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(data)
    return [str(problem) for problem in caught.value.problems]


VALUES = {
    # changes -> the whole message
    "an unknown key": (
        [("vnics.0.mac", ["02:00:00:00:00:01"])],
        "vnics[0].mac: is not a key here: did you mean 'macs'?",
    ),
    "an unknown key deep inside": (
        [(f"{FORWARDING}.routes.0.va", "10.0.0.9")],
        f"{FORWARDING.replace('.1.', '[1].')}.routes[0].va: is not a key here: did you mean 'via'?",
    ),
    "a missing key": ([("vnics.0.macs", None)], "vnics[0].macs: is missing: add it"),
    "no MAC address": ([("vnics.0.macs", [])], "vnics[0].macs: is empty: give at least 1"),
    "no local ring": ([("vnics.0.rings.local", [])], "vnics[0].rings.local: is empty: give at least 1"),
    "a group address": (
        [("vnics.0.macs.0", "01:00:5e:00:00:01")],
        "vnics[0].macs[0]: '01:00:5e:00:00:01' is a group address (the lowest bit of its first byte is 1): "
        "give an individual address",
    ),
    "the zero address": (
        [("vnics.0.macs.0", "00:00:00:00:00:00")],
        "vnics[0].macs[0]: '00:00:00:00:00:00' is the all-zero address: give the interface an address of its own",
    ),
    "half an address": (
        [("vnics.0.macs.0", "02:00:00")],
        "vnics[0].macs[0]: '02:00:00' is not a MAC address: write six pairs of hexadecimal digits, "
        'like "02:00:00:00:00:01"',
    ),
    "a MAC address that YAML took for a number": (
        [("vnics.0.macs.0", 36672000)],
        "vnics[0].macs[0]: 36672000 was read as a number (YAML counts in base 60): put the MAC address in quotes",
    ),
    "a reserved port number": ([("ports.1.port", 509)], "ports[1].port: 509 is too large: give 508 or less"),
    "a VLAN id in quotes": (
        [("vlans.0.vlan_id", "10")],
        "vlans[0].vlan_id: '10' is not a number: write an integer, without quotes",
    ),
    "a VLAN id beyond 802.1Q": ([("vlans.0.vlan_id", 4095)], "vlans[0].vlan_id: 4095 is too large: give 4094 or less"),
    "a ring id that means no ring": (
        [("vnics.0.rings.local.0.ring_id", 0)],
        "vnics[0].rings.local[0].ring_id: 0 is too small: give 1 or more",
    ),
    "an unknown role": (
        [("ports.0.role", "wan")],
        "ports[0].role: 'wan' is not one of the choices: write 'uplink' or 'ring'",
    ),
    "a strange tag": (
        [("vlans.0.tag", {"ether_type": "0x8100"})],
        "vlans[0].tag.ether_type: '0x8100' is not one of the choices: write '802.1q' or '802.1ad'",
    ),
    "an address without its prefix length": (
        [("vnics.0.addresses.0", "10.0.0.1")],
        "vnics[0].addresses[0].address: '10.0.0.1' is not an address with its prefix length: "
        "write it like 10.0.0.1/24 or 2001:db8::1/64",
    ),
    "a number for an address": (
        [(f"{FORWARDING}.neighbors.0.address", 5)],
        "vnics[1].forwarding.neighbors[0].address: 5 is not an IP address: write it like 10.0.0.1 or 2001:db8::1",
    ),
    "a prefix with host bits": (
        [(f"{FORWARDING}.routes.0.prefix", "10.1.2.3/8")],
        "vnics[1].forwarding.routes[0].prefix: '10.1.2.3/8' has bits set behind its prefix length: write 10.0.0.0/8",
    ),
    "a route to two places": (
        [(f"{FORWARDING}.routes.0.to", "blackhole")],
        "vnics[1].forwarding.routes[0]: has to have either `via: ADDRESS` or `to: ring` or `to: blackhole`",
    ),
    "an IPv4 next hop of an IPv6 prefix": (
        [(f"{FORWARDING}.routes.0.prefix", "::/0")],
        "vnics[1].forwarding.routes[0]: leads an IPv6 prefix to an IPv4 next hop: give an IPv6 address",
    ),
    "a list that is none": ([("vnics.0.macs", 7)], "vnics[0].macs: 7 is not a list: write `[..., ...]`"),
    "a mapping that is none": ([("vnics.0.rings", 7)], "vnics[0].rings: 7 is not a mapping: write `{key: value, ...}`"),
    "a name that is a number": (
        [("ports.0.name", 7)],
        "ports[0].name: 7 is not a text: write a name, in quotes if it looks like a number",
    ),
    "a name with a blank": (
        [("ports.0.name", "w n")],
        "ports[0].name: 'w n' is not a name: begin with a letter, go on with letters, digits, '_', '.', '-'",
    ),
    "a limit that lets nothing through": (
        [("punt_limits", {"no_route": {"packets_per_s": 0, "burst_packets": 1}})],
        "punt_limits.no_route.packets_per_s: 0 is too small: give 1 or more",
    ),
}

REFERENCES = {
    "a port's name twice": (
        [("ports.1.name", "wan")],
        "ports[1].name: 'wan' is also ports[0].name: give each port its own name",
    ),
    "a port's number twice": (
        [("ports.1.port", 0)],
        "ports[1].port: 0 is also ports[0].port: give each port its own number",
    ),
    "a port called like the host's": (
        [("ports.1.name", "host")],
        "ports[1].name: 'host' is what rings call the host port: give this port another name",
    ),
    "a VLAN twice": (
        [("vlans.1.vlan_id", 10)],
        "vlans[1].vlan_id: 10 is also vlans[0].vlan_id: describe each VLAN once",
    ),
    "two VLANs that look alike on the wire": (
        [("vlans.1.tag", "untagged")],
        "vlans[1].tag: 'untagged' is also vlans[0].tag: on one uplink frames of the two could not be told apart, "
        "so give each its own",
    ),
    "an uplink that is a ring's port": (
        [("vlans.1.uplink", "vm1")],
        "vlans[1].uplink: 'vm1' is not a port with role uplink: there is 'wan'",
    ),
    "a MAC address of two VNICs in one VLAN": (
        [("vnics.1.macs.0", "02:00:00:00:00:01")],
        "vnics[1].macs[0]: '02:00:00:00:00:01' is also vnics[0].macs[0]: in one VLAN a MAC address leads to one VNIC, "
        "so give each its own",
    ),
    "a VNIC's id twice": (
        [("vnics.1.vnic_id", 1)],
        "vnics[1].vnic_id: 1 is also vnics[0].vnic_id: give each VNIC its own id",
    ),
    "a VNIC tagged and untagged in a VLAN": (
        [("vnics.1.tagged_vlans.0", 10)],
        "vnics[1].tagged_vlans[0]: 10 is also vnics[1].vlan: a VNIC is in a VLAN either tagged or untagged",
    ),
    "a VNIC in no VLAN": (
        [("vnics.0.vlan", None), ("vnics.0.addresses", [])],
        "vnics[0]: 'vm1' is in no VLAN: give it `vlan` or `tagged_vlans`",
    ),
    "a VLAN that is not there": (
        [("vnics.0.vlan", 30)],
        "vnics[0].vlan: 30 is not among `vlans`: add it there, or use one that is",
    ),
    "a ring id twice": (
        [("vnics.1.rings.forwarding.0.ring_id", 1)],
        "vnics[1].rings.forwarding[0].ring_id: 1 is also vnics[0].rings.local[0].ring_id: "
        "give each ring its own id (VNICs may share local rings with `port: host`)",
    ),
    "a port wired twice": (
        [("vnics.1.rings.local.0.port", "vm1")],
        "vnics[1].rings.local[0].port: 'vm1' is also vnics[0].rings.local[0].port: a port is wired to one ring, "
        "so give each its own",
    ),
    "a ring on a port that is not there": (
        [("vnics.0.rings.local.0.port", "vm2")],
        "vnics[0].rings.local[0].port: 'vm2' is not a port with role ring, nor `host`: did you mean 'vm1'?",
    ),
    "a ring on an uplink": (
        [("vnics.0.rings.local.0.port", "wan")],
        "vnics[0].rings.local[0].port: 'wan' is not a port with role ring, nor `host`: there is 'host', 'vm1'",
    ),
    "forwarding rings of nobody who forwards": (
        [(FORWARDING, None)],
        "vnics[1].rings.forwarding: would never get a packet: say who routes with `forwarding: {routed_by: ...}`, "
        "or take the rings out",
    ),
    "a default ring of nobody": (
        [("default_ring.vnic", "rooter")],
        "default_ring.vnic: 'rooter' is no VNIC's name: did you mean 'router'?",
    ),
    "an address of two VNICs in one VLAN": (
        [("vnics.1.addresses.0", "10.0.0.1/24")],
        "vnics[1].addresses[0]: '10.0.0.1' is also vnics[0].addresses[0]: in one VLAN an address is one VNIC's",
    ),
    "a prefix on two VLANs of a VNIC": (
        [("vnics.1.addresses.2", {"address": "10.0.0.129/25", "vlan": 20})],
        "vnics[1].addresses[2]: '10.0.0.129/25' overlaps vnics[1].addresses[0] (10.0.0.0/24 in VLAN 10): "
        "give each VLAN of a VNIC a prefix of its own",
    ),
    "an address on another's VLAN": (
        [("vnics.0.addresses.0", {"address": "10.0.0.1/24", "vlan": 20})],
        "vnics[0].addresses[0].vlan: 20 is not a VLAN of vm1: use one that is",
    ),
    "a broadcast address": (
        [("vnics.0.addresses.0", "10.0.0.255/24")],
        "vnics[0].addresses[0]: '10.0.0.255/24' is the broadcast address of its prefix: "
        "give an address that a host can have",
    ),
    "a multicast address": (
        [("vnics.0.addresses.0", "ff02::1/64")],
        "vnics[0].addresses[0]: 'ff02::1/64' is a multicast, unspecified or loopback address: "
        "give an address that a host can have",
    ),
}

ROUTING = {
    "a next hop out of reach": (
        [(f"{FORWARDING}.routes.0.via", "10.9.9.9")],
        "vnics[1].forwarding.routes[0].via: '10.9.9.9' is on no connected prefix (10.0.0.0/24, 2001:db8::/64): "
        "add an address of its prefix",
    ),
    "a next hop that is oneself": (
        [(f"{FORWARDING}.routes.0.via", "10.0.0.2")],
        "vnics[1].forwarding.routes[0].via: '10.0.0.2' is router's own address: give a neighbor's",
    ),
    "a link-local next hop on which link": (
        [(f"{FORWARDING}.routes.0", {"prefix": "::/0", "via": "fe80::1"})],
        "vnics[1].forwarding.routes[0].via: 'fe80::1' is link-local, and the VNIC has several VLANs: "
        "say which with `vlan: ...`",
    ),
    "a link-local next hop on another's VLAN": (
        [(f"{FORWARDING}.routes.0", {"prefix": "::/0", "via": "fe80::1", "vlan": 30})],
        "vnics[1].forwarding.routes[0].vlan: 30 is not where fe80::1 is: leave it out, or name its VLAN",
    ),
    "a neighbor out of reach": (
        [(f"{FORWARDING}.neighbors.0.address", "10.9.9.9")],
        "vnics[1].forwarding.neighbors[0].address: '10.9.9.9' is on no connected prefix (10.0.0.0/24, 2001:db8::/64): "
        "add an address of its prefix",
    ),
    "a neighbor twice": (
        [(f"{FORWARDING}.neighbors.1", {"address": "10.0.0.254", "mac": "02:00:00:00:00:fd"})],
        "vnics[1].forwarding.neighbors[1].address: '10.0.0.254' is also neighbors[0]: keep one of the two",
    ),
    "a route to a connected prefix": (
        [(f"{FORWARDING}.routes.0.prefix", "10.0.0.0/24")],
        "vnics[1].forwarding.routes[0].prefix: 10.0.0.0/24 is already connected by 10.0.0.2/24: keep one of the two",
    ),
    "a prefix routed twice": (
        [(f"{FORWARDING}.routes.1", {"prefix": "0.0.0.0/0", "to": "blackhole"})],
        "vnics[1].forwarding.routes[1].prefix: 0.0.0.0/0 is already routed by routes[0]: keep one of the two",
    ),
    "a route back to the ring": (
        [(f"{FORWARDING}.routes.0", {"prefix": "0.0.0.0/0", "to": "ring"})],
        "vnics[1].forwarding.routes[0].to: 'ring' would send packets back to the ring they came from: "
        "let `nic_on_receive` route",
    ),
    "a route to a ring that is not there": (
        [
            (f"{FORWARDING}.routed_by", "nic_on_receive"),
            ("vnics.1.rings.forwarding", []),
            (f"{FORWARDING}.routes.0", {"prefix": "0.0.0.0/0", "to": "ring"}),
        ],
        "vnics[1].forwarding.routes[0].to: 'ring' needs a ring to go to: add `rings: {forwarding: [...]}`",
    ),
    "a gateway without a ring for transit": (
        [("vnics.0.forwarding", {"routed_by": "nic_on_receive"}), (f"{FORWARDING}.routes.0.via", "10.0.0.1")],
        "vnics[1].forwarding.routes[0].via: '10.0.0.1' is vm1's, which has no ring to get it on: "
        "give it forwarding rings, or go another way",
    ),
    "a guest that routes, but on what ring": (
        [("vnics.0.forwarding", {"routed_by": "guest"})],
        "vnics[0].forwarding.routed_by: 'guest' needs a ring to hand packets over on: "
        "add `rings: {forwarding: [...]}`, or let `nic_on_receive` route",
    ),
    "routes of a guest that routes for itself": (
        [(f"{FORWARDING}.routed_by", "guest"), (f"{FORWARDING}.neighbors", [])],
        "vnics[1].forwarding.routes: are the NIC's, and this VNIC's guest routes for itself: take them out, "
        "or set `routed_by` to nic_on_transmit or nic_on_receive",
    ),
}

CASES = {**VALUES, **REFERENCES, **ROUTING}


@pytest.mark.parametrize(("changes", "message"), CASES.values(), ids=CASES.keys())
def test_a_mistake_is_named_with_its_path_and_fix(changes: list[tuple[str, Any]], message: str) -> None:
    assert message in problems(small(*changes))


def test_the_configuration_that_the_mistakes_are_put_into_is_good() -> None:
    assert [vnic.name for vnic in parse_config(small(), NicConfig).vnics] == ["vm1", "router"]


def test_all_mistakes_are_reported_at_once() -> None:
    assert len(problems(small(("ports.0.port", -1), ("vnics.0.vlan", "x"), ("vnics.1.macs.0", "?")))) == 3


@pytest.mark.parametrize("data", [None, [], "nic", 7])
def test_a_document_that_is_no_mapping_is_refused(data: object) -> None:
    [message] = problems(data)
    assert "is not a mapping" in message


def test_identical_addresses_in_two_vlans_are_two_tenants() -> None:
    twin = {**VM1, "name": "vm2", "vnic_id": 3, "vlan": 20, "rings": {"local": [{"ring_id": 9, "port": "host"}]}}
    assert parse_config(small(("vnics.2", twin)), NicConfig).vnics[2].macs == ("02:00:00:00:00:01",)


def test_two_addresses_of_one_prefix_on_one_vlan_are_allowed() -> None:
    config = parse_config(small(("vnics.0.addresses.1", "10.0.0.11/24")), NicConfig)
    assert len(config.vnics[0].addresses) == 2


@pytest.mark.parametrize("address", ["10.0.0.0/31", "10.0.0.1/31", "10.0.0.1/32"])
def test_both_ends_of_a_point_to_point_prefix_are_host_addresses(address: str) -> None:
    assert parse_config(small(("vnics.0.addresses.0", address)))


# ---- files


def load(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "nic.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    return [line.removeprefix(f"{file}: ") for line in str(caught.value).splitlines()]


def test_a_problem_in_a_file_has_its_line(tmp_path: Path) -> None:
    text = "ports:\n  - {name: wan, port: 0, role: uplink}\nvlans:\n  - vlan_id: 10\n    uplink: lan\nvnics: []\n"
    assert load(tmp_path, text) == [
        "line 5: vlans[0].uplink: 'lan' is not a port with role uplink: did you mean 'wan'?"
    ]


def test_a_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    text = "ports: []\nvlans: []\nvnics: []\nports: []\n"
    assert load(tmp_path, text) == ["line 4: ports: is there twice: keep one of the two"]


def test_a_missing_key_is_placed_where_it_belongs(tmp_path: Path) -> None:
    text = "ports: []\nvlans: []\nvnics:\n  - {name: a, vnic_id: 1, vlan: 1}\n"
    assert load(tmp_path, text) == [
        "line 4: vnics[0].macs: is missing: add it",
        "line 4: vnics[0].rings: is missing: add it",
    ]


def test_text_that_is_not_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    [message] = load(tmp_path, "ports:\n  - {name: wan\nvlans: []\n")
    assert message.startswith("line 3: the document: is not YAML")


@pytest.mark.parametrize(
    "text",
    ["vnics: &a [*a]", "&a\nvnics: *a", "ports: 2001-99-99", "ports: !!int wan", "ports: !!timestamp now", "\0"],
)
def test_yaml_that_means_nothing_is_a_configuration_error(tmp_path: Path, text: str) -> None:
    [message] = load(tmp_path, text)
    assert message.startswith("the document: ")


def test_a_file_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        load_config(tmp_path / "none.yaml")


def test_the_example_is_good() -> None:
    example = Path(__file__).parents[4] / "configs" / "nic.yaml"
    assert {vnic.name for vnic in load_config(example, NicConfig).vnics} == {
        "host",
        "vm1",
        "vm2",
        "vm3",
        "router",
        "vm4",
    }
