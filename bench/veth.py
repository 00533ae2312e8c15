# SPDX-License-Identifier: Apache-2.0
"""Between two veth pairs: the highest rate that a forwarder carries without loss, the generator on the other core.

On veth it is the sender that pays: the generator's core delivers into the forwarder's socket, the forwarder's core into
the sink. The sink is the far interface's own receive counter, which every forwarder feeds alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory

from .from_memory import Say
from .measure import Plan
from .namespace import network_namespace
from .peers.plain_c import compile_c
from .process import PeerError, run
from .result import Result
from .scenario import Scenario, router_scenario
from .veth_peers import BMV2, PLAIN_C, SOFTNIC, forwarders, missing_for_links

FRAME_BYTES = 128
LOSS = 0.001
"""What counts as none: the scheduler of a small machine takes its toll of every forwarder."""

OVER_BMV2, OF_PLAIN_C = 20.0, 0.8
_BISECTIONS = 8
_CHANCES = 2
_LOWEST_PPS = 500.0
_QUIET_S = 0.1
_UNLIMITED_PPS = 1e9


@dataclass(frozen=True, slots=True)
class Trial:
    """What was sent in, and how much of it came out."""

    sent: int
    received: int
    seconds: float

    @property
    def is_lossless(self) -> bool:
        return self.received >= self.sent * (1 - LOSS)

    @property
    def pps(self) -> float:
        return self.received / self.seconds


def best_rate(try_rate: Callable[[float], Trial]) -> float:
    """The highest rate, in packets per second, of those tried that came through whole; 0.0: none did.

    The first trial offers all that the generator has. Below that the search halves ratios, not differences: forwarders
    are orders of magnitude apart. A rate that fails is tried once more: one hiccup of the machine is not its fault.
    """
    flood = try_rate(_UNLIMITED_PPS)
    if flood.is_lossless:
        return flood.pps
    best, low, high = 0.0, _LOWEST_PPS, flood.sent / flood.seconds
    for _ in range(_BISECTIONS):
        offered = sqrt(low * high)
        trials = (try_rate(offered) for _ in range(_CHANCES))
        if passed := next((trial for trial in trials if trial.is_lossless), None):
            low, best = offered, max(best, passed.pps)
        else:
            high = offered
    return best


def measure(plan: Plan, say: Say) -> Iterator[Result]:
    """The best rate of each forwarder that is here, and softnic's relative to the others'."""
    if reason := missing_for_links():
        say(f"veth: {reason}")
        return
    scenario = router_scenario(16, FRAME_BYTES)
    rates = {}
    for name, forwarder in forwarders().items():
        if reason := forwarder.missing():
            say(f"veth: {name} is not here: {reason}")
            continue
        say(f"veth: {name}")
        try:
            rates[name] = _rate_of(forwarder.running, scenario, plan)
        except (PeerError, OSError) as error:
            say(f"veth: {name} failed: {error}")
            continue
        yield _figure(name, rates[name])
    yield from _ratios(rates)


Running = Callable[[tuple[str, ...], Scenario, Path, Plan], AbstractContextManager[None]]


def _rate_of(forwarding: Running, scenario: Scenario, plan: Plan) -> float:
    with TemporaryDirectory(prefix="headgate-bench-") as folder, links() as inside:
        scratch = Path(folder)
        generator = compile_c("generate", ("trace",), scratch)
        trace = scenario.write_trace(scratch / "offered.pcap")
        with forwarding(inside, scenario, scratch, plan):

            def try_rate(pps: float) -> Trial:
                before = _received(inside)
                command = ("taskset", "-c", str(plan.control_core), str(generator), "gen", str(trace))
                printed = run([*inside, *command, f"{pps:.0f}", str(plan.seconds)])
                sent, elapsed_ns = map(int, printed.split())
                return Trial(sent, _settled(inside) - before, elapsed_ns / 1e9)

            return best_rate(try_rate)


@contextmanager
def links() -> Iterator[tuple[str, ...]]:
    """Two veth pairs, ``gen`` to ``in`` and ``out`` to ``sink``, where no kernel speaks up by itself."""
    with network_namespace() as inside:
        for name in ("all", "default"):
            run([*inside, "sysctl", "-q", "-w", f"net.ipv6.conf.{name}.disable_ipv6=1"])
        for near, far in (("gen", "in"), ("out", "sink")):
            run([*inside, "ip", "link", "add", near, "type", "veth", "peer", "name", far])
        for link in ("lo", "gen", "in", "out", "sink"):
            run([*inside, "ip", "link", "set", link, "up"])
        yield inside


def _received(inside: tuple[str, ...]) -> int:
    return int(run([*inside, "cat", "/sys/class/net/sink/statistics/rx_packets"]))


def _settled(inside: tuple[str, ...]) -> int:
    """The sink's counter once it stands still."""
    last = -1
    while (now := _received(inside)) != last:
        last = now
        time.sleep(_QUIET_S)
    return now


def _figure(name: str, pps: float) -> Result:
    note = f"best rate at a loss of at most {LOSS:.1%}, two veth pairs, generator on the other core"
    return Result(f"veth, {FRAME_BYTES} B: {name}", pps / 1e3, "kpps", None, True, note)


def _ratios(rates: Mapping[str, float]) -> list[Result]:
    return [
        Result(f"veth, {FRAME_BYTES} B: {SOFTNIC} of {name}", rates[SOFTNIC] / rates[name], "x", goal, True, "")
        for name, goal in ((BMV2, OVER_BMV2), (PLAIN_C, OF_PLAIN_C))
        if rates.get(SOFTNIC) and rates.get(name)
    ]
