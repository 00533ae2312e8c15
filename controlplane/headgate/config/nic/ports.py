# SPDX-License-Identifier: Apache-2.0
"""Ports, and the VLANs that reach them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from headgate.config.scalars import Model, Name, PortNumber, VlanId


class Port(Model):
    """A port of the device: an uplink, or wired to one ring of one VNIC."""

    name: Name
    port: PortNumber
    role: Literal["uplink", "ring"]


class WireTag(Model):
    """How frames of a VLAN look on its uplink. Without an EtherType they are untagged."""

    ether_type: Literal["802.1q", "802.1ad"] | None
    vlan_id: VlanId | None = None
    """On the wire; by default the VLAN's own."""


def _spell_out(value: object) -> object:
    if value == "untagged":
        return {"ether_type": None}
    if value == "tagged":
        return {"ether_type": "802.1q"}
    return value


class Vlan(Model):
    """A VLAN of the NIC: a broadcast domain of VNICs, with an uplink or private to the host."""

    vlan_id: VlanId
    uplink: Name | None = None
    tag: Annotated[WireTag, BeforeValidator(_spell_out)] = WireTag(ether_type="802.1q")

    @property
    def wire_vlan_id(self) -> int:
        """The VLAN id in the uplink's tag, 0 when untagged."""
        if self.tag.ether_type is None:
            return 0
        return self.tag.vlan_id or self.vlan_id
