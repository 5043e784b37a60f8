"""What other plugins may ask."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from sample_plugins.wrapping.models import Wish


def count(session: Session, customer_id: int) -> int:
    """How many wishes a customer has."""
    return session.scalar(sa.select(sa.func.count()).select_from(Wish).where(Wish.customer_id == customer_id)) or 0
