"""Access for a single use: the first opening of the case starts its last fifteen minutes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection

from audit import trail
from audit.acts import Act

if TYPE_CHECKING:
    from django.db.models import Model

    from access.models import User


def note_opening(case: Model, by: User) -> datetime | None:
    """Use up what the person holds on the case for a single use; gives when it ends, None when there is none."""
    if not by.is_investigator:
        return None
    with connection.cursor() as cursor:
        cursor.execute("select sec.use_once(%s)", [case.pk])
        ends: datetime | None = cursor.fetchone()[0]
    if ends is not None:
        trail.record(Act.GRANT_USE, case, extra={"until": ends})
    return ends
