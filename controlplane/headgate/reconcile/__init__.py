# SPDX-License-Identifier: Apache-2.0
"""From what a device holds to what it has to hold."""

from headgate.reconcile.apply import Result, apply, initial_plan, plan_for, transition_to
from headgate.reconcile.gateway import GatewayTransition
from headgate.reconcile.nic import NicTransition
from headgate.reconcile.plan import Change, Plan, plan
from headgate.reconcile.transition import Transition

__all__ = [
    "Change",
    "GatewayTransition",
    "NicTransition",
    "Plan",
    "Result",
    "Transition",
    "apply",
    "initial_plan",
    "plan",
    "plan_for",
    "transition_to",
]
