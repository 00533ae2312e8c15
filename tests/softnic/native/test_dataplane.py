# SPDX-License-Identifier: Apache-2.0
"""A switch whose frames go from interface to interface through the runtime's threads, with a real kernel around it.

- What comes in goes out as it was, whatever its size, its tags, and what its sender left to a NIC.
- Every frame is accounted for: sent on, or counted where it was lost.
- An interface that goes, and a pipeline that is replaced, disturb nobody else.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from namespaces import (
    FRAME,
    TIMEOUT_S,
    Host,
    add_veth,
    in_namespace,
    leave_nothing_to_the_nic,
    needs_namespaces,
    needs_xdp,
    raw_socket,
    run_inside,
    sh,
)
from softnic.engine import ActionCall, Digest, Exact, Range, TableEntry, Ternary
from softnic.frontend import load_program
from softnic.native import NativeDataplane, NativeEngine, open_dataplane
from softnic.ports import PortError
from softnic.ports.dataplane import Received
from softnic.switch import Switch

pytestmark = needs_namespaces

by_either_link = pytest.mark.parametrize("link", ["eth", pytest.param("xdp", marks=needs_xdp)])

PROGRAM = load_program(Path(__file__).parents[2] / "p4" / "compiled" / "p4runtime.json")
TABLE, DEFAULT_MARK = "IngressImpl.ternary_table", 9
CPU_PORT, LEARNING_PORT = 510, 1
ALL_PORT_BITS = 0x1FF
# linux/if_packet.h
SOL_PACKET, PACKET_AUXDATA = 263, 8


def path(source: int, destination: int, mark: int = DEFAULT_MARK) -> TableEntry:
    """What comes in on port `source` leaves on port `destination`."""
    key = (Ternary(0, 0), Range(0, 0xFFFF), Ternary(source, ALL_PORT_BITS), Exact(mark))
    return TableEntry(key, ActionCall("IngressImpl.forward", (destination,)), priority=1)


def forwarding(paths: Mapping[int, int]) -> NativeEngine:
    """An engine with these paths; what has none goes to the CPU, with two bytes in front."""
    engine = NativeEngine(PROGRAM, cpu_port=CPU_PORT)
    for source, destination in paths.items():
        engine.insert(TABLE, path(source, destination))
    return engine


def dataplane_on(interfaces: Mapping[int, str], link: str = "eth", workers: int = 1) -> NativeDataplane:
    dataplane = open_dataplane(workers)
    assert dataplane
    for number, interface in interfaces.items():
        dataplane.add(number, interface, link)
    return dataplane


@contextmanager
def running(
    engine: NativeEngine, interfaces: Mapping[int, str], link: str = "eth", workers: int = 1
) -> Iterator[Switch]:
    switch = Switch(cpu_port=CPU_PORT)
    switch.add_dataplane(dataplane_on(interfaces, link, workers))
    switch.install(engine)
    switch.start()
    try:
        yield switch
    finally:
        switch.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    """The deadline only bounds a failing test."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline


def arrived(interface: str) -> int:
    """Frames that came in on an interface, by the kernel's own count."""
    shown = subprocess.run(["ip", "-j", "-s", "link", "show", interface], capture_output=True, check=True).stdout
    return json.loads(shown)[0]["stats64"]["rx"]["packets"]


@by_either_link
@in_namespace
def test_frames_of_all_sizes_arrive_whole_and_in_order(link: str) -> None:
    add_veth("va")
    add_veth("vb")
    with running(forwarding({2: 3}), {2: "va", 3: "vb"}, link) as switch:
        sender, receiver = raw_socket("va-peer"), raw_socket("vb-peer")
        frames = [FRAME[:14] + bytes([size % 256]) * (size - 14) for size in range(14, 1515, 20)]
        for frame in frames:
            sender.send(frame)
        assert [receiver.recv(2000) for _ in frames] == frames
        stats, octets = switch.port_stats(), sum(map(len, frames))
        assert (stats[2].rx_packets, stats[2].rx_bytes, stats[2].rx_dropped) == (len(frames), octets, 0)
        wait_until(lambda: switch.port_stats()[3].tx_bytes == octets)


