# SPDX-License-Identifier: Apache-2.0
"""Commands for a gateway's flow cache: see it, count it, empty it, and ask what it would do with a packet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from headgate.cli.console import BAD_INPUT, REFUSED, UNREACHABLE, exit_codes, fail, out, print_json, print_table
from headgate.cli.options import Address, DeviceId, ElectionId, Json, NamesFrom
from headgate.config import load_config
from headgate.device import Device, DeviceView
from headgate.names import Names
from headgate.reports.flow_cache import CachedFlow, TenantCache, cached_flows, flush, tenant_caches
from headgate.reports.packet_trace import PacketTrace, trace_packet
from softnic.inputs import InputError
from softnic.pcap import PcapError, read_pcap
from softnic.snapshot import SnapshotError

PROGRAM = "gateway"

_T = TypeVar("_T")

app = typer.Typer(
    help="See and empty a gateway's flow cache, and ask what it would do with a packet.", no_args_is_help=True
)

Tenant = Annotated[str | None, typer.Option(metavar="TENANT", help="Only this one's: its id or, with -c, its name.")]


@app.command()
def show(
    device: Address,
    config: NamesFrom = None,
    tenant: Tenant = None,
    limit: Annotated[int, typer.Option(min=1, help="How many entries, the most used ones first.")] = 50,
    device_id: DeviceId = 1,
    json: Json = False,
) -> None:
    """List cached flows and aggregates with what they say.

    \b
    headgate cache show --device localhost:9559
    headgate cache show --device localhost:9559 -c configs/gateway.yaml --tenant red --limit 10
    """
    names = _names(config)
    wanted = _tenant_id(tenant, names)
    flows = _read(DeviceView(device, device_id=device_id, program=PROGRAM), lambda view: cached_flows(view, wanted))
    if json:
        print_json({"entries": len(flows), "flows": flows[:limit]})
        return
    columns = ["tenant", "from", "protocol", "source", "destination", "result", "packets", "bytes"]
    print_table("flow cache", columns, [_flow(flow, names) for flow in flows[:limit]], numeric=2)
    if len(flows) > limit:
        out.print(f"{len(flows) - limit} more: --limit {len(flows)} shows them", markup=False)


@app.command()
def stats(device: Address, config: NamesFrom = None, device_id: DeviceId = 1, json: Json = False) -> None:
    """Show each tenant's hits and misses, and how much of the cache it has.

    \b
    headgate cache stats --device localhost:9559 -c configs/gateway.yaml
    """
    names = _names(config)
    tenants = _read(DeviceView(device, device_id=device_id, program=PROGRAM), tenant_caches)
    if json:
        print_json({"tenants": [{**_plain(item), "hit_rate": item.hit_rate} for item in tenants]})
        return
    columns = ["tenant", "hit rate", "hits", "aggregate", "stale", "missed", "bypassed"]
    columns += ["not learned", "flows", "aggregates", "swept soon"]
    print_table("flow cache by tenant", columns, [_tenant(item, names) for item in tenants], numeric=10)


@app.command("flush")
def flush_command(
    device: Address,
    config: NamesFrom = None,
    tenant: Tenant = None,
    device_id: DeviceId = 1,
    election_id: ElectionId = 1,
    json: Json = False,
) -> None:
    """Empty the flow cache; the next packet of each flow takes the slow path. Connections and NAT mappings stay.

    Only the controller in charge may: where `headgate run` serves the device, stop it first.

    \b
    headgate cache flush --device localhost:9559
    headgate cache flush --device localhost:9559 --tenant 7
    """
    wanted = _tenant_id(tenant, _names(config))
    target = Device(device, device_id=device_id, program=PROGRAM, election_id=election_id)
    count, failures = _read(target, lambda opened: flush(opened, wanted))
    if json:
        print_json({"deleted": count - len(failures), "refused": len(failures)})
    else:
        out.print(f"{count - len(failures)} deleted" + (f", {len(failures)} refused" if failures else ""))
    if failures:
        fail(f"{failures[0].code.name}: {failures[0].message}", REFUSED)


@app.command()
def trace(
    packet: Annotated[str, typer.Argument(metavar="PACKET", help="Hexadecimal digits, or a capture's file name.")],
    device: Address,
    port: Annotated[int, typer.Option(min=0, max=510, help="Where it comes in.")],
    index: Annotated[int, typer.Option(min=0, help="Which packet of the capture, from 0.")] = 0,
    device_id: DeviceId = 1,
    json: Json = False,
) -> None:
    """Say what cache and stages would do with a packet, and by which entries. The device does not notice.

    \b
    headgate cache trace --device localhost:9559 --port 4 --index 3 client.pcap
    headgate cache trace --device localhost:9559 --port 4 '020000000001 0200000000aa 0800 4500001c...'
    """
    data = _packet(packet, index)
    try:
        report = trace_packet(device, device_id, port, data)
    except SnapshotError as error:
        fail(str(error), UNREACHABLE)
    except InputError as error:
        fail(str(error), REFUSED)
    if json:
        cache = None if report.cache is None else report.cache.name
        print_json({**_plain(report), "cache": cache, "outputs": _outputs(report)})
    else:
        _print_trace(report)


def _print_trace(report: PacketTrace) -> None:
    for step in report.steps:
        out.print(step, markup=False)
    looked_up = report.cache.name.lower().replace("_", " ") if report.cache is not None else "not asked"
    out.print(f"flow cache: {looked_up}", markup=False)
    if report.drop_reason is not None:
        out.print(f"dropped: {report.drop_reason.name}", markup=False)


def _packet(text: str, index: int) -> bytes:
    """What PACKET stands for."""
    path = Path(text)
    try:
        if path.is_file():
            with path.open("rb") as stream:
                for number, record in enumerate(read_pcap(stream)):
                    if number == index:
                        return record.data
            fail(f"{path}: there is no packet {index}; the first is 0", BAD_INPUT)
        return bytes.fromhex(text.replace(":", " "))
    except (PcapError, OSError) as error:
        fail(f"{path}: {error}", BAD_INPUT)
    except ValueError:
        fail(f"{text!r} is neither a file nor a row of bytes, two hexadecimal digits each", BAD_INPUT)


def _names(config: Path | None) -> Names:
    if config is None:
        return Names()
    with exit_codes():
        return Names.of(load_config(config))


def _tenant_id(tenant: str | None, names: Names) -> int | None:
    if tenant is None:
        return None
    if tenant.isdecimal():
        return int(tenant)
    known = {name: number for number, name in names.fields.get("tenant_id", {}).items()}
    if tenant not in known:
        fail(f"there is no tenant {tenant!r}: give its id, or the configuration that names it with -c", BAD_INPUT)
    return known[tenant]


_View = TypeVar("_View", bound=DeviceView)


def _read(view: _View, read: Callable[[_View], Awaitable[_T]]) -> _T:
    async def opened() -> _T:
        async with view:
            return await read(view)

    with exit_codes():
        return asyncio.run(opened())


def _flow(flow: CachedFlow, names: Names) -> list[str]:
    beside = {"tenant_id": flow.tenant_id}
    return [
        names.show("tenant_id", flow.tenant_id, beside),
        names.show("segment_id", flow.segment_id, beside),
        _any(flow.protocol),
        _end(flow.src_addr, flow.src_port),
        _end(flow.dst_addr, flow.dst_port),
        _result(flow, names) + ("" if flow.current else " (stale)"),
        str(flow.count.packets),
        str(flow.count.bytes),
    ]


def _result(flow: CachedFlow, names: Names) -> str:
    if flow.reason is not None:
        return f"refuse {flow.reason}"
    hop = names.show("next_hop_id", flow.next_hop_id or 0, {"tenant_id": flow.tenant_id})
    if flow.becomes is None:
        return f"forward to {hop}"
    src, dst = flow.becomes
    return f"as {src} > {dst} to {hop}"


def _tenant(item: TenantCache, names: Names) -> list[str]:
    rate = "" if item.hit_rate is None else f"{item.hit_rate:.1%}"
    numbers = (*item.outcomes.values(), item.policed, item.flows, item.aggregates, item.stale)
    return [names.show("tenant_id", item.tenant_id, {}), rate, *map(str, numbers)]


def _end(address: str | None, port: int | None) -> str:
    if address is None and port is None:
        return "*"
    return f"[{address}]:{_any(port)}" if address is not None and ":" in address else f"{_any(address)}:{_any(port)}"


def _any(value: object) -> str:
    return "*" if value is None else str(value)


def _plain(report: TenantCache | PacketTrace) -> dict[str, object]:
    return {name: getattr(report, name) for name in report.__slots__}


def _outputs(report: PacketTrace) -> list[dict[str, object]]:
    return [{"port": output.port, "data": output.data.hex()} for output in report.outputs]
