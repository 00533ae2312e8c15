# SPDX-License-Identifier: Apache-2.0
"""The running controller of a gateway with softnic as its device: packets in at a port, and what comes out of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from copy import deepcopy
from functools import wraps
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from headgate.config import parse_config
from headgate.config.gateway import GatewayConfig
from headgate.controller import Controller
from headgate.device import Device, DeviceView
from headgate.handlers.gateway import GatewayHandler
from headgate.metrics import Metrics
from headgate.vocabulary import CACHE_OUTCOMES_PER_TENANT, CPU_PORT, CacheOutcome, DropReason
from softnic.engine import NoRoom, TableEntry
from softnic.ir import Program
from softnic.ports import MemoryPort
from softnic.reference import ReferenceEngine
from softnic.server import P4RuntimeServer
from softnic.switch import Switch

HOSTS, WAN = 0, 1
TENANT_ID = 1
GATEWAY_MAC, UPLINK_MAC = "02:00:00:00:f2:01", "02:00:00:00:f1:01"
HOST_MAC, PROVIDER_MAC = "02:00:00:00:aa:10", "02:00:00:00:fb:01"
HOST, GATEWAY, PROVIDER, SERVER = "10.0.0.10", "10.0.0.1", "203.0.113.1", "198.51.100.7"
PATIENCE_S = 20

CONFIG: dict[str, Any] = {
    "program": "gateway",
    "interfaces": [{"name": "hosts", "port": HOSTS}, {"name": "wan", "port": WAN}],
    "routers": [
        {
            "name": "north",
            "router_id": 1,
            "uplinks": [{"interface": "wan", "mac": UPLINK_MAC, "addresses": ["203.0.113.2/29"]}],
            "neighbors": [{"address": PROVIDER, "mac": PROVIDER_MAC}],
            "routes": [{"prefix": "0.0.0.0/0", "via": [PROVIDER]}],
        }
    ],
    "tenants": [
        {
            "name": "red",
            "tenant_id": TENANT_ID,
            "router": "north",
            "segments": [
                {
                    "name": "hosts",
                    "segment_id": 1,
                    "mac": GATEWAY_MAC,
                    "addresses": ["10.0.0.1/24"],
                    "attached": [{"interface": "hosts"}],
                    "hosts": [{"address": HOST, "mac": HOST_MAC}],
                }
            ],
            "routes": [{"prefix": "0.0.0.0/0", "to": "router"}],
            "firewall": {"rules": [{"name": "out", "ingress": "inside", "action": "allow_stateful"}]},
            "nat": {
                "pools": [{"name": "shared", "pool_id": 1, "inside": ["10.0.0.0/24"], "outside": ["203.0.113.64/32"]}]
            },
        }
    ],
}


def changed(change: Callable[[dict[str, Any]], None]) -> GatewayConfig:
    """The configuration after `change` to its tenant."""
    data = deepcopy(CONFIG)
    change(data["tenants"][0])
    config = parse_config(data)
    assert isinstance(config, GatewayConfig)
    return config


AS_IT_IS = changed(lambda _: None)
WITHOUT_HOST = changed(lambda tenant: tenant["segments"][0].update(hosts=[]))
ONE_PORT = changed(lambda tenant: tenant["nat"]["pools"][0].update(ports=5000))
NAT_ON_LINK = changed(lambda tenant: tenant["nat"]["pools"][0].update(outside=["203.0.113.5/32"]))
NO_WEB = changed(
    lambda tenant: tenant["firewall"]["rules"].insert(
        0, {"name": "no-web", "protocol": "tcp", "destination_ports": 80, "action": "deny"}
    )
)


class FullEngine(ReferenceEngine):
    """Has no room for cached flows."""

    def insert(self, table: str, entry: TableEntry) -> None:
        if table.endswith("cache_ipv4"):
            raise NoRoom(f"{table} is full")
        super().insert(table, entry)


class Gateway:
    """softnic in this process: hosts on one port, the outside on the other."""

    def __init__(self, engine: Callable[[Program], ReferenceEngine] | None = None) -> None:
        self._switch = Switch(cpu_port=CPU_PORT, engine_factory=engine) if engine else Switch(cpu_port=CPU_PORT)
        self.ports = [MemoryPort(number) for number in (HOSTS, WAN)]
        for port in self.ports:
            self._switch.add_port(port)
        self._server = P4RuntimeServer(self._switch, address="127.0.0.1:0")
        self.address = f"127.0.0.1:{self._server.start()}"
        self._switch.start()

    def stop(self) -> None:
        self._server.stop()
        self._switch.stop()

    async def out(self, packet: Packet) -> Packet:
        """Send a packet from the host; what comes out to the outside."""
        self.ports[HOSTS].inject(bytes(Ether(src=HOST_MAC, dst=GATEWAY_MAC) / packet))
        return await self.take(WAN)

    async def back(self, packet: Packet) -> Packet:
        """Send a packet from the outside; what comes out to the host."""
        self.ports[WAN].inject(bytes(Ether(src=PROVIDER_MAC, dst=UPLINK_MAC) / packet))
        return await self.take(HOSTS)

    async def answered(self, packet: Packet) -> Packet:
        """Send a packet from the host; what comes back to it."""
        self.ports[HOSTS].inject(bytes(Ether(src=HOST_MAC, dst=GATEWAY_MAC) / packet))
        return await self.take(HOSTS)

    async def take(self, port: int) -> Packet:
        return Ether(await asyncio.to_thread(self.ports[port].take, PATIENCE_S))

    async def hits(self) -> int:
        async with DeviceView(self.address, program="gateway") as view:
            row = TENANT_ID * CACHE_OUTCOMES_PER_TENANT + CacheOutcome.HIT
            return (await view.counter("cache_outcome", row))[row].packet_count

    async def drops(self, reason: DropReason) -> int:
        async with DeviceView(self.address, program="gateway") as view:
            return (await view.counter("drop_reason", reason))[reason].packet_count


class Served:
    """A gateway and the controller that serves it."""

    def __init__(self, device: Device, config: GatewayConfig) -> None:
        self.metrics = Metrics(device.address)
        self.handler = GatewayHandler(device, config, self.metrics)
        self.controller = Controller(device, config, self.metrics, self.handler)

    @property
    def held(self) -> tuple[int, int, int]:
        """How many flows, connections and NAT mappings."""
        index = self.handler.cache.index
        return index.flows, index.connections, len(self.handler.translation.mappings)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what other tasks bring about."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(gateway: Gateway, config: GatewayConfig = AS_IT_IS) -> AsyncIterator[Served]:
    served = Served(Device(gateway.address, program="gateway"), config)
    task = asyncio.create_task(served.controller.serve())
    try:
        await until(lambda: served.handler.is_serving or task.done())
        yield served
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def asynchronous(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    yield gateway
    gateway.stop()


def request(sport: int = 1000, payload: bytes = b"question") -> Packet:
    return IP(src=HOST, dst=SERVER) / UDP(sport=sport, dport=53) / payload


def segment(flags: str, dport: int = 80) -> Packet:
    return IP(src=HOST, dst=SERVER) / TCP(sport=1000, dport=dport, flags=flags)


def from_server(seen: Packet, flags: str) -> Packet:
    """A TCP segment that answers one as the server saw it."""
    return IP(src=SERVER, dst=seen[IP].src) / TCP(sport=seen[TCP].dport, dport=seen[TCP].sport, flags=flags)


async def connect(gateway: Gateway, served: Served, dport: int = 80) -> Packet:
    """A TCP connection with both directions cached. Returns: its SYN as the server saw it."""
    seen = await gateway.out(segment("S", dport))
    await until(lambda: served.handler.cache.index.connections == 1 and not served.handler.is_writing)
    await gateway.back(from_server(seen, "SA"))
    await gateway.out(segment("A", dport))
    await gateway.back(from_server(seen, "A"))
    await until(lambda: served.held == (2, 1, 1) and not served.handler.is_writing)
    return seen


@asynchronous
async def test_the_second_packet_of_a_flow_takes_the_cache_and_leaves_like_the_first(gateway: Gateway) -> None:
    async with serving(gateway) as served:
        first = await gateway.out(request())
        await until(lambda: served.held == (1, 1, 1) and not served.handler.is_writing)
        before = await gateway.hits()
        assert bytes(await gateway.out(request())) == bytes(first)
        assert await gateway.hits() == before + 1
    assert first[IP].src == "203.0.113.64"


@asynchronous
async def test_answers_come_back_through_nat_and_the_mapping_stays(gateway: Gateway) -> None:
    async with serving(gateway) as served:
        seen = await connect(gateway, served)
        data = await gateway.back(from_server(seen, "PA"))
        assert (data[IP].dst, data[TCP].dport) == (HOST, 1000)
        again = await gateway.out(segment("A"))
        assert (again[IP].src, again[TCP].sport) == (seen[IP].src, seen[TCP].sport)


@asynchronous
async def test_a_closed_connection_is_no_longer_cached_and_its_last_packets_pass(gateway: Gateway) -> None:
    async with serving(gateway) as served:
        seen = await connect(gateway, served)
        await gateway.out(segment("FA"))
        await gateway.back(from_server(seen, "FA"))
        await until(lambda: served.held == (0, 1, 1) and not served.handler.is_writing)
        await gateway.out(segment("A"))
        await until(lambda: served.handler.cache.counts["closed"] == 1)
        assert served.held == (0, 1, 1)


@asynchronous
async def test_a_new_rule_stops_a_cached_connection_in_both_directions(gateway: Gateway) -> None:
    async with serving(gateway) as served:
        seen = await connect(gateway, served)
        served.controller.reconfigure(NO_WEB)
        await until(lambda: served.handler.cache.counts["swept"] == 2 and not served.handler.is_writing)
        gateway.ports[HOSTS].inject(bytes(Ether(src=HOST_MAC, dst=GATEWAY_MAC) / segment("A")))
        gateway.ports[WAN].inject(bytes(Ether(src=PROVIDER_MAC, dst=UPLINK_MAC) / from_server(seen, "A")))
        await gateway.out(request())  # behind them
        assert await gateway.drops(DropReason.FIREWALL_DENY) == 2


@asynchronous
async def test_cached_flows_go_on_without_a_controller_and_the_next_one_takes_them_over(gateway: Gateway) -> None:
    async with serving(gateway) as served:
        seen = await connect(gateway, served)
    before = await gateway.hits()
    await gateway.out(segment("A"))
    await gateway.back(from_server(seen, "A"))
    assert await gateway.hits() == before + 2
    async with serving(gateway) as served:
        assert served.held == (2, 1, 1)
        assert served.handler.cache.counts["swept"] == 0
        await gateway.out(segment("A"))
        assert await gateway.hits() == before + 3
        again = await gateway.out(segment("S", dport=443))
        assert (again[IP].src, again[TCP].sport) == (seen[IP].src, seen[TCP].sport)


@asynchronous
async def test_an_idle_flow_leaves_the_cache(gateway: Gateway) -> None:
    config = parse_config({**CONFIG, "cache": {"idle_timeout_s": 1}})
    assert isinstance(config, GatewayConfig)
    async with serving(gateway, config) as served:
        await gateway.out(request())
        await until(lambda: served.held == (1, 1, 1))
        await until(lambda: served.held == (0, 1, 1))


@asynchronous
async def test_flows_that_find_the_table_full_stay_on_the_slow_path() -> None:
    gateway = Gateway(lambda program: FullEngine(program, cpu_port=CPU_PORT))
    try:
        async with serving(gateway) as served:
            await gateway.out(request())
            await until(lambda: served.handler.cache.counts["table_full"] > 0)
            await gateway.out(request())
            assert served.held == (0, 1, 1)
    finally:
        gateway.stop()


@asynchronous
async def test_a_pool_without_a_port_left_is_counted(gateway: Gateway) -> None:
    async with serving(gateway, ONE_PORT) as served:
        await gateway.out(request(sport=1))
        gateway.ports[HOSTS].inject(bytes(Ether(src=HOST_MAC, dst=GATEWAY_MAC) / request(sport=2)))
        await until(lambda: served.handler.translation.counts["exhausted"] == 1)


@asynchronous
async def test_packets_for_one_new_endpoint_share_its_mapping(gateway: Gateway) -> None:
    async with serving(gateway) as served:
        for _ in range(3):
            gateway.ports[HOSTS].inject(bytes(Ether(src=HOST_MAC, dst=GATEWAY_MAC) / request()))
        sources = {(seen[IP].src, seen[UDP].sport) for seen in [await gateway.take(WAN) for _ in range(3)]}
        assert len(sources) == len(served.handler.translation.mappings) == 1


@asynchronous
async def test_a_hosts_neighbor_entry_is_resolved_when_it_is_needed(gateway: Gateway) -> None:
    async with serving(gateway, WITHOUT_HOST) as served:
        seen = await gateway.out(segment("S"))
        await until(lambda: served.handler.cache.index.connections == 1 and not served.handler.is_writing)
        asked = await gateway.back(from_server(seen, "SA"))
        assert (asked[ARP].pdst, asked[ARP].psrc) == (HOST, GATEWAY)
        reply = ARP(op="is-at", hwsrc=HOST_MAC, psrc=HOST, hwdst=GATEWAY_MAC, pdst=GATEWAY)
        waited = await gateway.answered(reply)
        assert (waited[TCP].flags, waited.dst) == ("SA", HOST_MAC)


@asynchronous
async def test_who_asks_for_the_gateways_address_is_answered(gateway: Gateway) -> None:
    async with serving(gateway):
        reply = await gateway.answered(ARP(op="who-has", hwsrc=HOST_MAC, psrc=HOST, pdst=GATEWAY))
        assert (reply[ARP].op, reply[ARP].hwsrc, reply[ARP].psrc) == (2, GATEWAY_MAC, GATEWAY)


@asynchronous
async def test_the_gateway_answers_a_ping(gateway: Gateway) -> None:
    async with serving(gateway):
        ping = IP(src=HOST, dst=GATEWAY) / ICMP(id=7, seq=9) / b"payload"
        pong = await gateway.answered(ping)
        assert (pong[IP].src, pong[ICMP].type, pong[ICMP].id, pong[ICMP].seq) == (GATEWAY, 0, 7, 9)
        assert bytes(pong[ICMP].payload) == b"payload"


@asynchronous
async def test_a_packet_whose_ttl_expires_is_answered(gateway: Gateway) -> None:
    async with serving(gateway):
        packet = request()
        packet.ttl = 1
        error = await gateway.answered(packet)
        assert (error[IP].src, error[ICMP].type) == (GATEWAY, 11)


@asynchronous
async def test_a_host_on_the_uplinks_own_prefix_is_resolved_and_routed_to(gateway: Gateway) -> None:
    async with serving(gateway) as served:
        asked = await gateway.out(IP(src=HOST, dst="203.0.113.4") / UDP(sport=9, dport=9))
        assert (asked[ARP].pdst, asked[ARP].psrc) == ("203.0.113.4", "203.0.113.2")
        other_mac = "02:00:00:00:fb:04"
        reply = ARP(op="is-at", hwsrc=other_mac, psrc="203.0.113.4", hwdst=UPLINK_MAC, pdst="203.0.113.2")
        gateway.ports[WAN].inject(bytes(Ether(src=other_mac, dst=UPLINK_MAC) / reply))
        waited = await gateway.take(WAN)
        assert (waited.dst, waited[IP].dst) == (other_mac, "203.0.113.4")
        await until(lambda: served.held == (1, 1, 1) and not served.handler.is_writing)
        again = await gateway.out(IP(src=HOST, dst="203.0.113.4") / UDP(sport=9, dport=9))
        assert again.dst == other_mac


@asynchronous
async def test_who_asks_for_a_nat_address_on_the_uplinks_prefix_is_answered(gateway: Gateway) -> None:
    async with serving(gateway, NAT_ON_LINK):
        ask = ARP(op="who-has", hwsrc=PROVIDER_MAC, psrc=PROVIDER, pdst="203.0.113.5")
        gateway.ports[WAN].inject(bytes(Ether(src=PROVIDER_MAC, dst="ff:ff:ff:ff:ff:ff") / ask))
        reply = await gateway.take(WAN)
        assert (reply[ARP].op, reply[ARP].psrc, reply[ARP].hwsrc) == (2, "203.0.113.5", UPLINK_MAC)


@asynchronous
async def test_an_icmp_error_about_a_translated_packet_reaches_its_sender(gateway: Gateway) -> None:
    async with serving(gateway) as served:
        seen = await gateway.out(request())
        await until(lambda: served.held == (1, 1, 1) and not served.handler.is_writing)
        error = await gateway.back(IP(src="192.0.2.77", dst=seen[IP].src) / ICMP(type=3, code=1) / bytes(seen[IP]))
        assert (error[IP].src, error[IP].dst, error[ICMP].type) == ("192.0.2.77", HOST, 3)
        quoted = IP(bytes(error[ICMP].payload))
        assert (quoted.src, quoted[UDP].sport, quoted.dst) == (HOST, 1000, SERVER)
