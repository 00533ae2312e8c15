# SPDX-License-Identifier: Apache-2.0
"""What the device holds of flows and connections, and which of it something else still needs.

An index: a key and what it takes to find out whether its entry is still wanted. It is built from the device's tables by
whoever adds what he reads there.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from headgate.handlers.gateway.keys import TENANT, endpoints, is_aggregate, reverse, untranslated_session


class FlowIndex:
    """Cached flows and aggregates, connections, and who uses which NAT endpoint.

    Args:
        mapped: The inside endpoints that have a NAT mapping; it changes as mappings come and go.
    """

    def __init__(self, mapped: Container[bytes]) -> None:
        self._mapped = mapped
        self._flows: dict[bytes, bytes] = {}  # to its epochs, which flows of one tenant share
        self._sessions: dict[bytes, bytes] = {}  # of translated flows; of others it follows from the key
        self._connections: dict[bytes, tuple[bytes, ...]] = {}  # by originators' sessions, to the cached flows
        self._users: dict[bytes, int] = {}
        self._released_ns: dict[bytes, int] = {}
        self._epochs: dict[bytes, bytes] = {}

    @property
    def flows(self) -> int:
        """How many flows and aggregates are cached."""
        return len(self._flows)

    @property
    def connections(self) -> int:
        return len(self._connections)

    # ---- flows

    def epochs_of(self, key: bytes) -> bytes | None:
        """The epochs a flow or aggregate was cached under; None if it is not."""
        return self._flows.get(key)

    def session_of(self, key: bytes) -> bytes:
        """The session of a cached flow."""
        return self._sessions.get(key) or untranslated_session(key)

    def add_flow(self, key: bytes, epochs: bytes, session: bytes | None = None) -> None:
        """A flow or an aggregate is cached, or cached anew.

        Args:
            session: Its session, where addresses are translated on the way.
        """
        known = key in self._flows
        self._flows[key] = self._epochs.setdefault(epochs, epochs)
        if known or is_aggregate(key):
            return
        if session is not None:
            self._sessions[key] = session
            self._use(session)
        connection = self.connection_of(session or untranslated_session(key))
        if connection is not None:
            self._connections[connection] += (key,)

    def remove_flow(self, key: bytes, now_ns: int) -> None:
        """A flow or an aggregate is cached no longer."""
        if self._flows.pop(key, None) is None or is_aggregate(key):
            return
        session = self.session_of(key)
        if self._sessions.pop(key, None) is not None:
            self._unuse(session, now_ns)
        connection = self.connection_of(session)
        if connection is not None:
            left = tuple(flow for flow in self._connections[connection] if flow != key)
            self._connections[connection] = left
            if not left:
                self._released_ns[connection] = now_ns

    def stale_flows(self, current: dict[bytes, bytes]) -> list[bytes]:
        """The flows and aggregates that were cached under other epochs than their tenant's."""
        return [key for key, epochs in self._flows.items() if epochs != current.get(key[TENANT])]

    def all_flows(self) -> list[bytes]:
        """The keys of all flows and aggregates."""
        return list(self._flows)

    # ---- connections

    def connection_of(self, session: bytes) -> bytes | None:
        """The connection that has this session at one of its ends, by the session of its originator."""
        if not self._connections:
            return None
        if session in self._connections:
            return session
        other = reverse(session)
        return other if other in self._connections else None

    def add_connection(self, connection: bytes) -> None:
        """The device has the sessions of a connection."""
        if connection not in self._connections:
            self._connections[connection] = ()
            self._use(connection)

    def remove_connection(self, connection: bytes) -> tuple[bytes, ...]:
        """The device has the sessions no longer. Returns: its flows that are cached."""
        flows = self._connections.pop(connection)
        self._released_ns.pop(connection, None)
        self._unuse(connection, None)
        return flows

    def flows_of(self, connection: bytes) -> tuple[bytes, ...]:
        """The cached flows of a connection."""
        return self._connections[connection]

    def all_connections(self) -> list[bytes]:
        """Every connection, by its originator's session."""
        return list(self._connections)

    # ---- use

    def saw(self, session: bytes, now_ns: int) -> None:
        """A flow is used that is not cached."""
        connection = self.connection_of(session)
        if connection is not None:
            self._released_ns[connection] = now_ns
        for endpoint in self._mapped_ends(session):
            self._released_ns[endpoint] = now_ns

    def released_ns(self, key: bytes) -> int | None:
        """When a connection, or a NAT mapping by its inside endpoint, was last in use; None if it never was, as far as
        flows tell."""
        return self._released_ns.get(key)

    def is_used(self, endpoint: bytes) -> bool:
        """Whether a cached flow or a connection needs the NAT mapping of an inside endpoint."""
        return endpoint in self._users

    def remove_mapping(self, endpoint: bytes) -> None:
        """An inside endpoint has its NAT mapping no longer."""
        self._users.pop(endpoint, None)
        self._released_ns.pop(endpoint, None)

    def _use(self, session: bytes) -> None:
        for endpoint in self._mapped_ends(session):
            self._users[endpoint] = self._users.get(endpoint, 0) + 1

    def _unuse(self, session: bytes, now_ns: int | None) -> None:
        for endpoint in self._mapped_ends(session):
            users = self._users.pop(endpoint, 1) - 1
            if users:
                self._users[endpoint] = users
            if now_ns is not None:
                self._released_ns[endpoint] = now_ns

    def _mapped_ends(self, session: bytes) -> Iterable[bytes]:
        return (endpoint for endpoint in endpoints(session) if endpoint in self._mapped)
