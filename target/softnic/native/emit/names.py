# SPDX-License-Identifier: Apache-2.0
"""C identifiers that read like the P4 names they stand for."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from softnic.ir import Source

_KEYWORDS = frozenset({
    "alignas", "alignof", "asm", "auto", "bool", "break", "case", "char", "const", "constexpr", "continue",
    "default", "do", "double", "else", "enum", "extern", "false", "float", "for", "goto", "if", "inline", "int",
    "long", "main", "nullptr", "register", "restrict", "return", "short", "signed", "sizeof", "static",
    "static_assert", "struct", "switch", "thread_local", "true", "typedef", "typeof", "unsigned", "void",
    "volatile", "while", "linux", "unix", "i386", "errno", "stdin", "stdout", "stderr", "memcpy", "memset",
    "memmove", "memcmp", "NULL", "UINT32_MAX", "UINT64_MAX",
})  # fmt: skip


def identifier(name: str) -> str:
    """A C identifier for a P4 name: ``ingress.vnic.l2_classify`` becomes ``ingress__vnic__l2_classify``.

    Not injective: `Names` makes identifiers unique.
    """
    text = re.sub(r"[^A-Za-z0-9_]", "_", name.replace("[", "_").replace("]", "").replace("._", "__").replace(".", "__"))
    reserved = text in _KEYWORDS or not text or text[0] in "_0123456789" or text.startswith("snic_")
    return f"p4_{text.lstrip('_')}" if reserved else text


class Names:
    """The identifiers of one C scope, each handed out once; the same requests in the same order yield the same."""

    def __init__(self, taken: tuple[str, ...] = ()) -> None:
        self._taken = set(taken)

    def unique(self, name: str) -> str:
        """`identifier(name)`, with a number behind it if that is taken already."""
        wanted = identifier(name)
        candidate, number = wanted, 2
        while candidate in self._taken:
            candidate, number = f"{wanted}_{number}", number + 1
        self._taken.add(candidate)
        return candidate


def source_comment(source: Source | None) -> str:
    """``/* nic.p4:88 */``, or nothing. The file without its directory: the same text wherever p4c ran."""
    return f"/* {PurePosixPath(source.file).name}:{source.line} */" if source and source.line > 0 else ""
