# SPDX-License-Identifier: Apache-2.0
"""A P4Runtime target that learns without packets: each packet-out makes a list's worth of digest samples.

All but the executor is softnic's own: the switch's worker, the queue of digests, the server. It shows what they carry.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence

from softnic import ir
from softnic.engine import Digest, Engine, Output
from softnic.reference import ReferenceEngine
from softnic.server import P4RuntimeServer
from softnic.switch import Switch

SAMPLES_PER_PACKET_OUT = 1000
CPU_PORT = 510


class LearningEngine(ReferenceEngine):
    """Runs no packet; no two of its samples are the same."""

    def __init__(self, program: ir.Program) -> None:
        super().__init__(program)
        self._made = 0

    def process(self, port: int, data: bytes) -> Sequence[Output]:
        if self.on_digest:
            first = self._made
            self._made += SAMPLES_PER_PACKET_OUT
            for number in range(first, self._made):
                self.on_digest(Digest("learned_t", (0x02 << 40 | number, 1)))
        return ()


def build(program: ir.Program) -> Engine:
    return LearningEngine(program)


def main() -> None:
    """Serve until SIGTERM."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    switch = Switch(cpu_port=CPU_PORT, engine_factory=build)
    server = P4RuntimeServer(switch, address="127.0.0.1:0")
    print(f"P4Runtime on 127.0.0.1:{server.start()}, without packets", flush=True)
    switch.start()
    signal.sigwait({signal.SIGTERM})
    server.stop()
    switch.stop()


if __name__ == "__main__":
    main()
