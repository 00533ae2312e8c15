# SPDX-License-Identifier: Apache-2.0
"""Numbers of any width in decimal, as log_msg prints them."""

from __future__ import annotations

import ctypes
import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snippets import RUNTIME

_SOURCE = """
#include "snic_text.h"
static void finish(struct snic_text *text, char *out) { memcpy(out, text->bytes, text->length + 1); }
void wide(const uint8_t *bytes, uint32_t width, char *out)
{
    static struct snic_text text;
    text = (struct snic_text){.length = 0};
    snic_text_add(&text, "n=");
    snic_text_add_wide(&text, snic_wide_sign(snic_wide_load(bytes, 0, width), width));
    finish(&text, out);
}
void narrow(uint64_t value, bool negative_possible, char *out)
{
    static struct snic_text text;
    text = (struct snic_text){.length = 0};
    snic_text_add64(&text, value, negative_possible);
    finish(&text, out);
}
void flood(char *out)
{
    static struct snic_text text;
    for (uint32_t at = 0; at < 2 * SNIC_TEXT_BYTES; at++)
        snic_text_add(&text, "x");
    finish(&text, out);
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    directory = tmp_path_factory.mktemp("text")
    source, path = directory / "text.c", directory / "text.so"
    source.write_text(_SOURCE)
    command = [os.environ.get("CC", "cc"), "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    sanitize = ["-fsanitize=undefined", "-fno-sanitize-recover"]
    subprocess.run([*command, *sanitize, f"-I{RUNTIME}", "-o", path, source, RUNTIME / "snic_text.c"], check=True)
    return ctypes.CDLL(str(path))


@given(st.integers(-(1 << 1000), (1 << 1000) - 1) | st.integers(-200, 200))
def test_wide_number_is_printed_in_decimal(library: ctypes.CDLL, number: int) -> None:
    out = ctypes.create_string_buffer(2048)
    library.wide(number.to_bytes(126, "big", signed=True), ctypes.c_uint32(1008), out)
    assert out.value.decode() == f"n={number}"


@given(st.integers(0, (1 << 64) - 1), st.booleans())
def test_word_is_printed_with_its_sign_where_it_has_one(library: ctypes.CDLL, number: int, signed: bool) -> None:
    out = ctypes.create_string_buffer(64)
    library.narrow(ctypes.c_uint64(number), ctypes.c_bool(signed), out)
    assert int(out.value) == (number - (1 << 64) if signed and number >> 63 else number)


def test_line_that_is_too_long_is_cut(library: ctypes.CDLL) -> None:
    out = ctypes.create_string_buffer(4096)
    library.flood(out)
    assert out.value == b"x" * 2047
