# SPDX-License-Identifier: Apache-2.0
"""softnic: a software target that runs BMv2 JSON programs and speaks P4Runtime."""
