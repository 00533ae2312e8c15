# SPDX-License-Identifier: Apache-2.0
"""The nn socket as PTF itself uses it: the client in these tests is PTF's own class."""

from __future__ import annotations

import select
import struct

import pynng
import pytest
from ptf.dataplane import DataPlanePacketSourceNN

from softnic.ports import NnPort, PortError

TIMEOUT_MS = 5_000


@pytest.fixture
def address(tmp_path):
    return f"ipc://{tmp_path}/nn.ipc"


@pytest.fixture
def port(address):
    port = NnPort(address)
    yield port
    port.close()


@pytest.fixture
def ptf(port, address):
    client = DataPlanePacketSourceNN(0, address, TIMEOUT_MS, TIMEOUT_MS)
    yield client
    client.close()


@pytest.fixture
def raw(port, address):
    with pynng.Pair0(dial=address, send_timeout=TIMEOUT_MS, recv_timeout=TIMEOUT_MS) as client:
        yield client


def receive(port, limit=32):
    """What the switch's worker would get: wait for the descriptor, then read."""
    assert select.select([port], [], [], TIMEOUT_MS / 1000)[0]
    return list(port.receive(limit))


def test_a_frame_comes_in_with_the_number_of_its_port(port, ptf):
    ptf.send(7, b"hello")
    assert receive(port) == [(7, b"hello")]


def test_a_frame_goes_out_to_its_port(port, ptf):
    ptf.port_add(3)
    receive(port)
    assert port.send(3, b"hello")
    assert ptf.recv()[:3] == (0, 3, b"hello")


def test_no_more_than_the_limit_is_read_at_once(port, ptf):
    for index in range(5):
        ptf.send(index, b"x")
    read = []
    while len(read) < 5:
        batch = receive(port, limit=2)
        assert len(batch) <= 2
        read += batch
    assert [number for number, _ in read] == [0, 1, 2, 3, 4]


def test_adding_and_removing_ports_is_reported_as_their_status(port, ptf):
    seen = []
    port.on_status = lambda number, up: seen.append((number, up))
    ptf.port_add(1)
    ptf.port_bring_down(1)
    ptf.port_bring_up(1)
    ptf.port_remove(1)
    ptf.send(2, b"sentinel")
    while not receive(port):
        pass
    assert seen == [(1, True), (1, False), (1, True), (1, False)]


def test_a_port_that_is_down_loses_frames_both_ways_and_counts_those_that_came_in(port, ptf):
    ptf.port_add(1)
    ptf.port_bring_down(1)
    ptf.send(1, b"lost")
    ptf.send(2, b"sentinel")
    frames = []
    while not frames:
        frames += receive(port)
    assert frames == [(2, b"sentinel")]
    assert port.rx_dropped() == 1
    assert not port.send(1, b"lost")


def test_ptf_can_ask_for_the_counters(port, ptf):
    ptf.port_add(4)
    ptf.send(4, b"one")
    ptf._DataPlanePacketSourceNN__request_ctrs(4)
    while 4 not in ptf.nn_counters:
        readable, _, _ = select.select([port, ptf], [], [], TIMEOUT_MS / 1000)
        assert readable
        if port in readable:
            list(port.receive(32))
        if ptf in readable:
            ptf.recv()
    assert ptf.nn_counters[4] == (1, 0)


def test_a_request_is_answered_after_the_frames_before_it(port, raw):
    raw.send(struct.pack("<iii", 3, 4, 3) + b"one")
    raw.send(struct.pack("<iii", 5, 4, 1))
    answers = []
    while len(answers) < 2:
        readable, _, _ = select.select([port, raw.recv_fd], [], [], TIMEOUT_MS / 1000)
        assert readable
        if port in readable:
            for number, _ in port.receive(32):
                port.send(number, b"answer")
        if raw.recv_fd in readable:
            answers.append(raw.recv())
    assert answers == [struct.pack("<iii", 4, 4, 6) + b"answer", struct.pack("<iiiiii", 6, 4, 1, 0, 1, 1)]


def test_what_we_do_not_know_is_answered_as_not_supported(port, raw):
    raw.send(struct.pack("<iii", 5, 4, 0))
    receive(port)
    assert struct.unpack("<iiii", raw.recv()) == (6, 4, 0, 1)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        struct.pack("<ii", 3, 0),
        struct.pack("<iii", 3, 0, 5) + b"four",
        struct.pack("<iii", 3, -1, 1) + b"x",
        struct.pack("<iii", 0, 511, 0),
        struct.pack("<iii", 2, 0, 2),
        struct.pack("<iii", 4, 0, 1) + b"x",
        struct.pack("<iii", 99, 0, 0),
    ],
    ids=[
        "empty",
        "short",
        "wrong length",
        "negative port",
        "drop port",
        "unknown status",
        "packet out",
        "unknown type",
    ],
)
def test_a_malformed_message_is_counted_and_the_next_frame_comes_through(port, raw, message):
    raw.send(message)
    raw.send(struct.pack("<iii", 3, 0, 4) + b"next")
    frames = []
    while not frames:
        frames += receive(port)
    assert frames == [(0, b"next")]
    assert port.rx_dropped() == 1


def test_without_a_peer_a_frame_is_lost_at_once(port):
    assert not port.send(0, b"nobody is there")


def test_a_peer_that_does_not_read_costs_frames_but_never_blocks(port, raw):
    raw.send(struct.pack("<iii", 0, 0, 0))
    receive(port)
    while port.send(0, bytes(1000)):
        pass


def test_an_address_in_use_is_refused_with_its_name(port, address):
    with pytest.raises(PortError, match=r"nn\.ipc: Address in use"):
        NnPort(address)


def test_the_address_is_free_again_after_close(address):
    NnPort(address).close()
    NnPort(address).close()
