# SPDX-License-Identifier: Apache-2.0
"""The control plane: configuration, the entries it asks for, and the devices that hold them."""
