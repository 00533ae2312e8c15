# SPDX-License-Identifier: Apache-2.0
"""A port that is a Linux interface of its own: a TAP device, whose other end the host's network stack holds."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from collections.abc import Sequence

from .port import MAX_FRAME_BYTES, Frame, Port, PortError

# linux/if_tun.h and linux/if.h
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_IFF_UP = 0x1
_IFREQ = struct.Struct("16sH22x")


class TapPort(Port):
    """Creates the interface, or takes over a persistent one, and brings it up.

    No offload is asked for (TUNSETOFFLOAD), so the kernel hands over finished frames of at most the MTU.
    """

    def __init__(self, number: int, interface: str) -> None:
        """Raises: PortError (no permission, in use, no /dev/net/tun)."""
        super().__init__(number, interface)
        self._number = number
        where = f"port {number}: tap:{interface}"
        try:
            self._fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError as error:
            raise PortError(
                f"{where}: /dev/net/tun: {error.strerror}; run as root, or give yourself access to it"
            ) from error
        except OSError as error:
            raise PortError(f"{where}: /dev/net/tun: {error.strerror}; load the module: modprobe tun") from error
        try:
            fcntl.ioctl(self._fd, _TUNSETIFF, _IFREQ.pack(interface.encode(), _IFF_TAP | _IFF_NO_PI))
            _bring_up(interface)
        except OSError as error:
            os.close(self._fd)
            if isinstance(error, PermissionError):
                raise PortError(
                    f"{where}: needs CAP_NET_ADMIN; run as root, or make one for yourself first: "
                    f"ip tuntap add {interface} mode tap user $USER"
                ) from error
            raise PortError(f"{where}: {error.strerror}") from error

    def fileno(self) -> int:
        return self._fd

    def receive(self, limit: int) -> Sequence[Frame]:
        frames: list[Frame] = []
        try:
            for _ in range(limit):
                frames.append((self._number, os.read(self._fd, MAX_FRAME_BYTES)))
        except BlockingIOError:
            pass
        return frames

    def send(self, number: int, frame: bytes) -> bool:
        try:
            os.write(self._fd, frame)
        except OSError:  # the interface is down or gone, or the frame has no whole Ethernet header
            return False
        return True

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _bring_up(interface: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = fcntl.ioctl(control, _SIOCGIFFLAGS, _IFREQ.pack(interface.encode(), 0))
        name, flags = _IFREQ.unpack(request)
        if not flags & _IFF_UP:
            fcntl.ioctl(control, _SIOCSIFFLAGS, _IFREQ.pack(name, flags | _IFF_UP))
