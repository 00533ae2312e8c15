# SPDX-License-Identifier: Apache-2.0
"""tunnel_termination: out of the tunnels of known peers come the tenants' packets, and nothing else.

- Every kind of tunnel, over both address families, with the shims that its standard allows.
- Peer and network name the tenant: one tenant's packets never come out as another's.
- ECN comes out as RFC 6040 4.2 says; DSCP and TTL of the tunnel are its own affair.
- What is not ours, not known or not as the standards want it is dropped, each for its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, ether, probe, routed, tagged, udp
from harness.gateway import gateway_test
from harness.gateway.ports import TRUNK, UNDERLAY, UNDERLAY_TAGGED, UNDERLAY_VLAN
from harness.gateway.rack import (
    BLUE,
    HOST,
    HOST_MAC,
    RACK,
    RED,
    REMOTE_MAC,
    SEGMENT_MAC,
    TRUNK_HOST,
    TRUNK_HOST_MAC,
    Tenant,
    entry,
    remote,
)
from harness.gateway.traffic import FROM_REMOTE, assert_in_tunnel, at_host, at_remote, from_remote
from harness.gateway.tunnels import ETHERNET_BYTES, FABRIC_MAC, LOCAL, TUNNELS, UNDERLAY_MAC, Tunnel
from headgate.vocabulary import DropReason, TunnelType

OF_EACH_SORT = {name: TUNNELS[name] for name in ("vxlan_over_ipv4", "gtpu_over_ipv6")}
"""With a frame and with a packet, over either underlay."""
IDENTIFIED = {name: tunnel for name, tunnel in TUNNELS.items() if tunnel.kind is not TunnelType.IPIP}


def of_kind(kind: TunnelType) -> dict[str, Tunnel]:
    return {name: tunnel for name, tunnel in TUNNELS.items() if tunnel.kind is kind}


def assert_comes_out(dut: Dut, tenant: Tenant, tunnel: Tunnel, ip: Family, **changes: Any) -> None:
    """A packet of the host behind the tunnel reaches the tenant's own; `changes` as in `Tunnel.outer`."""
    inner = from_remote(tunnel, ip, HOST[ip])
    observed = dut.send(tunnel.port, tunnel.received(inner, tenant.network_id(tunnel), **changes))
    observed.assert_out({tenant.port: at_host(inner)})


def assert_refused(dut: Dut, tunnel: Tunnel, reason: DropReason, ip: Family = IPV4, **changes: Any) -> None:
    inner = from_remote(tunnel, ip, HOST[ip])
    dut.send(tunnel.port, tunnel.received(inner, BLUE.network_id(tunnel), **changes)).assert_dropped(reason)


# ---- what comes out


