# SPDX-License-Identifier: Apache-2.0
"""The running controller with softnic as its device: packets in at a port, and what comes out of it."""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import signal
import socket
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
import yaml
from finsy import GRPCStatusCode, P4TableEntry
from finsy.proto import p4r
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    IPv6,
)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet

from headgate import daemon
from headgate.config import Config, parse_config
from headgate.controller import Controller
from headgate.device import Device, DeviceUnreachable, DeviceView, UpdateFailure
from headgate.handlers import NicHandler
from headgate.handlers.nic import RouterLimits
from headgate.metrics import Metrics
from headgate.protocols.neighbor_cache import NeighborLimits
from headgate.systems import Entity
from headgate.vocabulary import CPU_PORT
from softnic.ports import MemoryPort
from softnic.server import P4RuntimeServer
from softnic.switch import Switch

ROUTER_MAC = "02:00:00:00:07:01"
NEAR_MAC = "02:00:00:00:ff:09"
FAR_MAC = "02:00:00:00:ff:50"
WAN, LOCAL_RING, FORWARDING_RING = 0, 1, 2

CONFIG = {
    "ports": [
        {"name": "wan", "port": WAN, "role": "uplink"},
        {"name": "local", "port": LOCAL_RING, "role": "ring"},
        {"name": "forwarding", "port": FORWARDING_RING, "role": "ring"},
    ],
    "vlans": [
        {"vlan_id": 10, "uplink": "wan", "tag": "untagged"},
        {"vlan_id": 20, "uplink": "wan", "tag": "tagged"},
    ],
    "vnics": [
        {
            "name": "router",
            "vnic_id": 7,
            "vlan": 10,
            "tagged_vlans": [20],
            "macs": [ROUTER_MAC],
            "addresses": [
                "10.0.0.1/24",
                "2001:db8::1/64",
                {"address": "10.0.20.1/24", "vlan": 20},
                {"address": "2001:db8:20::1/64", "vlan": 20},
            ],
            "rings": {
                "local": [{"ring_id": 1, "port": "local"}],
                "forwarding": [{"ring_id": 2, "port": "forwarding"}],
            },
            "forwarding": {"routed_by": "nic_on_receive"},
        }
    ],
}
CONFIGURED = "configured"


def config_with_address(address: str) -> dict[str, Any]:
    router = CONFIG["vnics"][0]
    return {**CONFIG, "vnics": [{**router, "addresses": [*router["addresses"], address]}]}


class Nic:
    """softnic in this process, with a port that is the wire and two that are rings."""

    def __init__(self, address: str = "127.0.0.1:0") -> None:
        switch = Switch(cpu_port=CPU_PORT)
        self.ports = [MemoryPort(number) for number in (WAN, LOCAL_RING, FORWARDING_RING)]
        for port in self.ports:
            switch.add_port(port)
        self._switch = switch
        self._server = P4RuntimeServer(switch, address=address)
        self.address = f"127.0.0.1:{self._server.start()}"
        switch.start()

    def stop(self) -> None:
        self._server.stop()
        self._switch.stop()

    def inject(self, frame: Packet) -> None:
        self.ports[WAN].inject(bytes(frame))

    async def take(self, port: int = WAN) -> Packet:
        return Ether(await asyncio.to_thread(self.ports[port].take))


@pytest.fixture
def nic() -> Iterator[Nic]:
    nic = Nic()
    yield nic
    nic.stop()


class Events(logging.Handler):
    """Waits for the controller to say what it did."""

    def __init__(self) -> None:
        super().__init__()
        self._messages: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.put(record.getMessage())

    async def wait_for(self, start: str) -> str:
        while True:
            message = await asyncio.to_thread(self._messages.get, timeout=20)
            if message.startswith(start):
                return message


@contextmanager
def logged() -> Iterator[Events]:
    events = Events()
    logger = logging.getLogger("headgate")
    level = logger.level
    logger.addHandler(events)
    logger.setLevel(logging.DEBUG)
    try:
        yield events
    finally:
        logger.setLevel(level)
        logger.removeHandler(events)


