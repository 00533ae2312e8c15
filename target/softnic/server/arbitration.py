# SPDX-License-Identifier: Apache-2.0
"""Who may write: the election of one primary for each role (specification section 5).

No I/O: each call returns the notifications that it causes, and the caller sends them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from finsy.proto import p4r, rpc_status
from google.protobuf.any_pb2 import Any
from grpc import StatusCode

from .errors import exhausted, failed_precondition, invalid, not_found
from .roles import FULL_ACCESS, Access, check_exclusive, decode

Client = TypeVar("Client", bound=Hashable)
"""A client's stream, as the caller knows it."""

Notifications = Sequence[tuple[Client, p4r.MasterArbitrationUpdate]]
"""Who is to be told what, in this order."""

MAX_ROLES = 256
"""Remembered with their election ids for as long as the server runs, as the specification asks."""


@dataclass(slots=True)
class _Role(Generic[Client]):
    """`clients` maps to election ids; None is a client that gave none and can't become primary."""

    name: str
    clients: dict[Client, int | None] = field(default_factory=dict)
    primary: Client | None = None
    highest_election_id: int | None = None
    """Ever seen, also of clients that have left: only a client that is not below it becomes primary."""
    config: Any | None = None
    """As the latest primary gave it."""
    access: Access = FULL_ACCESS
    """What `config` says."""


class Arbitration(Generic[Client]):
    """The roles of one device and their clients. The default role, named "", is always there."""

    def __init__(self, device_id: int) -> None:
        self._device_id = device_id
        self._roles: dict[str, _Role[Client]] = {"": _Role("")}

    def update(self, client: Client, message: p4r.MasterArbitrationUpdate) -> Notifications[Client]:
        """Take a client's first or renewed bid.

        Raises:
            P4RuntimeError: the stream is to be closed with that code (specification 5.3).
        """
        current = self._role_of(client)
        if current and message.device_id != self._device_id:
            raise failed_precondition(f"this stream is for device {self._device_id}; open another one")
        if message.device_id != self._device_id:
            raise not_found(f"device {message.device_id} is not here; this is device {self._device_id}")
        access = _access(message.role)
        if current and message.role.name != current.name:
            raise failed_precondition(f"this stream has role {current.name!r}; open another one to change it")
        check_exclusive(
            access, (role.access for role in self._roles.values() if role.clients and role.name != message.role.name)
        )
        role = self._role(message.role.name)
        election_id = _election_id(message)
        if election_id is not None and any(
            other != client and election_id == id_ for other, id_ in role.clients.items()
        ):
            raise invalid(f"election id {election_id} is already used by another client of role {role.name!r}")
        role.clients[client] = election_id
        if election_id is not None and election_id >= (role.highest_election_id or 0):
            role.highest_election_id = election_id
            role.primary = client
            role.config, role.access = message.role.config if message.role.HasField("config") else None, access
            # The new primary hears it last: by then all others know that they are not (specification 5.3).
            return self._notify(role, sorted(role.clients, key=lambda each: each == client))
        if role.primary == client:
            role.primary = None
            return self._notify(role, role.clients)
        return self._notify(role, [client])

    def leave(self, client: Client) -> Notifications[Client]:
        """The client's stream has ended. Nobody is promoted: a backup must bid again (specification 5)."""
        role = self._role_of(client)
        if role is None:
            return ()
        del role.clients[client]
        if role.primary != client:
            return ()
        role.primary = None
        return self._notify(role, role.clients)

    def primaries(self) -> Mapping[Client, Access]:
        """The primary of each role that has one, and what it may do."""
        return {role.primary: role.access for role in self._roles.values() if role.primary is not None}

    def access(self, role_name: str) -> Access:
        """What clients of that role may do; full access where no primary has said otherwise."""
        role = self._roles.get(role_name)
        return role.access if role else FULL_ACCESS

    def has_role(self, name: str) -> bool:
        return name in self._roles

    def is_primary(self, role_name: str, election_id: int | None) -> bool:
        """Whether a request with this role and election id comes from the role's primary."""
        role = self._roles.get(role_name)
        return (
            role is not None
            and role.primary is not None
            and election_id is not None
            and role.clients[role.primary] == election_id
        )

    def _role(self, name: str) -> _Role[Client]:
        if name not in self._roles and len(self._roles) >= MAX_ROLES:
            raise exhausted(f"{MAX_ROLES} roles have been opened, which is all that this target remembers")
        return self._roles.setdefault(name, _Role(name))

    def _role_of(self, client: Client) -> _Role[Client] | None:
        return next((role for role in self._roles.values() if client in role.clients), None)

    def _notify(self, role: _Role[Client], clients: Iterable[Client]) -> Notifications[Client]:
        return [(client, self._notification(role, client)) for client in clients]

    def _notification(self, role: _Role[Client], client: Client) -> p4r.MasterArbitrationUpdate:
        if role.primary is None:
            status = _status(StatusCode.NOT_FOUND, "there is no primary")
        elif role.primary == client:
            status = _status(StatusCode.OK, "you are the primary")
        else:
            status = _status(StatusCode.ALREADY_EXISTS, "you are a backup")
        message = p4r.MasterArbitrationUpdate(device_id=self._device_id, status=status)
        if role.name:
            message.role.name = role.name
        if role.config is not None:
            message.role.config.CopyFrom(role.config)
        if role.highest_election_id is not None:
            message.election_id.CopyFrom(_uint128(role.highest_election_id))
        return message


def _access(role: p4r.Role) -> Access:
    if role.id:
        raise invalid(f"role.id {role.id} is deprecated; name the role in role.name")
    if not role.HasField("config"):
        return FULL_ACCESS
    if not role.name:
        raise invalid("role.config is set for the default role, which has full access; name the role in role.name")
    return decode(role.config)


def _election_id(message: p4r.MasterArbitrationUpdate) -> int | None:
    return from_uint128(message.election_id) if message.HasField("election_id") else None


def from_uint128(value: p4r.Uint128) -> int:
    return value.high << 64 | value.low


def _uint128(value: int) -> p4r.Uint128:
    return p4r.Uint128(high=value >> 64, low=value & (1 << 64) - 1)


def _status(code: StatusCode, message: str) -> rpc_status.Status:
    return rpc_status.Status(code=code.value[0], message=message)
