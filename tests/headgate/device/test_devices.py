# SPDX-License-Identifier: Apache-2.0
"""A session with a device: who is primary, what is pushed, written and read, and what happens when it goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from finsy import Action, GRPCStatusCode, Match, P4TableEntry
from finsy.proto import p4r
from nics import small
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from headgate.config import parse_config
from headgate.device import (
    Device,
    DeviceRefused,
    DeviceUnreachable,
    DeviceView,
    NotPrimary,
    Pipeline,
    PipelineMismatch,
)
from headgate.device import (
    device as device_module,
)
from headgate.reconcile import apply
from headgate.vocabulary import PacketOutMode, PuntReason

CONFIG = parse_config(small())


def classifier(vnic_id: int = 1) -> P4TableEntry:
    match = Match(vlan_id=7, dst_mac="02:00:00:00:00:07")
    return P4TableEntry("l2_classify", match=match, action=Action("vnic.to_vnic", vnic_id=vnic_id))


def run(body: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await body()

    return asyncio.run(main())


def test_a_device_without_a_program_is_given_ours(address: str) -> None:
    async def body() -> tuple[Pipeline, Pipeline]:
        async with Device(address) as device:
            return device.pipeline_was, await device.pipeline()

    assert run(body) == (Pipeline.NONE, Pipeline.MATCHES)


def test_a_device_that_runs_our_program_keeps_its_entries(address: str) -> None:
    async def body() -> tuple[Pipeline, int]:
        async with Device(address) as device:
            await device.write([+classifier()])
        async with Device(address) as device:
            return device.pipeline_was, len(await device.entries("l2_classify"))

    assert run(body) == (Pipeline.MATCHES, 1)


def test_applying_twice_changes_nothing_the_second_time(address: str) -> None:
    async def body() -> tuple[int, int, int]:
        async with Device(address) as device:
            first = await apply(device, CONFIG)
            second = await apply(device, CONFIG)
            return len(first.plan.changes), len(second.plan.changes), second.plan.unchanged

    changed, changed_again, unchanged = run(body)
    assert changed == unchanged > 0
    assert changed_again == 0


def test_progress_is_told_up_to_the_last_update(address: str) -> None:
    told: list[tuple[int, int]] = []

    async def body() -> int:
        async with Device(address) as device:
            result = await apply(device, CONFIG, lambda done, total: told.append((done, total)))
            return len(result.plan.changes)

    total = run(body)
    assert told[-1] == (total, total)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_failures_name_the_updates_that_failed_and_the_others_are_done(address: str) -> None:
    async def body() -> tuple[list, int]:
        async with Device(address) as device:
            other = P4TableEntry("vlan_flood", match=Match(vlan_id=7), action=Action("replicate", group_id=7))
            failures = await device.write([+classifier(), +classifier(), +other, ~classifier(9)])
            return failures, len(await device.read())

    failures, held = run(body)
    assert [(failure.code, failure.update.type) for failure in failures] == [
        (GRPCStatusCode.ALREADY_EXISTS, p4r.Update.INSERT)
    ]
    assert held > 0


def test_a_second_controller_with_the_same_election_id_is_not_primary(address: str) -> None:
    async def body() -> None:
        async with Device(address), Device(address):
            pass

    with pytest.raises(NotPrimary, match="election id"):
        run(body)


def test_a_controller_with_a_smaller_election_id_is_told_whose_is_larger(address: str) -> None:
    async def body() -> None:
        async with Device(address, election_id=5), Device(address, election_id=4):
            pass

    with pytest.raises(NotPrimary, match="election id 5"):
        run(body)


def test_a_controller_with_a_larger_election_id_takes_over_and_the_other_learns_of_it(address: str) -> None:
    async def body() -> None:
        async with Device(address) as device, Device(address, election_id=2):
            await device.packet_in()

    with pytest.raises(NotPrimary, match="election id 2"):
        run(body)


def test_who_follows_a_primary_that_left_takes_its_place(address: str) -> None:
    async def body() -> tuple[int, int | None]:
        async with Device(address, election_id=9):
            pass
        async with Device(address, election_id=1) as device, DeviceView(address) as view:
            return device.election_id, await view.primary()

    assert run(body) == (9, 9)


def test_asking_for_the_primary_does_not_become_it(address: str) -> None:
    async def body() -> tuple[int | None, int | None]:
        async with DeviceView(address) as view:
            before = await view.primary()
        async with Device(address, election_id=3), DeviceView(address) as view:
            return before, await view.primary()

    assert run(body) == (None, 3)


def test_reading_from_a_device_without_our_program_says_so(address: str) -> None:
    async def body() -> None:
        async with DeviceView(address) as view:
            await view.read()

    with pytest.raises(PipelineMismatch, match="runs no program"):
        run(body)


def test_a_device_where_nobody_listens_is_unreachable() -> None:
    async def body() -> None:
        async with Device("127.0.0.1:1"):
            pass

    with pytest.raises(DeviceUnreachable, match="no answer"):
        run(body)


def test_a_device_id_that_is_not_there_is_refused(address: str) -> None:
    async def body() -> None:
        async with Device(address, device_id=99):
            pass

    with pytest.raises(DeviceRefused):
        run(body)


def test_an_unknown_table_is_named(address: str) -> None:
    async def body() -> None:
        async with Device(address) as device:
            await device.entries("l2_clasify")

    with pytest.raises(ValueError, match="l2_classify"):
        run(body)


# ---- packets


def route_to_nobody(device: Device) -> Awaitable[None]:
    """Have the router of `small()` route a packet to a neighbor that nobody knows: it comes back as NEIGHBOR_MISS."""
    frame = Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / IP(src="10.0.0.1", dst="10.0.0.99") / UDP()
    return device.packet_out(bytes(frame), mode=PacketOutMode.ROUTE, vnic_id=2, vlan_id=10)


def test_a_packet_goes_out_and_comes_back_in(address: str) -> None:
    async def body() -> tuple[int, int]:
        async with Device(address) as device:
            await apply(device, CONFIG)
            await route_to_nobody(device)
            packet = await device.packet_in()
            return packet["reason"], packet["next_hop"]

    assert run(body) == (PuntReason.NEIGHBOR_MISS, 0x0A000063)


def test_packets_beyond_the_queue_are_counted(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "MAX_QUEUED_PACKETS", 2)

    async def body() -> int:
        async with Device(address) as device:
            await apply(device, CONFIG)
            for _ in range(5):
                await route_to_nobody(device)
            while device.packets_lost < 3:
                await asyncio.sleep(0)
            return sum([1 for _ in range(2) if await device.packet_in()])

    assert run(body) == 2


def test_whoever_waits_for_packets_learns_that_the_device_went_away(serve: Any) -> None:
    async def body(address: str, stop: Callable[[], None]) -> None:
        async with Device(address) as device:
            waiting = asyncio.create_task(device.packet_in())
            await asyncio.to_thread(stop)
            await waiting

    address = serve()
    with pytest.raises(DeviceUnreachable):
        asyncio.run(body(address, serve.stop))


def test_a_device_can_be_entered_again(address: str) -> None:
    async def body() -> int:
        device = Device(address)
        async with device:
            await apply(device, CONFIG)
        async with device:
            await route_to_nobody(device)
            return (await device.packet_in())["reason"]

    assert run(body) == PuntReason.NEIGHBOR_MISS


# ---- batches


@pytest.mark.parametrize(
    ("sizes", "cut"),
    [
        ([], []),
        ([10, 10, 10], [3]),
        ([10, 10, 10, 10], [3, 1]),
        ([60, 60], [1, 1]),
        ([120, 10], [1, 1]),
    ],
    ids=["nothing", "as many as allowed", "one too many", "too many bytes", "one that is too large by itself"],
)
def test_batches_keep_to_both_limits(sizes: list[int], cut: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "MAX_BATCH_UPDATES", 3)
    monkeypatch.setattr(device_module, "MAX_BATCH_BYTES", 100)
    updates = [update_of(size) for size in sizes]
    assert [update.ByteSize() for update in updates] == sizes
    assert [len(batch) for batch in device_module.batches(updates)] == cut


def update_of(size: int) -> p4r.Update:
    """An update of `size` bytes: three nested messages of two bytes more than what they hold, below 128."""
    return p4r.Update(entity=p4r.Entity(table_entry=p4r.TableEntry(metadata=b"x" * (size - 6))))
