# SPDX-License-Identifier: Apache-2.0
"""The switch between in-memory ports and a fake engine: what goes where, and that every loss is counted.

- A frame goes through the engine, and each output to its port.
- What leaves on the CPU port is a packet-in; a packet-out comes in on it.
- Nothing a packet, a port or a callback does stops the switch.
- What a dataplane leaves to the switch is handled as if it had come by a port of the switch's own.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Iterator

import pytest
from fake_engine import FakeEngine, load

from softnic.engine import Digest, NoRoom, Output
from softnic.pcap import PcapWriter
from softnic.ports import MemoryPort, PcapPort
from softnic.ports.dataplane import Event, Leaving, Received
from softnic.switch import PACKET_OUT_QUEUE, Switch

CPU_PORT = 510
TIMEOUT_S = 5.0


@pytest.fixture
def ports():
    return {number: MemoryPort(number) for number in (0, 1)}


@pytest.fixture
def switch(ports):
    """A started switch with the ports 0 and 1."""
    switch = Switch(cpu_port=CPU_PORT)
    for port in ports.values():
        switch.add_port(port)
    switch.start()
    yield switch
    switch.stop()


def crossover(port, data):
    """Port 0's frames leave on 1, and the other way round; the CPU's leave on 1."""
    return [Output(0 if port == 1 else 1, data)]


def test_a_frame_leaves_where_the_engine_says(switch, ports):
    load(switch, FakeEngine(crossover))
    ports[0].inject(b"hello")
    assert ports[1].take() == b"hello"


def test_frames_and_bytes_are_counted_on_both_ports(switch, ports):
    load(switch, FakeEngine(crossover))
    ports[0].inject(b"hello")
    ports[1].take()
    ports[1].inject(b"sentinel")
    ports[0].take()
    stats = switch.port_stats()
    assert (stats[0].rx_packets, stats[0].rx_bytes) == (1, 5)
    assert (stats[1].tx_packets, stats[1].tx_bytes) == (1, 5)


def test_every_copy_of_a_packet_is_sent(switch, ports):
    load(switch, FakeEngine(lambda port, data: [Output(0, data), Output(1, data), Output(1, data + b"!")]))
    ports[0].inject(b"flood")
    assert ports[0].take() == b"flood"
    assert [ports[1].take(), ports[1].take()] == [b"flood", b"flood!"]


def test_frames_before_the_first_program_are_dropped_and_counted(switch, ports):
    ports[0].inject(b"early")
    switch.packet_out(b"sentinel")
    wait_until(lambda: switch.stats().no_program_dropped == 2)


def test_what_leaves_on_the_cpu_port_is_a_packet_in(switch, ports):
    packet_ins = queue.Queue()
    switch.on_packet_in = packet_ins.put
    load(switch, FakeEngine(lambda port, data: [Output(CPU_PORT, data)]))
    ports[0].inject(b"punt me")
    assert packet_ins.get(timeout=TIMEOUT_S) == b"punt me"
    assert switch.stats().packet_ins == 1


def test_a_packet_in_nobody_listens_for_is_counted(switch, ports):
    load(switch, FakeEngine(lambda port, data: [Output(CPU_PORT, data), Output(1, data)]))
    ports[0].inject(b"punt me")
    ports[1].take()
    assert switch.stats().packet_ins_dropped == 1


def test_a_packet_out_comes_in_on_the_cpu_port(switch, ports):
    load(switch, FakeEngine(lambda port, data: [Output(1, b"%d:" % port + data)]))
    assert switch.packet_out(b"out")
    assert ports[1].take() == b"510:out"
    assert switch.stats().packet_outs == 1


def test_packet_outs_beyond_the_queue_are_refused_and_counted(switch, ports):
    entered, leave = threading.Event(), threading.Event()

    def hold(port, data):
        entered.set()
        leave.wait(TIMEOUT_S)
        return []

    load(switch, FakeEngine(hold))
    ports[0].inject(b"hold the worker")
    assert entered.wait(TIMEOUT_S)
    accepted = [switch.packet_out(b"x") for _ in range(PACKET_OUT_QUEUE + 3)]
    leave.set()
    assert accepted == [True] * PACKET_OUT_QUEUE + [False] * 3
    assert switch.stats().packet_outs_dropped == 3
    wait_until(lambda: switch.stats().packet_outs == PACKET_OUT_QUEUE)


def test_without_a_cpu_port_packet_outs_are_refused_and_counted():
    switch = Switch()
    assert not switch.packet_out(b"x")
    assert switch.stats().packet_outs_dropped == 1
    switch.stop()


def test_an_output_to_a_port_that_is_not_there_is_counted(switch, ports):
    load(switch, FakeEngine(lambda port, data: [Output(77, data), Output(1, data)]))
    ports[0].inject(b"stray")
    ports[1].take()
    assert switch.stats().no_port_dropped == 1


def test_a_frame_a_port_can_not_send_is_counted(ports):
    switch = Switch()
    for port in (*ports.values(), MemoryPort(2, capacity=1)):
        switch.add_port(port)
    load(switch, FakeEngine(lambda port, data: [Output(2, data), Output(2, data), Output(1, data)]))
    switch.start()
    ports[0].inject(b"twice")
    ports[1].take()
    switch.stop()
    stats = switch.port_stats()[2]
    assert (stats.tx_packets, stats.tx_dropped) == (1, 1)


def test_a_packet_that_breaks_the_engine_is_logged_in_hex_and_the_next_one_passes(switch, ports, caplog):
    def behave(port, data):
        if data == b"\xde\xad":
            raise KeyError("a defect")
        return crossover(port, data)

    load(switch, FakeEngine(behave))
    ports[0].inject(b"\xde\xad")
    ports[0].inject(b"fine")
    assert ports[1].take() == b"fine"
    assert switch.stats().failed == 1
    assert "packet=dead" in caplog.text


def test_digests_are_delivered_in_order_and_without_the_lock(switch, ports):
    engine = FakeEngine(crossover)
    seen = queue.Queue()

    def on_digest(digest):
        # Another thread can take the lock now; the worker itself always could, the lock being re-entrant.
        lock_is_free = threading.Event()
        contender = threading.Thread(target=lambda: (switch.lock.acquire(), lock_is_free.set(), switch.lock.release()))
        contender.start()
        seen.put((digest, lock_is_free.wait(TIMEOUT_S)))

    def behave(port, data):
        engine.learn(Digest("learn", (1,)))
        engine.learn(Digest("learn", (2,)))
        return []

    engine.behave = behave
    switch.on_digest = on_digest
    load(switch, engine)
    ports[0].inject(b"new source")
    assert [seen.get(timeout=TIMEOUT_S) for _ in range(2)] == [
        (Digest("learn", (1,)), True),
        (Digest("learn", (2,)), True),
    ]


def test_a_digest_nobody_listens_for_is_counted(switch, ports):
    engine = FakeEngine(crossover)
    engine.behave = lambda port, data: (engine.learn(Digest("learn", ())), [])[1]
    load(switch, engine)
    ports[0].inject(b"new source")
    wait_until(lambda: switch.stats().digests_dropped == 1)


def test_a_new_program_takes_over_between_two_packets(switch, ports):
    load(switch, FakeEngine(lambda port, data: [Output(1, b"old")]))
    ports[0].inject(b"x")
    assert ports[1].take() == b"old"
    load(switch, FakeEngine(lambda port, data: [Output(1, b"new")]))
    ports[0].inject(b"x")
    assert ports[1].take() == b"new"


def test_a_busy_port_does_not_keep_the_others_waiting(switch, ports):
    """Port 0 always has more; port 1's one frame must come through all the same."""

    def behave(port, data):
        if port == 0:
            ports[0].inject(data)
            return []
        return [Output(1, data)]

    load(switch, FakeEngine(behave))
    for _ in range(100):
        ports[0].inject(b"again")
    ports[1].inject(b"patient")
    assert ports[1].take() == b"patient"


