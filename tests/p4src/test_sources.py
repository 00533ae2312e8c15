# SPDX-License-Identifier: Apache-2.0
"""Rules that the P4 sources keep and p4c does not check."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
P4SRC = ROOT / "p4src"
STAGES = sorted((P4SRC / "stages").rglob("*.p4"))
CORE = sorted((P4SRC / "core").rglob("*.p4"))
PROGRAMS = sorted((P4SRC / "programs").glob("*.p4"))
COMPILED = sorted((P4SRC / "compiled").glob("*.json"))

ARCHITECTURE_WORDS = r"standard_metadata|mark_to_drop|egress_spec|mcast_grp|v1model|TARGET_|#\s*if\b|istd|ostd"
INSTANCE_KEYS = {
    "nic": {"vnic_id", "vlan_id", "port", "ring_id"},
    "gateway": {"tenant_id", "router_id", "port", "tunnel_id", "scope", "underlay_id", "next_hop_id", "group_id"},
}
"""What a key may begin with: the instance that the entry is of."""
WITHOUT_INSTANCE = {"tunnel_peer_ipv4", "tunnel_peer_ipv6"}
"""Tables that find out who it is."""
CHANGES_HEADERS = {"decapsulation", "translation", "rewrite", "encapsulation"}
"""Stages that carry out what others decided."""


def name_of(path: Path) -> str:
    return str(path.relative_to(P4SRC).with_suffix(""))


def code(path: Path) -> str:
    return re.sub(r"//.*", "", path.read_text())


def tables(program: Path) -> list[dict[str, Any]]:
    """The tables people named, without those p4c makes of statements."""
    pipelines = json.loads(program.read_text())["pipelines"]
    return [table for pipe in pipelines for table in pipe["tables"] if not table["name"].startswith("tbl_")]


@pytest.mark.parametrize("path", [*STAGES, *CORE, *PROGRAMS], ids=name_of)
def test_only_the_architecture_folder_knows_an_architecture(path: Path) -> None:
    assert re.findall(ARCHITECTURE_WORDS, code(path)) == []


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_is_a_table_of_contents(path: Path) -> None:
    assert re.findall(r"^\s*(?:table|action)\b", code(path), re.MULTILINE) == []
    assert len(path.read_text().splitlines()) <= 120


@pytest.mark.parametrize("path", STAGES, ids=name_of)
def test_a_stage_is_one_control_named_like_its_file(path: Path) -> None:
    controls = re.findall(r"^control (\w+)\((.*?)\)", code(path), re.MULTILINE | re.DOTALL)
    name = "".join(word.capitalize() for word in path.stem.split("_"))
    assert controls == [(name, "inout headers_t hdr, inout meta_t meta")]


@pytest.mark.parametrize("path", [path for path in STAGES if path.stem not in CHANGES_HEADERS], ids=name_of)
def test_a_stage_that_decides_changes_no_header(path: Path) -> None:
    assert re.findall(r"hdr\.[\w.]+\s*=[^=]|set(?:In)?[vV]alid", code(path)) == []


def test_every_drop_reason_has_a_number_of_its_own_and_a_place_that_uses_it() -> None:
    enum = re.search(r"enum bit<8> drop_reason_t \{(.*?)\}", code(P4SRC / "core/drop_reason.p4"), re.DOTALL)
    assert enum
    reasons = dict(re.findall(r"(\w+)\s*=\s*(\d+)", enum[1]))
    assert len(set(reasons.values())) == len(reasons)
    used = set(re.findall(r"drop_reason_t\.(\w+)", "".join(map(code, STAGES))))
    assert used | {"NONE"} == set(reasons)


@pytest.mark.parametrize("program", COMPILED, ids=lambda path: path.stem)
def test_every_table_has_a_size_and_an_explicit_default(program: Path) -> None:
    sources = "".join(map(code, STAGES))
    bodies = dict(re.findall(r"^    table (\w+) \{(.*?)^    \}", sources, re.MULTILINE | re.DOTALL))
    names = {table["name"].rsplit(".", 1)[1] for table in tables(program)}
    assert names <= set(bodies)
    # v1model gives a table with a selector no default action.
    assert [name for name in names if not re.search(r"default_action|SELECTED_BY", bodies[name])] == []
    assert [
        name for name in names if not re.search(r"\bsize\b|const entries", bodies[name]) and "key" in bodies[name]
    ] == []


@pytest.mark.parametrize("program", COMPILED, ids=lambda path: path.stem)
def test_the_instance_comes_first_in_every_key(program: Path) -> None:
    first = {table["name"].rsplit(".", 1)[1]: table["key"][0]["name"] for table in tables(program) if table["key"]}
    instances = INSTANCE_KEYS[program.stem]
    wrong = {name: key for name, key in first.items() if key not in instances and name not in WITHOUT_INSTANCE}
    assert wrong == {}
