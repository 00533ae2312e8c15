# SPDX-License-Identifier: Apache-2.0
"""What the data plane says of a flow it did not find in its cache: the digests `flow_ipv4_t` and `flow_ipv6_t`."""

from __future__ import annotations

from typing import NamedTuple

from finsy import P4Schema
from finsy.proto import p4r

from headgate.handlers.gateway.keys import FAMILIES, Family, untranslated_session
from headgate.vocabulary import FlowEvent, FlowResult

FLOW, NEW, CLOSE = (bytes((event,)) for event in (FlowEvent.FLOW, FlowEvent.NEW, FlowEvent.CLOSE))
FORWARD, TRANSLATE, REFUSE = (
    bytes((result,)) for result in (FlowResult.FORWARD, FlowResult.TRANSLATE, FlowResult.REFUSE)
)


class FlowSample(NamedTuple):
    """One digest, each field as wide as the program has it; see `p4src/core/gateway` for what they mean.

    The last four are there with IPv4 only.
    """

    tenant_id: bytes
    segment_id: bytes
    src_addr: bytes
    dst_addr: bytes
    protocol: bytes
    src_port: bytes
    dst_port: bytes
    event: bytes
    result: bytes
    consulted: bytes
    tcp_flags: bytes
    reason: bytes
    rule_id: bytes
    next_hop_id: bytes
    epoch: bytes
    router_epoch: bytes
    new_src_addr: bytes = b""
    new_src_port: bytes = b""
    new_dst_addr: bytes = b""
    new_dst_port: bytes = b""

    @property
    def flow(self) -> bytes:
        """The key of the flow."""
        return b"".join(self[:7])

    @property
    def session(self) -> bytes:
        """The key of the session as the tenant's inside sees it: after inbound NAT and before outbound NAT."""
        if self.result != TRANSLATE:
            return untranslated_session(self.flow)
        return b"".join(
            (self.tenant_id, self.src_addr, self.new_dst_addr, self.protocol, self.src_port, self.new_dst_port)
        )

    @property
    def epochs(self) -> bytes:
        """The tenant's epoch, then its router's."""
        return self.epoch + self.router_epoch


def digest_name(family: Family) -> str:
    return f"flow_ipv{family.version}_t"


def sample_widths(family: Family) -> tuple[int, ...]:
    """Of each field of a sample, in bytes."""
    address = family.address_bytes
    key = (2, 2, address, address, 1, 2, 2)
    record = (1, 1, 1, 1, 1, 2, 4, 4, 4)
    return key + record + ((4, 2, 4, 2) if family.version == 4 else ())


class SampleDecoder:
    """Decodes digest lists of a program."""

    def __init__(self, schema: P4Schema) -> None:
        self._widths = {schema.digests[digest_name(family)].id: sample_widths(family) for family in FAMILIES}

    def decode(self, digests: p4r.DigestList) -> list[FlowSample]:
        """The samples of a list, padded to full width: on the wire leading zeros are left out (P4Runtime 8.3).

        Raises: KeyError (a digest that is none of flows), ValueError (a sample with other fields).
        """
        widths = self._widths[digests.digest_id]
        return [
            FlowSample(
                *[
                    member.bitstring.rjust(width, b"\0")
                    for member, width in zip(data.struct.members, widths, strict=True)
                ]
            )
            for data in digests.data
        ]
