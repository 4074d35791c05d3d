"""Decisions, grants, their history and the keyring."""

from __future__ import annotations

from access.rls import allow, protect
from access.roles import EVERY_ROLE
from access.security.words import AUDITOR, INVESTIGATOR, ME, MY_AREA_OF_CASE, SEC, SUPERVISOR


def declare() -> None:
    _decisions()
    _grants()
    _keys()


def _decisions() -> None:
    protect(
        "access.AccessDecision",
        allow(
            INVESTIGATOR,
            "select",
            "exists (select 1 from access_casegrant g"
            f" where g.decision_id = access_accessdecision.id and g.user_id = {ME})",
        ),
        # Reasons are free text: a supervisor reads the own ones and those behind grants of the area.
        allow(
            SUPERVISOR,
            "select",
            f"granted_by_id = {ME} or second_approver_id = {ME} or exists (select 1 from access_casegrant g"
            " where g.decision_id = access_accessdecision.id)",
        ),
        # Whoever acts last writes the decision: alone, or as the second approver in both names.
        allow(
            SUPERVISOR,
            "insert",
            check=f"kind in ('direct', 'request', 'bulk', 'team', 'stand_in', 'handover')"
            " and (team_id is null or exists (select 1 from access_team t where t.id = team_id))"
            " and case when second_approver_id is null"
            f" then granted_by_id = {ME} else second_approver_id = {ME} end",
        ),
        allow(SEC, "select insert"),
    )


def _grants() -> None:
    protect(
        "access.CaseGrant",
        allow(INVESTIGATOR, "select", f"user_id = {ME} and expires_at > statement_timestamp()"),
        allow(SUPERVISOR, "select", f"granted_by_id = {ME} or {MY_AREA_OF_CASE}"),
        allow(
            SUPERVISOR,
            "insert",
            check=f"user_id <> {ME} and kind in ('direct', 'request', 'bulk', 'team', 'stand_in', 'handover')"
            # Never more, and never longer, than whoever worked on the case held.
            " and (kind <> 'handover'"
            " or sec.may_take_over(decision_id, user_id, content_object_id, permission_id, expires_at))"
            f" and sec.has_role(user_id, 'investigator') and {MY_AREA_OF_CASE}"
            # The end is counted from the start, so the start may not be put off.
            " and starts_at <= statement_timestamp() + interval '5 minutes'"
            " and sec.decided(decision_id, granted_by_id)"
            f" and (granted_by_id = {ME} or sec.seconded(decision_id, {ME}))",
        ),
        allow(SUPERVISOR, "delete", MY_AREA_OF_CASE),
        allow(SEC, "select insert update delete"),
    )
    protect("access.GrantHistory", allow(AUDITOR, "select"), allow(SEC, "select insert"))


def _keys() -> None:
    protect(
        "vault.KeyringEntry",
        allow(
            (INVESTIGATOR, SUPERVISOR),
            "insert",
            check=f"case when data_class = 9 then guard_id = {ME}"
            " else exists (select 1 from cases_case c where c.id = guard_id) end",
        ),
        allow(SEC, "select"),
    )
    # Epoch keys are made at set-up, by the owner: a bogus current one would stop all new keys.
    protect("vault.EpochKey", allow(EVERY_ROLE, "select"), row_security=False)
