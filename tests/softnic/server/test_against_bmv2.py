# SPDX-License-Identifier: Apache-2.0
"""softnic against BMv2, the judge: the same program and entries, the same packets, one by one; all must come out equal.

Left out is what BMv2 leaves undefined or does not survive: indices out of range, failed assertions, endless loops,
fields of invalid headers; and selectors with weights, whose copies it orders by when they came.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bmv2
import finsy as fy
import pytest
from finsy.proto import p4i, p4r
from google.protobuf import text_format
from google.protobuf.message import Message
from p4rt import COMPILED, CPU_PORT, Client

from softnic.frontend import load_program
from softnic.reference import ReferenceEngine
from softnic.server import Pipeline, open_pipeline, write_batch
from softnic.server.p4data import encode
from softnic.server.read import read_batch

PACKETS = 400
CUT_SHARE = 0.15

pytestmark = pytest.mark.skipif(bmv2.EXECUTABLE is None, reason="simple_switch_grpc is not on the PATH")

Packet = tuple[int, bytes]
"""With the port it comes in by, or goes out by."""


@dataclass(frozen=True, slots=True)
class Case:
    """`packet` makes one that means something to the program; some are cut before they are sent."""

    program: str
    packet: Callable[[random.Random], Packet]
    entities: Sequence[Any] = ()


# ---- programs, entries and packets ----------------------------------------------------------------------------------


def field(value: int, width: int) -> bytes:
    """`width` in bits."""
    return value.to_bytes(width // 8, "big")


def headers_packet(rng: random.Random) -> Packet:
    kind = rng.choice([1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x25, 77])
    change = rng.choice([0, 0, 1, 2, 3, 8, 12, 16] if kind == 6 else [0, 0, 1, 2, 3])
    body = rng.randbytes(rng.randrange(20))
    if kind == 1:
        depth = rng.randrange(1, 5)
        labels = [
            rng.randrange(0xF1000) << 12 | (index == depth - 1) << 8 | rng.randrange(256) for index in range(depth)
        ]
        body = b"".join(field(label, 32) for label in labels) + body
    elif kind == 4:
        length = rng.choice([0, 1, 5, 8, 9])
        body = field(length, 8) + rng.randbytes(length + 1) + body
    elif kind == 5 and rng.random() < 0.5:
        body = b"\xff\xfe\x00\x01"
    return rng.randrange(4), bytes([kind, change]) + body


def replication_packet(rng: random.Random) -> Packet:
    verb = rng.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    operand = rng.randrange(30) if verb == 6 else rng.randrange(1, 5)
    return rng.randrange(4), bytes([verb, rng.randrange(4)]) + field(operand, 16) + rng.randbytes(rng.randrange(24))


REPLICATION = [
    fy.P4MulticastGroupEntry(1, replicas=[(1, 1), (2, 1), (3, 7)]),
    fy.P4MulticastGroupEntry(2, replicas=[(4, 1), (4, 2)]),
    fy.P4CloneSessionEntry(1, replicas=[(5, 1)]),
    fy.P4CloneSessionEntry(2, replicas=[(6, 1), (7, 2)]),
]


def tables_packet(rng: random.Random) -> Packet:
    query = bytes([rng.randrange(10), rng.randrange(4)]) + field(rng.choice(ADDRESSES), 32)
    return rng.randrange(4), query + field(rng.choice(PORTS), 16) + rng.randbytes(2 + rng.randrange(9))


ADDRESSES = [0x0A000001, 0x0A000102, 0x0A010203, 0x0B000001, 0xC0A80001, 0]
PORTS = [0, 1, 2, 3, 0x10, 0x30, 0x100, 500, 0xFFFF]


def answer(value: int) -> fy.P4TableAction:
    return fy.Action("answer", value=value)


def entry(table: str, action: object, priority: int = 0, **key: object) -> fy.P4TableEntry:
    match = fy.Match({f"hdr.query.{name}": value for name, value in key.items()})
    return fy.P4TableEntry(table, match=match, action=action, priority=priority)  # type: ignore[arg-type]


TABLES = [
    *(
        entry("exact_table", fy.Action("answer_counted", value=index), address=address, small=index)
        for index, address in enumerate(ADDRESSES[:4])
    ),
    entry("prefix_table", answer(1), address="10.0.0.0/8", small=1),
    entry("prefix_table", answer(2), address="10.0.0.0/16", small=1),
    entry("prefix_table", answer(3), address="10.0.0.1/32", small=1),
    entry("prefix_table", answer(4), small=1),
    entry("prefix_table", answer(5), address="10.0.0.0/7", small=2),
    entry("ternary_table", answer(1), 10, address="10.0.0.0/8", small=1),
    entry("ternary_table", answer(2), 30, address="0.0.0.1/&0.0.0.1", small=1),
    entry("ternary_table", answer(3), 20, small=1),
    entry("range_table", answer(1), 2, port="0...3"),
    entry("range_table", answer(2), 3, port="2...500", small="1/&1"),
    entry("range_table", answer(3), 1),
    entry("optional_table", answer(1), 2, port=500),
    entry("optional_table", answer(2), 1),
    entry("branching_table", answer(1), small=1),
    *(fy.P4ActionProfileMember("members", member_id=index, action=answer(index)) for index in (1, 2)),
    entry("profile_table", fy.P4IndirectAction(member_id=1), port=1),
    entry("profile_table", fy.P4IndirectAction(member_id=2), port=2),
    *(fy.P4ActionProfileMember("groups", member_id=index, action=answer(index)) for index in (1, 2, 3)),
    fy.P4ActionProfileGroup(
        "groups",
        group_id=1,
        max_size=4,
        members=[fy.P4Member(3, weight=1), fy.P4Member(1, weight=1), fy.P4Member(2, weight=1)],
    ),
    fy.P4ActionProfileGroup("groups", group_id=2, max_size=4, members=[fy.P4Member(2, weight=1)]),
    entry("selector_table", fy.P4IndirectAction(group_id=1), port=1),
    entry("selector_table", fy.P4IndirectAction(group_id=2), port=2),
    entry("selector_table", fy.P4IndirectAction(member_id=3), port=3),
    *(entry("metered_table", fy.Action("answer_metered"), port=port) for port in (1, 2)),
]


def externs_packet(rng: random.Random) -> Packet:
    verb = rng.choice([0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 12])
    request = bytes([verb, rng.randrange(4)]) + rng.randbytes(2) + bytes(4)
    return rng.randrange(4), request + rng.randbytes(rng.randrange(9))


EXTERNS = [fy.P4DigestEntry(name, max_list_size=1, max_timeout_ns=100_000_000) for name in ("learned_t", "noticed_t")]


def p4runtime_packet(rng: random.Random) -> Packet:
    port = rng.choice([0, 1, 2, CPU_PORT])
    packet_out = field(rng.randrange(6) << 7, 16) if port == CPU_PORT else b""
    return port, packet_out + field(rng.randrange(4), 48) + field(rng.choice([1, 2, 0x0200_0000_0001]), 48) + field(
        rng.choice([0x800, 0x86DD, 0x1234]), 16
    ) + rng.randbytes(rng.randrange(50))


P4RUNTIME = [
    fy.P4TableEntry("exact_table", match=fy.Match(dst=1, port=0), action=fy.Action("meter_and_forward", port=2)),
    fy.P4TableEntry("exact_table", match=fy.Match(dst=2, port=1), action=fy.Action("mark", value=7)),
    fy.P4TableEntry("lpm_table", match=fy.Match(src="02:00:00:00:00:00/8"), action=fy.Action("forward", port=3)),
    fy.P4TableEntry("lpm_table", is_default_action=True, action=fy.Action("drop")),
    fy.P4TableEntry(
        "ternary_table",
        match=fy.Match(mark=9, ether_type="0x700...0x900"),
        action=fy.Action("forward", port=4),
        priority=5,
    ),
    fy.P4TableEntry("ternary_table", match=fy.Match(mark=9, port=1), action=fy.Action("forward", port=5), priority=6),
    fy.P4DigestEntry("learned_t", max_list_size=1, max_timeout_ns=100_000_000),
]

CASES = [
    Case("headers", headers_packet),
    Case("replication", replication_packet, REPLICATION),
    Case("tables", tables_packet, TABLES),
    Case("externs", externs_packet, EXTERNS),
    Case("p4runtime", p4runtime_packet, P4RUNTIME),
]


# ---- the two targets ------------------------------------------------------------------------------------------------


class Softnic:
    """The engine and the code behind the P4Runtime server, without a server and without threads."""

    def __init__(self, p4info: p4i.P4Info, program_json: bytes) -> None:
        program = load_program(program_json)
        self.engine = ReferenceEngine(program)
        self.pipeline: Pipeline = open_pipeline(p4info, program, self.engine)
        self.digests: list[p4r.DigestList] = []
        self.engine.on_digest = lambda digest: self.digests.append(self._encode(digest.name, digest.values))

    def _encode(self, name: str, values: tuple[int, ...]) -> p4r.DigestList:
        digest = self.pipeline.schema.digests_by_name[name]
        return p4r.DigestList(digest_id=digest.id, data=[encode(digest.layout, values)])

    def read(self, *entities: p4r.Entity) -> list[p4r.Entity]:
        responses, results = read_batch(self.pipeline, entities)
        assert not any(results)
        return [entity for response in responses for entity in response.entities]


def packets(case: Case) -> Iterator[Packet]:
    rng = random.Random(case.program)
    for _ in range(PACKETS):
        port, data = case.packet(rng)
        yield port, data[: rng.randrange(len(data))] if port != CPU_PORT and rng.random() < CUT_SHARE else data


def update(entity: Any, schema: fy.P4Schema) -> p4r.Update:
    """INSERT, or MODIFY of what is always there."""
    encoded: p4r.Entity = entity.encode(schema)
    is_inserted = encoded.WhichOneof("entity") not in ("meter_entry", "direct_meter_entry")
    is_inserted = is_inserted and not encoded.table_entry.is_default_action
    return p4r.Update(type=p4r.Update.INSERT if is_inserted else p4r.Update.MODIFY, entity=encoded)


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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.program)
def test_a_program_does_the_same_on_both_targets(case: Case, tmp_path: Path) -> None:
    program_json = (COMPILED / f"{case.program}.json").read_bytes()
    p4info = text_format.Parse((COMPILED / f"{case.program}.p4info.txtpb").read_text(), p4i.P4Info())
    updates = [update(entity, fy.P4Schema(p4info)) for entity in case.entities]
    softnic = Softnic(p4info, program_json)
    assert not any(write_batch(softnic.pipeline, updates))
    with bmv2.running(tmp_path) as judge:
        judge.client.set_config(p4r.ForwardingPipelineConfig(p4info=p4info, p4_device_config=program_json))
        judge.client.write(*updates)
        for port, data in packets(case):
            expected = [(output.port, output.data) for output in softnic.engine.process(port, data)]
            assert Counter(judge.exchange(port, data, len(expected))) == Counter(expected), (port, data.hex())
        assert judge.rest() == []
        for wildcard in counters(p4info):
            assert serialized(judge.client.read(wildcard)) == serialized(softnic.read(wildcard))
        # Repeated ones BMv2 may suppress until they are acknowledged.
        digests = set(serialized(softnic.digests))
        assert distinct_samples(judge.client, len(digests)) == digests
