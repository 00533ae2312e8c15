# SPDX-License-Identifier: Apache-2.0
"""The device: which pipeline runs on the switch, which one is saved for later, and how one gives way to the next.

Nothing here is gRPC. Callers serialise all calls (`P4RuntimeServer` holds its control lock).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from finsy.proto import p4i, p4r

from softnic import ir
from softnic.engine import Digest, Engine
from softnic.frontend import ProgramError, load_program
from softnic.gnmi import Ports

from . import agreement, schema
from .errors import P4RuntimeError, failed_precondition, invalid, not_found
from .pipeline import Pipeline
from .reconcile import carry_over
from .schema import Schema, SchemaError

logger = logging.getLogger("softnic.server")

Action = p4r.SetForwardingPipelineConfigRequest.Action
ResponseType = p4r.GetForwardingPipelineConfigRequest.ResponseType


class Switch(Ports, Protocol):
    """What the server needs of `softnic.switch.Switch`."""

    lock: threading.RLock
    engine: Engine | None
    on_packet_in: Callable[[bytes], None] | None
    on_digest: Callable[[Digest], None] | None

    def build(self, program: ir.Program) -> Engine: ...
    def install(self, engine: Engine) -> None: ...
    def packet_out(self, data: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Verified:
    config: p4r.ForwardingPipelineConfig
    program: ir.Program
    schema: Schema


@dataclass(frozen=True, slots=True)
class _Configured:
    verified: _Verified
    pipeline: Pipeline


def open_pipeline(
    p4info: p4i.P4Info, program: ir.Program, engine: Engine, lock: threading.RLock | None = None
) -> Pipeline:
    """A pipeline to write entities to, around an engine that runs `program`; `lock` is the switch's, if there is one.

    Raises:
        SchemaError: `p4info` is not that of `program`.
    """
    index = schema.build(p4info)
    agreement.check(index, program)
    return Pipeline(index, engine, lock or threading.RLock())


class Device:
    """One switch and the pipelines that P4Runtime clients set."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._running: _Configured | None = None
        self._saved: _Configured | None = None

    @property
    def running(self) -> Pipeline | None:
        """Where packets go; None before the first commit."""
        return self._running and self._running.pipeline

    @property
    def target(self) -> Pipeline:
        """Where reads and writes go: the saved pipeline while there is one, else the running one (specification 14).

        Raises:
            P4RuntimeError: FAILED_PRECONDITION, before the first pipeline.
        """
        configured = self._saved or self._running
        if configured is None:
            raise failed_precondition("no forwarding pipeline config is set; set one first")
        return configured.pipeline

    def load_without_p4info(self, program_json: bytes) -> None:
        """Let the switch forward by a program that no client can reach. Raises: INVALID_ARGUMENT."""
        self._switch.install(self._switch.build(_load_program(program_json)))
        self._running = self._saved = None

    def get_config(self, response_type: ResponseType.ValueType) -> p4r.ForwardingPipelineConfig | None:
        """The config of `target`, or the part of it that is asked for; None before the first pipeline."""
        if response_type not in ResponseType.values():
            raise invalid(f"response_type {response_type} is not one that P4Runtime has")
        configured = self._saved or self._running
        if configured is None:
            return None
        config = p4r.ForwardingPipelineConfig()
        config.CopyFrom(configured.verified.config)
        if response_type in (ResponseType.COOKIE_ONLY, ResponseType.DEVICE_CONFIG_AND_COOKIE):
            config.ClearField("p4info")
        if response_type in (ResponseType.COOKIE_ONLY, ResponseType.P4INFO_AND_COOKIE):
            config.ClearField("p4_device_config")
        return config

    def set_config(self, action: Action.ValueType, config: p4r.ForwardingPipelineConfig | None) -> None:
        """Do what `action` says with `config` (specification 14).

        Raises:
            P4RuntimeError: the running pipeline and its state are as before.
        """
        match action:
            case Action.VERIFY:
                _verify(config)
            case Action.VERIFY_AND_SAVE:
                self._saved = self._build(_verify(config))
            case Action.VERIFY_AND_COMMIT:
                self._commit(self._build(_verify(config)))
            case Action.RECONCILE_AND_COMMIT:
                self._reconcile_and_commit(self._build(_verify(config)))
            case Action.COMMIT:
                if config is not None:
                    raise invalid("COMMIT takes no config; it commits the one saved by VERIFY_AND_SAVE")
                if self._saved is None:
                    raise not_found("no config is saved; send VERIFY_AND_SAVE first")
                self._commit(self._saved)
            case _:
                raise invalid(f"action {action} is not set, or not one that P4Runtime has")

    def _build(self, verified: _Verified) -> _Configured:
        """A pipeline that takes writes; no packet reaches it before it is committed."""
        return _Configured(verified, Pipeline(verified.schema, self._switch.build(verified.program), self._switch.lock))

    def _reconcile_and_commit(self, configured: _Configured) -> None:
        with self._switch.lock:  # no packet counts or learns between what is read and the commit
            if self.running:
                try:
                    carry_over(self.running, configured.pipeline)
                except P4RuntimeError as error:
                    raise invalid(f"the present state has no place in this pipeline: {error.message}") from error
            self._commit(configured)

    def _commit(self, configured: _Configured) -> None:
        with self._switch.lock:
            self._switch.install(configured.pipeline.engine)
            self._running = configured
        self._saved = None
        program, tables = configured.verified.program.name, len(configured.pipeline.schema.tables)
        logger.info("pipeline committed: program=%s tables=%d", program, tables)


def _verify(config: p4r.ForwardingPipelineConfig | None) -> _Verified:
    """Raises: INVALID_ARGUMENT."""
    if config is None:
        raise invalid("config is not set")
    if not config.p4_device_config:
        raise invalid("p4_device_config is empty; it is the JSON that p4c-bm2-ss writes")
    program = _load_program(config.p4_device_config)
    try:
        index = schema.build(config.p4info)
        agreement.check(index, program)
    except SchemaError as error:
        raise invalid(f"p4info: {error}") from error
    return _Verified(config, program, index)


def _load_program(program_json: bytes) -> ir.Program:
    try:
        return load_program(program_json)
    except ProgramError as error:
        raise invalid(f"p4_device_config: {error}") from error
