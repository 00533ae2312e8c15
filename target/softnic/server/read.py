# SPDX-License-Identifier: Apache-2.0
"""A batch of read requests, each a filter, answered in chunks that a default gRPC client takes (specification 13)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from finsy.proto import p4r
from grpc import StatusCode

from .errors import P4RuntimeError, invalid
from .kinds import KINDS
from .pipeline import Pipeline

logger = logging.getLogger("softnic.server")

CHUNK_BYTES = 1 << 20
"""A response message is closed when it has grown past this; gRPC clients take up to 4 MB unless told otherwise."""


def read_entity(pipeline: Pipeline, request: p4r.Entity) -> Iterator[p4r.Entity]:
    """The entities that `request` selects; of table entries, as they are at the call. Raises: P4RuntimeError."""
    kind = request.WhichOneof("entity")
    if kind is None:
        raise invalid("entity is not set; there is no wildcard over all kinds of entity")
    return KINDS[kind].read(pipeline, getattr(request, kind))


def read_batch(
    pipeline: Pipeline, requests: Sequence[p4r.Entity]
) -> tuple[Iterator[p4r.ReadResponse], Sequence[P4RuntimeError | None]]:
    """All answers, as they are at the call, and one result for each request.

    While this runs, nobody writes: a Read sees the whole of a Write or nothing of it ("Parallelism of Read and Write
    Requests" in the specification). Taking the answers needs no lock: neither the making of many messages nor a client
    that reads slowly holds up writers.
    """
    answers: list[Iterable[p4r.Entity]] = []
    results: list[P4RuntimeError | None] = []
    for request in requests:
        try:
            entities = read_entity(pipeline, request)
            # Of all kinds, only table entries can be so many that they are better made into messages later.
            answers.append(entities if request.HasField("table_entry") else list(entities))
            results.append(None)
        except P4RuntimeError as error:
            results.append(error)
        except Exception as error:
            logger.exception("read failed: %s", request)
            results.append(P4RuntimeError(StatusCode.INTERNAL, f"softnic failed on this request: {error!r}"))
    return _chunks(chain.from_iterable(answers)), results


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
