"""What a column's own values prove about the order of its dates and its decimal mark."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from regulars_core.exchange.files.problems import Question
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.values import DateOrder, DecimalMark, decimal_readings, western_digits

_DAY = re.compile(r"\s*([0-9]{1,2})[-/.／－．]([0-9]{1,2})[-/.／－．][0-9]{4}(?![0-9])")
# A slip of the pen among thousands of values does not make a column doubtful.
_SLIPS = 50

Reading = TypeVar("Reading", DateOrder, DecimalMark)


@dataclass
class Evidence(Generic[Reading]):
    """How often values can only be read one way, with an example each, and an example of a value that can be read both ways."""

    proofs: dict[Reading, int] = field(default_factory=dict)
    examples: dict[Reading, str] = field(default_factory=dict)
    doubtful: str | None = None

    def proves(self, reading: Reading, example: str) -> None:
        """``example`` can only be read this way."""
        self.proofs[reading] = self.proofs.get(reading, 0) + 1
        self.examples.setdefault(reading, example)

    def settled(self) -> Reading | None:
        """The only reading, or the one beside which the others are slips; None if nothing, or no one thing, is proved."""
        ranked = sorted(self.proofs, key=lambda reading: -self.proofs[reading])
        if not ranked or (len(ranked) > 1 and self.proofs[ranked[0]] < _SLIPS * self.proofs[ranked[1]]):
            return None
        return ranked[0]

    def is_open(self) -> bool:
        """Whether some value can be read in more ways than one, or the values contradict each other."""
        return bool(self.doubtful or self.proofs)

    def contradicting(self, reading: Reading) -> str | None:
        """An example that can't be read as ``reading``."""
        return next((example for other, example in self.examples.items() if other != reading), None)


def weigh_date(value: str, evidence: Evidence[DateOrder]) -> None:
    """Take a date, or the beginning of a stamp, into account. Years first prove nothing: they are always understood."""
    match = _DAY.match(western_digits(value))
    if match is None:
        return
    first, second = int(match[1]), int(match[2])
    if first > 12 >= second:
        evidence.proves("dmy", value)
    elif second > 12 >= first:
        evidence.proves("mdy", value)
    elif first != second and first <= 12:
        evidence.doubtful = evidence.doubtful or value


def weigh_number(value: str, evidence: Evidence[DecimalMark]) -> None:
    """Take an amount into account: ``12,50``, ``0.500``, ``1.234,5`` and ``1,234,567`` have one meaning, ``1,234`` has two."""
    readings = decimal_readings(value) if "," in value or "." in value or not value.isascii() else {}
    if len(readings) == 1:
        evidence.proves(next(iter(readings)), value)
    elif len(set(readings.values())) > 1:
        evidence.doubtful = evidence.doubtful or value


def date_question(evidence: Evidence[DateOrder]) -> Question:
    """Asks for ``date_order``."""
    return Question(
        "date_order",
        ("dmy", "mdy"),
        _why(evidence, _("“%(value)s” can be read with the day or with the month first.", value=evidence.doubtful)),
    )


def decimal_question(evidence: Evidence[DecimalMark]) -> Question:
    """Asks for ``decimal``."""
    return Question(
        "decimal", (",", "."), _why(evidence, _("In “%(value)s” the mark may part thousands or decimals.", value=evidence.doubtful))
    )


def _why(evidence: Evidence[Reading], doubt: Text) -> Text:
    if len(evidence.proofs) < 2:
        return doubt
    one, other = list(evidence.examples.values())[:2]
    return _("Some values can only be read one way (“%(one)s”), some only another (“%(other)s”).", one=one, other=other)
