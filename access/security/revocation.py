"""Acts that took access back, and what each of them ended: read by whoever did it, changed by nobody."""

from __future__ import annotations

from access.rls import allow, protect
from access.security.words import CASE_IN_MY_AREA, ME, SEC, SECADMIN, SUPERVISOR

MY_ACT = f"exists (select 1 from access_revocation r where r.id = revocation_id and r.by_id = {ME})"


def declare() -> None:
    protect(
        "access.Revocation",
        allow((SUPERVISOR, SECADMIN), "select insert", f"by_id = {ME}"),
        allow(SEC, "select"),
    )
    protect(
        "access.EndedAccess",
        allow(SUPERVISOR, "select insert", f"{MY_ACT} and {CASE_IN_MY_AREA}"),
        allow(SEC, "select"),
    )
    # The functions of `access.sql.revocation` end access and exports, and read what the history tells.
    protect("access.CaseGrant", allow(SEC, "delete"))
