# SPDX-License-Identifier: Apache-2.0
"""Ports on Linux interfaces, with a real kernel at the other end of the veth.

See `namespaces` for how they run without root.
"""

from __future__ import annotations

import os
import queue
import select
import socket
import subprocess
from typing import cast

import pytest

from namespaces import FRAME, TIMEOUT_S, Host, add_veth, in_namespace, needs_namespaces, raw_socket, run_inside, sh
from softnic.engine import Engine, Output
from softnic.ports import EthernetPort, PortError, TapPort
from softnic.ports.link_watch import LinkWatch
from softnic.switch import Switch

pytestmark = needs_namespaces
needs_tun = pytest.mark.skipif(
    not os.access("/dev/net/tun", os.R_OK | os.W_OK), reason="no access to /dev/net/tun here"
)


def next_frames(port) -> list[bytes]:
    assert select.select([port], [], [], TIMEOUT_S)[0], "no frame came"
    return [frame for _, frame in port.receive(32)]


@in_namespace
def test_frames_arrive_whole_and_in_order():
    add_veth("v0")
    port, peer = EthernetPort(3, "v0"), raw_socket("v0-peer")
    for index in range(3):
        peer.send(FRAME + bytes([index]))
    received = []
    while len(received) < 3:
        received += next_frames(port)
    assert received == [FRAME + bytes([index]) for index in range(3)]


@in_namespace
def test_frames_leave_whole():
    add_veth("v0")
    port, peer = EthernetPort(3, "v0"), raw_socket("v0-peer")
    assert port.send(3, FRAME)
    assert peer.recv(2000) == FRAME


@in_namespace
def test_frames_for_any_address_are_taken():
    """Promiscuous: a switch port is not picky. The kernel counts the members of the interface's list."""
    add_veth("v0")
    port = EthernetPort(3, "v0")
    details = subprocess.run(["ip", "-d", "link", "show", "v0"], capture_output=True, text=True, check=True).stdout
    assert "promiscuity 1" in details
    port.close()


@in_namespace
def test_what_the_host_itself_sends_is_not_taken_for_received():
    add_veth("v0")
    port, peer, host = EthernetPort(3, "v0"), raw_socket("v0-peer"), raw_socket("v0")
    host.send(FRAME + b"outgoing")
    port.send(3, FRAME + b"our own")
    peer.send(FRAME + b"sentinel")
    assert next_frames(port) == [FRAME + b"sentinel"]


@in_namespace
def test_vlan_tags_are_where_the_sender_put_them():
    add_veth("v0")
    port, peer = EthernetPort(3, "v0"), raw_socket("v0-peer")
    for tags in ("81006005", "88a80007", "88a8000781006005"):
        tagged = FRAME[:12] + bytes.fromhex(tags) + FRAME[12:]
        peer.send(tagged)
        assert next_frames(port) == [tagged]


@in_namespace
def test_a_frame_longer_than_the_mtu_is_not_sent_and_the_next_one_is():
    add_veth("v0")
    port, peer = EthernetPort(3, "v0"), raw_socket("v0-peer")
    assert not port.send(3, FRAME + bytes(1500))
    assert port.send(3, FRAME)
    assert peer.recv(2000) == FRAME


@in_namespace
def test_frames_nobody_reads_are_counted_when_the_socket_is_full():
    add_veth("v0")
    port, peer = EthernetPort(3, "v0"), raw_socket("v0-peer")
    sent = 2000
    for _ in range(sent):
        peer.send(FRAME + bytes(1000))
    received = 0
    while select.select([port], [], [], 0)[0]:
        received += len(port.receive(32))
    assert received > 0
    assert port.rx_dropped() == sent - received
    port.close()
    assert port.rx_dropped() == sent - received


@in_namespace
def test_an_interface_that_goes_down_and_up_again_carries_on():
    add_veth("v0")
    port = EthernetPort(3, "v0")
    sh("ip link set v0 down")
    assert next_frames(port) == []
    assert not port.send(3, FRAME)
    sh("ip link set v0 up")
    raw_socket("v0-peer").send(FRAME)
    assert next_frames(port) == [FRAME]


@in_namespace
def test_a_port_whose_interface_vanishes_is_lost():
    add_veth("v0")
    port = EthernetPort(3, "v0")
    sh("ip link del v0")
    assert select.select([port], [], [], TIMEOUT_S)[0]
    with pytest.raises(OSError, match="No such device"):
        port.receive(32)


@in_namespace
def test_an_interface_that_is_not_there_is_refused_with_its_name():
    with pytest.raises(PortError, match="port 3: eth:absent0: no such interface"):
        EthernetPort(3, "absent0")


@needs_tun
@in_namespace
def test_an_interface_without_ethernet_headers_is_refused():
    sh("ip tuntap add dev l3 mode tun")
    with pytest.raises(PortError, match="no Ethernet header"):
        EthernetPort(3, "l3")


class Wire:
    """An engine that joins ports 0 and 1, and takes no frame longer than the MTU."""

    on_digest = None

    def process(self, port: int, data: bytes) -> list[Output]:
        assert len(data) <= 1514
        return [Output(1 - port, data)]

    def set_port_up(self, port: int, up: bool) -> None:
        pass


LOOPBACK = (1, False)
"""Index and link in a fresh namespace."""


