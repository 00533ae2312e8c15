# SPDX-License-Identifier: Apache-2.0
"""A batch of read requests, each a filter, answered in chunks that a default gRPC client takes (specification 13)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from finsy.proto import p4r
from grpc import StatusCode

from .errors import P4RuntimeError, invalid
from .kinds import KINDS
from .pipeline import Pipeline

logger = logging.getLogger("softnic.server")

CHUNK_BYTES = 1 << 20
"""A response message is closed when it has grown past this; gRPC clients take up to 4 MB unless told otherwise."""


def read_entity(pipeline: Pipeline, request: p4r.Entity) -> Iterator[p4r.Entity]:
    """The entities that `request` selects. Raises: P4RuntimeError, possibly after some have come."""
    kind = request.WhichOneof("entity")
    if kind is None:
        raise invalid("entity is not set; there is no wildcard over all kinds of entity")
    return KINDS[kind].read(pipeline, getattr(request, kind))


def read_batch(
    pipeline: Pipeline, requests: Sequence[p4r.Entity]
) -> tuple[Sequence[p4r.ReadResponse], Sequence[P4RuntimeError | None]]:
    """All answers, and one result for each request.

    Everything is gathered before anything is sent: a client that reads slowly must not hold up writers.
    """
    entities: list[p4r.Entity] = []
    results = [_attempt(pipeline, request, entities) for request in requests]
    return list(_chunks(entities)), results


def _attempt(pipeline: Pipeline, request: p4r.Entity, entities: list[p4r.Entity]) -> P4RuntimeError | None:
    try:
        entities.extend(read_entity(pipeline, request))
    except P4RuntimeError as error:
        return error
    except Exception as error:
        logger.exception("read failed: %s", request)
        return P4RuntimeError(StatusCode.INTERNAL, f"softnic failed on this request: {error!r}")
    return None


def _chunks(entities: Iterable[p4r.Entity]) -> Iterator[p4r.ReadResponse]:
    chunk: list[p4r.Entity] = []
    size = 0
    for entity in entities:
        chunk.append(entity)
        size += entity.ByteSize()
        if size >= CHUNK_BYTES:
            yield p4r.ReadResponse(entities=chunk)
            chunk, size = [], 0
    if chunk:
        yield p4r.ReadResponse(entities=chunk)
