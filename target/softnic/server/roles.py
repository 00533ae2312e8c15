# SPDX-License-Identifier: Apache-2.0
"""What a role may do, and what it gets to see: ``Role.config`` applied (P4Runtime specification 5.2).

The specification leaves the scheme of role.config to client and server. Here it is Stratum's ``P4RoleConfig``, which
comes with finsy; an unset config is full access.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from finsy.proto import p4r, stratum
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError

from .errors import P4RuntimeError, aborted, denied, invalid
from .pipeline import Pipeline
from .write import Atomicity, Result, write_batch


@dataclass(frozen=True, slots=True)
class PacketFilter:
    """Selects packet-ins by one of their metadata; `value` is a canonical byte string."""

    metadata_id: int
    value: bytes

    def selects(self, packet: p4r.PacketIn) -> bool:
        return any(m.metadata_id == self.metadata_id and m.value == self.value for m in packet.metadata)


@dataclass(frozen=True, slots=True)
class Access:
    """The P4Info objects that a role may write and hear of, and its other rights. Without arguments: full access.

    Entities that no P4Info id stands for (multicast groups and clone sessions) belong to every role.
    """

    p4_ids: frozenset[int] | None = None
    """None: all of them."""
    exclusive_ids: frozenset[int] = frozenset()
    """Those of `p4_ids` that no other role with a config may have."""
    receives_packet_ins: bool = True
    packet_in_filter: PacketFilter | None = None
    can_push_pipeline: bool = True

    def covers(self, p4_id: int) -> bool:
        return self.p4_ids is None or p4_id in self.p4_ids

    def covers_entity(self, entity: p4r.Entity) -> bool:
        # An id that is not set selects nothing of anybody's; what it is refused for is said by who looks it up.
        p4_id = _p4_id(entity)
        return p4_id == 0 or self.covers(p4_id)

    def receives(self, packet: p4r.PacketIn) -> bool:
        return self.receives_packet_ins and (self.packet_in_filter is None or self.packet_in_filter.selects(packet))


FULL_ACCESS = Access()


def decode(config: Any) -> Access:
    """The access that a ``Role.config`` grants. Raises: INVALID_ARGUMENT for a config of another scheme."""
    message = stratum.P4RoleConfig()
    try:
        if not config.Unpack(message):
            scheme = message.DESCRIPTOR.full_name
            raise invalid(
                f"role.config is a {config.TypeName() or 'message without a type'}; this target takes {scheme}"
            )
    except DecodeError as error:
        raise invalid(f"role.config does not parse: {error}") from error
    exclusive_ids = frozenset(message.exclusive_p4_ids)
    filter_ = message.packet_in_filter
    return Access(
        p4_ids=exclusive_ids.union(message.shared_p4_ids),
        exclusive_ids=exclusive_ids,
        receives_packet_ins=message.receives_packet_ins,
        packet_in_filter=PacketFilter(filter_.metadata_id, filter_.value.lstrip(b"\0") or b"\0")
        if message.HasField("packet_in_filter")
        else None,
        can_push_pipeline=message.can_push_pipeline,
    )


def check_exclusive(access: Access, others: Iterable[Access]) -> None:
    """Raises: INVALID_ARGUMENT if `access` and one of `others` claim an object that is to be one's alone."""
    for other in others:
        claimed = (access.exclusive_ids & (other.p4_ids or frozenset())) | (
            other.exclusive_ids & (access.p4_ids or frozenset())
        )
        if claimed:
            raise invalid(f"role.config: P4 id {min(claimed):#010x} is another role's, and exclusive to one of the two")


# ---- requests -------------------------------------------------------------------------------------------------------


def write_as(
    access: Access, pipeline: Pipeline, updates: Sequence[p4r.Update], atomicity: Atomicity.ValueType
) -> Sequence[Result]:
    """`write_batch`, with PERMISSION_DENIED for each update of what is not the role's."""
    if access is FULL_ACCESS:
        return write_batch(pipeline, updates, atomicity)
    refusals = [None if access.covers_entity(update.entity) else _refusal(update.entity) for update in updates]
    if not any(refusals):
        return write_batch(pipeline, updates, atomicity)
    if atomicity != Atomicity.CONTINUE_ON_ERROR:
        return [refusal or aborted("not applied, as the role may not write all of the batch") for refusal in refusals]
    permitted = [update for update, refusal in zip(updates, refusals, strict=True) if refusal is None]
    results = iter(write_batch(pipeline, permitted, atomicity))
    return [refusal or next(results) for refusal in refusals]


def _refusal(entity: p4r.Entity) -> P4RuntimeError:
    return denied(f"{entity.WhichOneof('entity')}: P4 id {_p4_id(entity):#010x} is not in the config of this role")


def visible(access: Access, responses: Iterable[p4r.ReadResponse]) -> Iterator[p4r.ReadResponse]:
    """The part of the answer to a Read that belongs to the role (specification 13)."""
    for response in responses:
        if access is FULL_ACCESS:
            yield response
        elif entities := [entity for entity in response.entities if access.covers_entity(entity)]:
            yield p4r.ReadResponse(entities=entities)


def audible(access: Access, message: p4r.StreamMessageResponse) -> p4r.StreamMessageResponse | None:
    """The part of a packet-in, digest list or idle-timeout notification that the role gets; None if it gets nothing."""
    match message.WhichOneof("update"):
        case "packet":
            return message if access.receives(message.packet) else None
        case "digest":
            return message if access.covers(message.digest.digest_id) else None
        case "idle_timeout_notification" if access is not FULL_ACCESS:
            notice = message.idle_timeout_notification
            entries = [entry for entry in notice.table_entry if access.covers(entry.table_id)]
            part = p4r.IdleTimeoutNotification(table_entry=entries, timestamp=notice.timestamp)
            return p4r.StreamMessageResponse(idle_timeout_notification=part) if entries else None
        case _:
            return message


_ID_FIELDS = {
    "table_entry": "table_id",
    "action_profile_member": "action_profile_id",
    "action_profile_group": "action_profile_id",
    "counter_entry": "counter_id",
    "meter_entry": "meter_id",
    "register_entry": "register_id",
    "digest_entry": "digest_id",
    "value_set_entry": "value_set_id",
}


def _p4_id(entity: p4r.Entity) -> int:
    """The id of the P4Info object that `entity` is of; 0 if it is of none, or does not say."""
    kind = entity.WhichOneof("entity")
    match kind:
        case "direct_counter_entry":
            return entity.direct_counter_entry.table_entry.table_id
        case "direct_meter_entry":
            return entity.direct_meter_entry.table_entry.table_id
        case None:
            return 0
        case _:
            return getattr(getattr(entity, kind), _ID_FIELDS[kind]) if kind in _ID_FIELDS else 0
