"""Notices: each person reads the own ones and marks them as read; nobody writes one."""

from __future__ import annotations

from access.rls import allow, pin, protect
from access.roles import PERSON_ROLES
from access.security.words import JOB, ME, SEC


def declare() -> None:
    protect(
        "access.Notice",
        allow(PERSON_ROLES, "select", f"person_id = {ME}"),
        allow(PERSON_ROLES, "update", f"person_id = {ME}", columns=("read_at",)),
        # Which reminders were sent already.
        allow(JOB, "select"),
        allow(SEC, "select insert"),
    )
    pin(
        "access.Notice",
        "id",
        "person_id",
        "kind",
        "case_id",
        "decision_id",
        "about_id",
        "created_at",
        once=("read_at",),
    )
