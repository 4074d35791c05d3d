"""The one table of roles: what each may do at all. What a person may do with one case is a grant."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A person has exactly one; none of them is allowed everything."""

    INVESTIGATOR = "investigator", _("Investigator")
    SUPERVISOR = "supervisor", _("Supervisor")
    AUDITOR = "auditor", _("Auditor")
    PRIVACY = "privacy", _("Privacy officer")
    SECADMIN = "secadmin", _("Security administrator")
    SYSADMIN = "sysadmin", _("System administrator")
    PARTNER = "partner", _("Partner")

    @property
    def pg_role(self) -> str:
        """The PostgreSQL role that a person of this role wears inside a transaction."""
        return f"ep_{self.value}"


class PgRole(StrEnum):
    """PostgreSQL roles that are no person's."""

    NONE = "ep_none"
    JOB = "ep_job"
    SEALER = "ep_sealer"
    OWNER = "epi_owner"
    SEC = "epi_sec"


PERSON_ROLES: Final = tuple(role.pg_role for role in Role)
EVERY_ROLE: Final = (PgRole.NONE.value, *PERSON_ROLES, PgRole.JOB.value)

_EVERYONE: Final = frozenset({"audit.view_own_events", "access.view_own_notices"})

PERMISSIONS: Final[dict[Role, frozenset[str]]] = {
    Role.INVESTIGATOR: _EVERYONE
    | {
        "cases.list_cases",
        "cases.view_cases",
        "cases.open_case",
        "cases.correct_case",
        "cases.reveal_values",
        "cases.view_outbreaks",
        "cases.view_dictionary",
        "contacts.list_contacts",
        "contacts.add_contact",
        "contacts.correct_contact",
        "access.view_own_grants",
        "access.use_tokens",
        "access.view_requests",
        "access.request_access",
        "access.withdraw_request",
        "access.explain_access",
        "access.break_glass",
        "disclosure.list_exports",
        "disclosure.request_export",
        "disclosure.download_export",
    },
    Role.SUPERVISOR: _EVERYONE
    | {
        "cases.list_cases",
        "cases.view_cases",
        "cases.open_case",
        "cases.correct_case",
        "cases.classify_case",
        "cases.reveal_values",
        "cases.view_outbreaks",
        "cases.open_outbreak",
        "cases.view_dictionary",
        "cases.import_linelist",
        "contacts.list_contacts",
        "contacts.add_contact",
        "contacts.correct_contact",
        "access.view_grants",
        "access.use_tokens",
        "access.view_requests",
        "access.decide_request",
        "access.withdraw_request",
        "access.explain_access",
        "access.issue_grant",
        "access.issue_bulk",
        "access.keep_teams",
        "access.name_stand_in",
        "access.hand_over",
        "access.view_unused",
        "access.revoke_grant",
        "access.revoke_all",
        "access.view_reviews",
        "access.review_emergency",
        "disclosure.list_exports",
        "disclosure.approve_export",
    },
    Role.AUDITOR: _EVERYONE
    | {
        "access.use_tokens",
        "audit.view_ledger",
        "audit.verify_ledger",
        "cases.view_dictionary",
        "access.view_reviews",
    },
    Role.PRIVACY: _EVERYONE | {"cases.view_dictionary"},
    Role.SECADMIN: _EVERYONE
    | {
        "access.view_accounts",
        "access.change_accounts",
        "access.view_organisations",
        "access.change_organisations",
        "access.revoke_all",
        "cases.view_dictionary",
    },
    Role.SYSADMIN: _EVERYONE | {"access.view_health"},
    Role.PARTNER: _EVERYONE,
}


def may(role: str, permission: str) -> bool:
    """Whether the role holds the permission, e.g. ``may("auditor", "audit.view_ledger")``."""
    return role in Role.values and permission in PERMISSIONS[Role(role)]


def every_permission() -> frozenset[str]:
    """All permissions that some role holds; a name outside this set is a typing error."""
    return frozenset().union(*PERMISSIONS.values())
