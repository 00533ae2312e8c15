# SPDX-License-Identifier: Apache-2.0
"""A port on a Linux network interface: an AF_PACKET socket (packet(7)) that sees every frame and sends raw ones."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Sequence

from .offload import NOTHING_LEFT, Offload, OffloadError, finish, insert_vlan_tag
from .port import MAX_FRAME_BYTES, Frame, Port, PortError

# linux/if_packet.h, linux/if_ether.h and linux/if_arp.h; Python's socket module has the few others.
_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP = 1
_PACKET_STATISTICS = 6
_PACKET_AUXDATA = 8
_PACKET_VNET_HDR = 15
_PACKET_IGNORE_OUTGOING = 23
_PACKET_MR_PROMISC = 1
_ETH_P_ALL = 0x0003
_ARPHRD_WITH_ETHERNET_HEADER = (1, 772)  # Ethernet, loopback

_AUXDATA = struct.Struct("=IIIHHHH")
"""``struct tpacket_auxdata``: status, len, snaplen, mac, net, vlan_tci, vlan_tpid."""
_STATUS_VLAN_VALID = 0x10
_STATUS_VLAN_TPID_VALID = 0x40
_ANCILLARY_BYTES = socket.CMSG_SPACE(_AUXDATA.size)
_TPID_8021Q = 0x8100


class EthernetPort(Port):
    """Receives what arrives on the interface (not what the host sends on it), promiscuously, and sends raw frames.

    What the sender left to its NIC is finished here (see `softnic.ports.offload`), and the VLAN tag the kernel took off
    is put back. When the interface goes down the port waits for it to come back; when it vanishes, the port is lost.
    """

    def __init__(self, number: int, interface: str) -> None:
        """Raises: PortError (no such interface, no permission, not an Ethernet)."""
        self._socket = _open(number, interface)
        self._interface_index = socket.if_nametoindex(interface)
        super().__init__(number, interface, self._interface_index)
        self._number = number
        self._buffer = bytearray(len(NOTHING_LEFT) + MAX_FRAME_BYTES)
        self._kernel_dropped = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self, limit: int) -> Sequence[Frame]:
        frames: list[Frame] = []
        for _ in range(limit):
            try:
                length, ancillary, flags, _ = self._socket.recvmsg_into([self._buffer], _ANCILLARY_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                self._absorb(error)
                continue
            if flags & socket.MSG_TRUNC:
                self._rx_dropped += 1
                continue
            try:
                frames += [(self._number, frame) for frame in self._decode(length, ancillary)]
            except OffloadError:
                self._rx_dropped += 1
        return frames

    def _absorb(self, error: OSError) -> None:
        if error.errno == errno.EINVAL:
            # A frame whose offload the kernel has no virtio_net_hdr for; it threw the frame away.
            self._rx_dropped += 1
        elif error.errno == errno.ENETDOWN:
            # Told once, when the interface goes down or away. Only the second is for good, and if_indextoname raises.
            socket.if_indextoname(self._interface_index)
        else:
            raise error

    def _decode(self, length: int, ancillary: list[tuple[int, int, bytes]]) -> list[bytes]:
        view = memoryview(self._buffer)
        header, frame = view[: len(NOTHING_LEFT)], bytes(view[len(NOTHING_LEFT) : length])
        frames = [frame] if header == NOTHING_LEFT else list(finish(frame, Offload.decode(header)))
        tag = _stripped_tag(ancillary)
        return [insert_vlan_tag(frame, *tag) for frame in frames] if tag else frames

    def send(self, number: int, frame: bytes) -> bool:
        try:
            self._socket.send(NOTHING_LEFT + frame)
        except OSError:  # queue full, longer than the MTU, interface down: all one to the frame
            return False
        return True

    def rx_dropped(self) -> int:
        if self._socket.fileno() >= 0:
            # The kernel forgets the figure when it tells it.
            statistics = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
            self._kernel_dropped += struct.unpack("=II", statistics)[1]
        return self._rx_dropped + self._kernel_dropped

    def close(self) -> None:
        self.rx_dropped()
        self._socket.close()


def _open(number: int, interface: str) -> socket.socket:
    where = f"port {number}: eth:{interface}"
    try:
        # Protocol 0 receives nothing until bind() names one: no frame comes in before the options are set.
        packet_socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    except PermissionError as error:
        raise PortError(
            f"{where}: raw sockets need CAP_NET_RAW; run as root, or within a user namespace: unshare -Urn"
        ) from error
    try:
        for option in (_PACKET_AUXDATA, _PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING):
            packet_socket.setsockopt(_SOL_PACKET, option, 1)
        packet_socket.bind((interface, _ETH_P_ALL))
        if packet_socket.getsockname()[3] not in _ARPHRD_WITH_ETHERNET_HEADER:
            raise PortError(f"{where}: frames on this interface have no Ethernet header; use an Ethernet, veth or tap")
        index = socket.if_nametoindex(interface)
        promiscuous = struct.pack("=iHH8x", index, _PACKET_MR_PROMISC, 0)
        packet_socket.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, promiscuous)
    except PortError:
        packet_socket.close()
        raise
    except OSError as error:
        packet_socket.close()
        if error.errno == errno.ENODEV:
            raise PortError(
                f"{where}: no such interface in this network namespace; `ip link` lists those there are"
            ) from error
        raise PortError(f"{where}: {error.strerror}") from error
    return packet_socket


def _stripped_tag(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, int] | None:
    """(TPID, TCI) of the outermost VLAN tag, which the kernel hands over beside the frame."""
    for level, kind, data in ancillary:
        if (level, kind) == (_SOL_PACKET, _PACKET_AUXDATA):
            status, _len, _snaplen, _mac, _net, tci, tpid = _AUXDATA.unpack(data[: _AUXDATA.size])
            if status & _STATUS_VLAN_VALID:
                return (tpid if status & _STATUS_VLAN_TPID_VALID else _TPID_8021Q), tci
    return None
