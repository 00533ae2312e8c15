# SPDX-License-Identifier: Apache-2.0
"""Controller headers: the metadata of PacketIn and PacketOut as the bits that the program parses and emits.

Fields follow each other without padding, most significant bit first; after the last one, zeros fill up the byte.
"""

from __future__ import annotations

from collections.abc import Sequence

from finsy.proto import p4r

from softnic.ports.port import MAX_FRAME_BYTES

from . import bits, codec
from .errors import invalid
from .schema import Param


def decode_packet_out(header: Sequence[Param], message: p4r.PacketOut) -> bytes:
    """What arrives on the CPU port: the header `message` describes, then its payload.

    Raises:
        P4RuntimeError: INVALID_ARGUMENT where the metadata are not exactly the fields of `header`.
    """
    if len(message.payload) > MAX_FRAME_BYTES:
        raise invalid(f"payload has {len(message.payload)} bytes; a frame has {MAX_FRAME_BYTES} at most")
    values = codec.decode_params(header, ((m.metadata_id, m.value) for m in message.metadata), "metadata")
    packed = 0
    for param, value in zip(header, values, strict=True):
        packed = packed << param.width | value
    length = _header_bytes(header)
    packed <<= length * 8 - _header_bits(header)
    return packed.to_bytes(length, "big") + message.payload


def encode_packet_in(header: Sequence[Param], data: bytes) -> p4r.PacketIn | None:
    """The message for a packet that left on the CPU port; None if it is shorter than the header."""
    length = _header_bytes(header)
    if len(data) < length:
        return None
    packed = int.from_bytes(data[:length], "big")
    shift = length * 8
    message = p4r.PacketIn(payload=data[length:])
    for param in header:
        shift -= param.width
        value = packed >> shift & (1 << param.width) - 1
        message.metadata.add(metadata_id=param.id, value=bits.encode(value))
    return message


def _header_bits(header: Sequence[Param]) -> int:
    return sum(param.width for param in header)


def _header_bytes(header: Sequence[Param]) -> int:
    return (_header_bits(header) + 7) // 8
