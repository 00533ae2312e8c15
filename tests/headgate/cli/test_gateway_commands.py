# SPDX-License-Identifier: Apache-2.0
"""The commands against softnic as a gateway: what they print, by names, and how they exit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from finsy.proto import p4r
from gateways import small
from google.protobuf import text_format
from nics import small as small_nic
from typer.testing import CliRunner, Result

from headgate.cli import app
from headgate.cli.console import BAD_INPUT


def headgate(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def headgate_json(*arguments: object) -> Any:
    result = headgate(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def write(file: Path, data: object) -> Path:
    file.write_text(json.dumps(data))  # which is YAML
    return file


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write(tmp_path / "gateway.yaml", small())


@pytest.fixture
def gateway(config: Path, address: str) -> str:
    """The address of a device with the small configuration."""
    result = headgate("apply", "-c", config, "--device", address)
    assert result.exit_code == 0, result.output
    return address


def test_check_says_what_there_is(config: Path) -> None:
    result = headgate("check", "-c", config)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == f"{config}: well-formed: 4 interfaces, 2 tunnels, 1 routers, 2 tenants"


def test_a_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(
        Path(__file__).parents[3].joinpath("configs/gateway.yaml").read_text().replace("via: hv2", "via: hv9")
    )
    result = headgate("check", "-c", file)
    assert result.exit_code == BAD_INPUT
    assert "tenants[0].segments[0].hosts[1].via: 'hv9' is not an interface or tunnel" in result.stderr
    assert "line " in result.stderr


def test_entries_are_what_an_empty_device_lacks_and_the_same_each_time(config: Path, address: str) -> None:
    first, second = (headgate("entries", "-c", config).stdout for _ in range(2))
    assert first == second
    lacking = headgate_json("plan", "-c", config, "--device", address)["changes"]
    assert len(text_format.Parse(first, p4r.WriteRequest()).updates) == len(lacking) > 0


def test_the_first_apply_pushes_the_program_and_the_second_changes_nothing(config: Path, address: str) -> None:
    first = headgate("apply", "-c", config, "--device", address)
    assert first.stdout.splitlines()[0] == "pushed 'gateway': the device ran no program"
    second = headgate_json("apply", "-c", config, "--device", address)
    assert (second["changes"], second["failures"]) == ([], [])


def test_a_plan_calls_things_by_their_names_and_ends_with_the_epoch(gateway: str, tmp_path: Path) -> None:
    more = write(tmp_path / "more.yaml", small(("tenants.0.firewall.rules.0.action", "allow")))
    lines = headgate("plan", "-c", more, "--device", gateway).stdout.splitlines()
    assert lines[0] == "~ tenant tenant_id=red -> marked 'changing', was ''"
    assert lines[1] == (
        "~ firewall_rule_ipv4 tenant_id=red protocol=TCP dst_port=23 -> allow(rule_id=red/no-telnet), "
        "was deny(rule_id=red/no-telnet)"
    )
    assert lines[-2].startswith("~ tenant tenant_id=red -> set_tenant(epoch=")
    assert lines[-1].startswith("0 to insert, 4 to modify, 0 to delete, ")


def test_status_finds_out_which_of_our_programs_a_device_runs(gateway: str) -> None:
    status = headgate_json("status", "--device", gateway)
    assert (status["program"], status["pipeline"]) == ("gateway", "matches")
    assert {"table": "tenant", "entries": 2, "size": 4096} in status["tables"]
    assert {"table": "cache_ipv4", "entries": 0, "size": 524288} in status["tables"]


def test_show_lists_rules_in_the_order_in_which_they_are_asked(gateway: str, config: Path) -> None:
    lines = headgate("show", "firewall_rule_ipv4", "--device", gateway, "-c", config).stdout.splitlines()
    rules = [line.split("rule_id=")[1].split(")")[0] for line in lines[2:]]
    assert list(dict.fromkeys(rules)) == ["red/no-telnet", "red/out", "red/web-in"]


def test_show_lists_next_hops_by_their_names(gateway: str, config: Path) -> None:
    lines = headgate("show", "next_hop", "--device", gateway, "-c", config).stdout.splitlines()
    assert [line.split()[0].removeprefix("next_hop_id=") for line in lines[2:]] == [
        "north/wan-a/203.0.113.1",
        "north/wan-a/any",
        "north/wan-b/203.0.113.9",
        "north/wan-b/any",
        "red/branch/10.0.3.2",
        "red/web/10.0.1.10",
        "red/web/10.0.1.11",
    ]


def test_show_tells_the_members_of_a_group_and_their_shares(gateway: str) -> None:
    listing = headgate_json("show", "ecmp", "--device", gateway)
    shares = [sorted(member["weight"] for member in entry["args"]["members"]) for entry in listing["entries"]]
    assert sorted(shares) == [[1, 1], [1, 2]]


def test_counters_are_of_tenants_and_rules_as_well(gateway: str, config: Path) -> None:
    counters = headgate_json("counters", "--device", gateway)["tables"]
    assert set(counters) == {"interface", "tenant_traffic", "firewall_rule_hits"}
    nothing = {"packets": 0, "bytes": 0}
    assert {"key": {"tenant_id": 1, "from": "outside"}, "count": nothing} in counters["tenant_traffic"]
    assert len(counters["firewall_rule_hits"]) == 3
    text = headgate("counters", "--device", gateway, "-c", config).stdout
    assert "tenant_id=red rule_id=red/web-in" in text


def test_drops_of_an_idle_gateway_balance(gateway: str) -> None:
    drops = headgate_json("drops", "--device", gateway)
    assert (drops["drops"], drops["copies"], drops["holds"]) == ({}, {}, True)


def test_a_gateway_is_not_taken_for_a_nic(gateway: str, tmp_path: Path) -> None:
    nic = write(tmp_path / "nic.yaml", small_nic())
    assert "another program" in headgate("plan", "-c", nic, "--device", gateway).stdout
