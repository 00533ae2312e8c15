# SPDX-License-Identifier: Apache-2.0
"""Multicast groups and clone sessions. The runtime has the replicas to make now; backups stay here, in Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from softnic.engine import CloneSession, Replica

from .handle import Handle


class Replication:
    """What the packet replication engine of one program is set to."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._with_backups: dict[int, tuple[Replica, ...]] = {}
        self._ports_down: set[int] = set()

    def set_multicast_group(self, group_id: int, replicas: tuple[Replica, ...]) -> None:
        """Replaces the group; no replicas: removes it."""
        if any(replica.backups for replica in replicas):
            self._with_backups[group_id] = replicas
        else:
            self._with_backups.pop(group_id, None)
        self._install(group_id, replicas)

    def set_clone_session(self, session_id: int, session: CloneSession | None) -> None:
        """Replaces the session; None: removes it."""
        lib, engine = self._handle.lib, self._handle.engine
        chosen = session or CloneSession(())
        replicas = self._replicas(chosen.replicas)
        self._handle.check(
            lib.snic_set_clone_session(
                engine,
                session_id,
                replicas,
                len(chosen.replicas),
                chosen.packet_length_bytes,
                chosen.class_of_service,
            )
        )

    def set_port_up(self, port: int, up: bool) -> None:
        """Backups take over from, or give way to, the replicas on that port."""
        if up:
            self._ports_down.discard(port)
        else:
            self._ports_down.add(port)
        for group_id, replicas in self._with_backups.items():
            self._install(group_id, replicas)

    def _install(self, group_id: int, replicas: tuple[Replica, ...]) -> None:
        live = [replica.live(self._ports_down) for replica in replicas]
        status = self._handle.lib.snic_set_multicast_group(
            self._handle.engine, group_id, self._replicas(live), len(live)
        )
        self._handle.check(status)

    def _replicas(self, replicas: Iterable[Replica]) -> Any:
        return self._handle.ffi.new("struct snic_replica[]", [(r.port, r.instance) for r in replicas])
