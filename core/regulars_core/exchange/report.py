"""What a run says of itself: the same on the command line, through the API and on its page."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.exchange.models import ImportReject, ImportRun, RunState


def verdict(run: ImportRun) -> str:
    """``accept``, ``partial`` (some records were rejected), ``ask`` or ``reject`` (the file was refused whole)."""
    if run.state is RunState.ASKING:
        return "ask"
    if run.state is RunState.REFUSED:
        return "reject"
    return "partial" if run.rejected else "accept"


def report(session: Session, run: ImportRun, *, most_rejected: int | None = None) -> dict[str, Any]:
    """The report of a run. ``most_rejected`` shortens the list of rejected records for a page."""
    rejected = session.execute(
        sa.select(ImportReject.record, ImportReject.field, ImportReject.code, ImportReject.message)
        .where(ImportReject.run_id == run.id)
        .order_by(ImportReject.record)
        .limit(most_rejected)
    )
    return {
        "run": run.id,
        "kind": run.kind,
        "verdict": verdict(run),
        "records": run.created + run.updated + run.unchanged + run.merged + run.rejected,
        "created": run.created,
        "updated": run.updated,
        "unchanged": run.unchanged,
        "merged": run.merged,
        "rejected": [dict(row) for row in rejected.mappings()],
        "questions": run.questions,
        "notes": [{"code": code, **note} for code, note in run.notes.items()],
    }
