"""Second factors, pledges, who is who at single sign-on. Nobody has a right on the other tables of allauth."""

from __future__ import annotations

from access.rls import allow, pin, protect
from access.roles import PERSON_ROLES
from access.security.words import ME, NONE, SEC


def declare() -> None:
    # Before somebody is signed in no person can be named to the database: ep_none alone reads and writes factors.
    # The secrets in them are sealed, so that whoever reads as ep_none still holds none.
    protect("mfa_authenticator", allow(NONE, "select insert update delete"))
    # sec.reset_factors() and a change that two agreed to: rows go, and nobody reads what is in them.
    protect("mfa_authenticator", allow(SEC, "select", columns=("user_id",)), allow(SEC, "delete"))
    pin("mfa_authenticator", "id", "user_id", "type", "created_at")
    protect("access.Pledge", allow(PERSON_ROLES, "select insert", rows=f"user_id = {ME}"))
    pin("access.Pledge", "id", "user_id", "version", "accepted_at")
    # ep_none finds the account of whoever comes back from the provider; only its person binds it, or an invitation
    # that makes it (sec.accept_invitation_bound).
    protect(
        "access.Binding",
        allow(NONE, "select"),
        allow(PERSON_ROLES, "select insert delete", rows=f"user_id = {ME}"),
        # A new password, an end of the account, new factors: whoever bound it earlier comes in no more.
        allow(SEC, "select insert delete"),
    )
    pin("access.Binding", "id", "user_id", "issuer", "subject_hash", "bound_at")
