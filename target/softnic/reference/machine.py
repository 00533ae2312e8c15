# SPDX-License-Identifier: Apache-2.0
"""simple_switch's architecture around the two pipelines: what becomes of a packet between and after them.

After ingress, in this order: the ingress clone, the digest, resubmission, multicast, drop, unicast. After egress: the
egress clone, drop, deparsing, recirculation, output. BMv2's threads and queues are one FIFO here, so that a packet's
outcome does not depend on timing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from softnic import ir
from softnic.engine import DROP_PORT, CloneSession, Digest, Output, Replica

from .control import Control
from .deparser import Checksums, Deparser
from .packet import Layout, Packet
from .parser import ParserRunner
from .state import State
from .statements import PacketAbortedError, Statements
from .trace import Tracer

NORMAL, INGRESS_CLONE, EGRESS_CLONE, RECIRCULATED, REPLICATED, RESUBMITTED = 0, 1, 2, 4, 5, 6
"""Values of ``instance_type``."""

_REASONS = {
    NORMAL: "unicast",
    INGRESS_CLONE: "ingress clone",
    EGRESS_CLONE: "egress clone",
    RECIRCULATED: "recirculated",
    REPLICATED: "multicast",
    RESUBMITTED: "resubmitted",
}

_MAX_INGRESS_PASSES = 256
_MAX_EGRESS_PASSES = 8192
"""For one received packet; a program that resubmits, recirculates or clones without end is cut short."""

_QUEUE_SLOTS = 512
"""In front of each pipeline; a packet and all its copies take one."""

_RECIRCULATED_BYTES = 4 << 20
"""For one received packet. The native runtime has the same bounds, and counts what exceeds them alike."""


@dataclass(slots=True)
class _Waiting:
    """A packet in front of egress: it goes to `port` itself, or copies of it go where `replicas` says."""

    packet: Packet
    port: int = 0
    replicas: deque[Replica] | None = None


@dataclass(slots=True)
class _Work:
    """What one received packet still has to go through, and what it has become so far."""

    ingress: deque[Packet]
    egress: deque[_Waiting]
    outputs: list[Output]
    ingress_passes: int = 0
    egress_passes: int = 0
    recirculated_bytes: int = 0


class Machine:
    """A program compiled against its state."""

    def __init__(self, program: ir.Program, state: State, tracer: Tracer | None = None) -> None:
        self._state = state
        self._tracer = tracer
        self._layout = Layout(program)
        statements = Statements(program, self._layout, state, tracer)
        self._parser = ParserRunner(program, state, statements, tracer)
        self._checksums = Checksums(program, state, statements, tracer)
        bodies = {action.id: statements.body(action.body) for action in program.actions}
        self._ingress = Control(program.ingress, bodies, state, statements, tracer)
        self._egress = Control(program.egress, bodies, state, statements, tracer)
        self._deparser = Deparser(program, statements, self._checksums)
        self._digests = {
            learn_list.id: [statements.expressions.value(element) for element in learn_list.elements]
            for learn_list in program.learn_lists
        }
        self._slots = _StandardSlots(program.standard, self._layout)

    def process(self, port: int, data: bytes) -> list[Output]:
        """Everything that leaves because `data` came in on `port`."""
        work = _Work(deque(), deque(), [])
        packet = Packet(self._layout, data, len(data))
        slots = self._slots
        slots.set(packet, slots.ingress_port, port)
        slots.set(packet, slots.packet_length, len(data))
        slots.set(packet, slots.ingress_global_timestamp, self._state.now_us())
        work.ingress.append(packet)
        while work.ingress or work.egress:
            try:
                if work.egress:
                    self._run_egress(work, *self._next_for_egress(work.egress))
                else:
                    self._run_ingress(work, work.ingress.popleft(), port)
            except PacketAbortedError as aborted:
                self._state.anomalies[f"{aborted}-failed"] += 1
                self._dropped(str(aborted))
        return work.outputs

    # ---- ingress ----------------------------------------------------------------------------------------------------

    def _run_ingress(self, work: _Work, p: Packet, port: int) -> None:
        work.ingress_passes += 1
        if work.ingress_passes > _MAX_INGRESS_PASSES:
            self._state.anomalies["ingress-passes-exceeded"] += 1
            return
        if self._tracer is not None:
            instance_type = p.fields[self._slots.instance_type]
            reason = "received" if instance_type == NORMAL else _REASONS[instance_type]
            self._tracer.pass_started("ingress", reason, port, len(p.ingress_bytes))
        slots = self._slots
        self._parser.parse(p)
        slots.set(p, slots.parser_error, p.parser_error)
        slots.set(p, slots.checksum_error, 0 if self._checksums.verify(p) else 1)
        self._ingress.apply(p)
        if p.clone is not None:
            self._clone_from_ingress(work, p, port, *p.clone)
            p.clone = None
        if p.digest is not None:
            self._digest(p, p.digest)
        if p.resubmit is not None:
            self._resubmit(work, p, p.resubmit)
            return
        group = p.fields[slots.mcast_grp] if slots.mcast_grp is not None else 0
        if group:
            p.fields[slots.instance_type] = REPLICATED
            self._multicast(work, p, group)
            return
        egress_port = p.fields[slots.egress_spec]
        if egress_port == DROP_PORT:
            self._dropped("ingress")
            return
        p.fields[slots.instance_type] = NORMAL
        if self._has_room(work.egress):
            self._enqueue(work, _Waiting(p, egress_port))

    def _clone_from_ingress(
        self, work: _Work, p: Packet, port: int, session_id: int, fields: ir.FieldList | None
    ) -> None:
        """Of the packet as it entered this pass, parsed once more."""
        session = self._session(session_id)
        if session is None or not self._has_room(work.egress):
            return
        data = p.ingress_bytes if p.truncate_to is None else p.ingress_bytes[: p.truncate_to]
        clone = Packet(self._layout, data, p.received_length)
        clone.length = len(p.ingress_bytes)
        self._slots.set(clone, self._slots.ingress_port, port)
        self._parser.parse(clone)
        clone.keep_metadata(p, fields)
        clone.fields[self._slots.instance_type] = INGRESS_CLONE
        self._replicate(work, clone, session)

    def _digest(self, p: Packet, learn_list: ir.LearnList) -> None:
        values = tuple(value(p) for value in self._digests[learn_list.id])
        if self._tracer is not None:
            self._tracer.digest(learn_list.name, values)
        if self._state.on_digest is not None:
            self._state.on_digest(Digest(learn_list.name, values))

    def _resubmit(self, work: _Work, p: Packet, fields: ir.FieldList) -> None:
        if not self._has_room(work.ingress):
            return
        data = p.ingress_bytes if p.truncate_to is None else p.ingress_bytes[: p.truncate_to]
        again = Packet(self._layout, data, p.received_length)
        again.length = len(p.ingress_bytes)
        again.keep_metadata(p, fields)
        again.fields[self._slots.instance_type] = RESUBMITTED
        again.fields[self._slots.packet_length] = len(p.ingress_bytes)
        work.ingress.append(again)

    # ---- replication ------------------------------------------------------------------------------------------------

    def _session(self, session_id: int) -> CloneSession | None:
        session = self._state.clone_sessions.get(session_id)
        if self._tracer is not None:
            self._tracer.cloned(session_id, session is not None)
        return session

    def _replicate(self, work: _Work, clone: Packet, session: CloneSession) -> None:
        if session.packet_length_bytes:
            clone.truncate_to = session.packet_length_bytes
        if session.class_of_service:
            self._slots.set(clone, self._slots.priority, session.class_of_service)
        if session.replicas:
            self._enqueue(work, _Waiting(clone, replicas=deque(self._live(session.replicas))))

    def _multicast(self, work: _Work, p: Packet, group: int) -> None:
        replicas = self._live(self._state.multicast_groups.get(group, ()))
        if self._tracer is not None:
            self._tracer.replicated(group, replicas)
        if replicas and self._has_room(work.egress):
            self._enqueue(work, _Waiting(p, replicas=deque(replicas)))

    def _live(self, replicas: Iterable[Replica]) -> tuple[Replica, ...]:
        return tuple(replica.live(self._state.ports_down) for replica in replicas)

    def _has_room(self, queue: deque[Packet] | deque[_Waiting]) -> bool:
        if len(queue) < _QUEUE_SLOTS:
            return True
        self._state.anomalies["queue-full"] += 1
        return False

    def _enqueue(self, work: _Work, waiting: _Waiting) -> None:
        slots = self._slots
        slots.set(waiting.packet, slots.enq_timestamp, self._state.now_us())
        slots.set(waiting.packet, slots.enq_qdepth, 0)
        work.egress.append(waiting)

    def _next_for_egress(self, queue: deque[_Waiting]) -> tuple[int, Packet]:
        """The port and the packet, or the next copy of it."""
        first = queue[0]
        if first.replicas is None:
            queue.popleft()
            return first.port, first.packet
        replica = first.replicas.popleft()
        if not first.replicas:
            queue.popleft()
        copy = first.packet.copy()
        self._slots.set(copy, self._slots.egress_rid, replica.instance)
        return replica.port, copy

    # ---- egress -----------------------------------------------------------------------------------------------------

    def _run_egress(self, work: _Work, port: int, p: Packet) -> None:
        work.egress_passes += 1
        if work.egress_passes > _MAX_EGRESS_PASSES:
            self._state.anomalies["egress-passes-exceeded"] += 1
            return
        if self._tracer is not None:
            self._tracer.pass_started("egress", _REASONS.get(p.fields[self._slots.instance_type], "?"), port, p.length)
        slots = self._slots
        self._set_egress_metadata(p, port)
        self._egress.apply(p)
        if p.clone is not None:
            self._clone_from_egress(work, p, *p.clone)
            p.clone = None
        if p.fields[slots.egress_spec] == DROP_PORT:
            self._dropped("egress")
            return
        data = self._deparser.deparse(p)
        if p.recirculate is not None:
            self._recirculate(work, p, data, p.recirculate)
            return
        if self._tracer is not None:
            self._tracer.sent(port, data)
        work.outputs.append(Output(port, data))

    def _set_egress_metadata(self, p: Packet, port: int) -> None:
        slots, now_us = self._slots, self._state.now_us()
        slots.set(p, slots.egress_global_timestamp, now_us)
        if slots.enq_timestamp is not None:
            slots.set(p, slots.deq_timedelta, now_us - p.fields[slots.enq_timestamp])
        slots.set(p, slots.deq_qdepth, 0)
        if slots.priority is not None:
            slots.set(p, slots.qid, p.fields[slots.priority])
        slots.set(p, slots.egress_port, port)
        # Anything but the drop port: simple_switch has the drop port + 1, which in 9 bits is 0.
        p.fields[slots.egress_spec] = 0
        slots.set(p, slots.packet_length, p.length)

    def _clone_from_egress(self, work: _Work, p: Packet, session_id: int, fields: ir.FieldList | None) -> None:
        """Of the packet as it is now, its headers kept, its metadata not."""
        session = self._session(session_id)
        if session is None or not self._has_room(work.egress):
            return
        clone = p.copy()
        clone.keep_metadata(p, fields)
        clone.fields[self._slots.instance_type] = EGRESS_CLONE
        self._replicate(work, clone, session)

    def _recirculate(self, work: _Work, p: Packet, data: bytes, fields: ir.FieldList) -> None:
        if not self._has_room(work.ingress):
            return
        if len(data) > _RECIRCULATED_BYTES - work.recirculated_bytes:
            self._state.anomalies["queue-full"] += 1
            return
        work.recirculated_bytes += len(data)
        again = Packet(self._layout, data, len(data))
        again.keep_metadata(p, fields)
        again.fields[self._slots.instance_type] = RECIRCULATED
        again.fields[self._slots.packet_length] = len(data)
        work.ingress.append(again)

    def _dropped(self, pipeline: str) -> None:
        if self._tracer is not None:
            self._tracer.dropped(pipeline)


class _StandardSlots:
    """The slot of each standard metadata field in a packet's list; None for one that the program lacks."""

    def __init__(self, standard: ir.StandardMetadata, layout: Layout) -> None:
        self._masks: dict[int, int] = {}

        def required(ref: ir.FieldRef) -> int:
            self._masks[layout.slot(ref)] = (1 << ref.field.width) - 1
            return layout.slot(ref)

        def slot(ref: ir.FieldRef | None) -> int | None:
            return None if ref is None else required(ref)

        self.ingress_port = required(standard.ingress_port)
        self.egress_spec = required(standard.egress_spec)
        self.egress_port = required(standard.egress_port)
        self.instance_type = required(standard.instance_type)
        self.packet_length = required(standard.packet_length)
        self.mcast_grp = slot(standard.mcast_grp)
        self.egress_rid = slot(standard.egress_rid)
        self.ingress_global_timestamp = slot(standard.ingress_global_timestamp)
        self.egress_global_timestamp = slot(standard.egress_global_timestamp)
        self.parser_error = slot(standard.parser_error)
        self.checksum_error = slot(standard.checksum_error)
        self.priority = slot(standard.priority)
        self.enq_timestamp = slot(standard.enq_timestamp)
        self.enq_qdepth = slot(standard.enq_qdepth)
        self.deq_timedelta = slot(standard.deq_timedelta)
        self.deq_qdepth = slot(standard.deq_qdepth)
        self.qid = slot(standard.qid)

    def set(self, p: Packet, slot: int | None, value: int) -> None:
        """Store `value`, cut to the field's width, if the program has the field."""
        if slot is not None:
            p.fields[slot] = value & self._masks[slot]
