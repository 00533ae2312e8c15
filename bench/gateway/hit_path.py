# SPDX-License-Identifier: Apache-2.0
"""Packets of known flows by the flow cache, against the same packets by all stages.

One engine does both, with the same tables: after the first measurement its cache is filled, and nothing else. Packets
are not measured before it is known that they come out alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from finsy.proto import p4r

from headgate.vocabulary import CPU_PORT
from softnic import ir
from softnic.inputs import read_program
from softnic.native import NativeEngine
from softnic.reference import ReferenceEngine

from ..from_memory import Say, describe
from ..measure import Plan
from ..peers.bmv2 import Bmv2
from ..process import PeerError
from ..result import Result
from .rig import P4INFO, PROGRAM, Gateway, Learner, configuration, decoded
from .tenants import gateway_of
from .timing import rate
from .traffic import Arrival, flows_of, inbound, outbound, trace

GOAL = 3.0
TENANTS, RULES = 100, 100
FLOWS = (16, 8_192, 65_536)
"""BMv2 and the reference engine are asked for the first only: more flows are more of the same."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to become of these packets, with these entries; a `bench.peers.bmv2.Workload`."""

    updates: Sequence[p4r.Update]
    arrivals: Sequence[Arrival]

    @property
    def program_json(self) -> Path:
        return PROGRAM

    @property
    def p4info(self) -> Path:
        return P4INFO

    def writes(self) -> p4r.WriteRequest:
        return p4r.WriteRequest(updates=self.updates)


def measure(plan: Plan, say: Say, *, quick: bool) -> Iterator[Result]:
    """From the tenants' hosts to the outside and back, with few flows and many; `quick` is content with few."""
    program = read_program(PROGRAM)
    for count in FLOWS[:1] if quick else FLOWS:
        say(f"gateway: {count:,} flows, by the cache and by all stages")
        try:
            yield from _measure(program, count, plan, say)
        except PeerError as error:
            say(f"{error}; not measured")


def _measure(program: ir.Program, count: int, plan: Plan, say: Say) -> Iterator[Result]:
    config = gateway_of(TENANTS, RULES)
    tables, meters = configuration(config)
    engine = NativeEngine(program, cpu_port=CPU_PORT)
    gateway = Gateway(program, engine)
    gateway.write(tables)
    flows = flows_of(TENANTS, count)
    learned = Learner(gateway, config).open(flows)
    gateway.write(meters)

    answered = zip(flows, learned.outside, strict=True)
    packets = {"out": [outbound(flow) for flow in flows], "in": [inbound(flow, nat) for flow, nat in answered]}
    traces = {way: trace(each) for way, each in packets.items()}
    everything = [*packets["out"], *packets["in"]]

    expected = sent(gateway, everything)
    if count == FLOWS[0]:
        without = [*tables, *decoded(learned.state)]
        for updates in (without, [*without, *decoded(learned.cache)]):
            _judge(program, Question(updates, everything), expected, say)
    slow = {way: rate(engine, each, plan) for way, each in traces.items()}
    gateway.write_encoded(learned.cache)
    agree("all stages", expected, "the cache", sent(gateway, everything))

    for way, each in traces.items():
        name = f"gateway, {count:,} flows, {way}"
        hit, _ = rate(engine, each, plan)
        stages, reported = slow[way]
        policed = f"{reported:.0%} of the packets are reported to the controller, as many as the meters let through"
        yield Result(f"{name}: by the cache", hit.mpps, "Mpps", None, True, describe(hit))
        yield Result(f"{name}: by all stages", stages.mpps, "Mpps", None, True, f"{describe(stages)}; {policed}")
        note = f"{TENANTS} tenants of {RULES} rules, NAT and sessions; VXLAN on the inside"
        yield Result(f"{name}: cache of all stages", hit.mpps / stages.mpps, "x", GOAL, True, note)


def sent(gateway: Gateway, packets: Sequence[Arrival]) -> list[bytes]:
    """What comes out, which is to be one frame for each packet."""
    return [output.data for output in gateway.process(packets) if output.port != CPU_PORT]


def agree(one: str, expected: Sequence[bytes], other: str, actual: Sequence[bytes]) -> None:
    """Raises: PeerError (the two have not sent the same frames)."""
    if missing := Counter(expected) - Counter(actual):
        raise PeerError(f"gateway: {other} does not send what {one} sends: {next(iter(missing)).hex()}")
    if len(expected) != len(actual):
        raise PeerError(f"gateway: {other} sends {len(actual)} frames, {one} {len(expected)}")


def _judge(program: ir.Program, question: Question, expected: Sequence[bytes], say: Say) -> None:
    """The reference engine, and BMv2 if it is here. Raises: PeerError (one of them sends something else)."""
    reference = Gateway(program, ReferenceEngine(program, cpu_port=CPU_PORT))
    reference.write(question.updates)
    agree("softnic native", expected, "the reference engine", sent(reference, question.arrivals))
    judge = Bmv2()
    if reason := judge.missing():
        say(f"{judge.name} is not here to judge: {reason}")
        return
    with TemporaryDirectory(prefix="headgate-bench-") as scratch:
        agree("softnic native", expected, judge.name, judge.outputs(question, Path(scratch)))
