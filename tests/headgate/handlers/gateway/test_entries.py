# SPDX-License-Identifier: Apache-2.0
"""Entries and digests between packed keys and P4Runtime, by the program's own P4Info."""

from __future__ import annotations

from typing import Any

import pytest
from finsy import Match, P4TableEntry
from finsy.proto import p4r
from flow_samples import sample

from headgate.device import program
from headgate.handlers.gateway.entries import MAPPING_IN, MAPPING_OUT, Entry, EntryCodec
from headgate.handlers.gateway.keys import FAMILIES
from headgate.handlers.gateway.samples import FlowSample, SampleDecoder, digest_name, sample_widths
from headgate.handlers.gateway.synthesis import Timeouts, synthesise
from headgate.handlers.gateway.templates import UpdateTemplate
from headgate.vocabulary import Consulted, FlowEvent, FlowResult

SCHEMA = program("gateway")
CODEC = EntryCodec(SCHEMA)
INSERT, MODIFY, DELETE = p4r.Update.INSERT, p4r.Update.MODIFY, p4r.Update.DELETE
IPV6: dict[str, Any] = {"src_addr": "2001:db8::1", "dst_addr": "2001:db8::2"}
KINDS: dict[str, dict[str, Any]] = {
    "forward": {},
    "translate": {"result": FlowResult.TRANSLATE, "new_src_addr": "203.0.113.1", "new_src_port": 7},
    "refuse": {"result": FlowResult.REFUSE, "reason": 140},
    "aggregate": {"consulted": Consulted.DST_ADDR | Consulted.PROTOCOL},
    "aggregate of everything": {"consulted": Consulted.NONE},
    "sessions": {"event": FlowEvent.NEW, "protocol": 17},
    "IPv6": IPV6,
    "IPv6 aggregate": {**IPV6, "consulted": Consulted.SRC_PORT},
    "IPv6 sessions": {**IPV6, "event": FlowEvent.NEW},
}
MAPPING = bytes.fromhex("0001 06 0a000001 03e8")


def update(update_type: p4r.Update.Type.ValueType, entry: Entry) -> p4r.Update:
    [only] = p4r.WriteRequest.FromString(CODEC.encode(update_type, entry)).updates
    return only


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("update_type", [INSERT, MODIFY])
def test_what_was_encoded_is_decoded(kind: str, update_type: p4r.Update.Type.ValueType) -> None:
    for entry in synthesise(sample(**KINDS[kind]), Timeouts()):
        written = update(update_type, entry)
        assert written.type == update_type
        assert written.entity.table_entry.idle_timeout_ns == entry.idle_timeout_ns > 0
        assert CODEC.decode(written.entity.table_entry) == entry._replace(idle_timeout_ns=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_delete_names_the_key_alone(kind: str) -> None:
    for entry in synthesise(sample(**KINDS[kind]), Timeouts()):
        deleted = update(DELETE, entry)
        assert not deleted.entity.table_entry.HasField("action")
        assert CODEC.decode(deleted.entity.table_entry) == Entry(entry.table, entry.key)


@pytest.mark.parametrize("table", [MAPPING_IN, MAPPING_OUT])
def test_a_mapping_keeps_its_mark(table: str) -> None:
    action = "translate_destination" if table == MAPPING_IN else "translate_source"
    entry = Entry(table, MAPPING, action, (b"\x0a\0\0\2", b"\0\7"), metadata=b"learned")
    assert CODEC.decode(update(INSERT, entry).entity.table_entry) == entry


def test_an_exact_entry_says_what_finsy_would_make_of_it() -> None:
    [entry] = synthesise(sample(), Timeouts())
    written = P4TableEntry.decode(update(INSERT, entry).entity, SCHEMA)
    assert written.table_id == "cache_ipv4"
    assert dict(written.match or {}) == dict(
        Match(
            tenant_id=1, segment_id=1, src_addr=0x0A000001, dst_addr=0x0A000002, protocol=6, src_port=1000, dst_port=80
        )
    ) | {"src_addr": written["src_addr"], "dst_addr": written["dst_addr"]}
    assert (int(written["src_addr"]), int(written["dst_addr"])) == (0x0A000001, 0x0A000002)


def test_an_aggregate_with_more_fields_goes_first() -> None:
    def priority(consulted: Consulted) -> int:
        _, wide = synthesise(sample(consulted=consulted), Timeouts())
        return update(INSERT, wide).entity.table_entry.priority

    assert (
        0 < priority(Consulted.NONE) < priority(Consulted.DST_ADDR) < priority(Consulted.DST_ADDR | Consulted.PROTOCOL)
    )


def test_updates_joined_are_one_request() -> None:
    entries = [entry for kind in KINDS.values() for entry in synthesise(sample(**kind), Timeouts())]
    request = p4r.WriteRequest.FromString(b"".join(CODEC.encode(INSERT, entry) for entry in entries))
    assert [CODEC.decode(item.entity.table_entry).key for item in request.updates] == [entry.key for entry in entries]


def test_a_read_entry_with_canonical_byte_strings_has_the_same_key() -> None:
    [entry] = synthesise(sample(), Timeouts())
    message = update(INSERT, entry).entity.table_entry
    for field in message.match:
        field.exact.value = field.exact.value.lstrip(b"\0") or b"\0"
    assert CODEC.decode(message).key == entry.key


def test_a_template_refuses_a_value_that_changes_lengths() -> None:
    def build(values: object) -> p4r.Update:
        [value] = values  # type: ignore[misc]
        return p4r.Update(entity=p4r.Entity(table_entry=p4r.TableEntry(table_id=1 if value == b"\0" else 1 << 20)))

    with pytest.raises(ValueError, match="changed the length"):
        UpdateTemplate(build, [1])


# ---- digests


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: f"IPv{family.version}")
def test_samples_have_the_fields_of_the_programs_digests(family: Any) -> None:
    members = SCHEMA.p4info.type_info.structs[digest_name(family)].members
    widths = sample_widths(family)
    assert tuple(member.name for member in members) == FlowSample._fields[: len(widths)]
    assert tuple((member.type_spec.bitstring.bit.bitwidth + 7) // 8 for member in members) == widths


@pytest.mark.parametrize("fields", [{}, IPV6], ids=["IPv4", "IPv6"])
def test_a_digest_with_leading_zeros_left_out_is_decoded(fields: dict[str, Any]) -> None:
    learned = sample(**fields)
    digests = p4r.DigestList(digest_id=SCHEMA.digests[f"flow_ipv{6 if fields else 4}_t"].id)
    members = digests.data.add().struct.members
    for value in learned:
        if value:
            members.add(bitstring=value.lstrip(b"\0") or b"\0")
    assert SampleDecoder(SCHEMA).decode(digests) == [learned]
