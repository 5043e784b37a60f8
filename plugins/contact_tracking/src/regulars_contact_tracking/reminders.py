"""What the bell tells of follow-ups: one was handed over, some are due."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking.i18n import _, _n
from regulars_contact_tracking.models import FollowUp
from regulars_plugin_api.contributions import JobRun
from regulars_plugin_api.db import customers
from regulars_plugin_api.services import Crm, crm_of
from regulars_plugin_api.views import Viewer

FROM_HOUR = 7
"""Nobody is told before the chain's morning."""
PAGE = "/contact_tracking/follow-ups"


def handed_over(session: Session, row: FollowUp, by: Viewer) -> None:
    """Tell whoever has a follow-up now that somebody else gave it to them; no customer is named, for not all may see that one."""
    if row.assignee_id is None or row.assignee_id == by.user_id:
        return
    text = _("%(name)s has given you a follow-up for %(day)s.", name=by.name, day=row.due_on.isoformat())
    key = f"contact_tracking:given:{row.id}:{row.assignee_id}:{session.info['at'].isoformat()}"
    crm_of(session).notices.tell(session, [row.assignee_id], key, text, f"{PAGE}/{row.id}", icon="checkbox", customer_id=row.customer_id)


def run(crm: Crm, job_run: JobRun) -> None:
    """Tell everybody once a day how many of their follow-ups are due."""
    local = crm.clock.now().astimezone(crm.timezone)
    if local.hour < FROM_HOUR:
        return
    today = local.date()
    due = (
        sa.select(FollowUp.assignee_id, sa.func.count())
        .join(customers, customers.c.id == FollowUp.customer_id)
        .where(FollowUp.done_at.is_(None), FollowUp.due_on <= today, FollowUp.assignee_id.is_not(None))
        .where(customers.c.deleted_at.is_(None), customers.c.merged_into_id.is_(None))
        .group_by(FollowUp.assignee_id)
    )
    with crm.transaction(cause=f"job:{job_run.job}") as session:
        having: dict[int, list[int]] = defaultdict(list)
        for user_id, count in session.execute(due):
            if user_id is not None:
                having[count].append(user_id)
        for count, user_ids in sorted(having.items()):
            text = _n("One follow-up is due.", "%(num)s follow-ups are due.", count)
            crm.notices.tell(session, user_ids, f"contact_tracking:due:{today}", text, PAGE, icon="checkbox")
