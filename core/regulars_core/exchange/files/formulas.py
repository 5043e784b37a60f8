"""Text that a spreadsheet would run as a formula: neutralised on the way out, and exactly restored on the way in.

A cell that begins with a sign of a formula, behind any number of apostrophes, gets one more apostrophe; reading takes one off such
cells and leaves every other apostrophe alone. So every text comes back as it was, and a foreign ``'n Sync`` stays what it is.
"""

from __future__ import annotations

import re

# Blanks in front do not stop a spreadsheet, and it takes the full-width signs for the plain ones.
_BEGINS_FORMULA = r"[ \u00a0\u3000\ufeff\u200b]*[=+\-@\t\r\n＝＋－＠]"
_DANGEROUS = re.compile("'*" + _BEGINS_FORMULA)
_NEUTRALISED = re.compile("'+" + _BEGINS_FORMULA)


def neutralised(text: str) -> str:
    """``text`` so that no spreadsheet runs it."""
    return f"'{text}" if _DANGEROUS.match(text) else text


def restored(text: str) -> str:
    """What ``neutralised`` was given."""
    return text[1:] if _NEUTRALISED.match(text) else text
