# SPDX-License-Identifier: Apache-2.0
"""Hashes in C yield what the reference executor's yield, and calculations pack their inputs alike."""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_programs import Generator
from snippets import PROGRAM, RUNTIME, Snippets, expected

from softnic import ir
from softnic.native.emit.calculations import FUNCTIONS
from softnic.reference.hashes import hash_function

CHECKSUM = "uint64_t checksum(const uint8_t *data, size_t size) { return snic_checksum(data, size); }\n"
INLINE = "uint64_t identity(const uint8_t *data, size_t size) { return snic_identity(data, size); }\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The hashes of the runtime, and functions for those that are inline."""
    directory = tmp_path_factory.mktemp("hashes")
    inline = directory / "inline.c"
    inline.write_text('#include "snic_hash.h"\n#include "snic_checksum.h"\n' + CHECKSUM + INLINE)
    path = directory / "hashes.so"
    command = [os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    sanitize = ["-fsanitize=undefined", "-fno-sanitize-recover"]
    subprocess.run([*command, *sanitize, f"-I{RUNTIME}", "-o", path, inline, RUNTIME / "snic_hash.c"], check=True)
    return ctypes.CDLL(str(path))


_EXPORTED = {"snic_checksum": "checksum", "snic_identity": "identity"}


@pytest.mark.parametrize("algorithm", sorted(set(FUNCTIONS) - {"toeplitz"}))
def test_hash_of_bytes_is_the_references(library: ctypes.CDLL, algorithm: str) -> None:
    compute = getattr(library, _EXPORTED.get(FUNCTIONS[algorithm], FUNCTIONS[algorithm]))
    compute.restype, compute.argtypes = ctypes.c_uint64, [ctypes.c_char_p, ctypes.c_size_t]
    reference = hash_function(algorithm, random.Random())

    @given(st.binary(max_size=200))
    def agrees(data: bytes) -> None:
        assert compute(data, len(data)) == reference(data)

    agrees()


def test_every_algorithm_without_state_has_a_function() -> None:
    assert set(FUNCTIONS) == ir.HASH_ALGORITHMS - {"random", "round_robin", "round_robin_consistent"}


def test_consistent_round_robin_counts_distinct_inputs_as_the_reference_does(library: ctypes.CDLL) -> None:
    state = ctypes.create_string_buffer(64)
    library.snic_round_robin_open(state)
    turn = library.snic_round_robin_consistent
    turn.restype, turn.argtypes = ctypes.c_uint64, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    reference = hash_function("round_robin_consistent", random.Random())
    rng = random.Random(1)
    inputs = [rng.randrange(90_000).to_bytes(3, "big") for _ in range(200_000)]  # enough to start over
    address = ctypes.addressof(state)
    assert [turn(address, data, 3) for data in inputs] == [reference(data) for data in inputs]
    library.snic_round_robin_close(state)


@pytest.mark.parametrize("seed", range(2))
def test_calculations_pack_their_inputs_as_the_reference_does(seed: int, tmp_path: Path) -> None:
    generator = Generator(seed)
    bodies = [(generator.hash(algorithm),) for algorithm in sorted(FUNCTIONS) for _ in range(8)]
    packets = [generator.snapshot() for _ in range(15)]
    for before, results in zip(packets, Snippets(bodies, tmp_path).run(packets), strict=True):
        for body, result in zip(bodies, results, strict=True):
            assert result == expected(body, before), body


def test_internet_checksum_of_a_header_is_summed_where_it_stands(tmp_path: Path) -> None:
    wire = next(header for header in PROGRAM.headers if header.name == "wire")
    words = [ir.FieldRef(wire, wire.type.fields[at]) for at in (0, 1, 2, 3)]
    target = ir.FieldRef(PROGRAM.headers[0], PROGRAM.headers[0].type.fields[7])
    calculation = ir.Calculation("sum", "csum16", (*words, ir.PaddedConst(0xBEEF, 16)), payload=True)
    body = (ir.Hash(target, ir.Const(7), calculation, ir.Const(1 << 16)),)
    snippets = Snippets([body], tmp_path)
    packets = [Generator(seed).snapshot() for seed in range(20)]
    assert "snic_plus_bytes" in (tmp_path / "snippets.c").read_text()
    assert snippets.run(packets) == [[expected(body, before)] for before in packets]
