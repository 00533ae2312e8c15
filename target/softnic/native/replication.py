# SPDX-License-Identifier: Apache-2.0
"""Multicast groups and clone sessions. The runtime has the replicas to make now; backups stay here, in Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from softnic.engine import CloneSession, Replica

from .handle import Handle


class Replication:
    """What the packet replication engine of one program is set to."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._groups: dict[int, tuple[Replica, ...]] = {}
        self._sessions: dict[int, CloneSession] = {}
        """Those with backups."""
        self._ports_down: set[int] = set()

    def set_multicast_group(self, group_id: int, replicas: tuple[Replica, ...]) -> None:
        """Replaces the group; no replicas: removes it."""
        if _have_backups(replicas):
            self._groups[group_id] = replicas
        else:
            self._groups.pop(group_id, None)
        self._install_group(group_id, replicas)

    def set_clone_session(self, session_id: int, session: CloneSession | None) -> None:
        """Replaces the session; None: removes it."""
        if session and _have_backups(session.replicas):
            self._sessions[session_id] = session
        else:
            self._sessions.pop(session_id, None)
        self._install_session(session_id, session or CloneSession(()))

    def set_port_up(self, port: int, up: bool) -> None:
        """Backups take over from, or give way to, the replicas on that port."""
        if up:
            self._ports_down.discard(port)
        else:
            self._ports_down.add(port)
        for group_id, replicas in self._groups.items():
            self._install_group(group_id, replicas)
        for session_id, session in self._sessions.items():
            self._install_session(session_id, session)

    def _install_group(self, group_id: int, replicas: Sequence[Replica]) -> None:
        handle = self._handle
        live = self._live(replicas)
        handle.check(handle.lib.snic_set_multicast_group(handle.engine, group_id, live, len(live)))

    def _install_session(self, session_id: int, session: CloneSession) -> None:
        handle = self._handle
        live = self._live(session.replicas)
        handle.check(
            handle.lib.snic_set_clone_session(
                handle.engine, session_id, live, len(live), session.packet_length_bytes, session.class_of_service
            )
        )

    def _live(self, replicas: Sequence[Replica]) -> Any:
        """The replicas to make now, as an argument of the runtime's."""
        live = [replica.live(self._ports_down) for replica in replicas]
        return self._handle.ffi.new("struct snic_replica[]", [(replica.port, replica.instance) for replica in live])


def _have_backups(replicas: Sequence[Replica]) -> bool:
    return any(replica.backups for replica in replicas)
