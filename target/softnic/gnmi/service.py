# SPDX-License-Identifier: Apache-2.0
"""The gNMI service on gRPC: Capabilities, Get, Set and Subscribe over the tree of ports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn, Protocol

import grpc
from finsy.proto import gnmi, gnmi_grpc
from grpc import StatusCode

from softnic.switch import PortState

from . import tree
from .errors import GnmiError, invalid, not_found, unimplemented
from .paths import Path, decode, describe, encode
from .subscription import Flow, earliest, flows

MAX_SUBSCRIPTIONS = 16
"""Open at a time: each keeps a thread."""

DataType = gnmi.GetRequest.DataType


class Ports(Protocol):
    """What the service needs of `softnic.switch.Switch`."""

    on_port_change: Callable[[], None] | None

    def ports(self) -> Sequence[PortState]: ...
    def set_port_enabled(self, number: int, enabled: bool) -> None: ...


class GnmiService(gnmi_grpc.gNMIServicer):
    """The ports of one switch; takes its `on_port_change`.

    A subscription has no queue: it sends what is when its client takes it, so a slow client misses states in between,
    never the last one.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._changed = threading.Condition()
        self._changes = 0
        self._closing = False
        self._slots = threading.BoundedSemaphore(MAX_SUBSCRIPTIONS)
        ports.on_port_change = self._port_changed

    def close(self) -> None:
        """End all subscriptions."""
        self._ports.on_port_change = None
        self._closing = True
        self._port_changed()

    # ---- Capabilities, Get, Set -------------------------------------------------------------------------------------

    def Capabilities(  # noqa: N802
        self, request: gnmi.CapabilityRequest, context: grpc.ServicerContext
    ) -> gnmi.CapabilityResponse:
        return gnmi.CapabilityResponse(
            supported_models=[
                gnmi.ModelData(name=name, organization="OpenConfig working group", version=version)
                for name, version in tree.MODELS.items()
            ],
            supported_encodings=tree.ENCODINGS,
            gNMI_version=gnmi.DESCRIPTOR.GetOptions().Extensions[gnmi.gnmi_service],
        )

    def Get(self, request: gnmi.GetRequest, context: grpc.ServicerContext) -> gnmi.GetResponse:  # noqa: N802
        with _refusing(context):
            _check_models(request.use_models)
            leaves, response = tree.leaves(self._ports.ports()), gnmi.GetResponse()
            for path in request.path or [gnmi.Path()]:
                selected = tree.select(leaves, decode(request.prefix, path))
                wanted = {path: value for path, value in selected.items() if _is_of_type(path, request.type)}
                response.notification.append(_notification(wanted, request.encoding, request.prefix.target))
        return response

    def Set(self, request: gnmi.SetRequest, context: grpc.ServicerContext) -> gnmi.SetResponse:  # noqa: N802
        """All or nothing: what can't be done is found before anything is done."""
        with _refusing(context):
            if request.union_replace:
                raise unimplemented("union_replace is not supported; use update")
            numbers = {tree.interface(port.name) + tree.ENABLED: port.number for port in self._ports.ports()}
            changes: list[tuple[int, bool]] = []
            results: list[gnmi.UpdateResult] = []
            for path in request.delete:
                changes.append((_settable(numbers, decode(request.prefix, path)), True))
                results.append(gnmi.UpdateResult(path=path, op=gnmi.UpdateResult.DELETE))
            for op, updates in (
                (gnmi.UpdateResult.REPLACE, request.replace),
                (gnmi.UpdateResult.UPDATE, request.update),
            ):
                for update in updates:
                    number = _settable(numbers, decode(request.prefix, update.path))
                    changes.append((number, tree.decode_bool(update.val)))
                    results.append(gnmi.UpdateResult(path=update.path, op=op))
            for number, enabled in changes:
                self._ports.set_port_enabled(number, enabled)
        return gnmi.SetResponse(prefix=request.prefix, response=results, timestamp=time.time_ns())

    # ---- Subscribe --------------------------------------------------------------------------------------------------

    def Subscribe(  # noqa: N802
        self, request_iterator: Iterator[gnmi.SubscribeRequest], context: grpc.ServicerContext
    ) -> Iterator[gnmi.SubscribeResponse]:
        with _refusing(context):
            if not self._slots.acquire(blocking=False):
                raise GnmiError(StatusCode.RESOURCE_EXHAUSTED, f"{MAX_SUBSCRIPTIONS} subscriptions are open already")
            try:
                request = next(request_iterator, gnmi.SubscribeRequest())
                if not request.HasField("subscribe"):
                    raise invalid("the first message of a stream must be a subscription list")
                yield from self._serve(request.subscribe, request_iterator, context)
            finally:
                self._slots.release()

    def _serve(
        self,
        wanted: gnmi.SubscriptionList,
        requests: Iterator[gnmi.SubscribeRequest],
        context: grpc.ServicerContext,
    ) -> Iterator[gnmi.SubscribeResponse]:
        _check_models(wanted.use_models)
        patterns = [decode(wanted.prefix, subscription.path) for subscription in wanted.subscription]
        match wanted.mode:
            case gnmi.SubscriptionList.ONCE:
                yield from self._once(wanted, patterns)
            case gnmi.SubscriptionList.POLL:
                for request in requests:
                    if not request.HasField("poll"):
                        raise invalid("a stream in POLL mode takes only polls after its first message")
                    yield from self._once(wanted, patterns)
            case gnmi.SubscriptionList.STREAM:
                yield from self._stream(wanted, patterns, context)
            case mode:
                raise invalid(f"subscription list mode {mode} is not one that gNMI has")

    def _once(self, wanted: gnmi.SubscriptionList, patterns: Sequence[Path]) -> Iterator[gnmi.SubscribeResponse]:
        leaves = tree.leaves(self._ports.ports())
        if not wanted.updates_only:
            for pattern in patterns:
                yield _response(tree.select(leaves, pattern), wanted)
        yield gnmi.SubscribeResponse(sync_response=True)

    def _stream(
        self, wanted: gnmi.SubscriptionList, patterns: Sequence[Path], context: grpc.ServicerContext
    ) -> Iterator[gnmi.SubscribeResponse]:
        seen = self._changes  # before the first look: what changes after it is looked at again
        leaves = tree.leaves(self._ports.ports())
        streams = [
            flow
            for subscription, pattern in zip(wanted.subscription, patterns, strict=True)
            for flow in flows(subscription, pattern, leaves)
        ]
        for flow in streams:
            first = flow.start(leaves, time.monotonic_ns())
            if first and not wanted.updates_only:
                yield _response(first, wanted)
        yield gnmi.SubscribeResponse(sync_response=True)
        context.add_callback(self._port_changed)
        while (seen := self._wait(seen, streams, context)) is not None:
            leaves = tree.leaves(self._ports.ports())
            for flow in streams:
                if updates := flow.updates(leaves, time.monotonic_ns()):
                    yield _response(updates, wanted)

    def _wait(self, seen: int, streams: Sequence[Flow], context: grpc.ServicerContext) -> int | None:
        """Until a port changes or a flow is due; how many changes there were, or None when it is time to end."""
        due_ns = earliest(streams)
        timeout_s = None if due_ns is None else max(due_ns - time.monotonic_ns(), 0) / 1e9
        with self._changed:
            self._changed.wait_for(lambda: self._changes != seen or not context.is_active(), timeout_s)
            return self._changes if context.is_active() and not self._closing else None

    def _port_changed(self) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()


