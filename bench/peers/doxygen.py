# SPDX-License-Identifier: Apache-2.0
"""A header file from the page of its source that Doxygen made."""

from __future__ import annotations

import html
import re


def header_text(page: str) -> str:
    """The lines of the file that `page` shows, without line numbers and markup."""
    lines = re.findall(r'<div class="line">(.*?)</div>\n', page)
    return "".join(f"{_plain(line)}\n" for line in lines)


def _plain(line: str) -> str:
    without_number = re.sub(r'<span class="lineno">.*?</span>', "", line)
    return html.unescape(re.sub(r"<[^>]*>", "", without_number))
