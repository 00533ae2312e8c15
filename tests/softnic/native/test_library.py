# SPDX-License-Identifier: Apache-2.0
"""What Python reads of the runtime's headers is what the C compiler reads."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from softnic.native import find_compiler
from softnic.native.compiler import RUNTIME
from softnic.native.library import HEADERS, declarations, load_ffi

STRUCTS = sorted(
    set(re.findall(r"^struct (\w+) \{", "".join((RUNTIME / h).read_text() for h in HEADERS), re.MULTILINE))
)


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The size of every struct, by the C compiler."""
    folder: Path = tmp_path_factory.mktemp("sizes")
    prints = "".join(f'printf("{name} %zu\\n", sizeof(struct {name}));\n' for name in STRUCTS)
    includes = "".join(f'#include "{name}"\n' for name in HEADERS)
    (folder / "sizes.c").write_text(f"#include <stdio.h>\n{includes}int main(void) {{\n{prints}}}\n")
    compile_sizes = [*find_compiler().command, "-std=gnu11", f"-I{RUNTIME}", "sizes.c", "-o", "sizes"]
    subprocess.run(compile_sizes, cwd=folder, check=True)
    printed = subprocess.run([folder / "sizes"], capture_output=True, text=True, check=True).stdout
    return {name: int(size) for name, size in map(str.split, printed.splitlines())}


@pytest.mark.parametrize("name", STRUCTS)
def test_python_and_c_agree_on_the_size_of(name: str, sizes: dict[str, int]) -> None:
    assert load_ffi().sizeof(f"struct {name}") == sizes[name]


def test_directives_comments_and_inline_code_are_left_out() -> None:
    header = """/* one
two */
#ifndef A_H
#define A_H
#define SIZE 16u
#define LONG (1 + \\
              2)
struct a { int b; }; /* three */
static inline int f(void)
{
    return 1;
}
int g(void);
#endif
"""
    assert " ".join(declarations(header).split()) == "#define SIZE 16 struct a { int b; }; int g(void);"
