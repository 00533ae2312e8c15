# SPDX-License-Identifier: Apache-2.0
"""Configurations that follow one another: what tenants and routers may change while packets pass."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import yaml

CONFIG = Path(__file__).parents[2] / "configs" / "gateway.yaml"
Data = dict[str, Any]


def original() -> Data:
    return yaml.safe_load(CONFIG.read_text())


def _tenant(data: Data, name: str) -> Data:
    return next(tenant for tenant in data["tenants"] if tenant["name"] == name)


def _red_rules(data: Data) -> list[Data]:
    return _tenant(data, "red")["firewall"]["rules"]


def _deny_web(data: Data) -> None:
    _red_rules(data).insert(0, {"name": "no-web", "protocol": "tcp", "destination_ports": 80, "action": "deny"})


def _deny_a_host(data: Data) -> None:
    _red_rules(data).insert(0, {"name": "no-host", "destination": "192.0.2.9", "action": "deny"})


def _deny_a_source(data: Data) -> None:
    which = {"source": "10.0.1.10", "source_ports": [1000], "protocol": "udp"}
    _red_rules(data).insert(0, {"name": "no-source", **which, "action": "deny"})


def _stateless(data: Data) -> None:
    for rule in _red_rules(data):
        rule["action"] = rule["action"].replace("allow_stateful", "allow")


def _no_firewall(data: Data) -> None:
    del _tenant(data, "red")["firewall"]


def _blue_firewall(data: Data) -> None:
    rules = [{"name": "dns", "protocol": "udp", "destination_ports": 53, "action": "allow"}]
    _tenant(data, "blue")["firewall"] = {"rules": rules}


def _blue_without_nat(data: Data) -> None:
    del _tenant(data, "blue")["nat"]


def _black_hole(data: Data) -> None:
    _tenant(data, "red")["routes"].append({"prefix": "192.0.2.0/28", "to": "blackhole"})


def _routers_black_hole(data: Data) -> None:
    data["routers"][0]["routes"].append({"prefix": "192.0.2.10/32", "to": "blackhole"})


def _one_uplink(data: Data) -> None:
    data["routers"][0]["routes"][0]["via"] = ["203.0.113.9"]


CHANGES: tuple[Callable[[Data], None], ...] = (
    _deny_web, _deny_a_host, _deny_a_source, _stateless, _no_firewall, _blue_firewall, _blue_without_nat, _black_hole,
    _routers_black_hole, _one_uplink,
)  # fmt: skip


def changed(random: Random) -> Data:
    """The original with up to three changes. A change that another has taken the ground from is left out."""
    data = original()
    for change in random.sample(CHANGES, random.choice((0, 1, 1, 2, 3))):
        before = deepcopy(data)
        try:
            change(data)
        except KeyError:
            data = before
    return data