class FullDevice(Device):
    """A device whose neighbor tables take no entry."""

    async def write(
        self, updates: Iterable[p4r.Update | Entity], on_written: Callable[[int], None] | None = None
    ) -> list[UpdateFailure]:
        messages = [item if isinstance(item, p4r.Update) else item.encode_update(self.schema) for item in updates]
        refused = [message for message in messages if self._is_neighbor(message)]
        accepted = [message for message in messages if not self._is_neighbor(message)]
        failures = [UpdateFailure(message, GRPCStatusCode.RESOURCE_EXHAUSTED, "table is full") for message in refused]
        return failures + await super().write(accepted, on_written)

    def _is_neighbor(self, update: p4r.Update) -> bool:
        return update.entity.table_entry.table_id == self.schema.tables["ipv4_neighbor"].id


@asynccontextmanager
async def running(
    nic: Nic, config: Config, limits: RouterLimits | None = None, device: Device | None = None
) -> AsyncIterator[tuple[Controller, Events]]:
    """A controller that has configured the device."""
    with logged() as events:
        device = device or Device(nic.address)
        metrics = Metrics(nic.address)
        controller = Controller(device, config, metrics, NicHandler(device, metrics, limits))
        serving = asyncio.create_task(controller.serve())
        configured = asyncio.create_task(events.wait_for(CONFIGURED))
        await asyncio.wait((serving, configured), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        try:
            yield controller, events
        finally:
            serving.cancel()
            await asyncio.wait([serving])
            if not serving.cancelled():
                serving.result()


def asynchronous(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(**arguments: Any) -> None:
        asyncio.run(test(**arguments))

    return run


def near_frame(packet: Packet) -> Packet:
    return Ether(src=NEAR_MAC, dst=ROUTER_MAC) / packet


def far_frame(packet: Packet) -> Packet:
    return Ether(src=FAR_MAC, dst=ROUTER_MAC) / Dot1Q(vlan=20) / packet


def arp_reply(sender_mac: str, sender: str, target: str) -> Packet:
    return ARP(op="is-at", hwsrc=sender_mac, psrc=sender, hwdst=ROUTER_MAC, pdst=target)


PING = IP(src="10.0.0.9", dst="10.0.20.50", ttl=9) / ICMP() / b"story"
PING_V6 = IPv6(src="2001:db8::9", dst="2001:db8:20::50", hlim=9) / UDP() / b"story"


async def resolve_far(nic: Nic) -> Packet:
    """Answer the router's question for 10.0.20.50; the frame that waited for it."""
    request = await nic.take()
    assert (request[Dot1Q].vlan, request[ARP].op, request[ARP].pdst) == (20, 1, "10.0.20.50")
    assert (request.src, request[ARP].psrc) == (ROUTER_MAC, "10.0.20.1")
    nic.inject(far_frame(arp_reply(FAR_MAC, "10.0.20.50", "10.0.20.1")))
    return await nic.take()


def assert_routed(frame: Packet, sent: Packet) -> None:
    expected = sent.copy()
    expected.ttl -= 1
    del expected.chksum
    assert bytes(frame) == bytes(Ether(src=ROUTER_MAC, dst=FAR_MAC) / Dot1Q(vlan=20) / expected)


@asynchronous
async def test_a_packet_waits_for_its_neighbor_and_is_routed_once_that_answers(nic: Nic) -> None:
    async with running(nic, parse_config(CONFIG)):
        nic.inject(near_frame(PING))
        assert_routed(await resolve_far(nic), PING)

        nic.inject(near_frame(PING))  # the next one needs no controller
        assert_routed(await nic.take(), PING)


@asynchronous
async def test_an_ipv6_neighbor_is_resolved_likewise(nic: Nic) -> None:
    async with running(nic, parse_config(CONFIG)):
        nic.inject(near_frame(PING_V6))
        solicitation = await nic.take()
        assert solicitation.dst == "33:33:ff:00:00:50"
        assert solicitation[ICMPv6ND_NS].tgt == "2001:db8:20::50"
        nic.inject(
            far_frame(
                IPv6(src="2001:db8:20::50", dst="2001:db8:20::1")
                / ICMPv6ND_NA(tgt="2001:db8:20::50", S=1, O=1)
                / ICMPv6NDOptDstLLAddr(lladdr=FAR_MAC)
            )
        )
        expected = PING_V6.copy()
        expected.hlim -= 1
        assert bytes(await nic.take()) == bytes(Ether(src=ROUTER_MAC, dst=FAR_MAC) / Dot1Q(vlan=20) / expected)


@asynchronous
async def test_ttl_1_is_answered_with_time_exceeded_once_the_sender_is_found(nic: Nic) -> None:
    expired = IP(src="10.0.0.9", dst="10.0.20.50", ttl=1) / UDP() / b"traceroute"
    async with running(nic, parse_config(CONFIG)):
        nic.inject(near_frame(expired))
        assert (await nic.take())[ARP].pdst == "10.0.0.9"
        nic.inject(near_frame(arp_reply(NEAR_MAC, "10.0.0.9", "10.0.0.1")))
        answer = await nic.take()

    assert (answer.src, answer.dst) == (ROUTER_MAC, NEAR_MAC)
    assert (answer[IP].src, answer[IP].dst) == ("10.0.0.1", "10.0.0.9")
    assert (answer[ICMP].type, answer[ICMP].code) == (11, 0)
    assert bytes(answer[ICMP].payload) == bytes(expired)


@asynchronous
async def test_hop_limit_1_is_answered_likewise(nic: Nic) -> None:
    expired = IPv6(src="2001:db8::9", dst="2001:db8:20::50", hlim=1) / UDP() / b"traceroute"
    async with running(nic, parse_config(CONFIG)):
        nic.inject(near_frame(expired))
        assert (await nic.take())[ICMPv6ND_NS].tgt == "2001:db8::9"
        nic.inject(
            near_frame(
                IPv6(src="2001:db8::9", dst="2001:db8::1")
                / ICMPv6ND_NA(tgt="2001:db8::9", S=1, O=1)
                / ICMPv6NDOptDstLLAddr(lladdr=NEAR_MAC)
            )
        )
        answer = await nic.take()

    assert (answer[IPv6].src, answer[IPv6].dst) == ("2001:db8::1", "2001:db8::9")
    assert bytes(answer[ICMPv6TimeExceeded].payload) == bytes(expired)


TOO_FAR = IP(src="10.0.0.9", dst="192.0.2.1", ttl=9) / UDP() / b"nowhere"
TOO_BIG = IP(src="10.0.0.9", dst="10.0.20.50", ttl=9, flags="DF") / UDP() / bytes(1500)
TOO_FAR_6 = IPv6(src="2001:db8::9", dst="2001:db8:ffff::1", hlim=9) / UDP() / b"nowhere"
TOO_BIG_6 = IPv6(src="2001:db8::9", dst="2001:db8:20::50", hlim=9) / UDP() / bytes(1500)
NEAR_IS_KNOWN = {
    **CONFIG["vnics"][0]["forwarding"],
    "neighbors": [{"address": address, "mac": NEAR_MAC} for address in ("10.0.0.9", "2001:db8::9")],
}


@pytest.mark.parametrize(
    ("refused", "layer", "expected"),
    [
        pytest.param(TOO_FAR, ICMP, {"type": 3, "code": 0}, id="no_route_ipv4"),
        pytest.param(TOO_BIG, ICMP, {"type": 3, "code": 4, "nexthopmtu": 1500}, id="too_big_ipv4"),
        pytest.param(TOO_FAR_6, ICMPv6DestUnreach, {"code": 0}, id="no_route_ipv6"),
        pytest.param(TOO_BIG_6, ICMPv6PacketTooBig, {"code": 0, "mtu": 1500}, id="too_big_ipv6"),
    ],
)
@asynchronous
async def test_what_can_not_be_routed_is_answered_with_the_reason(
    nic: Nic, refused: Packet, layer: type[Packet], expected: dict[str, int]
) -> None:
    router = {**CONFIG["vnics"][0], "forwarding": NEAR_IS_KNOWN}
    async with running(nic, parse_config({**CONFIG, "vnics": [router]})):
        nic.inject(near_frame(refused))
        answer = await nic.take()

    assert (answer.src, answer.dst) == (ROUTER_MAC, NEAR_MAC)
    assert {name: getattr(answer[layer], name) for name in expected} == expected


@asynchronous
async def test_a_sender_hears_that_nobody_answers(nic: Nic) -> None:
    impatient = RouterLimits(neighbors=replace(NeighborLimits(), retransmit_ns=1_000_000, solicitations=2))
    async with running(nic, parse_config(CONFIG), impatient):
        nic.inject(near_frame(PING))
        assert [(await nic.take())[ARP].pdst for _ in range(2)] == ["10.0.20.50"] * 2
        while (request := await nic.take())[ARP].pdst != "10.0.0.9":
            pass
        assert request[ARP].psrc == "10.0.0.1"


@asynchronous
async def test_a_neighbor_that_fell_silent_is_asked_for_afresh(nic: Nic) -> None:
    hasty = RouterLimits(neighbors=replace(NeighborLimits(), reachable_ns=1_000_000, solicitations=1))
    async with running(nic, parse_config(CONFIG), hasty) as (_, events):
        nic.inject(near_frame(PING))
        assert_routed(await resolve_far(nic), PING)
        probe = await nic.take()
        assert (probe.dst, probe[ARP].pdst) == (FAR_MAC, "10.0.20.50")
        await events.wait_for("neighbor deleted")
        assert await neighbors(nic) == []

        nic.inject(near_frame(PING))
        assert_routed(await resolve_far(nic), PING)


@asynchronous
async def test_a_neighbor_that_moved_is_followed(nic: Nic) -> None:
    new_mac = "02:00:00:00:ff:51"
    async with running(nic, parse_config(CONFIG)) as (_, events):
        nic.inject(near_frame(PING))
        assert_routed(await resolve_far(nic), PING)
        await events.wait_for("neighbor written")

        nic.inject(far_frame(arp_reply(new_mac, "10.0.20.50", "10.0.20.1")))
        await events.wait_for("neighbor written")
        assert (await nic.take()).dst == new_mac  # asked whether it is really there
        nic.inject(near_frame(PING))
        assert (await nic.take()).dst == new_mac


@asynchronous
async def test_a_neighbor_the_device_has_no_room_for_is_lost_and_asked_for_again(nic: Nic) -> None:
    async with running(nic, parse_config(CONFIG), device=FullDevice(nic.address)) as (_, events):
        nic.inject(near_frame(PING))
        assert (await nic.take())[ARP].pdst == "10.0.20.50"
        nic.inject(far_frame(arp_reply(FAR_MAC, "10.0.20.50", "10.0.20.1")))
        refusal = await events.wait_for("update refused")
        assert "code=RESOURCE_EXHAUSTED reason=table is full table=ipv4_neighbor vnic_id=router vlan_id=20" in refusal

        nic.inject(near_frame(PING))
        assert (await nic.take())[ARP].pdst == "10.0.20.50"


@asynchronous
async def test_a_neighbor_goes_with_the_prefix_it_was_on(nic: Nic) -> None:
    router = CONFIG["vnics"][0]
    on_vlan_10 = [address for address in router["addresses"] if isinstance(address, str)]
    async with running(nic, parse_config(CONFIG)) as (controller, events):
        nic.inject(near_frame(PING))
        await resolve_far(nic)

        controller.reconfigure(parse_config({**CONFIG, "vnics": [{**router, "addresses": on_vlan_10}]}))
        await events.wait_for(CONFIGURED)
        assert await neighbors(nic) == []


@asynchronous
async def test_an_address_added_while_running_is_local_from_then_on(nic: Nic) -> None:
    to_new = near_frame(IP(src="10.0.0.9", dst="10.0.0.77", ttl=9) / ICMP() / b"story")
    async with running(nic, parse_config(CONFIG)) as (controller, events):
        nic.inject(to_new)
        assert (await nic.take())[ARP].pdst == "10.0.0.77"

        controller.reconfigure(parse_config(config_with_address("10.0.0.77/24")))
        await events.wait_for(CONFIGURED)
        nic.inject(to_new)
        assert bytes(await nic.take(LOCAL_RING)) == bytes(to_new)


@asynchronous
async def test_a_restarted_controller_adopts_what_was_learned_and_changes_nothing(nic: Nic) -> None:
    config = parse_config(CONFIG)
    async with running(nic, config):
        nic.inject(near_frame(PING))
        await resolve_far(nic)
        learned = await neighbors(nic)
    assert len(learned) == 1

    with logged() as events:
        async with running(nic, config):
            summary = await events.wait_for(CONFIGURED)
            assert "inserted=0 modified=0 deleted=0" in summary
            assert await neighbors(nic) == learned
            nic.inject(near_frame(PING))
            assert_routed(await nic.take(), PING)


async def neighbors(nic: Nic) -> list[P4TableEntry]:
    async with DeviceView(nic.address) as view:
        return await view.entries("ipv4_neighbor")


def test_a_device_that_went_away_is_configured_again_when_it_is_back() -> None:
    async def story() -> None:
        first = Nic()
        async with running(first, parse_config(CONFIG)) as (_, events):
            first.stop()
            await events.wait_for("device went away")
            second = Nic(first.address)
            try:
                await events.wait_for(CONFIGURED)
                second.inject(near_frame(PING))
                assert_routed(await resolve_far(second), PING)
            finally:
                second.stop()

    asyncio.run(story())


def test_a_device_that_was_never_there_is_an_error() -> None:
    nic = Nic()
    nic.stop()
    device, metrics = Device(nic.address), Metrics(nic.address)
    controller = Controller(device, parse_config(CONFIG), metrics, NicHandler(device, metrics))

    with pytest.raises(DeviceUnreachable):
        asyncio.run(controller.serve())


# ---- the process


@asynchronous
async def test_sigterm_ends_the_daemon_cleanly(nic: Nic) -> None:
    with logged() as events:
        serving = asyncio.create_task(daemon.run(Device(nic.address), parse_config(CONFIG)))
        await events.wait_for(CONFIGURED)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(serving, timeout=10)

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("by_signal", [True, False], ids=["SIGHUP", "file change"])
def test_the_daemon_reads_its_configuration_again(nic: Nic, tmp_path: Path, by_signal: bool) -> None:
    path = tmp_path / "nic.yaml"
    path.write_text(yaml.safe_dump(CONFIG))

    def overwrite(text: str) -> None:
        path.write_text(text)
        if by_signal:
            os.kill(os.getpid(), signal.SIGHUP)

    async def story() -> None:
        with logged() as events:
            serving = asyncio.create_task(daemon.run(Device(nic.address), parse_config(CONFIG), config_path=path))
            await events.wait_for(CONFIGURED)
            overwrite("nonsense")
            await events.wait_for("configuration not changed")
            overwrite(yaml.safe_dump(config_with_address("10.0.0.77/24")))
            assert "deleted=0" in await events.wait_for(CONFIGURED)
            os.kill(os.getpid(), signal.SIGTERM)
            await serving

    asyncio.run(story())


@asynchronous
async def test_metrics_are_served_over_http(nic: Nic) -> None:
    port = free_port()
    with logged() as events:
        serving = asyncio.create_task(daemon.run(Device(nic.address), parse_config(CONFIG), metrics_port=port))
        await events.wait_for(CONFIGURED)
        nic.inject(near_frame(PING))
        await resolve_far(nic)
        page = await asyncio.to_thread(read_metrics, port)
        os.kill(os.getpid(), signal.SIGTERM)
        await serving

    assert 'headgate_packet_ins_total{reason="neighbor_miss"} 1.0' in page
    assert 'headgate_neighbor_resolutions_total{result="resolved"} 1.0' in page
    assert "headgate_device_connected 1.0" in page
    assert 'headgate_drops_total{reason="ipv4_checksum"} 0.0' in page


def read_metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
        return response.read().decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
