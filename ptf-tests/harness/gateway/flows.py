# SPDX-License-Identifier: Apache-2.0
"""A flow as the cache knows it: the entries that hold for it, and what is reported of it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from finsy import P4TableEntry

from harness.controller import Learned
from harness.frames import IPV4, Family
from harness.gateway.rack import EPOCH, HOST, ROUTER_EPOCH, Tenant, entry
from headgate.vocabulary import Consulted, FlowEvent, FlowResult

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
EVERY_FIELD = Consulted.SRC_ADDR | Consulted.DST_ADDR | Consulted.PROTOCOL | Consulted.SRC_PORT | Consulted.DST_PORT
_ACTIONS = {"refuse": "flow_cache.refuse"}
"""By their names here: P4Info's shortest that are nobody else's."""

_FIELDS = {
    "src_addr": Consulted.SRC_ADDR,
    "dst_addr": Consulted.DST_ADDR,
    "protocol": Consulted.PROTOCOL,
    "src_port": Consulted.SRC_PORT,
    "dst_port": Consulted.DST_PORT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Packets alike in all of this, as received. Ports are those of `harness.frames.udp` unless given."""

    tenant: Tenant
    family: Family
    segment_id: int
    src: str
    dst: str
    protocol: int = UDP
    src_port: int = 4000
    dst_port: int = 5000

    @property
    def key(self) -> dict[str, Any]:
        """As the cache has it."""
        return {
            "tenant_id": self.tenant.tenant_id,
            "segment_id": self.segment_id,
            "src_addr": int(ip_address(self.src)),
            "dst_addr": int(ip_address(self.dst)),
            "protocol": self.protocol,
            "src_port": self.src_port,
            "dst_port": self.dst_port,
        }

    def cached(
        self, action: str, *, epoch: int = EPOCH, router_epoch: int = ROUTER_EPOCH, **parameters: Any
    ) -> P4TableEntry:
        """The exact entry: `forward(next_hop_id, rule_id)`, `translate(...)` or `refuse(reason, rule_id)`."""
        epochs = {"epoch": epoch, "router_epoch": router_epoch}
        parameters = {"rule_id": 0, **parameters}
        return entry(f"cache_{self.family.name}", self.key, _ACTIONS.get(action, action), **epochs, **parameters)

    def aggregate(
        self,
        consulted: Consulted,
        action: str,
        *,
        epoch: int = EPOCH,
        router_epoch: int = ROUTER_EPOCH,
        **parameters: Any,
    ) -> P4TableEntry:
        """An entry for all flows alike in the consulted fields."""
        key = {name: value for name, value in self.key.items() if name not in _FIELDS or _FIELDS[name] in consulted}
        epochs = {"epoch": epoch, "router_epoch": router_epoch}
        parameters = {"rule_id": 0, **parameters}
        table = f"cache_aggregate_{self.family.name}"
        return entry(table, key, _ACTIONS.get(action, action), priority=1, **epochs, **parameters)

    def learned(self, *, consulted: Consulted, next_hop_id: int = 0, **fields: int) -> Learned:
        """The digest of a packet of this flow that is forwarded; `fields` that differ from that."""
        expected = {
            **self.key,
            "event": FlowEvent.FLOW,
            "result": FlowResult.FORWARD,
            "consulted": consulted,
            "tcp_flags": 0,
            "reason": 0,
            "rule_id": 0,
            "next_hop_id": next_hop_id,
            "epoch": EPOCH,
            "router_epoch": ROUTER_EPOCH,
        }
        if self.family is IPV4:
            expected |= {
                "new_src_addr": expected["src_addr"],
                "new_src_port": self.src_port,
                "new_dst_addr": expected["dst_addr"],
                "new_dst_port": self.dst_port,
            }
        return Learned(f"flow_{self.family.name}_t", {**expected, **fields})


def host_flow(tenant: Tenant, family: Family, dst: str, **changes: Any) -> Flow:
    """Of a plain segment's host."""
    return Flow(
        **{"tenant": tenant, "family": family, "segment_id": tenant.segment, "src": HOST[family], "dst": dst, **changes}
    )
