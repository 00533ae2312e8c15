# SPDX-License-Identifier: Apache-2.0
"""What the data plane has to tell: packet-ins, digest lists and idle timeouts, on their way to the primaries.

The switch's worker calls `packet_in` and `digest` and never waits; a thread of our own sends what is due with time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from finsy.proto import p4r

from softnic.engine import Digest, PackedEntry

from .digests import DigestList
from .entities import table_reads
from .packet_io import encode_packet_in
from .pipeline import Pipeline
from .stats import Tally
from .streams import Clients

IDLE_SCAN_NS = 200_000_000
"""How long an idle entry may go unnoticed beyond its timeout, in a table of ordinary size."""

IDLE_SCAN_SHARE = 20
"""A scan, which holds up packets, is followed by this many times its own length without one."""

FAR_NS = 1 << 63

MAX_ENTRIES_PER_NOTICE = 1000
"""Keeps an idle-timeout message well below the 4 MB that a gRPC client takes."""


class Notifier:
    """`running` gives the pipeline that packets go through, or None."""

    def __init__(self, running: Callable[[], Pipeline | None], clients: Clients, tally: Tally) -> None:
        self._running = running
        self._clients = clients
        self._tally = tally
        self._wake = threading.Event()
        self._wakes_at_ns = FAR_NS
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="p4runtime-notifier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        self._thread.join()

    # ---- from the switch's worker -----------------------------------------------------------------------------------

    def packet_in(self, data: bytes) -> None:
        """A packet left on the CPU port."""
        pipeline = self._running()
        if pipeline is None:
            self._tally.add("packet_ins_without_p4info")
            return
        packet = encode_packet_in(pipeline.schema.packet_in, data)
        if packet is None:
            self._tally.add("packet_ins_too_short")
            return
        sent = self._clients.publish(p4r.StreamMessageResponse(packet=packet))
        self._tally.add("packet_ins" if sent else "packet_ins_without_primary")

    def digest(self, digest: Digest) -> None:
        """The program made a digest. One that no client has enabled goes nowhere."""
        pipeline = self._running()
        digest_type = pipeline and pipeline.schema.digests_by_name.get(digest.name)
        if pipeline is None or digest_type is None:
            return
        if complete := pipeline.digests.add(digest_type.id, digest.values, time.monotonic_ns()):
            self._send_digests(pipeline, complete)
        elif (pipeline.digests.deadline_ns() or FAR_NS) < self._wakes_at_ns:
            self._wake.set()

    # ---- from our own thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        next_scan_ns = 0
        while not self._stopping:
            # Until we know when we wake, every digest that waits wakes us.
            self._wakes_at_ns = FAR_NS
            self._wake.clear()
            pipeline = self._running()
            if pipeline and time.monotonic_ns() >= next_scan_ns:
                next_scan_ns = self._scan_idle(pipeline)
            self._wakes_at_ns = self._send_due_digests(pipeline, time.monotonic_ns() + IDLE_SCAN_NS)
            self._wake.wait(max(self._wakes_at_ns - time.monotonic_ns(), 0) / 1e9)

    def _send_due_digests(self, pipeline: Pipeline | None, latest_ns: int) -> int:
        """When the next list is due, or `latest_ns` if that is earlier."""
        if pipeline is None:
            return latest_ns
        for due in pipeline.digests.due(time.monotonic_ns()):
            self._send_digests(pipeline, due)
        return min(pipeline.digests.deadline_ns() or latest_ns, latest_ns)

    def _send_digests(self, pipeline: Pipeline, digests: DigestList) -> None:
        response = p4r.StreamMessageResponse()
        message = response.digest
        message.digest_id = digests.digest_id
        message.list_id = digests.list_id
        message.timestamp = time.time_ns()
        layout, data = pipeline.schema.digests[digests.digest_id].layout, message.data
        for sample in digests.samples:
            layout.fill(iter(sample), data.add())
        sent = self._clients.publish(response)
        self._tally.add("digest_lists" if sent else "digest_lists_without_primary")

    def _scan_idle(self, pipeline: Pipeline) -> int:
        """Send the idle notices that are due; when to scan again."""
        start_ns = time.monotonic_ns()
        idle = list(_idle_entries(pipeline))
        end_ns = time.monotonic_ns()
        due = pipeline.idle_notices.due(idle, end_ns)
        for start in range(0, len(due), MAX_ENTRIES_PER_NOTICE):
            self._send_idle_notice(pipeline, due[start : start + MAX_ENTRIES_PER_NOTICE])
        return end_ns + max(IDLE_SCAN_NS, IDLE_SCAN_SHARE * (end_ns - start_ns))

    def _send_idle_notice(self, pipeline: Pipeline, due: Sequence[tuple[int, PackedEntry]]) -> None:
        message = p4r.IdleTimeoutNotification(timestamp=time.time_ns())
        for table_id, entry in due:
            table = pipeline.tables[table_id]
            table_reads.encode_identity(table, entry, table.extras_of(entry.match), message.table_entry.add())
        sent = self._clients.publish(p4r.StreamMessageResponse(idle_timeout_notification=message))
        self._tally.add("idle_notices" if sent else "idle_notices_without_primary", len(message.table_entry))


def _idle_entries(pipeline: Pipeline) -> Iterator[tuple[int, PackedEntry]]:
    for table_id, table in pipeline.tables.items():
        if table.schema.idle_timeout:
            for entry in table.scan_idle():
                yield table_id, entry
