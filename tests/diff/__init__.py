# SPDX-License-Identifier: Apache-2.0
"""Differential testing: random state and packets for any program, run by every executor, minimised where they differ.

A `scenario` is what is run. `generate` makes it: `entries` the state (from a `base`), `packets` what goes through it,
both of `values` that mean something to the program. `executors` run it, `compare` finds the first difference,
`minimise` makes a scenario with one small, `reach` says how much of the program was run. `fuzz` is the loop.
"""
