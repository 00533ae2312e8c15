# SPDX-License-Identifier: Apache-2.0
"""rewrite, the part that puts tunnels around packets: what leaves is what Scapy makes of the same.

- Every kind of tunnel over both address families, whatever the tenant's packet is.
- The UDP checksum is 0 or right, as the tunnel says, over IPv6 as well.
- The UDP source port tells flows apart, for the underlay to spread them, and is one flow's always.
- DSCP is the tunnel's or the packet's own; ECN is the packet's (RFC 6040 4.1); the outer TTL is the tunnel's.
- Geneve carries one option where the tunnel has one.
"""

from __future__ import annotations

from dataclasses import replace

from harness.dut import Dut
from harness.frames import FAMILIES, IPV6, Family
from harness.gateway import gateway_test
from harness.gateway.rack import BLUE, RACK, RED, remote, tunnel_entries
from harness.gateway.traffic import assert_in_tunnel, at_remote, entropy_of, from_host, send_into_tunnel
from harness.gateway.tunnels import TUNNELS, Tunnel
from headgate.systems import Entity
from headgate.vocabulary import TunnelType

OVER_UDP = {
    name: tunnel
    for name, tunnel in TUNNELS.items()
    if tunnel.kind in (TunnelType.VXLAN, TunnelType.GENEVE, TunnelType.GTPU)
}
GENEVE = {name: tunnel for name, tunnel in TUNNELS.items() if tunnel.kind is TunnelType.GENEVE}


def changed(tunnels: dict[str, Tunnel], **changes: object) -> tuple[dict[str, Tunnel], list[Entity]]:
    """The tunnels with other properties, and the entries that make them so."""
    made = {name: replace(tunnel, **changes) for name, tunnel in tunnels.items()}
    return made, [entity for tunnel in made.values() for entity in tunnel_entries(tunnel)]


