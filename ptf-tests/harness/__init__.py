# SPDX-License-Identifier: Apache-2.0
"""What every packet test shares: a device under test, frames to send it, and how a function becomes a PTF test."""