@gateway_test(RACK, tunnel=TUNNELS, ip=FAMILIES)
def test_tenants_packet_comes_out_of_the_tunnel(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    assert_comes_out(dut, BLUE, tunnel, ip)


@gateway_test(RACK, tunnel=IDENTIFIED, ip=FAMILIES)
def test_network_of_the_other_tenant_comes_out_at_the_other_tenant(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    assert_comes_out(dut, RED, tunnel, ip)


OVER_UDP = {n: t for n, t in TUNNELS.items() if t.kind in (TunnelType.VXLAN, TunnelType.GENEVE, TunnelType.GTPU)}


@gateway_test(RACK, tunnel=OVER_UDP, ip=FAMILIES, sport={"0": 0, "4789": 4789, "65535": 65535})
def test_source_port_is_the_peers_to_choose(dut: Dut, tunnel: Tunnel, ip: Family, sport: int) -> None:
    assert_comes_out(dut, BLUE, tunnel, ip, sport=sport)


@gateway_test(RACK, tunnel=OVER_UDP, ip=FAMILIES)
def test_packet_with_a_udp_checksum_comes_out_as_well(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    assert_comes_out(dut, BLUE, tunnel, ip, udp_checksum=True)


@gateway_test(RACK, tunnel=TUNNELS, hops={"1": 1, "255": 255})
def test_tunnels_ttl_is_its_own_affair(dut: Dut, tunnel: Tunnel, hops: int) -> None:
    assert_comes_out(dut, BLUE, tunnel, IPV4, hops=hops)


@gateway_test(RACK, tunnel=TUNNELS, ip=FAMILIES)
def test_tunnels_dscp_is_its_own_affair(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    assert_comes_out(dut, BLUE, tunnel, ip, dscp=46)


PADDING = b"\x5a" * 6


@gateway_test(RACK, tunnel=TUNNELS, ip=FAMILIES)
def test_padding_of_the_underlays_frame_stays_padding(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    inner = from_remote(tunnel, ip, HOST[ip])
    padded = tunnel.received(inner, BLUE.network_id(tunnel)) + PADDING
    dut.send(tunnel.port, padded).assert_out({BLUE.port: at_host(inner) + PADDING})


@gateway_test(RACK, tunnel=OF_EACH_SORT, onto=TUNNELS)
def test_packet_goes_on_by_another_tunnel_and_padding_stays_behind_it(dut: Dut, tunnel: Tunnel, onto: Tunnel) -> None:
    inner = from_remote(tunnel, IPV4, remote(onto, IPV4))
    padded = tunnel.received(inner, BLUE.network_id(tunnel)) + PADDING
    assert_in_tunnel(dut.send(tunnel.port, padded), BLUE, onto, [at_remote(inner) + PADDING])


# ---- ECN

NOT_ECT, ECT_1, ECT_0, CE = range(4)
LABELS = {NOT_ECT: "not_ect", ECT_1: "ect_1", ECT_0: "ect_0", CE: "ce"}
COMES_OUT = {
    # RFC 6040 4.2, figure 4: (inner, outer) -> outgoing; None: drop
    (NOT_ECT, NOT_ECT): NOT_ECT, (NOT_ECT, ECT_0): NOT_ECT, (NOT_ECT, ECT_1): NOT_ECT, (NOT_ECT, CE): None,
    (ECT_0, NOT_ECT): ECT_0, (ECT_0, ECT_0): ECT_0, (ECT_0, ECT_1): ECT_1, (ECT_0, CE): CE,
    (ECT_1, NOT_ECT): ECT_1, (ECT_1, ECT_0): ECT_1, (ECT_1, ECT_1): ECT_1, (ECT_1, CE): CE,
    (CE, NOT_ECT): CE, (CE, ECT_0): CE, (CE, ECT_1): CE, (CE, CE): CE,
}  # fmt: skip
COMBINATIONS = {
    f"{LABELS[inner]}_in_{LABELS[outer]}": (inner, outer, outgoing) for (inner, outer), outgoing in COMES_OUT.items()
}


@gateway_test(RACK, tunnel=OF_EACH_SORT, ip=FAMILIES, ecn=COMBINATIONS)
def test_ecn_comes_out_as_rfc_6040_says(dut: Dut, tunnel: Tunnel, ip: Family, ecn: tuple[int, int, int | None]) -> None:
    inner_ecn, outer_ecn, outgoing = ecn
    field, dscp = ("tos" if ip is IPV4 else "tc"), 26 << 2
    inner = from_remote(tunnel, ip, HOST[ip], **{field: dscp | inner_ecn})
    observed = dut.send(tunnel.port, tunnel.received(inner, BLUE.network_id(tunnel), ecn=outer_ecn))
    if outgoing is None:
        observed.assert_dropped(DropReason.ECN_INVALID)
    else:
        layer = Ether(inner)
        layer.payload.setfieldval(field, dscp | outgoing)
        if ip is IPV4:
            del layer.payload.chksum
        observed.assert_out({BLUE.port: at_host(bytes(layer))})


# ---- what the standards allow between the outer header and the packet

VXLAN_IPV4, GENEVE_IPV4, GRE_IPV4, GTPU_IPV4 = (
    TUNNELS[f"{kind}_over_ipv4"] for kind in ("vxlan", "geneve", "gre", "gtpu")
)
BLUE_ID = BLUE.network_id(VXLAN_IPV4)
ETHER_TYPES = {IPV4: 0x0800, IPV6: 0x86DD}


@dataclass(frozen=True, slots=True)
class Shim:
    """What stands there, as it goes over the wire: `build` takes the packet behind it."""

    tunnel: Tunnel
    build: Callable[[bytes, Family], bytes]

    def around(self, inner: bytes, ip: Family) -> bytes:
        payload = inner if self.tunnel.carries_ethernet else inner[ETHERNET_BYTES:]
        return self.tunnel.received(inner, BLUE_ID, shim=[Raw(self.build(payload, ip))])


def vxlan(flags: int = 0x08, reserved: int = 0, reserved2: int = 0, vni: int = BLUE_ID) -> Shim:
    """RFC 7348 5: flags, 24 bits, VNI, 8 bits."""
    words = flags << 24 | reserved, vni << 8 | reserved2
    return Shim(VXLAN_IPV4, lambda *_: b"".join(word.to_bytes(4) for word in words))


def geneve(
    options: bytes = b"", *, version: int = 0, control: int = 0, critical: int = 0, reserved: int = 0,
    protocol: int = 0x6558, length: int | None = None,
) -> Shim:  # fmt: skip
    """RFC 8926 3.4."""
    units = len(options) // 4 if length is None else length
    first = version << 30 | units << 24 | control << 23 | critical << 22 | reserved << 16 | protocol
    return Shim(GENEVE_IPV4, lambda *_: first.to_bytes(4) + (BLUE_ID << 8 | reserved).to_bytes(4) + options)


def option(option_type: int = 1, units: int = 1, option_class: int = 0x0102) -> bytes:
    """RFC 8926 3.5."""
    return option_class.to_bytes(2) + bytes((option_type, units)) + b"\x2a" * 4 * units


def gre(*, flags: int = 0x2000, fields: bytes = BLUE_ID.to_bytes(4), protocol: int | None = None) -> Shim:
    """RFC 2784 2.1, RFC 2890 2: flags and version, protocol, then what the flags announce."""
    return Shim(GRE_IPV4, lambda _, ip: flags.to_bytes(2) + (protocol or ETHER_TYPES[ip]).to_bytes(2) + fields)


def gtpu(optional: bytes = b"", *, flags: int = 0x30, message: int = 255, longer: int = 0, teid: int = BLUE_ID) -> Shim:
    """3GPP TS 29.281 5.1: its length is what follows the TEID."""
    return Shim(
        GTPU_IPV4,
        lambda payload, _: (
            bytes((flags, message)) + (len(optional) + len(payload) + longer).to_bytes(2) + teid.to_bytes(4) + optional
        ),
    )


SEQUENCE = b"\x00\x00\x12\x34"
PDU_SESSION_CONTAINER = b"\x01\x10\x05\x00"  # 3GPP TS 38.415 5.5.2: uplink, QFI 5; no extension follows
ALLOWED = {
    "vxlan": vxlan(),
    "vxlan_with_reserved_bits": vxlan(flags=0xFF, reserved=0xFFFFFF, reserved2=0xFF),  # RFC 7348 5: ignored
    "geneve": geneve(),
    "geneve_with_reserved_bits": geneve(reserved=0x3F),
    "geneve_with_an_option": geneve(option()),
    "geneve_with_an_option_without_data": geneve(option(units=0)),
    "geneve_with_as_many_options_as_fit": geneve(option(units=31) + option(units=29) + option(units=0)),
    "gre_with_key": gre(),
    "gre_with_key_and_sequence": gre(flags=0x3000, fields=BLUE_ID.to_bytes(4) + SEQUENCE),
    "gtpu": gtpu(),
    "gtpu_with_sequence": gtpu(b"\x12\x34\x00\x00", flags=0x32),
    "gtpu_with_n_pdu_number": gtpu(b"\x00\x00\x07\x00", flags=0x31),
    "gtpu_with_pdu_session_container": gtpu(b"\x00\x00\x00\x85" + PDU_SESSION_CONTAINER, flags=0x34),
    "gtpu_with_everything": gtpu(b"\x12\x34\x07\x85" + PDU_SESSION_CONTAINER, flags=0x37),
}


@gateway_test(RACK, shim=ALLOWED, ip=FAMILIES)
def test_packet_comes_out_from_behind_whatever_the_standard_allows(dut: Dut, shim: Shim, ip: Family) -> None:
    inner = from_remote(shim.tunnel, ip, HOST[ip])
    dut.send(shim.tunnel.port, shim.around(inner, ip)).assert_out({BLUE.port: at_host(inner)})


NO_KEY = (
    entry("tunnel_network", {"scope": GRE_IPV4.tunnel_id, "network_id": 0}, "enter", tenant_id=RED.tenant_id,
          segment_id=RED.remote_segment(GRE_IPV4), mac=SEGMENT_MAC),
)  # fmt: skip
WITHOUT_KEY = {
    "plain": gre(flags=0x0000, fields=b""),
    "with_sequence": gre(flags=0x1000, fields=SEQUENCE),
}


@gateway_test(RACK, NO_KEY, shim=WITHOUT_KEY, ip=FAMILIES)
def test_gre_without_a_key_is_a_network_of_its_own(dut: Dut, shim: Shim, ip: Family) -> None:
    inner = from_remote(shim.tunnel, ip, HOST[ip])
    dut.send(shim.tunnel.port, shim.around(inner, ip)).assert_out({RED.port: at_host(inner)})


# ---- what is refused

INVALID = {
    "vxlan_without_a_valid_vni": vxlan(flags=0xF7),
    "geneve_of_another_version": geneve(version=1),
    "geneve_control_message": geneve(control=1),
    "geneve_that_carries_no_frame": geneve(protocol=0x0800),
    "geneve_of_an_unknown_protocol": geneve(protocol=0x88B5),
    "gre_with_checksum": gre(flags=0xA000, fields=b"\0" * 4 + BLUE_ID.to_bytes(4)),
    "gre_with_routing": gre(flags=0x6000, fields=b"\0" * 4 + BLUE_ID.to_bytes(4)),
    "gre_of_another_version": gre(flags=0x2001),
    "gre_that_carries_a_frame": gre(protocol=0x6558),
    "gre_of_an_unknown_protocol": gre(protocol=0x88B5),
    "gtpu_of_another_version": gtpu(flags=0x50),
    "gtp_prime": gtpu(flags=0x20),
    "gtpu_echo_request": gtpu(message=1),
    "gtpu_error_indication": gtpu(message=26),
    "gtpu_end_marker": gtpu(message=254),
    "gtpu_longer_than_its_datagram": gtpu(longer=1),
    "gtpu_shorter_than_its_datagram": gtpu(longer=-1),
    "gtpu_with_an_unknown_extension": gtpu(b"\x00\x00\x00\xc0" + PDU_SESSION_CONTAINER, flags=0x34),
    "gtpu_with_two_extensions": gtpu(b"\x00\x00\x00\x85" + b"\x01\x10\x05\x85" + PDU_SESSION_CONTAINER, flags=0x34),
    "gtpu_with_an_extension_of_no_length": gtpu(b"\x00\x00\x00\x85" + b"\x00\x10\x05\x00", flags=0x34),
}


def assert_shim_refused(dut: Dut, shim: Shim, ip: Family, reason: DropReason) -> None:
    inner = from_remote(shim.tunnel, ip, HOST[ip])
    dut.send(shim.tunnel.port, shim.around(inner, ip)).assert_dropped(reason)


@gateway_test(RACK, shim=INVALID, ip=FAMILIES)
def test_what_is_no_tunnel_header_of_ours_is_refused(dut: Dut, shim: Shim, ip: Family) -> None:
    assert_shim_refused(dut, shim, ip, DropReason.TUNNEL_HEADER_INVALID)


@gateway_test(RACK, ip=FAMILIES)
def test_critical_option_that_nobody_here_understands_is_refused(dut: Dut, ip: Family) -> None:
    assert_shim_refused(dut, geneve(option(0x81), critical=1), ip, DropReason.GENEVE_CRITICAL_OPTION)


@gateway_test(RACK)
def test_options_beyond_the_packet_are_too_short(dut: Dut) -> None:
    inner = ether(*FROM_REMOTE, probe(), ether_type=0x88B5)
    dut.send(UNDERLAY, geneve(length=63).around(inner, IPV4)).assert_dropped(DropReason.PARSE_TOO_SHORT)


@gateway_test(RACK, tunnel=TUNNELS, ip=FAMILIES)
def test_tunnel_of_an_unknown_peer_is_refused(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    stranger = replace(tunnel, peer={IPV4: "192.0.2.99", IPV6: "2001:db8:ff::99"}[tunnel.underlay])
    assert_refused(dut, stranger, DropReason.TUNNEL_PEER_UNKNOWN, ip)


@gateway_test(RACK, tunnel=TUNNELS)
def test_tunnel_of_another_kind_from_a_known_peer_is_refused(dut: Dut, tunnel: Tunnel) -> None:
    other = TunnelType.VXLAN if tunnel.kind is not TunnelType.VXLAN else TunnelType.IPIP
    assert_refused(dut, replace(tunnel, kind=other), DropReason.TUNNEL_PEER_UNKNOWN)


@gateway_test(RACK, tunnel=TUNNELS)
def test_tunnel_to_an_address_that_is_not_ours_is_refused(dut: Dut, tunnel: Tunnel) -> None:
    inner = from_remote(tunnel, IPV4, HOST[IPV4])
    elsewhere = {IPV4: "192.0.2.200", IPV6: "2001:db8:ff::200"}[tunnel.underlay]
    outer = tunnel.outer(inner, BLUE.network_id(tunnel), src=tunnel.peer, dst=elsewhere)
    frame = bytes(Ether(src=FABRIC_MAC, dst=UNDERLAY_MAC) / outer)
    frame = tagged(frame, UNDERLAY_VLAN) if tunnel.port == UNDERLAY_TAGGED else frame
    dut.send(tunnel.port, frame).assert_dropped(DropReason.TUNNEL_PEER_UNKNOWN)


@gateway_test(RACK, tunnel=IDENTIFIED, network_id={"nobodys": 0xABCFFF, "zero": 0})
def test_network_that_nobody_has_is_refused(dut: Dut, tunnel: Tunnel, network_id: int) -> None:
    inner = from_remote(tunnel, IPV4, HOST[IPV4])
    dut.send(tunnel.port, tunnel.received(inner, network_id)).assert_dropped(DropReason.TUNNEL_NETWORK_UNKNOWN)


IN_A_FRAME = {name: tunnel for name, tunnel in TUNNELS.items() if tunnel.carries_ethernet}


@gateway_test(RACK, tunnel=IN_A_FRAME, ip=FAMILIES, ether_type={"c_tag": 0x8100, "s_tag": 0x88A8})
def test_tagged_frame_in_a_tunnel_is_refused(dut: Dut, tunnel: Tunnel, ip: Family, ether_type: int) -> None:
    inner = tagged(from_remote(tunnel, ip, HOST[ip]), 5, ether_type=ether_type)
    frame = tunnel.received(inner, BLUE.network_id(tunnel))
    dut.send(tunnel.port, frame).assert_dropped(DropReason.INNER_TAGGED)


@gateway_test(RACK, tunnel=IN_A_FRAME)
def test_frame_in_a_tunnel_for_somebody_elses_mac_is_refused(dut: Dut, tunnel: Tunnel) -> None:
    inner = udp(IPV4, (REMOTE_MAC, HOST_MAC), (remote(tunnel, IPV4), HOST[IPV4]))
    frame = tunnel.received(inner, BLUE.network_id(tunnel))
    dut.send(tunnel.port, frame).assert_dropped(DropReason.DST_MAC_NOT_OURS)


@gateway_test(RACK, tunnel=TUNNELS)
def test_inner_packet_with_a_wrong_header_checksum_is_refused(dut: Dut, tunnel: Tunnel) -> None:
    inner = udp(IPV4, FROM_REMOTE, (remote(tunnel, IPV4), HOST[IPV4]), chksum=0xBAD0)
    dut.send(tunnel.port, tunnel.received(inner, BLUE.network_id(tunnel))).assert_dropped(DropReason.IPV4_CHECKSUM)


@gateway_test(RACK, tunnel=TUNNELS)
def test_inner_packet_longer_than_what_the_tunnel_carries_is_refused(dut: Dut, tunnel: Tunnel) -> None:
    inner = udp(IPV4, FROM_REMOTE, (remote(tunnel, IPV4), HOST[IPV4]), len=1000)
    dut.send(tunnel.port, tunnel.received(inner, BLUE.network_id(tunnel))).assert_dropped(DropReason.IPV4_TOTAL_LENGTH)


# ---- the outer header

OVER_IPV4 = {name: tunnel for name, tunnel in TUNNELS.items() if tunnel.underlay is IPV4}
OVER_IPV6 = {name: tunnel for name, tunnel in TUNNELS.items() if tunnel.underlay is IPV6}
BAD_IPV4 = {
    "version": ({"version": 5}, DropReason.IPV4_VERSION),
    "checksum": ({"chksum": 0xBAD0}, DropReason.IPV4_CHECKSUM),
    "longer_than_the_frame": ({"len": 2000}, DropReason.IPV4_TOTAL_LENGTH),
    "shorter_than_the_tunnels_header": ({"len": 21}, DropReason.IPV4_TOTAL_LENGTH),
    "first_fragment": ({"flags": "MF"}, DropReason.UNDERLAY_NOT_TUNNEL),
    "later_fragment": ({"frag": 8}, DropReason.UNDERLAY_NOT_TUNNEL),
}
BAD_IPV6 = {
    "version": ({"version": 5}, DropReason.IPV6_VERSION),
    "longer_than_the_frame": ({"plen": 2000}, DropReason.IPV6_PAYLOAD_LENGTH),
}


@gateway_test(RACK, tunnel=OVER_IPV4, bad=BAD_IPV4)
def test_bad_outer_ipv4_header_is_refused(dut: Dut, tunnel: Tunnel, bad: tuple[dict[str, Any], DropReason]) -> None:
    header, reason = bad
    assert_refused(dut, tunnel, reason, header=header)


@gateway_test(RACK, tunnel=OVER_IPV6, bad=BAD_IPV6)
def test_bad_outer_ipv6_header_is_refused(dut: Dut, tunnel: Tunnel, bad: tuple[dict[str, Any], DropReason]) -> None:
    header, reason = bad
    assert_refused(dut, tunnel, reason, header=header)


@gateway_test(RACK, tunnel=TUNNELS)
def test_tunnel_in_a_frame_that_is_not_for_us_is_refused(dut: Dut, tunnel: Tunnel) -> None:
    frame = tunnel.received(from_remote(tunnel, IPV4, HOST[IPV4]), BLUE.network_id(tunnel))
    dut.send(tunnel.port, bytes.fromhex("02000000aaff") + frame[6:]).assert_dropped(DropReason.DST_MAC_NOT_OURS)


@gateway_test(RACK, ip=FAMILIES)
def test_what_comes_by_the_underlay_without_a_tunnel_is_refused(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (FABRIC_MAC, UNDERLAY_MAC), (VXLAN_IPV4.peer if ip is IPV4 else "2001:db8:ff::9", LOCAL[ip]))
    dut.send(UNDERLAY, frame).assert_dropped(DropReason.UNDERLAY_NOT_TUNNEL)


# ---- tunnels that are not for us are payload


@gateway_test(RACK, kind=TUNNELS, ip=FAMILIES)
def test_tenants_own_tunnel_is_payload(dut: Dut, kind: Tunnel, ip: Family) -> None:
    """A tenant's host speaks VXLAN to another: nothing of what it carries is looked at."""
    own = replace(kind, underlay=ip)
    within = from_remote(kind, IPV4, HOST[IPV4], hops=1)
    packet = own.outer(within, 5, src=HOST[ip], dst=TRUNK_HOST[ip], hops=9)
    frame = bytes(Ether(src=HOST_MAC, dst=SEGMENT_MAC) / packet)
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({TRUNK: tagged(routed(frame, SEGMENT_MAC, TRUNK_HOST_MAC), BLUE.vlan_id)})


@gateway_test(
    RACK, payload={str(n): n for n in (0, 1, 7, 8, 9, 15)}, port={"vxlan": 4789, "geneve": 6081, "gtpu": 2152}
)
def test_datagram_to_a_tunnels_port_that_is_no_tunnel_is_payload(dut: Dut, payload: int, port: int) -> None:
    packet = IPV4.header(HOST[IPV4], TRUNK_HOST[IPV4]) / UDP(sport=1, dport=port) / Raw(b"\x55" * payload)
    frame = bytes(Ether(src=HOST_MAC, dst=SEGMENT_MAC) / packet)
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({TRUNK: tagged(routed(frame, SEGMENT_MAC, TRUNK_HOST_MAC), BLUE.vlan_id)})
    dut.foreign.clear()