@in_namespace
def test_vlan_tags_are_where_the_sender_put_them() -> None:
    add_veth("va")
    add_veth("vb")
    with running(forwarding({2: 3}), {2: "va", 3: "vb"}):
        sender, seen = raw_socket("va-peer"), raw_socket("vb-peer")
        seen.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)  # what the kernel took off
        for tags in ("81006005", "88a80007", "88a8000781006005"):
            tagged = FRAME[:12] + bytes.fromhex(tags) + FRAME[12:]
            sender.send(tagged)
            frame, ancillary, _, _ = seen.recvmsg(2000, 100)
            tci, tpid = (int.from_bytes(ancillary[0][2][at : at + 2], "little") for at in (16, 18))
            assert frame[:12] + tpid.to_bytes(2) + tci.to_bytes(2) + frame[12:] == tagged


@in_namespace
def test_frames_longer_than_the_mtu_was_at_first_pass_once_it_is_raised() -> None:
    add_veth("va")
    add_veth("vb")
    with running(forwarding({2: 3}), {2: "va", 3: "vb"}):
        sh(*(f"ip link set {end} mtu 9000" for end in ("va", "va-peer", "vb", "vb-peer")))
        sender, receiver = raw_socket("va-peer"), raw_socket("vb-peer")
        frames = [FRAME[:14] + bytes([size % 256]) * size for size in (100, 9000, 1500, 4000, 8999, 60)]
        for frame in frames:
            sender.send(frame)
        assert [receiver.recv(10000) for _ in frames] == frames


@in_namespace
def test_a_frame_too_long_for_the_way_out_is_counted_and_the_next_one_passes() -> None:
    add_veth("va", mtu=9000)
    add_veth("vb")
    with running(forwarding({2: 3}), {2: "va", 3: "vb"}) as switch:
        sender, receiver = raw_socket("va-peer"), raw_socket("vb-peer")
        sender.send(FRAME + bytes(1500))
        sender.send(FRAME + bytes(5000))
        sender.send(FRAME)
        assert receiver.recv(2000) == FRAME
        wait_until(lambda: switch.port_stats()[3].tx_packets == 1)
        assert switch.port_stats()[3].tx_dropped == 2


@by_either_link
@in_namespace
def test_an_interface_that_goes_down_and_up_again_carries_on(link: str) -> None:
    add_veth("va")
    add_veth("vb")
    with running(forwarding({2: 3}), {2: "va", 3: "vb"}, link) as switch:
        for _ in range(3):
            sh("ip link set va down")
            wait_until(lambda: not switch.ports()[0].is_up)
            sh("ip link set va up")
            wait_until(lambda: switch.ports()[0].is_up)
        receiver = raw_socket("vb-peer")
        raw_socket("va-peer").send(FRAME)
        assert receiver.recv(2000) == FRAME


@needs_xdp
@in_namespace
def test_what_an_xdp_interface_does_not_take_waits_until_it_does_or_is_lost_where_too_much_waits() -> None:
    add_veth("va")
    add_veth("vb")
    sent, waiting = 1500, 1024
    with running(forwarding({2: 3}), {2: "va", 3: "vb"}, "xdp") as switch:
        sh("ip link set vb down")
        send_many("va-peer", sent)
        wait_until(lambda: switch.port_stats()[2].rx_packets + switch.port_stats()[2].rx_dropped == sent)
        wait_until(lambda: switch.port_stats()[3].tx_dropped == switch.port_stats()[2].rx_packets - waiting)
        assert switch.port_stats()[3].tx_packets == 0
        sh("ip link set vb up")
        wait_until(lambda: switch.port_stats()[3].tx_packets == waiting)
        assert arrived("vb-peer") > 0


@needs_xdp
@in_namespace
def test_what_waits_at_the_end_is_counted_as_lost() -> None:
    add_veth("va")
    add_veth("vb")
    with running(forwarding({2: 3}), {2: "va", 3: "vb"}, "xdp") as switch:
        sh("ip link set vb down")
        raw_socket("va-peer").send(FRAME)
        wait_until(lambda: switch.port_stats()[2].rx_packets == 1)
    assert (switch.port_stats()[3].tx_packets, switch.port_stats()[3].tx_dropped) == (0, 1)


@by_either_link
@in_namespace
def test_when_an_interface_vanishes_the_others_go_on(link: str) -> None:
    add_veth("va")
    add_veth("vb")
    add_veth("vc")
    with running(forwarding({2: 3, 3: 4}), {2: "va", 3: "vb", 4: "vc"}, link) as switch:
        sh("ip link del va")
        wait_until(lambda: [port.is_up for port in switch.ports()] == [False, True, True])
        receiver = raw_socket("vc-peer")
        raw_socket("vb-peer").send(FRAME)
        assert receiver.recv(2000) == FRAME


