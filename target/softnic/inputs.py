# SPDX-License-Identifier: Apache-2.0
"""The files a user names: programs as p4c writes them, P4Info and entries in protobuf's text format."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from finsy.proto import p4i, p4r
from google.protobuf import text_format
from google.protobuf.message import Message

from . import ir
from .frontend import ProgramError, load_program

M = TypeVar("M", bound=Message)


class InputError(Exception):
    """A file or an option that can't be used. The message names it, the place within, and the fix."""


def read_program(path: Path) -> ir.Program:
    """Raises: InputError (not a program this target runs), OSError."""
    if path.suffix == ".p4":
        raise InputError(f"{path}: this is P4; compile it first: p4c-bm2-ss -o {path.stem}.json {path}")
    return parse_program(path.read_bytes(), str(path))


def parse_program(program_json: bytes, origin: str) -> ir.Program:
    """`origin` is where it comes from, for the message. Raises: InputError (not a program this target runs)."""
    try:
        return load_program(program_json)
    except ProgramError as error:
        raise InputError(f"{origin}: {error}") from error


def read_p4info(path: Path) -> p4i.P4Info:
    """Read what ``p4c-bm2-ss --p4runtime-files X.txtpb`` wrote. Raises: InputError, OSError."""
    return _read_text(path, p4i.P4Info())


def read_writes(path: Path) -> p4r.WriteRequest:
    """Read updates, in the text format of a P4Runtime ``WriteRequest``. Raises: InputError, OSError."""
    return _read_text(path, p4r.WriteRequest())


def _read_text(path: Path, message: M) -> M:
    kind = message.DESCRIPTOR.full_name
    try:
        return text_format.Parse(path.read_text(), message)
    except text_format.ParseError as error:
        raise InputError(f"{path}: not a {kind} in text format: {error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not text; write the {kind} in protobuf's text format") from error
