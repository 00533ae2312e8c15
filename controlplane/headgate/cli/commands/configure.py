# SPDX-License-Identifier: Apache-2.0
"""Commands that work from a configuration: check it, plan it, apply it, keep it."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

import typer
from finsy.proto import p4r
from google.protobuf import text_format
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from headgate import daemon
from headgate.cli.changes import changes_as_data, failures_as_data, print_plan, print_result
from headgate.cli.console import BAD_INPUT, REFUSED, err, exit_codes, fail, out, print_json, print_table
from headgate.cli.options import Address, ConfigFile, DeviceId, ElectionId, Json
from headgate.config import Config, NicConfig, load_config
from headgate.device import Device, DeviceView, Pipeline, program
from headgate.names import Names
from headgate.reconcile import Plan, Result, initial_plan, plan_for
from headgate.reconcile import apply as apply_config
from headgate.reports import count_by_table, use_of
from headgate.systems import desired


def check(config: ConfigFile, json: Json = False) -> None:
    """Check a configuration, without a device.

    \b
    headgate check -c configs/nic.yaml
    """
    with exit_codes():
        wanted = load_config(config)
    uses = [use for use in use_of(count_by_table(desired(wanted)), program(wanted.program)) if use.entries]
    if json:
        print_json({"tables": uses})
    else:
        rows = [[use.table, str(use.entries), str(use.size)] for use in uses]
        print_table("entries by table", ["table", "entries", "room for"], rows, numeric=2)
    if full := [use for use in uses if use.entries > use.size]:
        fail("\n".join(f"{use.table} has room for {use.size} entries, not {use.entries}" for use in full), BAD_INPUT)
    if not json:
        out.print(f"{config}: well-formed: {_summary(wanted)}")


def entries(config: ConfigFile) -> None:
    """Print what a configuration asks for as a P4Runtime WriteRequest in text format.

    It is what brings a device that holds nothing to the configuration, and what `softnic run`, `replay` and `explain`
    take as --entries.

    \b
    headgate entries -c configs/nic.yaml > nic.txtpb
    """
    with exit_codes():
        wanted = load_config(config)
    changes = initial_plan(wanted, program(wanted.program)).changes
    request = p4r.WriteRequest(updates=[change.update for change in changes])
    out.print(text_format.MessageToString(request), markup=False, end="")


def plan(config: ConfigFile, device: Address, device_id: DeviceId = 1, json: Json = False) -> None:
    """Show what `apply` would change.

    \b
    headgate plan -c configs/nic.yaml --device localhost:9559
    """
    with exit_codes():
        wanted = load_config(config)
        view = DeviceView(device, device_id=device_id, program=wanted.program)
        pipeline, changes = asyncio.run(_plan(view, wanted))
    if json:
        print_json({"pipeline": pipeline, **changes_as_data(changes, view.schema)})
        return
    if pipeline is not Pipeline.MATCHES:
        out.print(f"the device runs {_program(pipeline)}: `apply` pushes {wanted.program!r} first")
    print_plan(changes, view.schema, Names.of(wanted))


def apply(
    config: ConfigFile, device: Address, device_id: DeviceId = 1, election_id: ElectionId = 1, json: Json = False
) -> None:
    """Bring a device to what a configuration asks for, changing nothing else.

    \b
    headgate apply -c configs/nic.yaml --device localhost:9559
    """
    with exit_codes():
        wanted = load_config(config)
        target = Device(device, device_id=device_id, program=wanted.program, election_id=election_id)
        result = asyncio.run(_apply(target, wanted))
    if json:
        done = changes_as_data(result.plan, target.schema)
        refused = failures_as_data(result.failures, target.schema)
        print_json({"pipeline": target.pipeline_was, **done, "failures": refused})
    else:
        if target.pipeline_was is not Pipeline.MATCHES:
            out.print(f"pushed {wanted.program!r}: the device ran {_program(target.pipeline_was)}")
        print_result(result, target.schema, Names.of(wanted))
    if result.failures:
        raise typer.Exit(REFUSED)


def run(
    config: ConfigFile,
    device: Address,
    device_id: DeviceId = 1,
    election_id: ElectionId = 1,
    metrics_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Serve Prometheus metrics here.")] = None,
) -> None:
    """Apply a configuration and stay: resolve neighbors, answer for routers, follow changes of the file.

    \b
    headgate run -c configs/nic.yaml --device localhost:9559
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with exit_codes():
        wanted = load_config(config)
        target = Device(device, device_id=device_id, program=wanted.program, election_id=election_id)
        try:
            asyncio.run(daemon.run(target, wanted, config_path=config, metrics_port=metrics_port))
        except OSError as error:
            fail(f"metrics port {metrics_port} can't be served: {error.strerror}", BAD_INPUT)


async def _plan(view: DeviceView, wanted: Config) -> tuple[Pipeline, Plan]:
    async with view:
        return await view.pipeline(), await plan_for(view, wanted)


async def _apply(target: Device, wanted: Config) -> Result:
    columns = (TextColumn("applying"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        async with target:
            return await apply_config(target, wanted, show)


def _summary(config: Config) -> str:
    if isinstance(config, NicConfig):
        return f"{len(config.ports)} ports, {len(config.vlans)} VLANs, {len(config.vnics)} VNICs"
    nouns = ("interfaces", "tunnels", "routers", "tenants")
    return ", ".join(f"{len(getattr(config, noun))} {noun}" for noun in nouns)


def _program(pipeline: Pipeline) -> str:
    return "no program" if pipeline is Pipeline.NONE else "another program"
