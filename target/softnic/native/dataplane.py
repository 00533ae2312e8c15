# SPDX-License-Identifier: Apache-2.0
"""Linux interfaces that threads of the runtime serve: a frame from one to another never reaches Python.

What the threads can't finish themselves comes back as events, in order: frames for ports that are not theirs, digests,
and frames for an engine that is not theirs.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from softnic.engine import Engine, NoRoom
from softnic.ports.dataplane import Event, Leaving, Received
from softnic.ports.port import Frame, Port, PortError, PortStats

from .engine import NativeEngine
from .library import Runtime
from .records import DigestLayout, digest_layouts, log_line, unpack_records

_RING_BYTES = 4 << 20
"""The size of a worker's ring in the runtime."""


class DataplanePort(Port):
    """A port that the dataplane's threads serve; what others send to it goes out by the same interface."""

    def __init__(self, dataplane: NativeDataplane, number: int, interface: str) -> None:
        super().__init__(number, interface, socket.if_nametoindex(interface))
        self._dataplane = dataplane
        self._number = number

    def fileno(self) -> None:
        return None

    def receive(self, limit: int) -> Sequence[Frame]:
        return ()

    def send(self, number: int, frame: bytes) -> bool:
        return self._dataplane.send(number, frame)

    def own_stats(self) -> PortStats:
        return self._dataplane.stats(self._number)

    def set_enabled(self, enabled: bool) -> None:
        self._dataplane.set_enabled(self._number, enabled)

    def close(self) -> None:
        """The dataplane closes it."""


