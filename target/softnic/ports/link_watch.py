# SPDX-License-Identifier: Apache-2.0
"""Which Linux interfaces have a link, as the kernel tells it (rtnetlink(7)): now, and whenever that changes."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterator

# linux/netlink.h, linux/rtnetlink.h and linux/if.h; Python's socket module has none of them.
_NETLINK_ROUTE = 0
_RTMGRP_LINK = 1
_NLM_F_REQUEST = 0x1
_NLM_F_DUMP = 0x300
_RTM_NEWLINK = 16
_RTM_DELLINK = 17
_RTM_GETLINK = 18
_IFF_UP = 0x1
_IFF_RUNNING = 0x40

_HEADER = struct.Struct("=IHHII")
"""``struct nlmsghdr``: len, type, flags, seq, pid."""
_LINK = struct.Struct("=BxHiII")
"""``struct ifinfomsg``: family, type, index, flags, change."""

_DATAGRAM_BYTES = 1 << 16
_BURST_DATAGRAMS = 64
"""How many of the kernel's datagrams are read before others have their turn."""


class LinkWatch:
    """Calls ``on_link(interface_index, has_link)`` for every interface that `receive` hears of, changed or not.

    The kernel's queue is bounded; when it has lost something, everything is asked for again.
    """

    def __init__(self, on_link: Callable[[int, bool], None]) -> None:
        self._on_link = on_link
        self._has_lost = False
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _NETLINK_ROUTE)
        self._socket.bind((0, _RTMGRP_LINK))

    def fileno(self) -> int:
        return self._socket.fileno()

    def refresh(self) -> None:
        """Ask for all interfaces; `receive` gets the answer. While one is on its way the kernel makes no second one."""
        link = _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        header = _HEADER.pack(_HEADER.size + len(link), _RTM_GETLINK, _NLM_F_REQUEST | _NLM_F_DUMP, 0, 0)
        self._socket.send(header + link)

    def receive(self) -> None:
        """Read what is waiting, without blocking."""
        for _ in range(_BURST_DATAGRAMS):
            try:
                datagram = self._socket.recv(_DATAGRAM_BYTES)
            except BlockingIOError:
                if self._has_lost:
                    self._has_lost = False
                    self.refresh()
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._has_lost = True
                continue
            for index, has_link in links(datagram):
                self._on_link(index, has_link)

    def close(self) -> None:
        self._socket.close()


def links(datagram: bytes) -> Iterator[tuple[int, bool]]:
    """The interfaces that a datagram of the kernel tells of, by index, and whether each has a link."""
    while len(datagram) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(datagram)
        if length < _HEADER.size:
            return
        if kind in (_RTM_NEWLINK, _RTM_DELLINK) and min(length, len(datagram)) >= _HEADER.size + _LINK.size:
            _, _, index, flags, _ = _LINK.unpack_from(datagram, _HEADER.size)
            yield index, kind == _RTM_NEWLINK and bool(flags & _IFF_UP and flags & _IFF_RUNNING)
        datagram = datagram[length + 3 & ~3 :]  # messages begin at multiples of four bytes
