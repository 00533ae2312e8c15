# SPDX-License-Identifier: Apache-2.0
"""What stands in front of frames on the host port, and the hash it carries, written down a second time.

The data plane computes them from `core/headers.p4` and `stages/ring_delivery.p4`; here they come from the byte layout.
"""

from __future__ import annotations

import struct
import zlib
from ipaddress import ip_address

from headgate.vocabulary import RingType, Transmit


def rx_desc(frame: bytes, *, ring_id: int, vnic_id: int, ring_type: RingType, flow_hash: int = 0) -> bytes:
    """`nic_rx_desc_t` and the frame behind it."""
    return struct.pack("!HHBBHI", ring_id, vnic_id, ring_type, 0, len(frame), flow_hash) + frame


def tx_desc(frame: bytes, *, vnic_id: int, transmit: Transmit = Transmit.SWITCHED, ring_id: int = 0) -> bytes:
    """`nic_tx_desc_t` and the frame behind it."""
    return struct.pack("!HHBB", ring_id, vnic_id, transmit, 0) + frame


def flow_hash(src: str, dst: str, protocol: int = 17, src_port: int = 0, dst_port: int = 0) -> int:
    """CRC-32 over the flow, the smaller endpoint first, then a multiplicative finalizer. 32 bits."""
    source, destination = (int(ip_address(src)), src_port), (int(ip_address(dst)), dst_port)
    low, high = sorted([source, destination])
    flow = low[0].to_bytes(16) + high[0].to_bytes(16) + struct.pack("!HHB", low[1], high[1], protocol)
    value = zlib.crc32(flow)
    value ^= value >> 16
    value = value * 0x7FEB352D & 0xFFFFFFFF
    value ^= value >> 15
    value = value * 0x846CA68B & 0xFFFFFFFF
    return value ^ value >> 16
