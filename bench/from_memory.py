# SPDX-License-Identifier: Apache-2.0
"""The scenarios on one core, packets from memory: every engine's output is compared first, then its time is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from softnic.engines import EngineName
from softnic.pcap import PcapError

from .equality import difference
from .measure import MAX_STEAL, Plan, Rate, StealClock, Window, rate_of
from .peers import Peer
from .peers.bmv2 import Bmv2
from .peers.ovs import Ovs
from .peers.plain_c import PlainC
from .peers.softnic import Softnic, available_engine
from .peers.swx import Swx
from .peers.testpmd import Testpmd
from .process import PeerError
from .result import Result
from .scenario import FEW_FLOWS, MANY_FLOWS, Scenario, scenarios

NO_CLIFF = 0.6
OF_PLAIN_C = 0.8
_ATTEMPTS = 3
"""How often a measurement is taken again because the hypervisor took too much of it."""
_FLOOR_BYTES = 128

Say = Callable[[str], None]
Rates = dict[str, Rate]
"""By the name of the engine."""


def measure(plan: Plan, say: Say, wanted: Callable[[Scenario], bool]) -> Iterator[Result]:
    """Figures of every engine that is here, as they come; `say` is told what is done, missing or different."""
    chosen = [scenario for scenario in scenarios() if wanted(scenario)]
    if not chosen:
        return
    peers, subject = _present(say)
    yield from _floor(plan, say)
    rates: dict[str, Rates] = {}
    for scenario in chosen:
        rates[scenario.name] = found = _measure_scenario(scenario, peers, plan, say)
        for peer, rate in found.items():
            yield _figure(scenario, peer, rate, found, subject)
        yield from _of_plain_c(scenario, found, subject)
    yield from _cliff(rates, subject)


def _present(say: Say) -> tuple[list[Peer], str]:
    """The peers that can run here, and the name of the softnic engine that is held to the goals."""
    engine, reason = available_engine()
    if reason:
        say(f"softnic's native engine is not here, the {engine} engine takes its place: {reason}")
    subject = Softnic(engine)
    others: list[Peer] = [PlainC(), Ovs(), Swx()]
    for peer in others:
        if reason := peer.missing():
            say(f"{peer.name} is not here: {reason}")
    return [subject, *(peer for peer in others if not peer.missing())], subject.name


def _measure_scenario(scenario: Scenario, peers: Iterable[Peer], plan: Plan, say: Say) -> Rates:
    """The rates of those whose packets are right."""
    with TemporaryDirectory(prefix="headgate-bench-") as folder:
        say(f"{scenario.name}: what is right")
        expected = _expected(scenario, Path(folder), say)
        rates = {}
        for peer in peers:
            say(f"{scenario.name}: {peer.name}")
            try:
                actual = peer.outputs(scenario, Path(folder))
                if wrong := difference(scenario, expected, actual, peer.own_entropy):
                    say(f"{scenario.name}: {peer.name} differs, and is not measured: {wrong}")
                    continue
                rates[peer.name] = undisturbed(lambda peer=peer: peer.windows(scenario, Path(folder), plan))
            except (PeerError, PcapError, OSError) as error:
                say(f"{scenario.name}: {peer.name} failed: {error}")
    return rates


def _expected(scenario: Scenario, scratch: Path, say: Say) -> list[bytes]:
    """What the reference engine sends, and BMv2 if it is here. Raises: PeerError if they disagree."""
    expected = Softnic(EngineName.REFERENCE).outputs(scenario, scratch)
    judge = Bmv2()
    if reason := judge.missing():
        say(f"{judge.name} is not here to judge: {reason}")
    elif wrong := difference(scenario, judge.outputs(scenario, scratch), expected, own_entropy=False):
        raise PeerError(f"{scenario.name}: the reference engine differs from BMv2: {wrong}")
    return expected


def undisturbed(take: Callable[[], list[Window]]) -> Rate:
    """Measure again while the hypervisor takes more than `MAX_STEAL`, a few times; the last is kept, and tells."""
    for _ in range(_ATTEMPTS - 1):
        clock = StealClock()
        windows = take()
        if (steal := clock.share()) <= MAX_STEAL:
            return rate_of(windows, steal)
    clock = StealClock()
    windows = take()
    return rate_of(windows, clock.share())


def _figure(scenario: Scenario, peer: str, rate: Rate, rates: Mapping[str, Rate], subject: str) -> Result:
    goal = _goal(scenario, rates) if peer == subject else None
    return Result(f"{scenario.name}: {peer}", rate.mpps, "Mpps", goal, True, describe(rate))


def _goal(scenario: Scenario, rates: Mapping[str, Rate]) -> float | None:
    """The more of the scenario's own and of what it asks relative to the fastest of its peers."""
    fastest = max((rates[name].mpps for name in (Ovs.name, Swx.name) if name in rates), default=0.0)
    return max(scenario.goal_mpps, scenario.goal_ratio * fastest) or None


def describe(rate: Rate) -> str:
    """The figure's other side: nanoseconds, range, and what disturbed it."""
    words = [f"{rate.ns_per_packet:.1f} ns", f"{rate.lowest:.2f} to {rate.highest:.2f}"]
    if rate.waited > MAX_STEAL:
        words.append(f"waited {rate.waited:.0%} of the time, not counted")
    if rate.steal > MAX_STEAL:
        words.append(f"{rate.steal:.0%} stolen: do not trust")
    return ", ".join(words)


def _of_plain_c(scenario: Scenario, rates: Mapping[str, Rate], subject: str) -> list[Result]:
    if subject not in rates or PlainC.name not in rates:
        return []
    ratio = rates[subject].mpps / rates[PlainC.name].mpps
    return [Result(f"{scenario.name}: of plain C", ratio, "x", OF_PLAIN_C, True, "the same lookups by hand")]


def _cliff(rates: Mapping[str, Rates], subject: str) -> list[Result]:
    """What is left of every engine's rate when the flows are many."""
    few, many = rates.get(FEW_FLOWS, {}), rates.get(MANY_FLOWS, {})
    return [
        Result(
            f"router, 65,536 flows of 16: {peer}",
            many[peer].mpps / few[peer].mpps,
            "x",
            NO_CLIFF if peer == subject else None,
            True,
            "no cliff",
        )
        for peer in few
        if peer in many
    ]


def _floor(plan: Plan, say: Say) -> list[Result]:
    """What DPDK needs for a packet when nothing is done with it."""
    testpmd = Testpmd()
    if reason := testpmd.missing():
        say(f"{testpmd.name} is not here: {reason}")
        return []
    say(f"the floor: {testpmd.name}")
    with TemporaryDirectory(prefix="headgate-bench-") as folder:
        rate = undisturbed(lambda: testpmd.windows(_FLOOR_BYTES, Path(folder), plan))
    return [Result(f"floor, {_FLOOR_BYTES} B: {testpmd.name}", rate.mpps, "Mpps", None, True, describe(rate))]
