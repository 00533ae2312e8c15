# SPDX-License-Identifier: Apache-2.0
"""Enums and port numbers are those of the P4 sources, and P4Info agrees where it knows an enum."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

import pytest

from headgate import vocabulary
from headgate.device import program

CORE = Path(__file__).parents[2] / "p4src" / "core"
SHELL = CORE.parent / "arch" / "v1model" / "nic" / "shell.p4"
SOURCES = "".join(
    (CORE / file).read_text() for file in ("types.p4", "drop_reason.p4", "nic/types.p4", "gateway/types.p4")
)

ENUMS = {
    "transmit_t": vocabulary.Transmit,
    "tag_type_t": vocabulary.TagType,
    "ring_type_t": vocabulary.RingType,
    "punt_reason_t": vocabulary.PuntReason,
    "packet_out_mode_t": vocabulary.PacketOutMode,
    "outcome_t": vocabulary.Outcome,
    "drop_reason_t": vocabulary.DropReason,
    "tunnel_type_t": vocabulary.TunnelType,
    "cache_outcome_t": vocabulary.CacheOutcome,
    "consulted_t": vocabulary.Consulted,
    "flow_event_t": vocabulary.FlowEvent,
    "flow_result_t": vocabulary.FlowResult,
}


def p4_enum(name: str) -> dict[str, int]:
    """Members of an enum, as p4src/core spells them."""
    [body] = re.findall(rf"enum bit<\d+> {name} \{{(.*?)\}}", SOURCES, re.DOTALL)
    return {member: int(value) for member, value in re.findall(r"^\s*(\w+)\s*=\s*(\d+)", body, re.MULTILINE)}


@pytest.mark.parametrize(("name", "enum"), ENUMS.items())
def test_an_enum_has_the_members_of_its_p4_source(name: str, enum: type[Enum]) -> None:
    assert {name: member.value for name, member in enum.__members__.items() if name != "NONE"} == {
        name: value for name, value in p4_enum(name).items() if name != "NONE"
    }


@pytest.mark.parametrize("name", ["nic", "gateway"])
def test_every_enum_that_p4info_knows_has_the_members_it_gives(name: str) -> None:
    for enum, spec in program(name).p4info.type_info.serializable_enums.items():
        given = {member.name: int.from_bytes(member.value, "big") for member in spec.members}
        assert {member.name: member.value for member in ENUMS[enum]} == given


@pytest.mark.parametrize("name", ["HOST_PORT", "CPU_PORT", "UPLINK_COPY"])
def test_a_number_is_that_of_its_p4_source(name: str) -> None:
    [value] = re.findall(rf"const \w+ {name}\s*=\s*(\d+);", SOURCES)
    assert getattr(vocabulary, name) == int(value)


def test_the_clone_session_is_that_of_the_shell() -> None:
    [value] = re.findall(r"CPU_CLONE_SESSION = (\d+);", SHELL.read_text())
    assert int(value) == vocabulary.CPU_CLONE_SESSION
