# SPDX-License-Identifier: Apache-2.0
"""The kinds of P4Runtime entity, one module for those that belong together: how they are written and read back.

``write(pipeline, update_type, message)`` raises `P4RuntimeError`; ``read(pipeline, message)`` yields the entities that
the message, as a filter, selects.
"""
