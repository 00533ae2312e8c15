# SPDX-License-Identifier: Apache-2.0
"""softnic against BMv2, the judge: every program of ``tests/p4``, with the same random entries, by P4Runtime, and the
same random packets, one by one; packets, counters and digests must come out equal.

Left out is what BMv2 leaves undefined or does not survive: packets that softnic counts as an anomaly or that ask for a
random number, empty ones, and those of `EXCLUDED`. Programs here do not read fields of invalid headers, whose values
BMv2 keeps from earlier packets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import bmv2
import pytest
from finsy.proto import p4i, p4r
from google.protobuf import text_format
from google.protobuf.message import Message
from p4rt import COMPILED, Client

from diff.generate import Generator
from diff.irwalk import defined
from diff.p4runtime import Translator, digests, limits
from diff.scenario import Burst, Frame, Write
from softnic import ir
from softnic.frontend import load_program
from softnic.reference import ReferenceEngine
from softnic.server import open_pipeline, write_batch
from softnic.server.p4data import encode
from softnic.server.read import read_batch

PROGRAMS = sorted(path.stem for path in COMPILED.glob("*.json"))
SEED = 1

pytestmark = pytest.mark.skipif(bmv2.EXECUTABLE is None, reason="simple_switch_grpc is not on the PATH")


@dataclass(frozen=True, slots=True)
class Excluded:
    """Packets that `matches`, and entries of `tables`, are left out for `reason`."""

    reason: str
    matches: Callable[[bytes], bool] = lambda data: False
    tables: Set[str] = frozenset()


def shorter_than(size: int) -> Excluded:
    """Without the header, which the program reads all the same."""
    return Excluded("BMv2 has values of earlier packets in invalid headers", lambda data: len(data) < size)


EXCLUDED: Mapping[str, Excluded] = {
    "balancing": Excluded(
        "BMv2 does not survive members that two tables share: it knows the action as that of one of them",
        tables=frozenset({"IngressPipe.first_user", "IngressPipe.second_user"}),
    ),
    "copies": Excluded(
        "BMv2 copies the last bytes of a truncated packet or all of them, and sends no empty ones",
        lambda data: data[0] & 0b110 != 0 and (data[0] & 0b1111_1000 != 0 or data[4:5] == b"\0"),
    ),
    "learn": shorter_than(14),
    "sequence": shorter_than(4),
    "stateful": Excluded("BMv2 reads a register of int<N> as a bit<N>", lambda data: data[0] == SIGNED),
    "stacks": Excluded(
        "BMv2 has values, and lengths of varbits, in invalid headers",
        lambda data: data[0] in (READ_INDEXED, EMPTY_OPTIONS),
    ),
}
READ_INDEXED, EMPTY_OPTIONS = 8, 14
"""Of stacks.p4."""
SIGNED = 6
"""Of stateful.p4."""


class Softnic:
    """The engine and the code behind the P4Runtime server, without a server and without threads."""

    def __init__(self, p4info: p4i.P4Info, program: ir.Program) -> None:
        self.engine = ReferenceEngine(program)
        self.pipeline = open_pipeline(p4info, program, self.engine)
        self.digests: list[p4r.DigestList] = []
        self.engine.on_digest = lambda digest: self.digests.append(self._encode(digest.name, digest.values))

    def _encode(self, name: str, values: tuple[int, ...]) -> p4r.DigestList:
        digest = self.pipeline.schema.digests_by_name[name]
        return p4r.DigestList(digest_id=digest.id, data=[encode(digest.layout, values)])

    def accepted(self, updates: Sequence[p4r.Update]) -> list[p4r.Update]:
        """Those that it does not refuse, applied."""
        return [u for u, error in zip(updates, write_batch(self.pipeline, updates), strict=True) if not error]

    def process(self, port: int, data: bytes) -> Counter[Frame]:
        return Counter((output.port, output.data) for output in self.engine.process(port, data))

    def read(self, *entities: p4r.Entity) -> list[p4r.Entity]:
        responses, results = read_batch(self.pipeline, entities)
        assert not any(results)
        return [entity for response in responses for entity in response.entities]


def defined_frames(
    p4info: p4i.P4Info, program: ir.Program, updates: Sequence[p4r.Update], frames: Iterable[Frame]
) -> list[Frame]:
    """`frames` without those that would be counted as an anomaly; leaving some out may make others so."""
    kept = list(frames)
    while True:
        softnic = Softnic(p4info, defined(program))
        softnic.accepted(updates)
        harmless: list[Frame] = []
        for frame in kept:
            before = softnic.engine.anomalies.total()
            softnic.process(*frame)
            if softnic.engine.anomalies.total() == before:
                harmless.append(frame)
        if harmless == kept:
            return kept
        kept = harmless


def counters(p4info: p4i.P4Info) -> list[p4r.Entity]:
    """Wildcards over every counter, indirect and direct."""
    tables = [p4r.TableEntry(table_id=counter.direct_table_id) for counter in p4info.direct_counters]
    return [
        *(p4r.Entity(counter_entry=p4r.CounterEntry(counter_id=c.preamble.id)) for c in p4info.counters),
        *(p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry(table_entry=table)) for table in tables),
    ]


def serialized(messages: Iterable[Message]) -> Counter[bytes]:
    return Counter(message.SerializeToString(deterministic=True) for message in messages)


def distinct_samples(client: Client, count: int) -> set[bytes]:
    """The digests that arrive, each in a list of its own, until `count` are different."""
    found: set[bytes] = set()
    while len(found) < count:
        digest = client.take().digest
        found |= serialized(p4r.DigestList(digest_id=digest.digest_id, data=[data]) for data in digest.data).keys()
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_does_the_same_on_both_targets(name: str, tmp_path: Path) -> None:
    program_json = (COMPILED / f"{name}.json").read_bytes()
    program = load_program(program_json)
    p4info = text_format.Parse((COMPILED / f"{name}.p4info.txtpb").read_text(), p4i.P4Info())
    scenario = Generator(program, limits(p4info)).scenario(SEED)
    translator = Translator(p4info)
    excluded = EXCLUDED.get(name, Excluded("nothing"))
    writes = [step for step in scenario.steps if isinstance(step, Write) and step.args[0] not in excluded.tables]
    updates = [translator.update(write) for write in writes]
    softnic = Softnic(p4info, program)
    accepted = softnic.accepted([update for update in [*updates, *digests(p4info)] if update])
    sent = [frame for step in scenario.steps if isinstance(step, Burst) for frame in step.frames if frame[1]]
    frames = [frame for frame in sent if not excluded.matches(frame[1])]
    with bmv2.running(tmp_path) as judge:
        judge.client.set_config(p4r.ForwardingPipelineConfig(p4info=p4info, p4_device_config=program_json))
        judge.client.write(*accepted)
        for port, data in defined_frames(p4info, program, accepted, frames):
            expected = softnic.process(port, data)
            assert Counter(judge.exchange(port, data, expected.total())) == expected, (port, data.hex())
        assert judge.rest() == []
        for wildcard in counters(p4info):
            assert serialized(judge.client.read(wildcard)) == serialized(softnic.read(wildcard))
        # Repeated ones BMv2 may suppress until they are acknowledged.
        expected_digests = set(serialized(softnic.digests))
        assert distinct_samples(judge.client, len(expected_digests)) == expected_digests
