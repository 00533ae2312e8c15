# SPDX-License-Identifier: Apache-2.0
"""Network address translation: what is fixed. Ports of shared addresses are given out as connections come."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import Action, Match, P4TableEntry

from headgate.config.gateway import GatewayConfig, OneToOne, Pool, PortForward, Tenant
from headgate.systems.gateway.ids import Ids


def desired(config: GatewayConfig, ids: Ids) -> Iterator[P4TableEntry]:
    """Entries of `nat_pool` and `nat_static_*`, and forwarded ports in `nat_mapping_*`."""
    for tenant in config.tenants:
        if tenant.nat is not None:
            for pool in tenant.nat.pools:
                yield from _pool(tenant, pool)
            for pair in tenant.nat.one_to_one:
                yield from _one_to_one(tenant, pair)
            for forward in tenant.nat.port_forwards:
                yield from _port_forward(tenant, forward)


def _pool(tenant: Tenant, pool: Pool) -> Iterator[P4TableEntry]:
    for prefix in pool.inside:
        yield P4TableEntry(
            "nat_pool",
            match=Match(tenant_id=tenant.tenant_id, src_addr=prefix),
            action=Action("allocate", pool_id=pool.pool_id),
        )


def _one_to_one(tenant: Tenant, pair: OneToOne) -> Iterator[P4TableEntry]:
    yield P4TableEntry(
        "nat_static_in",
        match=Match(tenant_id=tenant.tenant_id, dst_addr=pair.outside),
        action=Action("translate_destination_address", addr=pair.inside),
    )
    yield P4TableEntry(
        "nat_static_out",
        match=Match(tenant_id=tenant.tenant_id, src_addr=pair.inside),
        action=Action("translate_source_address", addr=pair.outside),
    )


def _port_forward(tenant: Tenant, forward: PortForward) -> Iterator[P4TableEntry]:
    of_tenant = {"tenant_id": tenant.tenant_id, "protocol": forward.protocol_number}
    yield P4TableEntry(
        "nat_mapping_in",
        match=Match(**of_tenant, dst_addr=forward.outside, dst_port=forward.outside_port),
        action=Action("translate_destination", addr=forward.inside, port=forward.to_port),
    )
    yield P4TableEntry(
        "nat_mapping_out",
        match=Match(**of_tenant, src_addr=forward.inside, src_port=forward.to_port),
        action=Action("translate_source", addr=forward.outside, port=forward.outside_port),
    )
