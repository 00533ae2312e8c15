# SPDX-License-Identifier: Apache-2.0
"""Sends the first packet of one flow after the other, as fast as flows get into the cache.

A process of its own, so that what it costs is not the controller's. When each packet left, and which flows are
installed, stands in a file that both processes map.
"""

from __future__ import annotations

import mmap
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pynng
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

ROUTER_MAC = "02:00:00:00:f2:01"
HOST_MAC = "02:00:00:00:aa:01"
DESTINATION = "198.51.100.1"
FIRST_HOST = int(IPv4Address("10.0.0.0"))

_NUMBER = struct.Struct("=q")
_NN_HEADER = struct.Struct("<iii")
_NN_PACKET = 3
_AGAIN_S = 1.0
_POLL_S = 0.0002


class Progress:
    """Of each flow when its first packet left, and whether it is installed; and how many are.

    One process writes the first, the other one the rest.
    """

    def __init__(self, path: Path, flows: int) -> None:
        self.flows = flows
        size = _NUMBER.size * (flows + 1) + flows
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)
        self._installed = _NUMBER.size * (flows + 1)

    @property
    def count(self) -> int:
        """How many flows are installed."""
        return _NUMBER.unpack_from(self._map, 0)[0]

    def sent(self, flow: int, now_ns: int) -> None:
        _NUMBER.pack_into(self._map, _NUMBER.size * (flow + 1), now_ns)

    def sent_ns(self, flow: int) -> int:
        return _NUMBER.unpack_from(self._map, _NUMBER.size * (flow + 1))[0]

    def installed(self, flows: Iterable[int]) -> int:
        """These are installed. Returns: how many of them were not before."""
        new = 0
        for flow in flows:
            place = self._installed + flow
            new += not self._map[place]
            self._map[place] = 1
        _NUMBER.pack_into(self._map, 0, self.count + new)
        return new

    def missing(self) -> list[int]:
        """The flows that are not installed."""
        return [flow for flow, byte in enumerate(self._map[self._installed :]) if not byte]

    def wait(self, more_than: int, timeout_s: float) -> bool:
        """Wait until more flows than that are installed, as long as the number grows. Returns: whether they are."""
        last, deadline_s = self.count, time.monotonic() + timeout_s
        while (count := self.count) <= more_than:
            if count != last:
                last, deadline_s = count, time.monotonic() + timeout_s
            elif time.monotonic() > deadline_s:
                return False
            time.sleep(_POLL_S)
        return True


def frames(flows: int, tenants: int) -> list[bytes]:
    """The first packet of each flow: each from a host of its own, the tenants in turn. Without UDP checksum."""
    template = bytes(
        Ether(src=HOST_MAC, dst=ROUTER_MAC)
        / Dot1Q(vlan=1)
        / IP(src="0.0.0.0", dst=DESTINATION, ttl=64)
        / UDP(sport=1000, dport=53, chksum=0)
        / bytes(18)
    )
    head, ip = template[:14], bytearray(template[18:])
    blank = ~int.from_bytes(ip[10:12], "big") & 0xFFFF
    made: list[bytes] = []
    for flow in range(flows):
        host = FIRST_HOST + flow
        total = blank + (host >> 16) + (host & 0xFFFF)
        total = (total & 0xFFFF) + (total >> 16)
        ip[10:12] = (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2, "big")
        ip[12:16] = host.to_bytes(4, "big")
        made.append(head + (flow % tenants + 1).to_bytes(2, "big") + template[16:18] + bytes(ip))
    return made


@contextmanager
def wire_to(where: str) -> Iterator[Callable[[bytes], object]]:
    """What sends a frame: out of an interface, or to port 0 of a target that listens for PTF's packets at ``ipc://...``."""
    if where.startswith("ipc:"):
        with pynng.Pair0(dial=where) as target:
            yield lambda frame: target.send(_NN_HEADER.pack(_NN_PACKET, 0, len(frame)) + frame)
    else:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as interface:
            interface.bind((where, 0))
            yield interface.send


def offer(send: Callable[[bytes], object], packets: list[bytes], progress: Progress, window: int) -> None:
    """Send each flow's packet with at most `window` flows on their way, until all are installed. What was lost is sent
    again after a second."""
    for flow, packet in enumerate(packets):
        while flow - progress.count >= window:
            if not progress.wait(flow - window, _AGAIN_S):
                break
        progress.sent(flow, time.monotonic_ns())
        send(packet)
    while not progress.wait(progress.flows - 1, _AGAIN_S):
        for flow in progress.missing():
            send(packets[flow])


def main() -> None:
    """Arguments: where to, file of the progress, flows, tenants, window, packets per second of the second pass."""
    where, path, *numbers = sys.argv[1:]
    flows, tenants, window, again_pps = map(int, numbers)
    packets = frames(flows, tenants)
    progress = Progress(Path(path), flows)
    with wire_to(where) as send:
        print("ready", flush=True)
        sys.stdin.readline()
        offer(send, packets, progress, window)
        print("installed", flush=True)
        sys.stdin.readline()
        start_s = time.monotonic()
        for sent, packet in enumerate(packets):
            while time.monotonic() - start_s < sent / again_pps:
                time.sleep(0.001)
            send(packet)
        print("sent", flush=True)


if __name__ == "__main__":
    main()