class FailingPort(MemoryPort):
    def receive(self, limit):
        raise OSError("unplugged")


def test_a_port_that_fails_is_lost_and_reported_and_the_others_go_on(ports, caplog):
    switch = Switch()
    engine = FakeEngine(crossover)
    failing = FailingPort(7)
    for port in (*ports.values(), failing):
        switch.add_port(port)
    load(switch, engine)
    switch.start()
    failing.inject(b"x")
    wait_until(lambda: engine.port_status == [(7, False)])
    ports[0].inject(b"sentinel")
    assert ports[1].take() == b"sentinel"
    assert "port=7 lost: unplugged" in caplog.text
    replacement = FakeEngine(crossover)
    load(switch, replacement)
    assert replacement.port_status == [(7, False)]
    switch.stop()


def test_a_port_is_up_while_it_has_a_link_and_is_enabled(switch, ports):
    engine = FakeEngine(crossover)
    load(switch, engine)
    seen = []
    switch.on_port_change = lambda: seen.append(switch.ports()[0].is_up)
    set_link = ports[0].on_status
    for change in (
        lambda: set_link(0, False),
        lambda: switch.set_port_enabled(0, False),
        lambda: switch.set_port_enabled(0, False),  # no change
        lambda: set_link(0, True),
        lambda: switch.set_port_enabled(0, True),
    ):
        change()
    assert seen == [False, False, False, True]
    assert engine.port_status == [(0, False), (0, False), (0, False), (0, True)]


class TrunkPort(MemoryPort):
    """Carries every number: its frames come in on port 9."""

    def __init__(self):
        super().__init__(9)
        self.number = None


def test_a_port_without_a_number_carries_all_others(ports):
    switch = Switch()
    trunk = TrunkPort()
    switch.add_port(ports[0])
    switch.add_port(trunk)
    load(switch, FakeEngine(lambda port, data: [Output(0 if port == 9 else 33, data)]))
    switch.start()
    trunk.inject(b"up")
    assert ports[0].take() == b"up"
    ports[0].inject(b"down")
    assert trunk.take() == b"down"
    switch.stop()
    stats = switch.port_stats()
    assert (stats[9].rx_packets, stats[33].tx_packets) == (1, 1)


