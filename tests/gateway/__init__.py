# SPDX-License-Identifier: Apache-2.0
"""Two gateways get the same packets, one with a flow cache and one without: nobody must be able to tell them apart."""
