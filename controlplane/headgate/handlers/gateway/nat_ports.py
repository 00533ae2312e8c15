# SPDX-License-Identifier: Apache-2.0
"""Outside addresses and ports for NAT: who has which, and when one may be another's.

Endpoint-independent mapping (RFC 4787 REQ-1): an inside endpoint {tenant, protocol, address, port} has one outside
endpoint, whoever it talks to. Pooling is paired (REQ-2): all endpoints of an inside host share an outside address, and
get none where it has no port left. Ports start at random places (RFC 6056 3.3.1). A port that was given back rests, so
that what is late for its former owner does not reach the next one. An ICMP echo identifier counts as a port (RFC 5508
3.1).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from random import Random

_PORTS = 1 << 16

_FREE, _TAKEN = 0, 1
_PROTOCOL = slice(2, 3)


def host_of(endpoint: bytes) -> bytes:
    """Tenant and address of an endpoint."""
    return endpoint[:2] + endpoint[3:7]


PoolKey = tuple[bytes, int]
"""The tenant, as in a key, and the id that a pool has of that tenant's."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What connections of a tenant may have outside.

    Attributes:
        addresses: The outside addresses.
        first_port, last_port: Of each address, both included.
        reserved: What of it is spoken for: {protocol, address, port} of port forwards.
    """

    addresses: tuple[bytes, ...]
    first_port: int = 1024
    last_port: int = _PORTS - 1
    reserved: frozenset[bytes] = frozenset()

    def has(self, outside: bytes) -> bool:
        """Whether an outside endpoint can be a connection's."""
        port = int.from_bytes(outside[5:], "big")
        return (
            outside[1:5] in self.addresses
            and self.first_port <= port <= self.last_port
            and outside not in self.reserved
        )


class PortAllocator:
    """The outside endpoints of all pools, which do not overlap.

    Args:
        pools: By tenant and id.
        quarantine_ns: How long a port rests.
    """

    def __init__(self, pools: Mapping[PoolKey, Pool], quarantine_ns: int, random: Random) -> None:
        self._pools = pools
        self._quarantine_ns = quarantine_ns
        self._random = random
        self.mappings: dict[bytes, bytes] = {}
        """Inside endpoints to {protocol, address, port} outside."""
        self._inside: dict[bytes, bytes] = {}
        self._address_of: dict[bytes, bytes] = {}  # of inside hosts
        self._mappings_of: dict[bytes, int] = {}
        self._ports: dict[bytes, bytearray] = {}  # by protocol and address
        self._resting: deque[tuple[int, bytes]] = deque()

    def inside_of(self, outside: bytes) -> bytes | None:
        """The inside endpoint that has an outside one."""
        return self._inside.get(outside)

    def allocate(self, pool_id: int, endpoint: bytes, now_ns: int) -> bytes | None:
        """The outside endpoint of an inside one, a new one if it has none; None without a pool, or a port in it."""
        if (known := self.mappings.get(endpoint)) is not None:
            return known
        pool = self._pools.get((endpoint[:2], pool_id))
        if pool is None:
            return None
        self._end_rests(now_ns)
        for address in self._candidates(pool, host_of(endpoint)):
            taken = self._taken(endpoint[_PROTOCOL] + address)
            start = self._random.randint(pool.first_port, pool.last_port)
            port = taken.find(_FREE, start, pool.last_port + 1)
            if port < 0:
                port = taken.find(_FREE, pool.first_port, start)
            if port >= 0:
                return self._map(endpoint, endpoint[_PROTOCOL] + address + port.to_bytes(2, "big"))
        return None

    def adopt(self, endpoint: bytes, outside: bytes) -> bool:
        """Take over a mapping that the device has. Returns: False where no pool has it, or somebody has it already."""
        if endpoint in self.mappings or outside in self._inside or not self._belongs(endpoint, outside):
            return False
        self._map(endpoint, outside)
        return True

    def release(self, endpoint: bytes, now_ns: int) -> bytes:
        """An inside endpoint needs its mapping no longer; the port begins to rest. Returns: its outside endpoint.

        Raises: KeyError (it has none).
        """
        outside = self.mappings.pop(endpoint)
        del self._inside[outside]
        host = host_of(endpoint)
        self._mappings_of[host] -= 1
        if not self._mappings_of[host]:
            del self._mappings_of[host], self._address_of[host]
        self._resting.append((now_ns + self._quarantine_ns, outside))
        return outside

    def replace_pools(self, pools: Mapping[PoolKey, Pool]) -> list[bytes]:
        """Go on with other pools. Returns: the inside endpoints whose mappings are of none of them; they are for the
        caller to release."""
        self._pools = pools
        self._ports.clear()
        for outside in chain(self._inside, (outside for _, outside in self._resting)):
            self._mark(outside, _TAKEN)
        return [endpoint for endpoint, outside in self.mappings.items() if not self._belongs(endpoint, outside)]

    def _belongs(self, endpoint: bytes, outside: bytes) -> bool:
        return any(tenant_id == endpoint[:2] and pool.has(outside) for (tenant_id, _), pool in self._pools.items())

    def _candidates(self, pool: Pool, host: bytes) -> Iterable[bytes]:
        """The host's own address; for a new host, all of the pool's, from a random one on."""
        paired = self._address_of.get(host)
        if paired is not None and paired in pool.addresses:
            return (paired,)
        first = self._random.randrange(len(pool.addresses))
        return pool.addresses[first:] + pool.addresses[:first]

    def _map(self, endpoint: bytes, outside: bytes) -> bytes:
        host = host_of(endpoint)
        self.mappings[endpoint] = outside
        self._inside[outside] = endpoint
        self._address_of.setdefault(host, outside[1:5])
        self._mappings_of[host] = self._mappings_of.get(host, 0) + 1
        self._mark(outside, _TAKEN)
        return outside

    def _mark(self, outside: bytes, state: int) -> None:
        self._taken(outside[:5])[int.from_bytes(outside[5:], "big")] = state

    def _taken(self, protocol_and_address: bytes) -> bytearray:
        """Which ports can't be had now: one byte each."""
        taken = self._ports.get(protocol_and_address)
        if taken is None:
            taken = self._ports[protocol_and_address] = bytearray(_PORTS)
            for pool in self._pools.values():
                for outside in pool.reserved:
                    if outside[:5] == protocol_and_address:
                        taken[int.from_bytes(outside[5:], "big")] = _TAKEN
        return taken

    def _end_rests(self, now_ns: int) -> None:
        while self._resting and self._resting[0][0] <= now_ns:
            _, outside = self._resting.popleft()
            self._mark(outside, _FREE)
