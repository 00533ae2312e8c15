# SPDX-License-Identifier: Apache-2.0
"""Where frames enter and leave softnic."""

from .ethernet import EthernetPort
from .memory import MemoryPort
from .nn import NnPort
from .pcap import PcapPort
from .port import Frame, Port, PortError
from .spec import PortSpec, open_port, read_port, split_number, split_pcaps
from .tap import TapPort

__all__ = [
    "EthernetPort",
    "Frame",
    "MemoryPort",
    "NnPort",
    "PcapPort",
    "Port",
    "PortError",
    "PortSpec",
    "TapPort",
    "open_port",
    "read_port",
    "split_number",
    "split_pcaps",
]
