"""Whether a plugin keeps the contract: checks in three tiers, for a plugin's own tests and for ``regulars plugins check``.

In a plugin's ``tests/test_conformance.py``, one pytest test per check, on SQLite and on PostgreSQL::

    test_conformance = conformance("loyalty", tier="silver")
"""

from regulars_testkit.conformance.checks import Check, Place, all_checks
from regulars_testkit.conformance.findings import Finding, Flaw, Report
from regulars_testkit.conformance.running import examine
from regulars_testkit.conformance.subject import Subject, find
from regulars_testkit.conformance.suite import conformance

__all__ = ["Check", "Finding", "Flaw", "Place", "Report", "Subject", "all_checks", "conformance", "examine", "find"]
