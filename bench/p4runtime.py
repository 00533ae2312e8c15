# SPDX-License-Identifier: Apache-2.0
"""The control path over P4Runtime: inserts, single writes, reads and digests, with finsy as the client.

Target and client are two processes that talk over loopback. What is written is encoded before the clock starts, as it
is the target's speed that is asked for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import finsy as fy
from finsy.proto import p4r, p4r_grpc
from grpc import insecure_channel

from bench.control_target import P4INFO, PROGRAM, Inserts, Target, running, softnic
from bench.digest_source import SAMPLES_PER_PACKET_OUT
from bench.result import Result
from bench.standalone import main

BATCH_UPDATES = 300
INSERTS = 60_000
RULES = 30_000
SINGLE_WRITES = 4_000
READ_ENTRIES = 100_000
DIGEST_SAMPLES = 300_000
LISTS_UNDER_WAY = 16

DEVICE_ID = 1
TIMEOUT_S = 120.0

Story = Callable[[fy.Switch], Awaitable[Sequence[Result]]]


def measure() -> list[Result]:
    """Everything; takes about 20 seconds."""
    logging.getLogger("finsy").setLevel(logging.ERROR)  # it warns of each digest that arrives before anybody listens
    with running(*softnic()) as target:
        results = [*with_finsy(target, partial(_write, target)), *_read_messages(target)]
    with running("bench.digest_source") as target:
        return [*results, *with_finsy(target, partial(_digests, target))]


def with_finsy(target: Target, story: Story) -> Sequence[Result]:
    """Run `story` with a finsy switch that is primary. What it raises is raised here."""

    async def main() -> Sequence[Result]:
        done: asyncio.Future[Sequence[Result]] = asyncio.get_running_loop().create_future()

        async def ready(switch: fy.Switch) -> None:
            try:
                done.set_result(await asyncio.wait_for(story(switch), TIMEOUT_S))
            except BaseException as error:
                done.set_exception(error)

        options = fy.SwitchOptions(p4info=P4INFO, p4blob=PROGRAM, device_id=DEVICE_ID, ready_handler=ready)
        async with fy.Controller([fy.Switch("softnic", target.address, options)]):
            return await asyncio.wait_for(done, TIMEOUT_S)

    return asyncio.run(main())


class Watch:
    """How long something takes, and how much processor time of the target's."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.seconds = 0.0
        self._cpu_s = 0.0

    def __enter__(self) -> Watch:
        self._start_s, self._start_cpu_s = time.perf_counter(), self._target.cpu_s()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._start_s
        self._cpu_s = self._target.cpu_s() - self._start_cpu_s

    def cpu_us(self, count: int) -> str:
        return f"target's CPU {self._cpu_s / count * 1e6:.1f} us each"


# ---- writes ---------------------------------------------------------------------------------------------------------


async def _write(target: Target, switch: fy.Switch) -> Sequence[Result]:
    inserts = Inserts()
    hosts = [inserts.host(number) for number in range(max(READ_ENTRIES, INSERTS + SINGLE_WRITES))]
    rules = [inserts.rule(number) for number in range(RULES)]
    batched, single, rest = hosts[:INSERTS], hosts[INSERTS : INSERTS + SINGLE_WRITES], hosts[INSERTS + SINGLE_WRITES :]
    results = [
        await _rate(target, switch, batched, BATCH_UPDATES, 45_000, "exact inserts in batches"),
        await _rate(target, switch, rules, BATCH_UPDATES, 45_000, "ternary inserts in batches"),
        await _rate(target, switch, single, 1, 1_800, "single writes"),
    ]
    await _rate(target, switch, rest, BATCH_UPDATES, 0, "what is read next")
    return results


async def _rate(
    target: Target, switch: fy.Switch, updates: Sequence[p4r.Update], batch: int, goal: float, name: str
) -> Result:
    with Watch(target) as watch:
        for first in range(0, len(updates), batch):
            await switch.write(updates[first : first + batch])
    note = f"one Write of {batch} after the other; {watch.cpu_us(len(updates))}"
    return Result(name, len(updates) / watch.seconds, "updates/s", goal, True, note)


# ---- reads ----------------------------------------------------------------------------------------------------------


def _read_messages(target: Target) -> Sequence[Result]:
    wildcard = p4r.Entity(table_entry=p4r.TableEntry(table_id=Inserts().tables["hosts"]))
    with insecure_channel(target.address) as channel:
        stub = p4r_grpc.P4RuntimeStub(channel)
        with Watch(target) as watch:
            responses = stub.Read(p4r.ReadRequest(device_id=DEVICE_ID, entities=[wildcard]))
            read = sum(len(response.entities) for response in responses)
    assert read == READ_ENTRIES, f"{read} entries were read"
    note = f"into finsy's messages; {watch.cpu_us(read)}"
    return [Result("reading 100 k entries", watch.seconds, "s", 2.0, False, note)]


# ---- digests --------------------------------------------------------------------------------------------------------


async def _digests(target: Target, switch: fy.Switch) -> Sequence[Result]:
    """Rate of the samples that finsy has decoded and whose lists it has acknowledged."""
    entry = fy.P4DigestEntry(
        "learned_t", max_list_size=SAMPLES_PER_PACKET_OUT, max_timeout_ns=10**9, ack_timeout_ns=10**10
    )
    await switch.insert([entry])
    learn = p4r.StreamMessageRequest(packet=p4r.PacketOut(payload=b"learn"))
    decoded = 0
    with Watch(target) as watch:
        await switch.write([learn] * LISTS_UNDER_WAY)
        async for digests in switch.read_digests("learned_t", queue_size=LISTS_UNDER_WAY):
            decoded += len(digests)
            await switch.write([digests.ack(), learn])
            if decoded >= DIGEST_SAMPLES:
                break
    rate = decoded / watch.seconds
    note = f"lists of {SAMPLES_PER_PACKET_OUT}, each acknowledged; made without packets; {watch.cpu_us(decoded)}"
    return [Result("digest samples decoded by finsy", rate, "samples/s", 100_000, True, note)]


if __name__ == "__main__":
    main(measure)
