# SPDX-License-Identifier: Apache-2.0
"""Multicast groups and mirroring sessions as simple_switch_CLI builds them, from nodes, told to an engine.

An engine knows groups and sessions only by the copies they make; here is what those copies come from, so that a node
may change after it was associated and a session may name a group that is filled later.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from softnic.engine import CloneSession, Engine, Replica

from . import statements as stf
from .names import ResolveError


@dataclass(frozen=True, slots=True)
class Node:
    """Copies numbered `instance`, one for each port."""

    instance: int
    ports: tuple[int, ...]

    def replicas(self) -> tuple[Replica, ...]:
        # BMv2 keeps the ports of a node as a bitmap: each once, the lowest first.
        return tuple(Replica(port, self.instance) for port in sorted(set(self.ports)))


@dataclass(slots=True)
class Replication:
    """The nodes, groups and sessions of one test."""

    engine: Engine
    nodes: list[Node] = field(default_factory=list)
    groups: dict[int, list[int]] = field(default_factory=dict)
    """The handles of a group's nodes; a handle is an index into `nodes`."""
    mirrored_groups: dict[int, int] = field(default_factory=dict)
    mirrored_ports: dict[int, int] = field(default_factory=dict)

    def execute(self, statement: stf.ReplicationStatement) -> str | None:
        """What it read, for people. Raises: ResolveError (no such node, group or session, or there already)."""
        match statement:
            case stf.GroupCreate(group=group):
                self._create_group(group)
            case stf.NodeCreate(instance=instance, ports=ports):
                self.nodes.append(Node(instance, ports))
            case stf.NodeUpdate(handle=handle, ports=ports):
                self._update_node(handle, ports)
            case stf.NodeAssociate(group=group, handle=handle):
                self._associate(group, handle)
            case stf.MirrorToPort(session=session, port=port):
                self._mirror_to_port(session, port)
            case stf.MirrorToGroup(session=session, group=group):
                self._mirror_to_group(session, group)
            case stf.MirrorDelete(session=session):
                self._delete_session(session)
            case stf.MirrorGet(session=session):
                return f"mirroring session {session} goes {self._describe_session(session)}"
        return None

    def _create_group(self, group: int) -> None:
        if group in self.groups:
            raise ResolveError(f"multicast group {group} is there already")
        self.groups[group] = []
        self._tell(group)

    def _update_node(self, handle: int, ports: tuple[int, ...]) -> None:
        self._check_node(handle)
        self.nodes[handle] = Node(self.nodes[handle].instance, ports)
        for group, handles in self.groups.items():
            if handle in handles:
                self._tell(group)

    def _associate(self, group: int, handle: int) -> None:
        self._check_node(handle)
        if group not in self.groups:
            raise ResolveError(f"there is no multicast group {group}; make it first: mc_mgrp_create {group}")
        if any(handle in handles for handles in self.groups.values()):
            raise ResolveError(f"node {handle} is in a group already")
        self.groups[group].append(handle)
        self._tell(group)

    def _mirror_to_port(self, session: int, port: int) -> None:
        self.mirrored_groups.pop(session, None)
        self.mirrored_ports[session] = port
        self.engine.set_clone_session(session, CloneSession((Replica(port, 0),)))

    def _mirror_to_group(self, session: int, group: int) -> None:
        self.mirrored_ports.pop(session, None)
        self.mirrored_groups[session] = group
        self.engine.set_clone_session(session, CloneSession(self._replicas(group)))

    def _delete_session(self, session: int) -> None:
        self._describe_session(session)
        self.mirrored_ports.pop(session, None)
        self.mirrored_groups.pop(session, None)
        self.engine.set_clone_session(session, None)

    def _describe_session(self, session: int) -> str:
        """What a session does, for people."""
        if session in self.mirrored_ports:
            return f"to port {self.mirrored_ports[session]}"
        if session in self.mirrored_groups:
            return f"to multicast group {self.mirrored_groups[session]}"
        raise ResolveError(f"there is no mirroring session {session}")

    def _tell(self, group: int) -> None:
        replicas = self._replicas(group)
        self.engine.set_multicast_group(group, replicas)
        for session, mirrored in self.mirrored_groups.items():
            if mirrored == group:
                self.engine.set_clone_session(session, CloneSession(replicas))

    def _replicas(self, group: int) -> tuple[Replica, ...]:
        return tuple(replica for handle in self.groups.get(group, ()) for replica in self.nodes[handle].replicas())

    def _check_node(self, handle: int) -> None:
        if handle >= len(self.nodes):
            raise ResolveError(f"there is no node {handle}; {len(self.nodes)} were made, numbered from 0")
