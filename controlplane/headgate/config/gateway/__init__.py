# SPDX-License-Identifier: Apache-2.0
"""The configuration of a gateway."""

from headgate.config.gateway.checks import check
from headgate.config.gateway.config import Cache, GatewayConfig, LearningLimits, PuntLimits, Sessions
from headgate.config.gateway.firewall import INSIDE, OUTSIDE, Firewall, Rule
from headgate.config.gateway.interfaces import Interface, Underlay, UnderlayInterface, UnderlayNextHop
from headgate.config.gateway.nat import Nat, OneToOne, Pool, PortForward
from headgate.config.gateway.places import InTunnel, OnInterface, Place, place_of
from headgate.config.gateway.routers import Router, RouterNeighbor, Uplink
from headgate.config.gateway.routes import RouterRoute, TenantRoute, Via
from headgate.config.gateway.tenants import Attachment, Host, Segment, Tenant
from headgate.config.gateway.transport import PortRange
from headgate.config.gateway.tunnels import GeneveOption, Tunnel

__all__ = [
    "INSIDE",
    "OUTSIDE",
    "Attachment",
    "Cache",
    "Firewall",
    "GatewayConfig",
    "GeneveOption",
    "Host",
    "InTunnel",
    "Interface",
    "LearningLimits",
    "Nat",
    "OnInterface",
    "OneToOne",
    "Place",
    "Pool",
    "PortForward",
    "PortRange",
    "PuntLimits",
    "Router",
    "RouterNeighbor",
    "RouterRoute",
    "Rule",
    "Segment",
    "Sessions",
    "Tenant",
    "TenantRoute",
    "Tunnel",
    "Underlay",
    "UnderlayInterface",
    "UnderlayNextHop",
    "Uplink",
    "Via",
    "check",
    "place_of",
]
