# SPDX-License-Identifier: Apache-2.0
"""How fast softnic is, beside the peers that Debian has: ``python -m bench``."""
