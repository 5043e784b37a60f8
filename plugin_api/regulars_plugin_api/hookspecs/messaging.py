"""How customers are reached, and what keeps a message from being sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import MessageChannel, Topic, Veto
from regulars_plugin_api.hookspecs import OnFailure, hookspec


@hookspec
def message_channels() -> Iterable[MessageChannel]:
    """Ways to reach customers: e-mail, SMS and others.

    Asked for each audience and before each batch is sent. On failure nothing is sent through them. Since 1.0.
    """
    raise NotImplementedError


@hookspec
def preference_topics() -> Iterable[Topic]:
    """What a customer may opt into.

    Asked for each preference page. On failure its topics are missing; what was chosen stays. Since 1.0.
    """
    raise NotImplementedError


@hookspec(on_failure=OnFailure.BLOCK)
def contact_vetoes(session: Session, customer_ids: Sequence[int], channel: str, purpose: str) -> Iterable[Veto]:
    """Customers who are not to be written to now: caps, quiet hours, holds.

    Asked in batches when an audience is frozen and right before sending. Any veto wins; consent itself is core's. On
    failure nobody of the batch is written to. Since 1.0.
    """
    raise NotImplementedError
