# SPDX-License-Identifier: Apache-2.0
"""Who may send on a port: uplinks, wired rings, the host and the controller; and where the controller's copies go."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import Action, Match, P4CloneSessionEntry, P4TableEntry

from headgate.config.nic import HOST, NicConfig, Vnic
from headgate.vocabulary import CPU_CLONE_SESSION, CPU_PORT, HOST_PORT, Transmit


def desired(config: NicConfig) -> Iterator[P4TableEntry | P4CloneSessionEntry]:
    """Entries of `port`, one for each port that something is to be received on, and the clone session of copies."""
    yield P4CloneSessionEntry(CPU_CLONE_SESSION, replicas=(CPU_PORT,))
    for port in config.ports:
        if port.role == "uplink":
            yield _admit(port.port, Action("admit_uplink"))
    for vnic in config.vnics:
        for ring in vnic.rings.local:
            if ring.port != HOST:
                yield _admit(config.port_number(ring.port), _admit_vnic(vnic, Transmit.SWITCHED))
        for ring in vnic.rings.forwarding:
            if ring.port != HOST:
                yield _admit(config.port_number(ring.port), _admit_vnic(vnic, _transmit_on_forwarding_ring(vnic)))
    yield _admit(HOST_PORT, Action("admit_host"))
    yield _admit(CPU_PORT, Action("admit_cpu"))


def _admit(port: int, action: Action) -> P4TableEntry:
    return P4TableEntry("port", match=Match(port=port), action=action)


def _admit_vnic(vnic: Vnic, transmit: Transmit) -> Action:
    return Action("admit_vnic", vnic_id=vnic.vnic_id, transmit=transmit)


def _transmit_on_forwarding_ring(vnic: Vnic) -> Transmit:
    """Frames come back on a forwarding ring as they were received, if the NIC is to route them; a guest with a stack
    that routes has given them their next hop's address already."""
    forwarding = vnic.forwarding
    on_transmit = forwarding is not None and forwarding.routed_by == "nic_on_transmit"
    return Transmit.ROUTED if on_transmit else Transmit.SWITCHED
