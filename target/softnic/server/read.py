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
    results: list[P4RuntimeError | None] = []
    responses = list(_chunks(_answers(pipeline, requests, results)))
    return responses, results


def _answers(
    pipeline: Pipeline, requests: Sequence[p4r.Entity], results: list[P4RuntimeError | None]
) -> Iterator[p4r.Entity]:
    """What the requests select, one after the other; how each went is appended to `results`."""
    for request in requests:
        try:
            yield from read_entity(pipeline, request)
            results.append(None)
        except P4RuntimeError as error:
            results.append(error)
        except Exception as error:
            logger.exception("read failed: %s", request)
            results.append(P4RuntimeError(StatusCode.INTERNAL, f"softnic failed on this request: {error!r}"))


def _chunks(entities: Iterable[p4r.Entity]) -> Iterator[p4r.ReadResponse]:
    chunk = p4r.ReadResponse()
    size = 0
    for entity in entities:
        chunk.entities.append(entity)
        size += entity.ByteSize()
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = p4r.ReadResponse(), 0
    if size:
        yield chunk
