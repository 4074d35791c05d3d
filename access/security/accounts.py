"""Accounts, organisations, sessions and the tables of the libraries below them."""

from __future__ import annotations

from access.rls import allow, protect
from access.roles import EVERY_ROLE, PERSON_ROLES, PgRole
from access.security.words import NONE, SEALER, SEC, SECADMIN

# A person's role reads everything about accounts but what signs them in.
PUBLIC_USER_COLUMNS = (
    "id",
    "username",
    "display_name",
    "role",
    "organisation_id",
    "language",
    "single_key_shortcuts",
    "is_active",
    "ends_at",
    "is_temporary",
    "is_superuser",
    "created_at",
    "last_login",
    "session_stamp",
    "reveals_per_hour",
)
# What a security administrator changes of somebody else's account.
MANAGED_USER_COLUMNS = ("role", "organisation_id", "is_active", "ends_at", "is_temporary")


def declare() -> None:
    _accounts()
    _libraries()


def _accounts() -> None:
    protect(
        "access.User",
        allow(NONE, "select"),
        allow(SEC, "select insert update"),
        allow((*PERSON_ROLES, PgRole.JOB), "select", columns=PUBLIC_USER_COLUMNS),
        # No password: sec.set_password() and sec.accept_invitation() are the ways to it.
        allow(NONE, "update", columns=("last_login", "session_stamp", "language", "single_key_shortcuts")),
        # sec.account_guard() says of whom: never of oneself, never alone of a security administrator.
        allow(SECADMIN, "update", columns=MANAGED_USER_COLUMNS),
        row_security=False,
    )
    protect("access.Organisation", allow((*EVERY_ROLE, SEC), "select"), row_security=False)
    protect("access.Session", allow(NONE, "select insert update delete"), row_security=False)
    for table in ("access_user_groups", "access_user_user_permissions"):
        protect(table, allow(EVERY_ROLE, "select"), row_security=False)


def _libraries() -> None:
    readable = ("auth_permission", "auth_group", "auth_group_permissions", "django_content_type")
    for table in readable:
        protect(table, allow((*EVERY_ROLE, SEC, SEALER), "select"), row_security=False)
    # The doctor tells which migrations are missing.
    protect("django_migrations", allow(NONE, "select"), row_security=False)
    # guardian looks at its two empty generic tables even with direct models; nobody may fill them.
    for table in ("guardian_userobjectpermission", "guardian_groupobjectpermission"):
        protect(table, allow(EVERY_ROLE, "select"), row_security=False)
    protect("axes_accessattempt", allow(NONE, "select insert update delete"), row_security=False)
    protect("axes_accessattemptexpiration", allow(NONE, "select insert update delete"), row_security=False)
    protect("axes_accesslog", allow(NONE, "select insert update"), row_security=False)
    protect("axes_accessfailurelog", allow(NONE, "select insert"), row_security=False)