@by_either_link
@in_namespace
def test_frames_of_a_disabled_port_are_counted_both_ways(link: str) -> None:
    add_veth("va")
    add_veth("vb")
    with running(forwarding({2: 3, 3: 2}), {2: "va", 3: "vb"}, link) as switch:
        a, b = raw_socket("va-peer"), raw_socket("vb-peer")
        switch.set_port_enabled(3, False)
        a.send(FRAME)
        b.send(FRAME)
        wait_until(lambda: (switch.port_stats()[3].rx_dropped, switch.port_stats()[3].tx_dropped) == (1, 1))
        assert (switch.port_stats()[3].rx_packets, switch.port_stats()[3].tx_packets) == (0, 0)
        switch.set_port_enabled(3, True)
        b.send(FRAME + b"enabled")
        assert a.recv(2000) == FRAME + b"enabled"


@by_either_link
@in_namespace
def test_packet_ins_digests_and_packet_outs_pass_by_the_switch(link: str) -> None:
    add_veth("va")
    add_veth("vb")
    with running(forwarding({}), {LEARNING_PORT: "va", 3: "vb"}, link) as switch:
        packet_ins: queue.Queue[bytes] = queue.Queue()
        digests: queue.Queue[Digest] = queue.Queue()
        switch.on_packet_in, switch.on_digest = packet_ins.put, digests.put
        raw_socket("va-peer").send(FRAME)
        header = (LEARNING_PORT << 7 | 7).to_bytes(2)
        assert packet_ins.get(timeout=TIMEOUT_S) == header + FRAME
        assert digests.get(timeout=TIMEOUT_S) == Digest("learned_t", (int.from_bytes(FRAME[6:12]), LEARNING_PORT))
        receiver = raw_socket("vb-peer")
        switch.packet_out((3 << 7).to_bytes(2) + FRAME)
        assert receiver.recv(2000) == FRAME
        wait_until(lambda: switch.port_stats()[3].tx_packets == 1)


def numbered(flow: int, number: int) -> bytes:
    """A frame of a UDP flow."""
    ip = bytes.fromhex("45000020 00000000 40110000 0a000001 0a000002")
    udp = (1000 + flow).to_bytes(2) + (9).to_bytes(2) + (12).to_bytes(2) + bytes(2)
    return FRAME[:12] + b"\x08\x00" + ip + udp + number.to_bytes(4)


def send_many(interface: str, count: int) -> None:
    sender = raw_socket(interface)
    for number in range(count):
        sender.send(numbered(0, number))


@contextmanager
def traffic(interface: str, count: int) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=send_many, args=(interface, count))
    thread.start()
    yield thread
    thread.join()


@by_either_link
@in_namespace
def test_while_pipelines_are_replaced_each_frame_goes_through_one_of_them(link: str) -> None:
    add_veth("va")
    add_veth("vb")
    add_veth("vc")
    sent, installed = 20_000, 0
    with running(forwarding({2: 3}), {2: "va", 3: "vb", 4: "vc"}, link) as switch:
        engines = [forwarding({2: 4}), forwarding({2: 3})]
        with traffic("va-peer", sent) as thread:
            while thread.is_alive():
                switch.install(engines[installed % 2])
                installed += 1
        wait_until(lambda: switch.port_stats()[2].rx_packets + switch.port_stats()[2].rx_dropped == sent)
        wait_until(
            lambda: sum(s.tx_packets + s.tx_dropped + s.rx_dropped for s in switch.port_stats().values()) == sent
        )
        stats = switch.port_stats()
        assert installed > 10
        assert min(stats[3].tx_packets, stats[4].tx_packets) > 0
        assert (arrived("vb-peer"), arrived("vc-peer")) == (stats[3].tx_packets, stats[4].tx_packets)


@by_either_link
@in_namespace
def test_a_batch_in_a_paused_engine_is_one_change_to_every_frame(link: str) -> None:
    """A frame that saw the new mark and the old entry, or the other way round, would find no path and go to the CPU."""
    add_veth("va")
    add_veth("vb")
    engine, sent, changes = forwarding({2: 3}), 20_000, 0
    with running(engine, {2: "va", 3: "vb"}, link) as switch:
        old, new = DEFAULT_MARK, 5
        with traffic("va-peer", sent) as thread:
            while thread.is_alive():
                with switch.lock, engine.paused():
                    engine.set_default("IngressImpl.keyless_table", ActionCall("IngressImpl.mark", (new,)))
                    engine.delete(TABLE, path(2, 3, old).key, 1)
                    engine.insert(TABLE, path(2, 3, new))
                old, new = new, old
                changes += 1
        wait_until(lambda: switch.port_stats()[3].tx_packets + switch.port_stats()[2].rx_dropped == sent)
        assert changes > 10
        assert switch.stats().packet_ins_dropped == 0


