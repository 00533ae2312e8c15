# SPDX-License-Identifier: Apache-2.0
"""Hash algorithms against published check values."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softnic.reference.hashes import crc, hash_function, internet_checksum, toeplitz, xor_fold, xxh64

CHECK = b"123456789"
RSS_KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")


def named(algorithm: str, data: bytes) -> int:
    return hash_function(algorithm, random.Random(0))(data)


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("crc16", 0xBB3D),  # CRC-16/ARC
        ("crc16_custom", 0xBB3D),
        ("crc32", 0xCBF43926),  # CRC-32/ISO-HDLC
        ("crc32_custom", 0xCBF43926),
        ("crcCCITT", 0x29B1),  # CRC-16/IBM-3740, also called CCITT-FALSE
        ("crc8_custom", 0xF4),  # CRC-8/SMBUS
        ("identity", 0x3132333435363738),
        ("xor16", 0x3132 ^ 0x3334 ^ 0x3536 ^ 0x3738 ^ 0x3900),
        ("xor32", 0x31323334 ^ 0x35363738 ^ 0x39000000),
        ("toeplitz", 0),  # BMv2's default key is all zeros
    ],
)
def test_check_value_of_the_catalogue(algorithm: str, expected: int) -> None:
    assert named(algorithm, CHECK) == expected


def test_crc64_matches_go_iso_once_its_inversions_are_added() -> None:
    go_iso = crc(64, 0x1B, (1 << 64) - 1, (1 << 64) - 1, reflected=True)
    assert go_iso(CHECK) == 0xB90956C775A41001


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0xEF46DB3751D8E999),
        (b"a", 0xD24EC4F1A98C6E5B),
        (b"abc", 0x44BC2CF5AD770999),
        (b"123456789", 0x8CB841DB40E6AE83),
        (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
    ],
)
def test_xxh64_with_seed_0_matches_published_values(data: bytes, expected: int) -> None:
    assert xxh64(data) == expected


@pytest.mark.parametrize(
    ("source", "destination", "source_port", "destination_port", "expected"),
    [
        ("420995bb", "a18e6450", 2794, 1766, 0x51CCC178),
        ("c75c6f02", "41458c53", 14230, 4739, 0xC626B0EA),
        ("1813c65f", "0c16cfb8", 12898, 38024, 0x5C2B394A),
    ],
)
def test_toeplitz_matches_the_vectors_of_receive_side_scaling(
    source: str, destination: str, source_port: int, destination_port: int, expected: int
) -> None:
    ports = source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big")
    assert toeplitz(bytes.fromhex(source + destination) + ports, RSS_KEY) == expected


def test_internet_checksum_matches_the_example_of_rfc_1071() -> None:
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


def word_by_word(data: bytes) -> int:
    total = 0
    for start in range(0, len(data), 2):
        total += int.from_bytes(data[start : start + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@given(st.binary(max_size=80))
def test_internet_checksum_is_the_folded_sum_of_words(data: bytes) -> None:
    assert internet_checksum(data) == word_by_word(data)


@given(st.binary(min_size=2, max_size=80).filter(lambda data: len(data) % 2 == 0))
def test_data_with_its_own_checksum_sums_to_zero(data: bytes) -> None:
    assert internet_checksum(data + internet_checksum(data).to_bytes(2, "big")) == 0


@given(st.binary(max_size=64))
def test_table_driven_crc32_is_zlibs(data: bytes) -> None:
    assert crc(32, 0x04C11DB7, 0xFFFFFFFF, 0xFFFFFFFF, reflected=True)(data) == zlib.crc32(data)


@given(st.binary(max_size=40), st.sampled_from([2, 4]))
def test_folding_data_with_itself_gives_zero(data: bytes, size: int) -> None:
    padded = data + bytes(-len(data) % size)
    assert xor_fold(padded + padded, size) == 0


def test_round_robin_counts_calls_and_each_calculation_has_its_own() -> None:
    first, second = hash_function("round_robin", random.Random(0)), hash_function("round_robin", random.Random(0))
    assert [first(b""), first(b"x"), second(b""), first(b"")] == [0, 1, 0, 2]


def test_consistent_round_robin_gives_equal_inputs_equal_numbers() -> None:
    function = hash_function("round_robin_consistent", random.Random(0))
    assert [function(b"a"), function(b"b"), function(b"a"), function(b"c")] == [0, 1, 0, 2]


def test_hash_ex_mixes_bytes_as_signed() -> None:
    # Worked out by hand from the definition for the one-byte input 0x80.
    value = (2166136261 ^ 0xFFFFFF80) * 16777619 % 2**32
    value = (value + (value << 13)) % 2**32
    value ^= value >> 7
    value = (value + (value << 3)) % 2**32
    value ^= value >> 17
    assert named("hash_ex", b"\x80") == (value + (value << 5)) % 2**32
