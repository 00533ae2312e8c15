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

from . import agreement, schema
from .errors import P4RuntimeError, failed_precondition, invalid, not_found
from .pipeline import Pipeline
from .reconcile import carry_over
from .schema import Schema, SchemaError

logger = logging.getLogger("softnic.server")

Action = p4r.SetForwardingPipelineConfigRequest.Action
ResponseType = p4r.GetForwardingPipelineConfigRequest.ResponseType


class Switch(Protocol):
    """What the server needs of `softnic.switch.Switch`."""

    lock: threading.RLock
    engine: Engine | None
    on_packet_in: Callable[[bytes], None] | None
    on_digest: Callable[[Digest], None] | None

    def load(self, program: ir.Program) -> None: ...
    def packet_out(self, data: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Verified:
    config: p4r.ForwardingPipelineConfig
    program: ir.Program
    schema: Schema


@dataclass(frozen=True, slots=True)
class _Installed:
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
        self._running: _Installed | None = None
        self._saved: _Installed | None = None

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
        installed = self._saved or self._running
        if installed is None:
            raise failed_precondition("no forwarding pipeline config is set; set one first")
        return installed.pipeline

    def load_without_p4info(self, program_json: bytes) -> None:
        """Let the switch forward by a program that no client can reach. Raises: INVALID_ARGUMENT."""
        self._switch.load(_load_program(program_json))
        self._running = self._saved = None

    def get_config(self, response_type: ResponseType.ValueType) -> p4r.ForwardingPipelineConfig | None:
        """The config of `target`, or the part of it that is asked for; None before the first pipeline."""
        if response_type not in ResponseType.values():
            raise invalid(f"response_type {response_type} is not one that P4Runtime has")
        installed = self._saved or self._running
        if installed is None:
            return None
        config = p4r.ForwardingPipelineConfig()
        config.CopyFrom(installed.verified.config)
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
                verified = _verify(config)
                self._saved = _Installed(verified, self._spare_pipeline(verified))
            case Action.VERIFY_AND_COMMIT:
                self._commit(_verify(config), None)
            case Action.RECONCILE_AND_COMMIT:
                self._commit(_verify(config), self.running)
            case Action.COMMIT:
                if config is not None:
                    raise invalid("COMMIT takes no config; it commits the one saved by VERIFY_AND_SAVE")
                if self._saved is None:
                    raise not_found("no config is saved; send VERIFY_AND_SAVE first")
                self._commit(self._saved.verified, self._saved.pipeline)
            case _:
                raise invalid(f"action {action} is not set, or not one that P4Runtime has")

    def _commit(self, verified: _Verified, state: Pipeline | None) -> None:
        """Let the switch run `verified`, with what is in `state` written to it; or leave all as it is."""
        with self._switch.lock:
            previous = self._switch.engine
            pipeline = self._load(verified)
            try:
                if state:
                    carry_over(state, pipeline)
            except P4RuntimeError as error:
                self._switch.engine = previous
                raise invalid(f"the present state has no place in this pipeline: {error.message}") from error
            self._running = _Installed(verified, pipeline)
        self._saved = None
        logger.info("pipeline committed: program=%s tables=%d", verified.program.name, len(verified.schema.tables))

    def _spare_pipeline(self, verified: _Verified) -> Pipeline:
        """A pipeline that no packet reaches: it takes writes, which COMMIT replays."""
        with self._switch.lock:
            running = self._switch.engine
            pipeline = self._load(verified)
            self._switch.engine = running
        return pipeline

    def _load(self, verified: _Verified) -> Pipeline:
        self._switch.load(verified.program)
        engine = self._switch.engine
        if engine is None:
            raise RuntimeError("the switch has no engine after load()")
        return Pipeline(verified.schema, engine, self._switch.lock)


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
