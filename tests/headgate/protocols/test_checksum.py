# SPDX-License-Identifier: Apache-2.0
"""The Internet checksum agrees with Scapy's, at its edges too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.utils import checksum as scapy_checksum

from headgate.protocols.checksum import internet_checksum


@given(st.binary(max_size=80))
def test_it_is_what_scapy_computes(data: bytes) -> None:
    assert internet_checksum(data) == scapy_checksum(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0xFFFF),
        (b"\0" * 6, 0xFFFF),
        (b"\xff\xff", 0x0000),
        (b"\xff\xff\xff\xff", 0x0000),
        (b"\xff\xfe\0\1", 0x0000),
        (b"\1", 0xFEFF),
        (bytes.fromhex("0001f203f4f5f6f7"), 0x220D),  # the example of RFC 1071 3
    ],
)
def test_zero_and_all_ones_are_told_apart(data: bytes, expected: int) -> None:
    assert internet_checksum(data) == expected


@given(st.binary(min_size=2, max_size=80).filter(lambda data: len(data) % 2 == 0))
def test_data_that_carries_its_checksum_sums_to_zero(data: bytes) -> None:
    assert internet_checksum(data + internet_checksum(data).to_bytes(2, "big")) == 0
