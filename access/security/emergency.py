"""Emergency access, its reviews, and the quotas of shown values."""

from __future__ import annotations

from access.rls import allow, pin, protect
from access.security.words import AUDITOR, CASE_IN_MY_AREA, INVESTIGATOR, JOB, ME, SEC, SUPERVISOR

MY_AREA = "(select sec.area())::bigint[]"
_SEEN_EMERGENCY = (
    "exists (select 1 from access_emergencyaccess e where e.decision_id = {table}.decision_id{more})"
)


def declare() -> None:
    _emergencies()
    _reasons()
    _reviews()
    _quotas()


def _emergencies() -> None:
    protect(
        "access.EmergencyAccess",
        allow(INVESTIGATOR, "select", f"person_id = {ME}"),
        allow(SUPERVISOR, "select", CASE_IN_MY_AREA),
        # Numbers and codes, no case: an auditor finds the same in the ledger.
        allow((AUDITOR, JOB), "select"),
        allow(SEC, "select insert"),
    )
    protect("access.CaseGrant", allow(SEC, "delete"))


def _reasons() -> None:
    # What was written as the reason stays readable, for the person and the area, when the grants behind it have ended.
    protect(
        "access.AccessDecision",
        allow(
            (INVESTIGATOR, SUPERVISOR),
            "select",
            "kind = 'emergency' and exists (select 1 from access_emergencyaccess e"
            " where e.decision_id = access_accessdecision.id)",
        ),
    )


def _reviews() -> None:
    mine = _SEEN_EMERGENCY.format(table="access_decisionreview", more="")
    protect(
        "access.DecisionReview",
        allow((INVESTIGATOR, SUPERVISOR), "select", mine),
        allow(
            SUPERVISOR,
            "insert",
            check=f"reviewed_by_id = {ME} and "
            + _SEEN_EMERGENCY.format(table="access_decisionreview", more=f" and e.person_id <> {ME}"),
        ),
        # What a reviewer wrote in words is not an auditor's to read.
        allow(
            (AUDITOR, JOB),
            "select",
            columns=("id", "decision_id", "verdict", "reviewed_by_id", "reviewed_at"),
        ),
        allow(SEC, "select"),
    )


def _quotas() -> None:
    # The tally belongs to nobody but the function that keeps it: it cannot be read, reset or filled by hand.
    protect("access.RevealTally", allow(SEC, "select insert update delete"))
    protect(
        "access.QuotaBreach",
        allow(SUPERVISOR, "select", f"organisation_id = any({MY_AREA})"),
        allow(
            SUPERVISOR,
            "update",
            f"organisation_id = any({MY_AREA}) and person_id <> {ME} and reviewed_at is null",
            check=f"reviewed_by_id = {ME} and person_id <> {ME}",
            columns=("verdict", "reviewed_by_id", "reviewed_at"),
        ),
        allow(AUDITOR, "select"),
        allow(SEC, "select insert"),
    )
    pin("access.QuotaBreach", "id", "person_id", "organisation_id", "happened_at", "quota",
        once=("reviewed_by_id", "reviewed_at"))  # fmt: skip
