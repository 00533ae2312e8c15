# SPDX-License-Identifier: Apache-2.0
"""What the running controller does about packets that tables alone can't deal with."""
