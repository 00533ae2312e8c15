# SPDX-License-Identifier: Apache-2.0
"""A frame that comes out of every port, behind all that went in before it.

That nothing more will come is known by it, and not by waiting. A VLAN of the harness's own floods what a VNIC of the
harness's own sends to all ports, so one frame in passes every queue there is on the way out.
"""

from __future__ import annotations

import itertools

from finsy import Action, Match, P4MulticastGroupEntry, P4TableEntry

from harness.ports import CPU, HOST, PACKETS, SENTINEL
from headgate.systems import Entity

VLAN_ID = 4094
GROUP_ID = 4095  # the last that simple_switch has; no VLAN is called so
VNIC_ID = 0xFFFF
MAC = "02:5e:00:00:00:01"
OUTPUTS = (*PACKETS, HOST, CPU)

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


def frame() -> tuple[bytes, bytes]:
    """A new sentinel, and the mark by which it is known.

    The mark is at its end: to the controller the first bytes of the frame look like a packet_in header, and are lost.
    """
    mark = _MARK + b"%0*d" % (_NUMBER_DIGITS, next(_numbers))
    header = b"\xff" * 6 + bytes.fromhex(MAC.replace(":", "")) + _EXPERIMENTAL_ETHER_TYPE.to_bytes(2)
    return header.ljust(_FRAME_BYTES - len(mark), b".") + mark, mark


def is_sentinel(data: bytes) -> bool:
    return _MARK in data
