"""The ``crm`` of the running request, with what only core may ask of it."""

from __future__ import annotations

from typing import cast

from flask import current_app

from regulars_core.crm import Crm


def crm_here() -> Crm:
    """Core's own view of ``current_crm()``."""
    return cast(Crm, current_app.extensions["regulars"])
