# SPDX-License-Identifier: Apache-2.0
"""What a device says of itself, as data: each report is a frozen dataclass and the function that reads it."""

from headgate.reports.accounting import Accounting, Count, accounting_of
from headgate.reports.counters import Counted, Counters, counters_of
from headgate.reports.status import Status, TableUse, count_by_table, status_of, use_of
from headgate.reports.tables import Entry, Listing, listing_of

__all__ = [
    "Accounting",
    "Count",
    "Counted",
    "Counters",
    "Entry",
    "Listing",
    "Status",
    "TableUse",
    "accounting_of",
    "count_by_table",
    "counters_of",
    "listing_of",
    "status_of",
    "use_of",
]
