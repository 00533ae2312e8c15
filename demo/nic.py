# SPDX-License-Identifier: Apache-2.0
"""`make demo`: a SmartNIC between Linux hosts.

    vm1 ------+                       +------ outside, on the wire
    vm2 ------+  softnic running nic  |
    router ===+                       +------ the host itself
    (a local and a forwarding ring on each of its two VNICs)

Real traffic by the kernel's own stacks: a ping between VMs, a download over HTTP that the router VM passes on through
its forwarding rings, and a frame with somebody else's address, which the NIC refuses. Where no namespaces are to be
had, the same program is shown frames from a pcap.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from lab import Host, LabError, enter
from replay import replay
from screen import console, headgate, say, show, start_softnic

from headgate.config import NicConfig, load_config
from headgate.config.nic import Ring, Vnic

HERE = Path(__file__).parent
CONFIG = HERE / "nic.yaml"
VNICS = {"host": ["host"], "vm1": ["vm1"], "vm2": ["vm2"], "router": ["router-lan", "router-wan"]}
"""Host -> its VNICs in the configuration."""
DOWNLOAD_BYTES = 2_000_000
OUTSIDE_MAC = "02:00:00:00:20:99"
OUTSIDE = ("203.0.113.99", "2001:db8:20::99")

SPOOF = """
import socket, sys
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("eth0", 0))
sock.send(bytes.fromhex("ffffffffffff" + sys.argv[1] + "0806") + bytes(46))
"""


def main() -> None:
    try:
        enter()
    except LabError as error:
        console.print(f"[yellow]No hosts to connect here: {error}.[/] The same program, then, on frames from a pcap.")
        replay(CONFIG, console)
    else:
        connect_hosts(load_config(CONFIG, NicConfig))


def connect_hosts(config: NicConfig) -> None:
    with ExitStack() as stack:
        hosts = cable(config)
        say(f"a SmartNIC with {len(config.ports)} ports: the wire, the host, two VMs, and a router VM with four rings")
        start_softnic({port.port: nic_interface(port.name) for port in config.ports}, stack)
        headgate(CONFIG, "apply")
        bring_up(hosts, config)
        ping(hosts)
        download(hosts, stack)
        spoof(hosts, config)
        say("which port, MAC address and ring got what")
        headgate(CONFIG, "counters")
        say("what was dropped, and whether the sums agree")
        headgate(CONFIG, "drops")
    say("done: the hosts, their cables and the NIC are gone")


def cable(config: NicConfig) -> dict[str, Host]:
    """Every host with an interface for each ring of its VNICs, and one host on the wire; nothing is up yet."""
    hosts = {name: Host.create(name) for name in (*VNICS, "outside")}
    for name, vnics in VNICS.items():
        rings = [(config.vnics_by_name[vnic], ring) for vnic in vnics for ring in rings_of(config.vnics_by_name[vnic])]
        for index, (vnic, ring) in enumerate(rings):
            hosts[name].plug(f"eth{index}", nic_interface(ring.port), vnic.mac)
    hosts["outside"].plug("eth0", nic_interface("wan"), OUTSIDE_MAC)
    return hosts


def bring_up(hosts: dict[str, Host], config: NicConfig) -> None:
    """Interfaces, addresses and routes; each VNIC's addresses are on its first local ring."""
    make_router(hosts["router"])
    for name, vnics in VNICS.items():
        index = 0
        for vnic in (config.vnics_by_name[vnic] for vnic in vnics):
            hosts[name].address(f"eth{index}", *(str(address.address) for address in vnic.addresses))
            index += len(rings_of(vnic))
        for number in range(index):
            hosts[name].sh(f"ip link set eth{number} up")
    outside = hosts["outside"]
    outside.address("eth0", f"{OUTSIDE[0]}/24", f"{OUTSIDE[1]}/64")
    outside.sh("ip link set eth0 up")
    outside.sh("ip route add 10.0.10.0/24 via 203.0.113.254")
    outside.sh("ip -6 route add 2001:db8:10::/64 via 2001:db8:20::fe")
    for name in ("vm1", "vm2"):
        hosts[name].sh("ip route add default via 10.0.10.254")
        hosts[name].sh("ip -6 route add default via 2001:db8:10::fe")


def rings_of(vnic: Vnic) -> list[Ring]:
    return [*vnic.rings.local, *vnic.rings.forwarding]


def nic_interface(port: str) -> str:
    return f"nic-{port}"


def make_router(router: Host) -> None:
    router.set("ipv4/ip_forward", 1)
    router.set("ipv6/conf/all/forwarding", 1)
    # What arrives by a forwarding ring's interface would be answered by another one.
    for interface in ("all", "eth0", "eth1", "eth2", "eth3"):
        router.set(f"ipv4/conf/{interface}/rp_filter", 0)


def ping(hosts: dict[str, Host]) -> None:
    for target in ("10.0.10.12", "2001:db8:10::12"):
        say(f"vm1 pings vm2 ({target}): switched in the NIC, never on the wire")
        show(hosts["vm1"].output("ping", "-c", "3", "-i", "0.2", "-W", "2", target))


def download(hosts: dict[str, Host], stack: ExitStack) -> None:
    """vm1 fetches a file from the outside host, over IPv4 and IPv6, through the router VM's forwarding ring."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    content = os.urandom(DOWNLOAD_BYTES)
    (folder / "file").write_bytes(content)
    server = hosts["outside"].start(
        sys.executable, "-u", "-m", "http.server", "--bind", "::", "--directory", str(folder), "80"
    )
    stack.enter_context(server)
    stack.callback(server.terminate)
    assert server.stdout
    server.stdout.readline()
    fetch = "import sys, urllib.request as r, hashlib; print(hashlib.sha256(r.urlopen(sys.argv[1]).read()).hexdigest())"
    for url in (f"http://{OUTSIDE[0]}/file", f"http://[{OUTSIDE[1]}]/file"):
        say(f"vm1 downloads {url} by the router VM's forwarding rings")
        started = time.monotonic()
        digest = hosts["vm1"].output(sys.executable, "-c", fetch, url).strip()
        took_s = time.monotonic() - started
        if digest != hashlib.sha256(content).hexdigest():
            raise SystemExit(f"demo: {url} arrived damaged")
        console.print(f"{DOWNLOAD_BYTES:,} bytes, SHA-256 as sent, {took_s:.1f} s", style="dim")


def spoof(hosts: dict[str, Host], config: NicConfig) -> None:
    victim = config.vnics_by_name["vm1"].mac
    say(f"vm2 sends a frame with vm1's address {victim}")
    hosts["vm2"].output(sys.executable, "-c", SPOOF, victim.replace(":", ""))
    console.print("refused by transmit_guard: see SRC_MAC_SPOOFED below", style="dim")


if __name__ == "__main__":
    main()