@in_namespace
def test_two_workers_keep_the_order_of_each_flow_and_lose_nothing() -> None:
    add_veth("va")
    add_veth("vb")
    flows, bursts, burst = 16, 50, 8
    with running(forwarding({2: 3}), {2: "va", 3: "vb"}, workers=2) as switch:
        sender, receiver = raw_socket("va-peer"), raw_socket("vb-peer")
        seen: dict[int, list[int]] = {flow: [] for flow in range(flows)}
        for first in range(0, bursts * burst, burst):
            for number in range(first, first + burst):
                for flow in range(flows):
                    sender.send(numbered(flow, number))
            for _ in range(burst * flows):  # no more than the receiver's queue takes
                frame = receiver.recv(2000)
                seen[int.from_bytes(frame[34:36]) - 1000].append(int.from_bytes(frame[42:46]))
        assert seen == {flow: list(range(bursts * burst)) for flow in range(flows)}
        assert switch.port_stats()[2].rx_packets == bursts * burst * flows


@in_namespace
def test_two_workers_pass_fragments_on_as_they_are() -> None:
    add_veth("va")
    add_veth("vb")
    with running(forwarding({2: 3}), {2: "va", 3: "vb"}, workers=2):
        sender, receiver = raw_socket("va-peer"), raw_socket("vb-peer")
        whole = numbered(0, 1)
        first, last = (bytearray(whole), bytearray(whole))
        first[20:22], last[20:22] = (
            (0x2000).to_bytes(2),
            (0x0001).to_bytes(2),
        )  # more to come; the rest, from 8 bytes on
        for fragment in (first, last):
            sender.send(fragment)
        assert [receiver.recv(2000) for _ in range(2)] == [first, last]


@in_namespace
def test_a_ring_full_of_lost_frames_is_counted_and_makes_room_for_others() -> None:
    """Frames too long for their slots, while nobody empties the queue that they come through whole: the rest is cut."""
    add_veth("va")
    add_veth("vb")
    engine, sent = forwarding({2: 3}), 9_000
    with running(engine, {2: "va", 3: "vb"}) as switch:
        sh(*(f"ip link set {end} mtu 9000" for end in ("va", "va-peer", "vb", "vb-peer")))
        sender = raw_socket("va-peer")
        with switch.lock, engine.paused():
            for _ in range(sent):
                sender.send(FRAME + bytes(8900))
        wait_until(lambda: switch.port_stats()[2].rx_packets + switch.port_stats()[2].rx_dropped == sent)
        assert switch.port_stats()[2].rx_dropped > sent // 2
        wait_until(lambda: switch.port_stats()[3].tx_packets == switch.port_stats()[2].rx_packets)
        receiver = raw_socket("vb-peer")
        sender.send(FRAME)
        assert receiver.recv(2000) == FRAME


@in_namespace
def test_events_that_nobody_takes_are_counted() -> None:
    add_veth("va")
    dataplane = dataplane_on({2: "va"})
    dataplane.start()
    sent, size = 4_000, 1500
    sender = raw_socket("va-peer")
    for _ in range(sent):
        sender.send(FRAME[:14] + bytes(size))

    def seen() -> int:
        stats = dataplane.stats(2)
        return stats.rx_packets + stats.rx_dropped

    wait_until(lambda: seen() == sent)
    dataplane.stop()
    taken = list(dataplane.take())
    assert all(isinstance(event, Received) for event in taken)
    assert dataplane.events_lost() > 0
    assert len(taken) + dataplane.events_lost() == dataplane.stats(2).rx_packets
    dataplane.close()


@by_either_link
@in_namespace
def test_counts_are_there_when_the_dataplane_is_closed(link: str) -> None:
    add_veth("va")
    add_veth("vb")
    with running(forwarding({2: 3}), {2: "va", 3: "vb"}, link) as switch:
        receiver = raw_socket("vb-peer")
        raw_socket("va-peer").send(FRAME)
        receiver.recv(2000)
    assert (switch.port_stats()[2].rx_packets, switch.port_stats()[3].tx_packets) == (1, 1)
    assert switch.stats().dataplane_events_dropped == 0


