# SPDX-License-Identifier: Apache-2.0
"""Protocols as pure codecs and state machines: octets and the time go in, no device and no clock is touched."""
