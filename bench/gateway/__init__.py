# SPDX-License-Identifier: Apache-2.0
"""What the flow cache of `gateway` gains, in this process: no server and no ports, packets from memory."""
