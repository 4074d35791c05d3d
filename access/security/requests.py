"""Requests for access: the asker's own without the case behind them, a supervisor's those of the area."""

from __future__ import annotations

from access.rls import allow, pin, protect
from access.security.words import INVESTIGATOR, JOB, ME, SEC, SUPERVISOR

# All but `case_id` and `first_approver_id`: what these hold would tell the asker whether the case exists.
ASKER_READS = (
    *("id", "kind", "asker_id", "person_id", "case_no", "permissions", "purpose", "reason", "days"),
    *("status", "created_at", "decided_by_id", "decided_at", "given_permissions", "given_days", "refusal"),
)
MINE = f"asker_id = {ME}"
IN_MY_AREA = "exists (select 1 from cases_case c where c.id = access_accessrequest.case_id)"
UNDECIDED = "status in ('open', 'waiting_second')"
UNTOUCHED = "decided_by_id is null and decided_at is null and refusal = ''"


def declare() -> None:
    _investigators()
    _supervisors()
    _programs()
    pin(
        "access.AccessRequest",
        *("id", "kind", "asker_id", "person_id", "case_no", "case_id", "permissions", "purpose", "reason"),
        *("days", "created_at"),
        once=("first_approver_id", "decided_by_id", "decided_at", "given_permissions", "given_days"),
    )


def _investigators() -> None:
    protect(
        "access.AccessRequest",
        allow(INVESTIGATOR, "select", MINE, columns=ASKER_READS),
        allow(
            INVESTIGATOR,
            "insert",
            check=f"{MINE} and person_id = {ME} and kind in ('ask', 'extension') and status = 'open'"
            f" and first_approver_id is null and given_permissions is null and given_days is null and {UNTOUCHED}",
        ),
        allow(
            INVESTIGATOR,
            "update",
            f"{MINE} and {UNDECIDED}",
            check=f"{MINE} and status = 'withdrawn'",
            columns=("status",),
        ),
    )


def _supervisors() -> None:
    protect(
        "access.AccessRequest",
        allow(SUPERVISOR, "select", f"{MINE} or {IN_MY_AREA}"),
        allow(
            SUPERVISOR,
            "insert",
            check=f"{MINE} and person_id <> {ME} and kind = 'proposal' and status = 'waiting_second'"
            f" and first_approver_id = {ME} and given_permissions = permissions and given_days = days and {UNTOUCHED}"
            f" and sec.has_role(person_id, 'investigator') and {IN_MY_AREA}",
        ),
        allow(
            SUPERVISOR,
            "update",
            f"{MINE} or {IN_MY_AREA}",
            check=f"case when status = 'withdrawn' then {MINE}"
            f" else {IN_MY_AREA} and asker_id <> {ME} and person_id <> {ME} and case status"
            f" when 'waiting_second' then first_approver_id = {ME} and {UNTOUCHED}"
            f" when 'approved' then decided_by_id = {ME} when 'refused' then decided_by_id = {ME}"
            " else false end end",
            columns=(
                *("status", "first_approver_id", "decided_by_id", "decided_at"),
                *("given_permissions", "given_days", "refusal"),
            ),
        ),
    )


def _programs() -> None:
    protect(
        "access.AccessRequest",
        allow(JOB, "select"),
        allow(JOB, "update", UNDECIDED, check="status = 'expired'", columns=("status",)),
        allow(SEC, "select update"),
    )