class PortStates(queue.Queue):
    """An engine that hears of ports: ``(number, up)`` for each change."""

    on_digest = None

    def set_port_up(self, port: int, up: bool) -> None:
        self.put((port, up))


@in_namespace
def test_a_port_follows_the_link_of_its_interface():
    add_veth("v0")
    add_veth("idle")
    sh("ip link set idle down")
    switch, states = Switch(), PortStates()
    switch.install(cast(Engine, states))
    switch.add_port(EthernetPort(3, "v0"))
    switch.add_port(EthernetPort(4, "idle"))
    switch.start()
    try:
        assert states.get(timeout=TIMEOUT_S) == (4, False)
        sh("ip link set v0-peer down")  # what a pulled cable is to an interface
        assert states.get(timeout=TIMEOUT_S) == (3, False)
        sh("ip link set v0-peer up")
        assert states.get(timeout=TIMEOUT_S) == (3, True)
        sh("ip link set v0 down")
        assert states.get(timeout=TIMEOUT_S) == (3, False)
        assert [(port.name, port.is_up) for port in switch.ports()] == [("v0", False), ("idle", False)]
        sh("ip link set v0 up")
        assert states.get(timeout=TIMEOUT_S) == (3, True)
        sh("ip link del v0")
        assert states.get(timeout=TIMEOUT_S) == (3, False)
    finally:
        switch.stop()


@in_namespace
def test_links_are_asked_for_again_when_the_kernel_has_lost_some():
    add_veth("v0")
    index, heard = socket.if_nametoindex("v0"), []
    watch = LinkWatch(lambda index, has_link: heard.append((index, has_link)))
    with socket.socket(fileno=os.dup(watch.fileno())) as queue_of_watch:
        queue_of_watch.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel's minimum
    for _ in range(20):
        sh("ip link set v0 down", "ip link set v0 up")
    sh("ip link set v0 down")
    # Nothing has happened to the loopback interface: it is heard of only when all are asked for, and before the others.
    while not (LOOPBACK in heard and (index, False) in heard[heard.index(LOOPBACK) :]):
        assert select.select([watch], [], [], TIMEOUT_S)[0], f"heard only {heard}"
        watch.receive()
    watch.close()


@in_namespace
def test_tcp_and_udp_of_the_kernel_pass_with_its_offloads_on():
    """The hosts leave checksums and segmentation to their NIC, as a fresh veth's do; the port is that NIC."""
    switch = Switch()
    switch.install(cast(Engine, Wire()))
    hosts = []
    for number in (0, 1):
        sh(f"ip link add name v{number} type veth peer name peer{number}", f"ip link set v{number} up")
        switch.add_port(EthernetPort(number, f"v{number}"))
        hosts.append(Host(f"peer{number}", f"10.0.0.{number + 1}/24", f"2001:db8::{number + 1}/64"))
    switch.start()
    try:
        for family, address in (("AF_INET", "10.0.0.2"), ("AF_INET6", "2001:db8::2")):
            server = hosts[1].python(SERVER, family, address)
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            client = hosts[0].python(CLIENT, family, address)
            assert client.communicate(timeout=30)[0] == f"{PAYLOAD_BYTES} bytes, udp echoed\n"
            assert server.wait(TIMEOUT_S) == 0
        assert switch.stats().failed == 0
    finally:
        for host in hosts:
            host.close()
        switch.stop()


PAYLOAD_BYTES = 1_000_000
SERVER = f"""
import socket, sys
family, address = getattr(socket, sys.argv[1]), sys.argv[2]
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind((address, 7))
tcp = socket.create_server((address, 80), family=family)
print("ready", flush=True)
connection, _ = tcp.accept()
connection.sendall(bytes({PAYLOAD_BYTES}))
connection.close()
data, client = udp.recvfrom(2000)
udp.sendto(data, client)
"""
CLIENT = """
import socket, sys
family, address = getattr(socket, sys.argv[1]), sys.argv[2]
received = 0
with socket.create_connection((address, 80), timeout=20) as tcp:
    while data := tcp.recv(65536):
        received += len(data)
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.settimeout(20)
udp.sendto(b"odd length", (address, 7))
print(f"{received} bytes, udp {'echoed' if udp.recv(2000) == b'odd length' else 'lost'}")
"""


@needs_tun
@in_namespace
def test_a_tap_is_an_interface_the_host_can_use():
    port = TapPort(3, "tap9")
    with open("/proc/sys/net/ipv6/conf/tap9/disable_ipv6", "w") as setting:
        setting.write("1")
    port.receive(32)
    host = raw_socket("tap9")
    host.send(FRAME)
    assert next_frames(port) == [FRAME]
    assert port.send(3, FRAME + b"up")
    assert host.recv(2000) == FRAME + b"up"
    port.close()
    port.close()


@needs_tun
@in_namespace
def test_a_tap_that_vanishes_is_lost():
    port = TapPort(3, "tap9")
    sh("ip link del tap9")
    assert not port.send(3, FRAME)
    with pytest.raises(OSError, match="bad state"):
        port.receive(32)


@needs_tun
@in_namespace
def test_a_tap_in_use_is_refused_with_its_name():
    port = TapPort(3, "tap9")
    with pytest.raises(PortError, match="port 4: tap:tap9: Device or resource busy"):
        TapPort(4, "tap9")
    port.close()


if __name__ == "__main__":
    run_inside(globals())
