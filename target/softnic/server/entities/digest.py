# SPDX-License-Identifier: Apache-2.0
"""Digest entries: whether and how digests are sent (specification 9.8). The digests themselves are in `..digests`."""

from __future__ import annotations

from collections.abc import Iterator

from finsy.proto import p4r

from ..digests import DigestConfig
from ..errors import already_exists, at, invalid, not_found
from ..pipeline import Pipeline

Type = p4r.Update.Type


def write(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.DigestEntry) -> None:
    """INSERT enables a digest, MODIFY changes its limits, DELETE disables it."""
    digest = pipeline.schema.digest(message.digest_id)
    with at(f"digest {digest.name}"):
        enabled = pipeline.digests.config(digest.id) is not None
        if update_type == Type.INSERT and enabled:
            raise already_exists("is enabled already; use MODIFY to change it")
        if update_type != Type.INSERT and not enabled:
            raise not_found("is not enabled; use INSERT to enable it")
        pipeline.digests.configure(digest.id, None if update_type == Type.DELETE else _decode(message.config))


def _decode(config: p4r.DigestEntry.Config) -> DigestConfig:
    if min(config.max_timeout_ns, config.max_list_size, config.ack_timeout_ns) < 0:
        raise invalid("max_timeout_ns, max_list_size or ack_timeout_ns is negative")
    return DigestConfig(config.max_timeout_ns, config.max_list_size, config.ack_timeout_ns)


def read(pipeline: Pipeline, message: p4r.DigestEntry) -> Iterator[p4r.Entity]:
    """The configuration of one digest, or (id 0) of all that are enabled."""
    digest_ids = [pipeline.schema.digest(message.digest_id).id] if message.digest_id else pipeline.schema.digests
    for digest_id in digest_ids:
        if config := pipeline.digests.config(digest_id):
            yield p4r.Entity(
                digest_entry=p4r.DigestEntry(
                    digest_id=digest_id,
                    config=p4r.DigestEntry.Config(
                        max_timeout_ns=config.max_timeout_ns,
                        max_list_size=config.max_list_size,
                        ack_timeout_ns=config.ack_timeout_ns,
                    ),
                )
            )
