# SPDX-License-Identifier: Apache-2.0
"""Sentinels of `nic`: a VLAN of the harness's own floods what a VNIC of the harness's own sends to all ports, so one
frame in passes every queue there is on the way out."""

from __future__ import annotations

import itertools
from collections import Counter

from finsy import Action, Match, P4MulticastGroupEntry, P4TableEntry

from harness.nic.ports import HOST, PACKETS, SENTINEL
from harness.program import CPU_PORT, Volley
from headgate.systems import Entity
from headgate.vocabulary import Outcome

VLAN_ID = 4094
GROUP_ID = 4095  # the last that simple_switch has; no VLAN is called so
VNIC_ID = 0xFFFF
MAC = "02:5e:00:00:00:01"
OUTPUTS = (*PACKETS, HOST, CPU_PORT)

_MARK = b"headgate-sentinel-"
_NUMBER_DIGITS = 8
_FRAME_BYTES = 64
_EXPERIMENTAL_ETHER_TYPE = 0x88B5  # IEEE 802, local experimental
_numbers = itertools.count(1)


def entities() -> list[Entity]:
    """What the device has to hold for sentinels to work, beside what a test asks for."""
    return [
        P4TableEntry("port", match=Match(port=SENTINEL), action=Action("admit_vnic", vnic_id=VNIC_ID, transmit=0)),
        P4TableEntry(
            "vnic_vlan",
            match=Match(vnic_id=VNIC_ID, tag_type=0, tag_vlan_id=0),
            action=Action("set_vlan", vlan_id=VLAN_ID),
        ),
        P4TableEntry(
            "transmit_mac",
            match=Match(vnic_id=VNIC_ID, src_mac=MAC),
            action=Action("transmit_guard.allow"),
        ),
        # Instance 0 is the uplink's copy: it leaves without a ring, and is pruned for frames of an uplink only.
        P4MulticastGroupEntry(GROUP_ID, replicas=[(port, 0) for port in OUTPUTS]),
        P4TableEntry("vlan_flood", match=Match(vlan_id=VLAN_ID), action=Action("replicate", group_id=GROUP_ID)),
    ]


def volley() -> Volley:
    """One frame, replicated to every port."""
    mark = _MARK + b"%0*d" % (_NUMBER_DIGITS, next(_numbers))
    header = b"\xff" * 6 + bytes.fromhex(MAC.replace(":", "")) + _EXPERIMENTAL_ETHER_TYPE.to_bytes(2)
    frame = header.ljust(_FRAME_BYTES - len(mark), b".") + mark
    counted = Counter({Outcome.RECEIVED: 1, Outcome.REPLICATED: 1, Outcome.COPY_SENT: len(OUTPUTS)})
    return Volley([(SENTINEL, frame)], mark, frozenset(OUTPUTS), counted)


def is_sentinel(data: bytes) -> bool:
    return _MARK in data
