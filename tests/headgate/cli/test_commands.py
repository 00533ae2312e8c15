# SPDX-License-Identifier: Apache-2.0
"""The commands against softnic: what they print, in text and JSON, and how they exit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from finsy.proto import p4r
from google.protobuf import text_format
from nics import small
from typer.testing import CliRunner, Result

from headgate.cli import app
from headgate.cli.console import BAD_INPUT, REFUSED, UNREACHABLE

NOBODY = "127.0.0.1:1"

MINIMAL = {
    "ports": [{"name": "wan", "port": 0, "role": "uplink"}],
    "vlans": [{"vlan_id": 10, "uplink": "wan", "tag": "untagged"}],
    "vnics": [],
}


def headgate(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def headgate_json(*arguments: object) -> Any:
    result = headgate(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write(tmp_path, small())


def write(directory: Path, data: object) -> Path:
    file = directory / "nic.yaml"
    file.write_text(json.dumps(data))  # which is YAML
    return file


# ---- entries


def test_entries_are_what_an_empty_device_lacks(config: Path, address: str) -> None:
    result = headgate("entries", "-c", config)
    request = text_format.Parse(result.stdout, p4r.WriteRequest())
    lacking = headgate_json("plan", "-c", config, "--device", address)["changes"]
    assert len(request.updates) == len(lacking) > 0


# ---- check


def test_check_needs_no_device(config: Path) -> None:
    result = headgate("check", "-c", config)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == f"{config}: well-formed: 2 ports, 2 VLANs, 2 VNICs"


def test_check_as_json_counts_entries_by_table(tmp_path: Path) -> None:
    assert headgate_json("check", "-c", write(tmp_path, MINIMAL)) == {
        "tables": [
            {"table": "port", "entries": 3, "size": 512},
            {"table": "uplink_vlan", "entries": 1, "size": 8192},
            {"table": "vlan_uplink", "entries": 1, "size": 4094},
            {"table": "vlan_flood", "entries": 1, "size": 4094},
            {"table": "uplink_tag", "entries": 1, "size": 8192},
        ]
    }


def test_check_refuses_more_entries_than_a_table_has_room_for(tmp_path: Path) -> None:
    vnic = small()["vnics"][0]
    vnics = [
        {
            **vnic,
            "name": f"vm{i}",
            "vnic_id": i,
            "macs": [f"02:00:00:00:{i >> 8:02x}:{i & 0xFF:02x}"],
            "addresses": [f"10.0.{i >> 8}.{i & 0xFF}/32"],
            "rings": {"local": [{"ring_id": i, "port": "host"}]},
            "forwarding": {"routed_by": "nic_on_receive"},
        }
        for i in range(1, 1026)
    ]
    result = headgate("check", "-c", write(tmp_path, {**MINIMAL, "vnics": vnics}))
    assert result.exit_code == BAD_INPUT
    assert sorted(result.stderr.splitlines()) == [
        f"error: {table} has room for 1024 entries, not 1025" for table in ("replica", "steering")
    ]


# ---- plan and apply


def test_a_plan_shows_each_change_and_changes_nothing(tmp_path: Path, address: str) -> None:
    file = write(tmp_path, MINIMAL)
    for _ in range(2):
        result = headgate("plan", "-c", file, "--device", address)
        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            "the device runs no program: `apply` pushes 'nic' first",
            "~ punt_meter reason=NEIGHBOR_MISS -> limit(packets_per_s=200, burst_packets=100)",
            "~ punt_meter reason=NEIGHBOR_HEARD -> limit(packets_per_s=200, burst_packets=100)",
            "~ punt_meter reason=TTL_EXPIRED -> limit(packets_per_s=50, burst_packets=20)",
            "~ punt_meter reason=PACKET_TOO_BIG -> limit(packets_per_s=50, burst_packets=20)",
            "~ punt_meter reason=NO_ROUTE -> limit(packets_per_s=50, burst_packets=20)",
            "+ clone_session session_id=1 -> replicate(replicas=cpu)",
            "~ default_ring default action -> no_default_ring()",
            "+ uplink_tag port=wan vlan_id=10 -> untag()",
            "+ multicast_group group_id=10 -> replicate(replicas=wan)",
            "+ vlan_flood vlan_id=10 -> replicate(group_id=10)",
            "+ vlan_uplink vlan_id=10 -> send_to_uplink(port=wan)",
            "+ uplink_vlan port=wan tag_type=UNTAGGED tag_vlan_id=0 -> set_vlan(vlan_id=10)",
            "+ port port=wan -> admit_uplink()",
            "+ port port=host -> admit_host()",
            "+ port port=cpu -> admit_cpu()",
            "9 to insert, 6 to modify, 0 to delete, 0 unchanged",
        ]


def test_the_second_apply_changes_nothing(config: Path, address: str) -> None:
    first = headgate("apply", "-c", config, "--device", address)
    second = headgate("apply", "-c", config, "--device", address)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.splitlines()[0] == "pushed 'nic': the device ran no program"
    assert second.stdout.startswith("0 inserted, 0 modified, 0 deleted, ")


def test_a_plan_after_a_change_of_the_file_is_the_difference(tmp_path: Path, address: str) -> None:
    headgate("apply", "-c", write(tmp_path, small()), "--device", address)
    changed = write(
        tmp_path, small(("vnics.0.macs.0", "02:00:00:00:00:99"), ("vlans.1.tag", "untagged"), ("vlans.0.tag", "tagged"))
    )
    assert headgate("plan", "-c", changed, "--device", address).stdout.splitlines() == [
        "- l2_classify vlan_id=10 dst_mac=02:00:00:00:00:01 -> to_vnic(vnic_id=vm1)",
        "~ uplink_tag port=wan vlan_id=10 -> tag(ether_type=0x8100, tag_vlan_id=10), was untag()",
        "~ uplink_tag port=wan vlan_id=20 -> untag(), was tag(ether_type=0x8100, tag_vlan_id=20)",
        "~ ipv4_neighbor vnic_id=router vlan_id=10 next_hop=10.0.0.1 -> "
        "to_vnic(src_mac=02:00:00:00:00:02, dst_mac=02:00:00:00:00:99, vnic_id=vm1), was "
        "to_vnic(src_mac=02:00:00:00:00:02, dst_mac=02:00:00:00:00:01, vnic_id=vm1)",
        "+ transmit_mac vnic_id=vm1 src_mac=02:00:00:00:00:99 -> allow()",
        "~ uplink_vlan port=wan tag_type=UNTAGGED tag_vlan_id=0 -> set_vlan(vlan_id=20), was set_vlan(vlan_id=10)",
        "+ uplink_vlan port=wan tag_type=C_TAG tag_vlan_id=10 -> set_vlan(vlan_id=10)",
        "+ l2_classify vlan_id=10 dst_mac=02:00:00:00:00:99 -> to_vnic(vnic_id=vm1)",
        "- uplink_vlan port=wan tag_type=C_TAG tag_vlan_id=20 -> set_vlan(vlan_id=20)",
        "- transmit_mac vnic_id=vm1 src_mac=02:00:00:00:00:01 -> allow()",
        "3 to insert, 4 to modify, 3 to delete, 54 unchanged",
    ]


def test_a_plan_as_json_has_what_was_there(tmp_path: Path, address: str) -> None:
    headgate("apply", "-c", write(tmp_path, MINIMAL), "--device", address)
    changed = {**MINIMAL, "vlans": [{"vlan_id": 10, "uplink": "wan"}]}
    assert headgate_json("plan", "-c", write(tmp_path, changed), "--device", address) == {
        "pipeline": "matches",
        "changes": [
            {
                "operation": "modify",
                "table": "uplink_tag",
                "key": {"port": 0, "vlan_id": 10},
                "action": "tag",
                "args": {"ether_type": "0x8100", "tag_vlan_id": 10},
                "before": {"action": "untag", "args": {}},
            },
            {
                "operation": "insert",
                "table": "uplink_vlan",
                "key": {"port": 0, "tag_type": "C_TAG", "tag_vlan_id": 10},
                "action": "set_vlan",
                "args": {"vlan_id": 10},
            },
            {
                "operation": "delete",
                "table": "uplink_vlan",
                "key": {"port": 0, "tag_type": "UNTAGGED", "tag_vlan_id": 0},
                "action": "set_vlan",
                "args": {"vlan_id": 10},
            },
        ],
        "unchanged": 13,
    }


def test_a_half_failed_apply_names_each_failure_and_leaves_the_rest_applied(config: Path, serve: Any) -> None:
    address = serve(full="transmit_mac")
    result = headgate("apply", "-c", config, "--device", address)
    assert result.exit_code == REFUSED
    lines = result.stdout.splitlines()
    assert [line.split(": RESOURCE_EXHAUSTED")[0] for line in lines if "RESOURCE_EXHAUSTED" in line] == [
        "refused: + transmit_mac vnic_id=vm1 src_mac=02:00:00:00:00:01",
        "refused: + transmit_mac vnic_id=router src_mac=02:00:00:00:00:02",
    ]
    assert lines[-1].endswith(", 2 refused")
    still_missing = headgate_json("plan", "-c", config, "--device", address)["changes"]
    assert [change["table"] for change in still_missing] == ["transmit_mac", "transmit_mac"]


def test_a_half_failed_apply_as_json_lists_the_failures(config: Path, serve: Any) -> None:
    result = headgate("apply", "-c", config, "--device", serve(full="forwarded_mac"), "--json")
    assert result.exit_code == REFUSED
    [failure] = json.loads(result.stdout)["failures"]
    message = failure.pop("message")
    assert failure == {
        "operation": "insert",
        "table": "forwarded_mac",
        "key": {"vnic_id": 2, "dst_mac": "02:00:00:00:00:02"},
        "action": "allow",
        "args": {},
        "code": "RESOURCE_EXHAUSTED",
    }
    assert message


# ---- looking at a device


def test_status_of_a_device_without_a_program(address: str) -> None:
    assert headgate_json("status", "--device", address) == {
        "address": address,
        "device_id": 1,
        "p4runtime": "1.5.0",
        "program": "nic",
        "pipeline": "none",
        "primary": None,
        "tables": [],
    }


def test_status_counts_entries_against_the_room_there_is(config: Path, address: str) -> None:
    headgate("apply", "-c", config, "--device", address)
    status = headgate_json("status", "--device", address)
    assert status["pipeline"] == "matches"
    assert {"table": "l2_classify", "entries": 3, "size": 16384} in status["tables"]
    lines = headgate("status", "--device", address).stdout.splitlines()
    assert lines[:3] == [
        f"device:        {address}, id 1, P4Runtime 1.5.0",
        "program:       nic: matches",
        "controlled by: nobody",
    ]


def test_show_decodes_keys_and_calls_vnics_by_their_names(config: Path, address: str) -> None:
    headgate("apply", "-c", config, "--device", address)
    result = headgate("show", "l2_classify", "--device", address, "-c", config)
    assert result.stdout.splitlines() == [
        "# l2_classify",
        "key                                   action                   packets  bytes",
        "vlan_id=10 dst_mac=02:00:00:00:00:01  to_vnic(vnic_id=vm1)           0      0",
        "vlan_id=10 dst_mac=02:00:00:00:00:02  to_vnic(vnic_id=router)        0      0",
        "vlan_id=20 dst_mac=02:00:00:00:00:02  to_vnic(vnic_id=router)        0      0",
    ]


def test_show_as_json_has_numbers_addresses_and_counters(config: Path, address: str) -> None:
    headgate("apply", "-c", config, "--device", address)
    listing = headgate_json("show", "ipv4_route", "--device", address)
    assert listing["table"] == "ipv4_route"
    assert listing["entries"][0] == {
        "key": {"vnic_id": 2, "ipv4_dst": "0.0.0.0/0"},
        "action": "via_ipv4",
        "args": {"next_hop": "10.0.0.254", "vlan_id": 10, "mtu_bytes": 1500},
        "count": {"packets": 0, "bytes": 0},
        "learned": False,
        "priority": 0,
    }


def test_show_has_the_default_action_of_a_table_without_a_key(config: Path, address: str) -> None:
    headgate("apply", "-c", config, "--device", address)
    lines = headgate("show", "default_ring", "--device", address, "-c", config).stdout.splitlines()
    assert lines[2].split() == ["default", "action", "set_default_ring(vnic_id=router,", "ring_id=2(router.local))"]


def test_show_of_an_unknown_table_suggests_one_without_asking_the_device(config: Path) -> None:
    result = headgate("show", "l2_clasify", "--device", NOBODY, "-c", config)
    assert result.exit_code == BAD_INPUT
    assert result.stderr == "error: there is no table 'l2_clasify': did you mean 'l2_classify'?\n"


def test_counters_are_listed_by_what_they_count(config: Path, address: str) -> None:
    headgate("apply", "-c", config, "--device", address)
    counters = headgate_json("counters", "--device", address)["tables"]
    assert set(counters) == {"port", "transmit_mac", "l2_classify", "ring_group", "ring"}
    assert {"key": {"ring_id": 1}, "count": {"packets": 0, "bytes": 0}} in counters["ring"]
    assert {"key": {"vnic_id": 2, "ring_type": "FORWARD"}, "count": {"packets": 0, "bytes": 0}} in counters[
        "ring_group"
    ]


def test_drops_of_an_idle_device_balance(config: Path, address: str) -> None:
    headgate("apply", "-c", config, "--device", address)
    drops = headgate_json("drops", "--device", address)
    assert drops["holds"] is True
    assert drops["drops"] == {}
    line = headgate("drops", "--device", address).stdout.splitlines()[-1]
    assert line == "0 received = 0 sent + 0 delivered + 0 punted + 0 dropped + 0 replicated: holds"


# ---- exit codes


@pytest.mark.parametrize("command", [("plan",), ("apply",), ("status",), ("show", "port"), ("counters",), ("drops",)])
def test_a_device_that_does_not_answer_is_unreachable(command: tuple[str, ...], config: Path) -> None:
    result = headgate(*command, "-c", config, "--device", NOBODY)
    assert result.exit_code == UNREACHABLE
    assert result.stderr.startswith(f"error: {NOBODY}: no answer")


@pytest.mark.parametrize("command", ["check", "plan", "apply", "run"])
def test_a_bad_configuration_is_bad_input_before_the_device_is_asked(command: str, tmp_path: Path) -> None:
    device = () if command == "check" else ("--device", NOBODY)
    result = headgate(command, "-c", write(tmp_path, small(("vnics.0.vlan", 99))), *device)
    assert result.exit_code == BAD_INPUT
    assert "vnics[0].vlan: 99 is not among `vlans`" in result.stderr


@pytest.mark.parametrize("command", [("show", "port"), ("counters",), ("drops",)])
def test_a_device_without_our_program_is_refused(command: tuple[str, ...], address: str) -> None:
    result = headgate(*command, "--device", address)
    assert result.exit_code == REFUSED
    assert "runs no program" in result.stderr


def test_an_option_that_is_missing_is_bad_input(config: Path) -> None:
    assert headgate("plan", "-c", config).exit_code == BAD_INPUT


@pytest.mark.parametrize("command", ["check", "plan", "apply", "run", "status", "show", "counters", "drops"])
def test_every_command_has_an_example_in_its_help(command: str) -> None:
    assert f"headgate {command} " in headgate(command, "--help").stdout