@contextmanager
def _refusing(context: grpc.ServicerContext) -> Iterator[None]:
    try:
        yield
    except GnmiError as error:
        _abort(context, error)


def _abort(context: grpc.ServicerContext, error: GnmiError) -> NoReturn:
    context.abort(error.code, error.message)


def _check_models(models: Sequence[gnmi.ModelData]) -> None:
    for model in models:
        if model.name not in tree.MODELS:
            raise invalid(f"model {model.name!r} is not here; there are {', '.join(tree.MODELS)}")


def _is_of_type(path: Path, data_type: DataType.ValueType) -> bool:
    match data_type:
        case DataType.CONFIG:
            return tree.is_config(path)
        case DataType.STATE | DataType.OPERATIONAL:
            return tree.is_state(path)
        case _:
            return True


def _settable(numbers: dict[Path, int], path: Path) -> int:
    """The number of the port whose ``config/enabled`` is at `path`."""
    if path not in numbers:
        raise not_found(f"{describe(path)} can't be set; {describe(next(iter(numbers), ()))} is one that can")
    return numbers[path]


def _response(leaves: tree.Leaves, wanted: gnmi.SubscriptionList) -> gnmi.SubscribeResponse:
    # JSON is also what a client says that says nothing; those in use (finsy, as it knows Stratum) then expect scalars.
    encoding = wanted.encoding or gnmi.Encoding.PROTO
    return gnmi.SubscribeResponse(update=_notification(leaves, encoding, wanted.prefix.target))


def _notification(leaves: tree.Leaves, encoding: gnmi.Encoding.ValueType, target: str) -> gnmi.Notification:
    notification = gnmi.Notification(
        timestamp=time.time_ns(),
        update=[
            gnmi.Update(path=encode(path), val=tree.encode_value(path, value, encoding))
            for path, value in leaves.items()
        ],
    )
    if target:
        notification.prefix.target = target  # as the client names this device (specification 2.2.2.1)
    return notification
