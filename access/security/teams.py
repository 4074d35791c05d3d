"""Teams and their members: kept by the supervisors of their organisation, read by the members."""

from __future__ import annotations

from access.rls import allow, pin, protect
from access.security.words import INVESTIGATOR, ME, SEC, SUPERVISOR

IN_MY_AREA = "organisation_id = any((select sec.area())::bigint[])"
OF_MY_TEAMS = "exists (select 1 from access_team t where t.id = team_id)"


def declare() -> None:
    protect(
        "access.Team",
        allow(
            INVESTIGATOR,
            "select",
            f"exists (select 1 from access_teammember m where m.team_id = access_team.id and m.user_id = {ME})",
        ),
        allow(SUPERVISOR, "select insert", IN_MY_AREA),
        allow(SUPERVISOR, "update", IN_MY_AREA, columns=("name", "is_active")),
        # A merged district's teams move with its people.
        allow(SEC, "select"),
        allow(SEC, "update", columns=("organisation_id", "name")),
    )
    protect(
        "access.TeamMember",
        allow(INVESTIGATOR, "select", f"user_id = {ME}"),
        allow(SUPERVISOR, "select delete", OF_MY_TEAMS),
        allow(
            SUPERVISOR,
            "insert",
            check=f"{OF_MY_TEAMS} and user_id <> {ME} and sec.has_role(user_id, 'investigator')",
        ),
        # A new organisation or role, or an end, takes people out of their teams.
        allow(SEC, "select delete"),
    )
    pin("access.Team", "id")
    pin(
        "access.CaseGrant",
        *("id", "user_id", "permission_id", "content_object_id", "decision_id", "granted_by_id", "kind"),
        "single_use",
        once=("used_at",),
    )
