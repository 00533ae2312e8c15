# SPDX-License-Identifier: Apache-2.0
"""PTF's ports without interfaces: many ports over one nanomsg PAIR socket, `ptf --platform nn`.

A message is three little-endian 32-bit integers (type, port, and one more whose meaning is the type's), then the frame.
The switch listens; BMv2 does the same under ``--packet-in``. Like there, a port needs no announcement to be used.
"""

from __future__ import annotations

import enum
import struct
from collections import Counter
from collections.abc import Iterator, Sequence

import pynng

from .port import MAX_FRAME_BYTES, MAX_PORT_NUMBER, Frame, Port, PortError

_HEADER = struct.Struct("<iii")
_QUEUE_MESSAGES = 1024


class MessageType(enum.IntEnum):
    PORT_ADD = 0
    PORT_REMOVE = 1
    PORT_SET_STATUS = 2
    PACKET_IN = 3
    PACKET_OUT = 4
    INFO_REQUEST = 5
    INFO_REPLY = 6


class PortStatus(enum.IntEnum):
    """As PTF numbers it. (BMv2's numbers are the other way round, but by default it ignores the status.)"""

    UP = 0
    DOWN = 1


_INFO_COUNTERS = 1
_INFO_OK = struct.pack("<i", 0)
_INFO_NOT_SUPPORTED = struct.pack("<i", 1)


class NnPort(Port):
    """Every port number that no other port has, over one socket. In and out are PTF's words: into the switch is in."""

    def __init__(self, address: str) -> None:
        """Listen on `address`, such as ``ipc:///tmp/softnic.ipc`` or ``tcp://127.0.0.1:10001``.

        Raises: PortError.
        """
        super().__init__(None)
        self._down: set[int] = set()
        self._in_packets: Counter[int] = Counter()
        self._out_packets: Counter[int] = Counter()
        self._socket = pynng.Pair0(
            recv_buffer_size=_QUEUE_MESSAGES,
            send_buffer_size=_QUEUE_MESSAGES,
            recv_max_size=_HEADER.size + MAX_FRAME_BYTES,
        )
        try:
            self._socket.listen(address)
        except pynng.NNGException as error:
            self._socket.close()
            raise PortError(f"nn:{address}: {error}; an address looks like ipc:///tmp/softnic.ipc") from error

    def fileno(self) -> int:
        return self._socket.recv_fd

    def receive(self, limit: int) -> Iterator[Frame]:
        """See `Port.receive`. A request is answered when the frames before it have been taken."""
        try:
            for _ in range(limit):
                # Not recv(), which fails on a message of no bytes.
                yield from self._decode(self._socket.recv_msg(block=False).bytes)
        except pynng.TryAgain:
            pass

    def _decode(self, message: bytes) -> Sequence[Frame]:
        if len(message) < _HEADER.size:
            self._rx_dropped += 1
            return ()
        kind, number, more = _HEADER.unpack_from(message)
        if not 0 <= number <= MAX_PORT_NUMBER:
            self._rx_dropped += 1
            return ()
        frame = message[_HEADER.size :]
        match kind:
            case MessageType.PACKET_IN if more == len(frame) and number not in self._down:
                self._in_packets[number] += 1
                return ((number, frame),)
            case MessageType.PORT_ADD:
                self._set_up(number, True)
            case MessageType.PORT_REMOVE:
                self._set_up(number, False)
            case MessageType.PORT_SET_STATUS if more in tuple(PortStatus):
                self._set_up(number, more == PortStatus.UP)
            case MessageType.INFO_REQUEST:
                self._reply(number, more)
            case _:
                self._rx_dropped += 1
        return ()

    def _set_up(self, number: int, up: bool) -> None:
        if up:
            self._down.discard(number)
        else:
            self._down.add(number)
        self.on_status(number, up)

    def _reply(self, number: int, info: int) -> None:
        if info == _INFO_COUNTERS:
            body = _INFO_OK + struct.pack("<ii", self._in_packets[number], self._out_packets[number])
        else:
            body = _INFO_NOT_SUPPORTED
        self._send_message(MessageType.INFO_REPLY, number, info, body)

    def send(self, number: int, frame: bytes) -> bool:
        if number in self._down or not self._send_message(MessageType.PACKET_OUT, number, len(frame), frame):
            return False
        self._out_packets[number] += 1
        return True

    def _send_message(self, kind: MessageType, number: int, more: int, body: bytes) -> bool:
        if not self._socket.pipes:  # without a peer the messages would wait, and surprise the next one
            return False
        try:
            self._socket.send(_HEADER.pack(kind, number, more) + body, block=False)
        except pynng.NNGException:
            return False
        return True

    def close(self) -> None:
        self._socket.close()