@needs_xdp
@in_namespace
def test_what_keeps_a_port_from_af_xdp_is_said() -> None:
    add_veth("va")
    dataplane_on({2: "va"}, "xdp")
    with pytest.raises(PortError, match="port 3: xdp:va: there is another XDP program"):
        dataplane_on({3: "va"}, "xdp")
    with pytest.raises(PortError, match="one receive queue for each worker"):
        dataplane_on({3: "va-peer"}, "xdp", workers=2)
    with pytest.raises(PortError, match="no such interface"):
        dataplane_on({3: "absent0"}, "xdp")


@in_namespace
def test_a_number_can_be_taken_only_once() -> None:
    add_veth("va")
    with pytest.raises(PortError, match="port 2: eth:va: that number is taken"):
        dataplane_on({2: "va"}).add(2, "va")


PAYLOAD_BYTES = 20_000_000
SERVER = f"""
import hashlib, random, socket, sys
family, address = getattr(socket, sys.argv[1]), sys.argv[2]
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind((address, 7))
tcp = socket.create_server((address, 80), family=family)
print("ready", flush=True)
connection, _ = tcp.accept()
payload = random.Random(1).randbytes({PAYLOAD_BYTES})
connection.sendall(payload)
connection.close()
data, client = udp.recvfrom(2000)
udp.sendto(data, client)
print(hashlib.sha256(payload).hexdigest())
"""
CLIENT = """
import hashlib, socket, sys
family, address = getattr(socket, sys.argv[1]), sys.argv[2]
received = hashlib.sha256()
with socket.create_connection((address, 80), timeout=20) as tcp:
    while data := tcp.recv(65536):
        received.update(data)
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.settimeout(20)
udp.sendto(b"odd length", (address, 7))
assert udp.recv(2000) == b"odd length"
print(received.hexdigest())
"""


@contextmanager
def two_hosts(link: str = "eth") -> Iterator[tuple[Host, Host]]:
    """The first is 10.0.0.2 and 2001:db8::2 behind port 2, the second .3 and ::3 behind port 3."""
    hosts: list[Host] = []
    for number in (2, 3):
        sh(f"ip link add name v{number} type veth peer name peer{number}", f"ip link set v{number} up")
        if link == "xdp":
            leave_nothing_to_the_nic(f"peer{number}")
        hosts.append(Host(f"peer{number}", f"10.0.0.{number}/24", f"2001:db8::{number}/64"))
    try:
        with running(forwarding({2: 3, 3: 2}), {2: "v2", 3: "v3"}, link):
            yield hosts[0], hosts[1]
    finally:
        for host in hosts:
            host.close()


@by_either_link
@in_namespace
def test_tcp_and_udp_of_the_kernel_pass_with_its_offloads_on(link: str) -> None:
    """The hosts leave checksums and segments to their NIC, as fresh veths' do: an eth port is that NIC, XDP is none."""
    with two_hosts(link) as (near, far):
        for family, address in (("AF_INET", "10.0.0.3"), ("AF_INET6", "2001:db8::3")):
            server = far.python(SERVER, family, address)
            assert server.stdout
            assert server.stdout.readline() == "ready\n"
            client = near.python(CLIENT, family, address)
            assert client.communicate(timeout=30)[0] == server.communicate(timeout=30)[0] != ""


UDP_RECEIVER = """
import socket, sys
udp = socket.socket(getattr(socket, sys.argv[1]), socket.SOCK_DGRAM)
udp.bind((sys.argv[2], 7))
udp.settimeout(20)
print("ready", flush=True)
print([len(udp.recv(2000)) for _ in range(4)])
"""
UDP_SENDER = """
import socket, sys
udp = socket.socket(getattr(socket, sys.argv[1]), socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_UDP, 103, 1200)  # UDP_SEGMENT (udp(7)), as QUIC senders do
udp.sendto(bytes(4000), (sys.argv[2], 7))
"""


@pytest.mark.skipif(
    tuple(map(int, os.uname().release.split(".")[:2])) < (6, 2),
    reason="virtio_net_hdr knows UDP segments since Linux 6.2",
)
@in_namespace
def test_datagrams_that_the_sender_left_in_one_piece_arrive_as_many() -> None:
    with two_hosts() as (near, far):
        for family, address in (("AF_INET", "10.0.0.3"), ("AF_INET6", "2001:db8::3")):
            receiver = far.python(UDP_RECEIVER, family, address)
            assert receiver.stdout
            assert receiver.stdout.readline() == "ready\n"
            assert near.python(UDP_SENDER, family, address).wait(TIMEOUT_S) == 0
            assert receiver.communicate(timeout=30)[0] == "[1200, 1200, 1200, 400]\n"


if __name__ == "__main__":
    run_inside(globals())
