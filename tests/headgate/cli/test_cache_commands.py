# SPDX-License-Identifier: Apache-2.0
"""``headgate cache`` against softnic: what it prints, in text and JSON, and how it exits."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from finsy.proto import p4r
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from typer.testing import CliRunner, Result

from headgate.cli import app
from headgate.cli.console import BAD_INPUT, REFUSED, UNREACHABLE
from headgate.config import load_config
from headgate.device import Device
from headgate.handlers.gateway.entries import Entry, EntryCodec
from headgate.handlers.gateway.learned import epochs_of
from headgate.reconcile import apply

CONFIG = Path(__file__).parents[3] / "configs/gateway.yaml"
NOBODY = "127.0.0.1:1"
RED, BLUE = b"\0\1", b"\0\2"
NEXT_HOP, RULE = b"\0\0\0\5", b"\0\0"
FLOW = bytes.fromhex("0002 0a00020a cb007101 11 03e8 0035")  # from segment 2: 10.0.2.10:1000 -> 203.0.113.1:53, UDP
TO_OUTSIDE = (
    Ether(src="02:00:00:00:aa:10", dst="02:00:00:00:f2:01")
    / Dot1Q(vlan=10)
    / IP(src="10.0.2.10", dst="203.0.113.1")
    / UDP(sport=1000, dport=53)
)


def headgate(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["cache", *(str(argument) for argument in arguments)])


def headgate_json(*arguments: object) -> Any:
    result = headgate(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def _fill(address: str) -> None:
    """A flow of red that holds, an aggregate of red's, and a refused flow of blue's from an epoch gone by."""
    config = load_config(CONFIG)
    async with Device(address, program="gateway") as device:
        result = await apply(device, config)
        assert result.failures == ()
        epochs = await epochs_of(device)
        now = (epochs[RED][:4], epochs[RED][4:])
        wide = RED + FLOW[:2] + bytes(4) + FLOW[6:10] + bytes(5) + b"\2"
        translation = (bytes((203, 0, 113, 64)), b"\x13\x88", FLOW[6:10], FLOW[13:15])
        entries = [
            Entry("cache_ipv4", RED + FLOW, "translate", (*now, NEXT_HOP, RULE, *translation)),
            Entry("cache_aggregate_ipv4", wide, "forward", (*now, NEXT_HOP, RULE)),
            Entry("cache_ipv4", BLUE + FLOW, "refuse", (bytes(4), bytes(4), b"\x8c", RULE)),
        ]
        codec = EntryCodec(device.schema)
        encoded = b"".join(codec.encode(p4r.Update.INSERT, entry) for entry in entries)
        assert await device.write_raw(p4r.WriteRequest.FromString(encoded)) == {}


@pytest.fixture
def warm(address: str) -> str:
    """The address of a gateway with something in its cache."""
    asyncio.run(_fill(address))
    return address


def test_show_lists_flows_with_names(warm: str) -> None:
    result = headgate("show", "--device", warm, "-c", CONFIG)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    flow, wide, stale = (next(line for line in lines if word in line) for word in ("64:5000", "203.0.113.1:*", "blue"))
    assert flow.split()[:5] == ["red", "rack", "udp", "10.0.2.10:1000", "203.0.113.1:53"]
    assert wide.split()[:5] == ["red", "rack", "*", "*", "203.0.113.1:*"]
    assert "refuse FIREWALL_DENY (stale)" in stale


def test_show_is_limited_and_says_so(warm: str) -> None:
    result = headgate("show", "--device", warm, "--limit", 1)
    assert "2 more: --limit 3 shows them" in result.stdout


@pytest.mark.parametrize("tenant", ["blue", "2"])
def test_show_of_one_tenant_by_name_or_number(warm: str, tenant: str) -> None:
    report = headgate_json("show", "--device", warm, "-c", CONFIG, "--tenant", tenant)
    assert [(flow["tenant_id"], flow["current"]) for flow in report["flows"]] == [(2, False)]


def test_stats_count_what_each_tenant_has(warm: str) -> None:
    report = {item["tenant_id"]: item for item in headgate_json("stats", "--device", warm)["tenants"]}
    assert {tenant: (item["flows"], item["aggregates"], item["stale"]) for tenant, item in report.items()} == {
        1: (1, 1, 0),
        2: (0, 0, 1),
    }
    assert report[1]["hit_rate"] is None


def test_stats_as_text_have_a_line_for_each_tenant(warm: str) -> None:
    lines = headgate("stats", "--device", warm, "-c", CONFIG).stdout.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["red", "blue"]


def test_flush_empties_the_cache(warm: str) -> None:
    assert headgate("flush", "--device", warm).stdout == "3 deleted\n"
    assert headgate_json("show", "--device", warm)["entries"] == 0


def test_flush_of_one_tenant_leaves_the_others(warm: str) -> None:
    assert headgate_json("flush", "--device", warm, "--tenant", 1) == {"deleted": 2, "refused": 0}
    assert {flow["tenant_id"] for flow in headgate_json("show", "--device", warm)["flows"]} == {2}


def test_flush_is_refused_while_another_controls_the_device(warm: str) -> None:
    async def beside() -> Result:
        async with Device(warm, program="gateway"):
            return await asyncio.to_thread(headgate, "flush", "--device", warm)

    result = asyncio.run(beside())
    assert (result.exit_code, "controller" in result.stderr) == (REFUSED, True)


def test_trace_says_that_a_cached_flow_hits(warm: str) -> None:
    report = headgate_json("trace", bytes(TO_OUTSIDE).hex(), "--device", warm, "--port", 4)
    assert report["cache"] == "HIT"
    assert any("cache_ipv4" in step for step in report["steps"])


def test_trace_of_a_capture_takes_the_packet_that_is_asked_for(warm: str, tmp_path: Path) -> None:
    other = TO_OUTSIDE.copy()
    other[UDP].sport = 2
    capture = tmp_path / "two.pcap"
    capture.write_bytes(pcap(bytes(other), bytes(TO_OUTSIDE)))
    outcomes = [
        headgate_json("trace", capture, "--device", warm, "--port", 4, "--index", index)["cache"] for index in (0, 1)
    ]
    assert outcomes == ["AGGREGATE_HIT", "HIT"]


def test_trace_names_why_a_packet_is_dropped(warm: str) -> None:
    result = headgate("trace", bytes(TO_OUTSIDE).hex(), "--device", warm, "--port", 3)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-2:] == ["flow cache: not asked", "dropped: INTERFACE_UNKNOWN"]


def test_trace_leaves_the_device_alone(warm: str) -> None:
    headgate("trace", bytes(TO_OUTSIDE).hex(), "--device", warm, "--port", 4)
    assert headgate_json("stats", "--device", warm)["tenants"][0]["outcomes"]["HIT"] == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "--tenant", "nobody"), BAD_INPUT),
        (("trace", "no packet", "--port", "1"), BAD_INPUT),
    ],
)
def test_bad_input_is_told(warm: str, arguments: tuple[str, ...], code: int) -> None:
    assert headgate(*arguments, "--device", warm).exit_code == code


@pytest.mark.parametrize("arguments", [("show",), ("stats",), ("flush",), ("trace", "00", "--port", "1")])
def test_a_device_that_is_not_there_is_told(arguments: tuple[str, ...]) -> None:
    assert headgate(*arguments, "--device", NOBODY).exit_code == UNREACHABLE


def pcap(*packets: bytes) -> bytes:
    """A capture of Ethernet frames."""
    seconds = int(time.time())
    records = (struct.pack("<IIII", seconds, 0, len(packet), len(packet)) + packet for packet in packets)
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(records)
