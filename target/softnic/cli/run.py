# SPDX-License-Identifier: Apache-2.0
"""``softnic run``: the target as a process, until SIGTERM or SIGINT."""

from __future__ import annotations

import logging
import signal
import ssl
from collections.abc import Sequence
from dataclasses import asdict, astuple, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import grpc
import typer

from ..engines import EngineName, serving_factory
from ..inputs import InputError, read_p4info, read_writes
from ..native import open_dataplane
from ..ports import NnPort, PortError, PortSpec, open_port, read_port
from ..ports.port import PortStats
from ..server import P4RuntimeServer
from ..switch import Switch
from .console import bad_input_exits, print_counts, print_nonzero, stdout
from .options import CpuPort, Entries, Executor, P4InfoPath

DATAPLANE_KINDS = ("eth", "xdp")
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def run(
    program: Annotated[Path | None, typer.Argument(metavar="PROGRAM.json", help="what p4c-bm2-ss wrote")] = None,
    p4info: P4InfoPath = None,
    entries: Entries = None,
    port: Annotated[
        list[str],
        typer.Option(metavar="N=KIND:WHERE", help="eth:INTERFACE, xdp:INTERFACE, tap:NAME or pcap:IN,OUT"),
    ] = [],  # noqa: B006 - typer copies it
    nn: Annotated[str | None, typer.Option(metavar="ADDRESS", help="all other ports, over PTF's nn socket")] = None,
    grpc_addr: Annotated[str, typer.Option(metavar="HOST:PORT", help="where to serve P4Runtime")] = "127.0.0.1:9559",
    device_id: Annotated[int, typer.Option(min=1, help="P4Runtime device id")] = 1,
    cpu_port: CpuPort = 510,
    engine: Executor = EngineName.NATIVE,
    workers: Annotated[int, typer.Option(min=1, max=15, help="threads that serve eth and xdp ports")] = 1,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="the server's certificate chain, PEM")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="the server's private key, PEM")] = None,
    tls_ca: Annotated[Path | None, typer.Option(metavar="FILE", help="demand client certificates of this CA")] = None,
    log_level: Annotated[LogLevel, typer.Option(help="what is told on stderr")] = LogLevel.WARNING,
) -> None:
    """Run a program on real ports and serve P4Runtime, until SIGTERM or Ctrl-C.

    Without PROGRAM.json the switch waits for a controller to set the pipeline.

    \b
    softnic run nic.json --p4info nic.p4info.txtpb --port 0=eth:veth0 --port 1=tap:tap0
    softnic run --nn ipc:///tmp/softnic.ipc --grpc-addr 127.0.0.1:9559
    """
    logging.basicConfig(level=log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    # Blocked here, and so in every thread: the signal waits until there is something to stop cleanly.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    with bad_input_exits():
        if engine is EngineName.REFERENCE and workers > 1:
            raise InputError("the reference engine has one worker; use --engine native, or --workers 1")
        switch = Switch(cpu_port=cpu_port, engine_factory=serving_factory(engine, cpu_port))
        credentials = server_credentials(tls_cert, tls_key, tls_ca)
        server = P4RuntimeServer(switch, address=grpc_addr, device_id=device_id, credentials=credentials)
        attach_ports(switch, [read_port(text) for text in port], nn, engine, workers)
        if program:
            server.load_initial(program.read_bytes(), read_p4info(p4info) if p4info else None)
        if entries:
            if not (program and p4info):
                raise InputError("--entries needs PROGRAM.json and its --p4info")
            server.write_initial(read_writes(entries))
        bound_port = server.start()
        switch.start()
    # With port 0 the system chose one.
    address = grpc_addr if grpc_addr.startswith("unix:") else f"{grpc_addr.rpartition(':')[0]}:{bound_port}"
    try:
        announce(program, port, nn, address, device_id)
        signal.sigwait(STOP_SIGNALS)
    finally:  # also if nobody reads what is announced
        server.stop()
        switch.stop()
    print_stats(switch, server)


def attach_ports(switch: Switch, specs: Sequence[PortSpec], nn: str | None, engine: EngineName, workers: int) -> None:
    """Open all ports, those on Linux interfaces in a dataplane where there can be one. Raises: PortError."""
    wanted = engine is EngineName.NATIVE and any(spec.kind in DATAPLANE_KINDS for spec in specs)
    dataplane = open_dataplane(workers) if wanted else None
    try:
        for spec in specs:
            if dataplane and spec.kind in DATAPLANE_KINDS:
                dataplane.add(spec.number, spec.where, spec.kind)
            else:
                switch.add_port(open_port(spec))
        if nn:
            switch.add_port(NnPort(nn))
        if dataplane:
            switch.add_dataplane(dataplane)
    except ValueError as error:
        raise PortError(f"{error}; give each port a number of its own") from error


def server_credentials(cert: Path | None, key: Path | None, ca: Path | None) -> grpc.ServerCredentials | None:
    """None: no TLS. Raises: InputError (half of what TLS needs, or not a pair), OSError."""
    if not (cert or key or ca):
        return None
    if not (cert and key):
        raise InputError("TLS needs both --tls-cert and --tls-key")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            cert, key, password=""
        )  # gRPC would not say what is wrong
    except ssl.SSLError as error:
        raise InputError(f"{cert} and {key} are not a certificate in PEM and its key: {error}") from error
    return grpc.ssl_server_credentials(
        [(key.read_bytes(), cert.read_bytes())],
        root_certificates=ca.read_bytes() if ca else None,
        require_client_auth=ca is not None,
    )


def announce(program: Path | None, specs: list[str], nn: str | None, address: str, device_id: int) -> None:
    """The one line that says the target is ready, for people and for scripts that wait for it."""
    running = program.name if program else "no program yet"
    ports = [*specs, *([f"all others on {nn}"] if nn else [])]
    stdout.print(
        f"softnic ready: {running}; P4Runtime on {address}, device {device_id}; ports: {', '.join(ports) or 'none'}",
        markup=False,
    )
    stdout.file.flush()


def print_stats(switch: Switch, server: P4RuntimeServer) -> None:
    """What passed and what was lost: by port, and beside the ports where there was any."""
    columns = ["port", *(field.name.replace("_", " ") for field in fields(PortStats))]
    rows = [(number, *astuple(stats)) for number, stats in switch.port_stats().items()]
    print_counts("frames by port", columns, rows)
    print_nonzero("beside the ports", asdict(switch.stats()))
    print_nonzero("P4Runtime", asdict(server.stats))
    print_nonzero("anomalies", switch.anomalies())