def test_a_listener_that_fails_is_logged_and_the_next_packet_passes(switch, ports, caplog):
    def on_packet_in(data):
        raise KeyError("a defect")

    switch.on_packet_in = on_packet_in
    load(switch, FakeEngine(lambda port, data: [Output(CPU_PORT if data == b"punt" else 1, data)]))
    ports[0].inject(b"punt")
    ports[0].inject(b"fine")
    assert ports[1].take() == b"fine"
    assert switch.stats().failed == 1
    assert "packet=70756e74" in caplog.text


@pytest.mark.parametrize("number", [0, CPU_PORT])
def test_a_number_can_be_taken_only_once(switch, number):
    with pytest.raises(ValueError, match=str(number)):
        switch.add_port(MemoryPort(number))


def test_files_are_replayed_when_there_is_a_program(tmp_path, ports):
    capture = tmp_path / "in.pcap"
    with capture.open("wb") as stream:
        PcapWriter(stream).write(0, b"recorded")
    switch = Switch()
    switch.add_port(PcapPort(3, capture, None))
    switch.add_port(ports[1])
    switch.start()
    load(switch, FakeEngine(lambda port, data: [Output(1, data)]))
    assert ports[1].take() == b"recorded"
    switch.stop()
    assert switch.stats().no_program_dropped == 0


class FakeDataplane:
    """Ports whose frames nobody carries, and events that a test makes."""

    def __init__(self, *ports: MemoryPort) -> None:
        self.engine: object = None
        self.refuses = False
        self._ports = ports
        self._events: list[Event] = []
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)
        self.calls: list[str] = []

    def happen(self, *events: Event) -> None:
        self._events += events
        os.eventfd_write(self._wake, 1)

    def ports(self):
        return self._ports

    def start(self) -> None:
        self.calls.append("start")

    def attach(self, engine: object) -> None:
        if self.refuses:
            raise NoRoom("no memory")
        self.engine = engine

    def fileno(self) -> int:
        return self._wake

    def take(self) -> Iterator[Event]:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        events, self._events = self._events, []
        yield from events

    def events_lost(self) -> int:
        return 7

    def stop(self) -> None:
        self.calls.append("stop")
        self._events.append(Leaving(0, b"last"))

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def dataplane():
    return FakeDataplane(MemoryPort(2), MemoryPort(3))


@pytest.fixture
def switch_with_dataplane(dataplane):
    """A started switch with the dataplane's ports 2 and 3, and port 0 of its own."""
    switch = Switch(cpu_port=CPU_PORT)
    switch.add_port(MemoryPort(0))
    switch.add_dataplane(dataplane)
    switch.start()
    yield switch
    switch.stop()


def test_the_dataplane_runs_the_engine_that_is_installed(switch_with_dataplane, dataplane):
    engine = FakeEngine(crossover)
    load(switch_with_dataplane, engine)
    assert dataplane.engine is engine
    assert dataplane.calls == ["start"]


def test_an_engine_that_the_dataplane_has_no_room_for_leaves_the_one_before(switch_with_dataplane, dataplane):
    before = FakeEngine(crossover)
    load(switch_with_dataplane, before)
    dataplane.refuses = True
    with pytest.raises(NoRoom):
        load(switch_with_dataplane, FakeEngine(crossover))
    assert switch_with_dataplane.engine is before
    assert dataplane.engine is before


def test_what_the_dataplane_leaves_over_is_sent_punted_and_learned(dataplane):
    switch, port, seen = Switch(cpu_port=CPU_PORT), MemoryPort(0), queue.Queue()
    switch.on_packet_in = switch.on_digest = seen.put
    switch.add_port(port)
    switch.add_dataplane(dataplane)
    switch.start()
    dataplane.happen(Leaving(CPU_PORT, b"punted"), Digest("learn", (1,)), Leaving(0, b"sent"))
    assert port.take() == b"sent"
    assert [seen.get(timeout=TIMEOUT_S) for _ in range(2)] == [b"punted", Digest("learn", (1,))]
    assert switch.stats().dataplane_events_dropped == 7
    switch.stop()


def test_frames_of_an_engine_that_the_dataplane_can_not_run_go_through_the_switch(switch_with_dataplane, dataplane):
    load(switch_with_dataplane, FakeEngine(lambda port, data: [Output(3, b"%d:" % port + data)]))
    dataplane.happen(Received(2, b"x"))
    assert dataplane.ports()[1].take() == b"2:x"


def test_what_the_dataplane_left_over_at_the_end_is_still_sent(dataplane):
    switch, port = Switch(cpu_port=CPU_PORT), MemoryPort(0)
    switch.add_port(port)
    switch.add_dataplane(dataplane)
    switch.start()
    switch.stop()
    assert dataplane.calls == ["start", "stop", "close"]
    assert switch.port_stats()[0].tx_packets == 1


def wait_until(condition):
    """Spin until the worker has made it true; the deadline only bounds a failing test."""
    deadline = threading.Event()
    timer = threading.Timer(TIMEOUT_S, deadline.set)
    timer.start()
    while not condition():
        assert not deadline.is_set()
    timer.cancel()
