# SPDX-License-Identifier: Apache-2.0
"""From what a device holds to what it has to hold."""

from headgate.reconcile.apply import Result, apply, plan_for
from headgate.reconcile.plan import Change, Plan, plan

__all__ = ["Change", "Plan", "Result", "apply", "plan", "plan_for"]
