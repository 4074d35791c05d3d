"""Who may do what with exports: the requester with the own ones, supervisors with those of their area.

Nobody deletes. A requester can withdraw, download and read the passphrase, and change nothing that was
approved; a supervisor can answer; only the worker writes what a built file is.
"""

from __future__ import annotations

from access.rls import allow, pin, protect
from access.roles import PgRole

INVESTIGATOR, SUPERVISOR, JOB = "ep_investigator", "ep_supervisor", PgRole.JOB.value
SEC = PgRole.SEC.value
ME = "(select sec.uid())"
MINE = f"requester_id = {ME}"
IN_MY_AREA = "(select sec.org()) in (district_id, city_id, province_id)"
OF_VISIBLE_EXPORT = "exists (select 1 from disclosure_export e where e.id = export_id)"
OF_MY_NEW_EXPORT = (
    "exists (select 1 from disclosure_export e"
    f" where e.id = export_id and e.requester_id = {ME} and e.status = 'requested')"
    " and case_id = any((select sec.granted('export_case'))::uuid[])"
)
BUILDING = (
    *(
        "status",
        "failure",
        "claim",
        "claimed_at",
        "attempts",
        "n_done",
        "started_at",
        "built_at",
        "expires_at",
    ),
    *("file_name", "digest", "size", "trace_code", "passphrase"),
)


def declare() -> None:
    """Hand the declarations to `access.rls`."""
    protect(
        "disclosure.Export",
        allow(INVESTIGATOR, "select", MINE),
        allow(INVESTIGATOR, "insert", check=f"{MINE} and status = 'requested' and approver_id is null"),
        allow(
            INVESTIGATOR,
            "update",
            MINE,
            columns=("status", "passphrase", "passphrase_shown_at", "downloaded_at"),
        ),
        allow(SUPERVISOR, "select", IN_MY_AREA),
        allow(
            SUPERVISOR,
            "update",
            IN_MY_AREA,
            check=f"({IN_MY_AREA}) and approver_id = {ME} and requester_id <> {ME}",
            columns=("status", "approver_id", "decided_at", "answer"),
        ),
        allow(JOB, "select"),
        allow(JOB, "update", columns=BUILDING),
    )
    protect(
        "disclosure.ExportCase",
        allow(INVESTIGATOR, "select", OF_VISIBLE_EXPORT),
        allow(INVESTIGATOR, "insert", check=OF_MY_NEW_EXPORT),
        allow(SUPERVISOR, "select", OF_VISIBLE_EXPORT),
    )
    # Taking access back ends the exports that rested on it: `sec.end_exports`, whoever asks for it.
    protect(
        "disclosure.Export",
        allow(SEC, "select"),
        allow(SEC, "update", columns=("status", "passphrase", "claim")),
    )
    protect("disclosure.ExportCase", allow(SEC, "select"))
    pin("disclosure.Export", "id", "requester_id", "requested_at", once=("approver_id", "decided_at"))
