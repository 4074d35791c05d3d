"""Who moves and merges organisations, and what the triggers behind it carry along."""

from __future__ import annotations

from access.rls import allow, protect
from access.security.words import SEC, SECADMIN


def declare() -> None:
    protect(
        "access.Organisation",
        allow(SECADMIN, "update", columns=("parent_id", "merged_into_id", "closed_at")),
        row_security=False,
    )
    # sec.organisation_moved() takes cases, contacts, outbreaks and exports along.
    protect("cases.Case", allow(SEC, "update"))
    protect("contacts.Contact", allow(SEC, "select update"))
    protect("cases.Outbreak", allow(SEC, "select update"), row_security=False)
    protect("disclosure.Export", allow(SEC, "select update"))