class NativeDataplane:
    """Threads of the runtime between Linux interfaces; implements `softnic.ports.dataplane.Dataplane`.

    Ports are added before `start`.

    Args:
        workers: how many threads, 1 to 15. With more than one the kernel spreads flows over them by hash, and keeps the
            order of each flow's frames.
    """

    def __init__(self, runtime: Runtime, workers: int = 1) -> None:
        self._lib, self._ffi = runtime.lib, runtime.ffi
        self._workers = workers
        opened = self._lib.snic_dataplane_open(workers)
        if not opened:
            raise NoRoom("no memory is left for the dataplane's threads")
        self._dataplane: Any = self._ffi.gc(opened, self._lib.snic_dataplane_close)
        self._buffer = self._ffi.new("uint8_t[]", _RING_BYTES)
        self._ports: dict[int, Port] = {}
        self._engine: NativeEngine | None = None
        self._last_number = 0
        self._speaking = [0] * workers
        """Number of the engine that each worker's records come from."""
        self._digests: dict[int, Sequence[DigestLayout]] = {}
        """By number of the engine."""
        self._pending: list[Event] = []
        self._is_closed = False
        self._last_stats: dict[int, PortStats] = {}
        self._events_lost = 0

    def add(self, number: int, interface: str, kind: str = "eth") -> None:
        """A port by AF_PACKET (``eth``) or AF_XDP (``xdp``). Raises: PortError (what the kernel refuses, and why)."""
        add = self._lib.snic_dataplane_add_eth if kind == "eth" else self._lib.snic_dataplane_add_xdp
        status = add(self._dataplane, number, interface.encode())
        if status:
            explain = _explain if kind == "eth" else _explain_xdp
            raise PortError(f"port {number}: {kind}:{interface}: {explain(-status)}")
        self._ports[number] = DataplanePort(self, number, interface)

    def ports(self) -> Sequence[Port]:
        return list(self._ports.values())

    def start(self) -> None:
        """Raises: OSError (a thread can't be made)."""
        status = self._lib.snic_dataplane_start(self._dataplane)
        if status:
            raise OSError(-status, os.strerror(-status))

    def attach(self, engine: Engine) -> None:
        """Let frames go through `engine`, or, if it is not a native one, come back as `Received`.

        No thread is in the old engine then. Raises: NoRoom, and the old engine stays.
        """
        native = engine if isinstance(engine, NativeEngine) else None
        self._last_number += 1
        if native:
            self._digests[self._last_number] = digest_layouts(native.program)
        handle = native.handle.engine if native else self._ffi.NULL
        if self._lib.snic_dataplane_set_engine(self._dataplane, handle, self._last_number):
            raise NoRoom("no memory is left for the engine's workers")
        # Nothing of the old engine's comes any more: after what waits is taken, its layouts are not needed.
        self._pending.extend(self._waiting())
        self._digests = {number: layouts for number, layouts in self._digests.items() if number == self._last_number}
        # The threads use the engine's memory: it must live as long as it is attached.
        self._engine = native

    def fileno(self) -> int:
        """Readable while `take` may have something."""
        return self._lib.snic_dataplane_event_fd(self._dataplane)

    def take(self) -> Iterator[Event]:
        """What has come since the last call."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fileno())
        pending, self._pending = self._pending, []
        yield from pending
        yield from self._waiting()

    def send(self, number: int, frame: bytes) -> bool:
        """False: the port is down."""
        return self._lib.snic_dataplane_send(self._dataplane, number, frame, len(frame))

    def set_enabled(self, number: int, enabled: bool) -> None:
        """Frames of a disabled port are dropped and counted, both ways."""
        self._lib.snic_dataplane_set_admin(self._dataplane, number, enabled)

    def stats(self, number: int) -> PortStats:
        """All threads together."""
        return self._last_stats[number] if self._is_closed else self._port_stats(number)

    def events_lost(self) -> int:
        """How many events found no room because they were not taken in time."""
        if not self._is_closed:
            stats = self._ffi.new("struct snic_dataplane_stats *")
            self._lib.snic_dataplane_stats(self._dataplane, stats)
            self._events_lost = stats.frames_lost + stats.outputs_lost + stats.digests_lost + stats.logs_lost
        return self._events_lost

    def stop(self) -> None:
        """End the threads: every frame they took from a port is on its way, or an event, then. Twice is harmless."""
        if not self._is_closed:
            self._lib.snic_dataplane_stop(self._dataplane)

    def close(self) -> None:
        """Stop, and close the interfaces; counts stay readable. Twice is harmless."""
        if self._is_closed:
            return
        self.stop()
        self.events_lost()
        self._last_stats = {number: self._port_stats(number) for number in self._ports}
        self._is_closed = True
        self._ffi.release(self._dataplane)
        self._engine = None

    def _port_stats(self, number: int) -> PortStats:
        stats = self._ffi.new("struct snic_port_stats *")
        self._lib.snic_dataplane_port_stats(self._dataplane, number, stats)
        return PortStats(
            stats.rx_packets, stats.rx_bytes, stats.rx_dropped, stats.tx_packets, stats.tx_bytes, stats.tx_dropped
        )

    def _waiting(self) -> Iterator[Event]:
        """One ring's worth from each worker at most, so that a fast one does not keep us here for ever."""
        for worker in range(self._workers):
            size = self._lib.snic_dataplane_take(self._dataplane, worker, self._buffer, _RING_BYTES)
            yield from self._events(worker, self._ffi.buffer(self._buffer, size)[:])

    def _events(self, worker: int, records: bytes) -> Iterator[Event]:
        lib = self._lib
        for kind, number, data in unpack_records(records):
            if kind == lib.SNIC_RECORD_PACKET:
                yield Leaving(number, data)
            elif kind == lib.SNIC_RECORD_DIGEST:
                yield self._digests[self._speaking[worker]][number].unpack(data)
            elif kind == lib.SNIC_RECORD_FRAME:
                yield Received(number, data)
            elif kind == lib.SNIC_RECORD_LOG:
                log_line(data)
            else:
                self._speaking[worker] = number


def _explain(code: int) -> str:
    match code:
        case errno.EPERM | errno.EACCES:
            return "raw sockets need CAP_NET_RAW; run as root, or within a user namespace: unshare -Urn"
        case errno.ENODEV:
            return "no such interface in this network namespace; `ip link` lists those there are"
        case errno.EEXIST:
            return "that number is taken; give each port a number of its own"
        case errno.EMEDIUMTYPE:
            return "frames on this interface have no Ethernet header; use an Ethernet, veth or tap"
        case _:
            return os.strerror(code)


def _explain_xdp(code: int) -> str:
    match code:
        case errno.EPERM | errno.EACCES:
            return "AF_XDP needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF; run as root, or use eth"
        case errno.ECHRNG:
            return (
                "AF_XDP needs one receive queue for each worker; choose --workers, "
                "or the queues (ethtool -L INTERFACE combined N)"
            )
        case errno.EBUSY:
            return "there is another XDP program or socket on the interface; `ip link` shows it"
        case errno.ENOBUFS:
            return "AF_XDP needs more locked memory; raise it (ulimit -l), or run as root"
        case errno.EAFNOSUPPORT | errno.ENOSYS | errno.EOPNOTSUPP:
            return "this kernel has no AF_XDP; use eth"
        case _:
            return _explain(code)