@gateway_test(RACK, tunnel=TUNNELS, ip=FAMILIES)
def test_packet_leaves_as_scapy_encodes_the_tunnel(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    send_into_tunnel(dut, BLUE, tunnel, from_host(ip, remote(tunnel, ip)))


@gateway_test(RACK, tunnel={n: t for n, t in TUNNELS.items() if t.kind is not TunnelType.IPIP}, ip=FAMILIES)
def test_other_tenants_packet_leaves_as_its_own_network(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    send_into_tunnel(dut, RED, tunnel, from_host(ip, remote(tunnel, ip)))


CHECKSUMMED, WITH_CHECKSUM = changed(OVER_UDP, udp_checksum=True)


@gateway_test(RACK, WITH_CHECKSUM, tunnel=CHECKSUMMED, ip=FAMILIES, payload={"even": 600, "odd": 601, "short": 0})
def test_udp_checksum_is_right_where_the_tunnel_has_one(dut: Dut, tunnel: Tunnel, ip: Family, payload: int) -> None:
    send_into_tunnel(dut, BLUE, tunnel, from_host(ip, remote(tunnel, ip), payload=payload))


# ---- entropy

FLOWS = 64
OVER_IPV6 = {name: tunnel for name, tunnel in TUNNELS.items() if tunnel.underlay is IPV6}


def entropy(dut: Dut, tunnel: Tunnel, frames: list[bytes]) -> list[dict[str, int]]:
    observed = dut.send(BLUE.port, *frames)
    assert_in_tunnel(observed, BLUE, tunnel, [*map(at_remote, frames)])
    return [entropy_of(frame) for frame in observed.frames[tunnel.port]]


@gateway_test(RACK, tunnel=OVER_UDP, ip=FAMILIES)
def test_source_port_is_of_the_dynamic_range_and_tells_flows_apart(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    frames = [from_host(ip, remote(tunnel, ip), ports=(4000 + flow, 5000)) for flow in range(FLOWS)]
    ports = [each["sport"] for each in entropy(dut, tunnel, frames)]
    assert all(49152 <= port <= 65535 for port in ports), ports  # RFC 6335 6, RFC 7348 5
    assert len(set(ports)) > 3 * FLOWS // 4


@gateway_test(RACK, tunnel=OVER_IPV6, ip=FAMILIES)
def test_flow_label_tells_flows_apart(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    frames = [from_host(ip, remote(tunnel, ip), ports=(4000 + flow, 5000)) for flow in range(FLOWS)]
    labels = {each["flow_label"] for each in entropy(dut, tunnel, frames)}
    assert len(labels) > 3 * FLOWS // 4  # RFC 6438 4


@gateway_test(RACK, tunnel={**OVER_UDP, **OVER_IPV6}, ip=FAMILIES)
def test_entropy_of_a_flow_is_always_the_same(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    frames = [from_host(ip, remote(tunnel, ip), payload=payload) for payload in (0, 100, 1000)]
    first, *others = entropy(dut, tunnel, frames)
    assert all(each == first for each in others)


# ---- DSCP, ECN, TTL

NOT_ECT, ECT_1, ECT_0, CE = range(4)
ECN = {"not_ect": NOT_ECT, "ect_1": ECT_1, "ect_0": ECT_0, "ce": CE}
DSCP_EF, DSCP_AF31 = 46, 26


def traffic_class(ip: Family, dscp: int, ecn: int) -> dict[str, int]:
    return {"tos" if ip.name == "ipv4" else "tc": dscp << 2 | ecn}


WITH_ECN = {name: TUNNELS[name] for name in ("vxlan_over_ipv4", "gre_over_ipv6", "ipip_over_ipv4", "gtpu_over_ipv6")}


@gateway_test(RACK, tunnel=WITH_ECN, ip=FAMILIES, ecn=ECN)
def test_ecn_of_the_packet_is_the_tunnels(dut: Dut, tunnel: Tunnel, ip: Family, ecn: int) -> None:
    frame = from_host(ip, remote(tunnel, ip), **traffic_class(ip, DSCP_EF, ecn))
    observed = dut.send(BLUE.port, frame)
    assert_in_tunnel(observed, BLUE, tunnel, [at_remote(frame)], ecn=ecn)


PIPED, WITH_ITS_OWN_DSCP = changed(TUNNELS, dscp=DSCP_AF31)
UNIFORM, WITH_THE_PACKETS_DSCP = changed(TUNNELS, dscp=None)


@gateway_test(RACK, WITH_ITS_OWN_DSCP, tunnel=PIPED, ip=FAMILIES)
def test_dscp_is_the_tunnels_own(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    frame = from_host(ip, remote(tunnel, ip), **traffic_class(ip, DSCP_EF, ECT_0))
    observed = dut.send(BLUE.port, frame)
    assert_in_tunnel(observed, BLUE, tunnel, [at_remote(frame)], dscp=DSCP_AF31, ecn=ECT_0)


@gateway_test(RACK, WITH_THE_PACKETS_DSCP, tunnel=UNIFORM, ip=FAMILIES)
def test_dscp_is_the_packets_where_the_tunnel_says_so(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    frame = from_host(ip, remote(tunnel, ip), **traffic_class(ip, DSCP_EF, NOT_ECT))
    observed = dut.send(BLUE.port, frame)
    assert_in_tunnel(observed, BLUE, tunnel, [at_remote(frame)], dscp=DSCP_EF)


@gateway_test(RACK, tunnel=TUNNELS, ip=FAMILIES, hops={"2": 2, "255": 255})
def test_ttl_of_the_packet_is_not_the_tunnels(dut: Dut, tunnel: Tunnel, ip: Family, hops: int) -> None:
    send_into_tunnel(dut, BLUE, tunnel, from_host(ip, remote(tunnel, ip), hops=hops))


# ---- Geneve's option

WITH_DATA, WITH_OPTION = changed(GENEVE, option=(0x0102, 0x01, 0xDEADBEEF))
WITH_DATA_AND_CHECKSUM, WITH_OPTION_AND_CHECKSUM = changed(WITH_DATA, udp_checksum=True)
CRITICAL, WITH_CRITICAL_OPTION = changed(GENEVE, option=(0xFFFF, 0x81, 0x00000001))


@gateway_test(RACK, WITH_OPTION, tunnel=WITH_DATA, ip=FAMILIES)
def test_geneve_carries_the_tunnels_option(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    send_into_tunnel(dut, BLUE, tunnel, from_host(ip, remote(tunnel, ip)))


@gateway_test(RACK, WITH_OPTION_AND_CHECKSUM, tunnel=WITH_DATA_AND_CHECKSUM, ip=FAMILIES)
def test_checksum_takes_in_the_option(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    send_into_tunnel(dut, BLUE, tunnel, from_host(ip, remote(tunnel, ip)))


@gateway_test(RACK, WITH_CRITICAL_OPTION, tunnel=CRITICAL, ip=FAMILIES)
def test_header_says_that_its_option_is_critical(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    send_into_tunnel(dut, BLUE, tunnel, from_host(ip, remote(tunnel, ip)))
