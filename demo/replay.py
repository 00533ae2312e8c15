# SPDX-License-Identifier: Apache-2.0
"""The demo without hosts: frames from a pcap through the same program and the same configuration."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from finsy import MACAddress
from rich.console import Console

from headgate.config import NicConfig, load_config
from headgate.protocols.ethernet import BROADCAST, EtherType, Frame
from softnic.pcap import PcapWriter

BIN = Path(sys.executable).parent
COMPILED = Path(__file__).parents[1] / "p4src/compiled"
PAYLOAD = bytes(46)
EXPERIMENTAL = 0x88B5  # IEEE Std 802 local experimental EtherType 1


def replay(config_path: Path, console: Console) -> None:
    """Replay three frames of vm1 and a spoofed one of vm2; explain the last."""
    config = load_config(config_path, NicConfig)
    with tempfile.TemporaryDirectory() as folder:
        entries = Path(folder) / "entries.txtpb"
        with entries.open("w") as stream:
            subprocess.run([f"{BIN}/headgate", "entries", "-c", config_path], check=True, stdout=stream)
        ports = []
        sent = {port.name: list(frames(config, port.name)) for port in config.ports}
        for port in config.ports:
            received, left = (f"{folder}/{port.name}-{way}.pcap" for way in ("in", "out"))
            ports.append(f"--port={port.port}={received},{left}")
            with open(received, "wb") as stream:
                pcap = PcapWriter(stream)
                for frame in sent[port.name]:
                    pcap.write(0, frame)
        common = [f"{COMPILED}/nic.json", f"--p4info={COMPILED}/nic.p4info.txtpb", f"--entries={entries}"]
        console.print("vm1 sends to vm2, to everyone and to the wire; vm2 sends a frame with vm1's address")
        subprocess.run([f"{BIN}/softnic", "replay", *common, *ports], check=True)
        console.print("what the program did with vm2's frame, table by table:")
        port = config.port_number("vm2")
        packet = f"--packet={sent['vm2'][0].hex()}"
        subprocess.run([f"{BIN}/softnic", "explain", *common, f"--port={port}", packet], check=True)


def frames(config: NicConfig, port: str) -> Iterator[bytes]:
    vm1, vm2 = (MACAddress(config.vnics_by_name[name].mac) for name in ("vm1", "vm2"))
    if port == "vm1":
        for dst in (vm2, BROADCAST, MACAddress("02:00:00:00:99:99")):
            yield Frame(dst, vm1, EXPERIMENTAL, PAYLOAD).pack()
    elif port == "vm2":
        yield Frame(BROADCAST, vm1, EtherType.ARP, PAYLOAD).pack()
