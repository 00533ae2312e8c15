# SPDX-License-Identifier: Apache-2.0
"""The hash algorithms that simple_switch registers, over bytes, each yielding an unsigned number."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from functools import cache

HashFunction = Callable[[bytes], int]

_MASK_32 = (1 << 32) - 1
_MASK_64 = (1 << 64) - 1
_MAX_REMEMBERED = 1 << 16


def internet_checksum(data: bytes) -> int:
    """The 16-bit ones' complement of the ones' complement sum (RFC 1071); odd data is padded with a zero byte."""
    word = int.from_bytes(data + b"\0" * (len(data) % 2), "big")
    # 2**16 is 1 modulo 0xffff: the remainder is the sum with end-around carry, except that 0xffff shows as 0.
    total = word % 0xFFFF
    if total == 0 and word:
        total = 0xFFFF
    return total ^ 0xFFFF


def _reflect(value: int, width: int) -> int:
    return int(f"{value:0{width}b}"[::-1], 2)


@cache
def _crc_table(width: int, polynomial: int, reflected: bool) -> tuple[int, ...]:
    top, mask = 1 << (width - 1), (1 << width) - 1
    table = []
    for byte in range(256):
        remainder = (_reflect(byte, 8) if reflected else byte) << (width - 8)
        for _ in range(8):
            remainder = (remainder << 1 ^ polynomial if remainder & top else remainder << 1) & mask
        table.append(_reflect(remainder, width) if reflected else remainder)
    return tuple(table)


def crc(width: int, polynomial: int, initial: int, final_xor: int, *, reflected: bool) -> HashFunction:
    """A CRC in the parameters of the Rocksoft model; input and output are reflected alike."""
    table = _crc_table(width, polynomial, reflected)
    mask, top_byte = (1 << width) - 1, width - 8

    def forward(data: bytes) -> int:
        remainder = initial
        for byte in data:
            remainder = table[byte ^ remainder >> top_byte] ^ (remainder << 8 & mask)
        return remainder ^ final_xor

    def backward(data: bytes) -> int:
        remainder = _reflect(initial, width)
        for byte in data:
            remainder = table[(byte ^ remainder) & 0xFF] ^ remainder >> 8
        return remainder ^ final_xor

    return backward if reflected else forward


def xor_fold(data: bytes, size: int) -> int:
    """The exclusive or of all words of `size` bytes; the last is padded with zero bytes."""
    total = 0
    for start in range(0, len(data), size):
        total ^= int.from_bytes(data[start : start + size].ljust(size, b"\0"), "big")
    return total


def identity(data: bytes) -> int:
    """The first eight bytes, or all if there are fewer."""
    return int.from_bytes(data[:8], "big")


def toeplitz(data: bytes, key: bytes) -> int:
    """The 32-bit Toeplitz hash of receive-side scaling; `key`, of whole 32-bit words, repeats for longer input."""
    repeats = -(-(len(data) + 4) // len(key))
    window = int.from_bytes(key * repeats, "big")
    window_width = len(key) * repeats * 8
    result = 0
    for position in range(len(data) * 8):
        if data[position // 8] >> (7 - position % 8) & 1:
            result ^= window >> (window_width - 32 - position) & _MASK_32
    return result


def fnv_mix(data: bytes) -> int:
    """simple_switch's ``hash_ex``: FNV-1a with a final mix; bytes are signed, as C++'s char is on x86."""
    value = 2166136261
    for byte in data:
        signed = byte - 256 if byte > 127 else byte
        value = (value ^ signed & _MASK_32) * 16777619 & _MASK_32
    value = value + (value << 13) & _MASK_32
    value ^= value >> 7
    value = value + (value << 3) & _MASK_32
    value ^= value >> 17
    return value + (value << 5) & _MASK_32


# ---- XXH64 (the published algorithm, seed 0) ------------------------------------------------------------------------

_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & _MASK_64


def _round(accumulator: int, lane: int) -> int:
    return _rotate(accumulator + lane * _P2 & _MASK_64, 31) * _P1 & _MASK_64


def xxh64(data: bytes) -> int:
    """XXH64 with seed 0."""
    length, position = len(data), 0
    if length >= 32:
        lanes = [_P1 + _P2 & _MASK_64, _P2, 0, -_P1 & _MASK_64]
        while position + 32 <= length:
            words = struct.unpack_from("<4Q", data, position)
            lanes = [_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
            position += 32
        value = sum(_rotate(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK_64
        for lane in lanes:
            value = ((value ^ _round(0, lane)) * _P1 + _P4) & _MASK_64
    else:
        value = _P5
    value = value + length & _MASK_64
    while position + 8 <= length:
        (word,) = struct.unpack_from("<Q", data, position)
        value = (_rotate(value ^ _round(0, word), 27) * _P1 + _P4) & _MASK_64
        position += 8
    if position + 4 <= length:
        (word,) = struct.unpack_from("<I", data, position)
        value = (_rotate(value ^ word * _P1 & _MASK_64, 23) * _P2 + _P3) & _MASK_64
        position += 4
    for byte in data[position:]:
        value = _rotate(value ^ byte * _P5 & _MASK_64, 11) * _P1 & _MASK_64
    value = (value ^ value >> 33) * _P2 & _MASK_64
    value = (value ^ value >> 29) * _P3 & _MASK_64
    return value ^ value >> 32


# ---- by name --------------------------------------------------------------------------------------------------------


def _round_robin() -> HashFunction:
    """Counts its calls."""
    calls = -1

    def count(data: bytes) -> int:
        nonlocal calls
        calls += 1
        return calls

    return count


def _round_robin_consistent() -> HashFunction:
    """Counts its distinct inputs; when it remembers too many it starts over."""
    seen: dict[bytes, int] = {}

    def count(data: bytes) -> int:
        if len(seen) >= _MAX_REMEMBERED and data not in seen:
            seen.clear()
        return seen.setdefault(data, len(seen))

    return count


_BMV2_TOEPLITZ_KEY = bytes(4)
"""BMv2's default, which hashes everything to 0; only its Thrift interface can set another."""

_CRC16 = crc(16, 0x8005, 0, 0, reflected=True)

_STATELESS: dict[str, HashFunction] = {
    "crc16": _CRC16,
    "crc16_custom": _CRC16,
    "crc32": zlib.crc32,
    "crc32_custom": zlib.crc32,
    "crcCCITT": crc(16, 0x1021, 0xFFFF, 0, reflected=False),
    "crc8_custom": crc(8, 0x07, 0, 0, reflected=False),
    "crc64_custom": crc(64, 0x1B, 0, 0, reflected=True),
    "csum16": internet_checksum,
    "cksum16": internet_checksum,
    "xor16": lambda data: xor_fold(data, 2),
    "xor32": lambda data: xor_fold(data, 4),
    "xxh64": xxh64,
    "bmv2_hash": xxh64,
    "hash_ex": fnv_mix,
    "toeplitz": lambda data: toeplitz(data, _BMV2_TOEPLITZ_KEY),
    "identity": identity,
}


def hash_function(algorithm: str, rng: random.Random) -> HashFunction:
    """The function for one calculation; round robins have a state of their own. Raises: KeyError."""
    match algorithm:
        case "random":
            return lambda data: rng.getrandbits(64)
        case "round_robin":
            return _round_robin()
        case "round_robin_consistent":
            return _round_robin_consistent()
        case _:
            return _STATELESS[algorithm]
