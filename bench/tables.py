# SPDX-License-Identifier: Apache-2.0
"""What a lookup costs in tables of each kind and size: builds and runs bench/c/tables.c, prints a table."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNTIME = ROOT / "target/softnic/runtime"
MODULES = (
    *("epoch", "arena", "exact", "lpm", "rules", "vectors", "tuples", "ternary", "map", "meter", "profile"),
    *("table", "extern", "worker", "entries", "engine", "hash"),
)
SIZES = {
    "exact": (1000, 64_000, 1_000_000),
    "lpm4": (10, 1000, 100_000, 1_000_000),
    "lpm6": (10, 1000, 100_000),
    "ternary": (64, 1000, 10_000, 100_000),
}


def build(folder: Path) -> Path:
    """Raises: subprocess.CalledProcessError."""
    program = folder / "tables"
    sources = [ROOT / "bench/c/tables.c", *(RUNTIME / f"snic_{name}.c" for name in MODULES)]
    flags = ["-std=gnu11", "-O2", "-march=native", "-rdynamic", "-pthread", f"-I{RUNTIME}"]
    subprocess.run(["cc", *flags, *map(str, sources), "-o", str(program), "-ldl"], check=True)
    return program


def main() -> int:
    print(f"{'table':8} {'entries':>9} {'ns':>7} {'ns, 32 at once':>15} {'us/insert':>10} {'MB':>7}")
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        for kind, sizes in SIZES.items():
            for size in sizes:
                ran = subprocess.run([str(program), kind, str(size)], capture_output=True, text=True, check=True)
                name, entries, single, grouped, insert_us, memory, _ = ran.stdout.split()
                print(f"{name:8} {entries:>9} {single:>7} {grouped:>15} {insert_us:>10} {int(memory) / 1e6:>7.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
