"""Pages of access for many: several cases, teams, stand-ins, and grants that nobody uses."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from access import actions, step_up
from access.actions import Expansion
from access.forms.bulk import BulkForm, JoinForm, StandInForm, TeamForm
from access.http import SignedInRequest
from access.models import Team, User
from access.purposes import Purpose
from access.views.fetching import visible_cases
from access.views.grants import refusal_words
from audit import trail
from audit.acts import Act


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.issue_bulk", raise_exception=True)
@step_up.required()
def bulk(request: SignedInRequest) -> HttpResponse:
    """Give several people, or a team, access to several cases: first what it comes to, then the click."""
    picked = "\n".join(number[:24] for number in request.GET.getlist("case")[:500])
    form = BulkForm(request.POST or None, by=request.user, initial={"cases": picked})
    found: Expansion | None = None
    if request.method == "POST" and form.is_valid():
        try:
            found = _planned(form, request.user)
            if form.cleaned_data["expected"] == len(found.rows):
                _issue(form, request.user)
                messages.success(request, _given(found))
                return redirect("access:grants")
        except actions.GrantRefused as refusal:
            _add(form, refusal)
    trail.record(Act.GRANT_VIEW)
    context = {"form": form, "found": found, "warn": found and len(found.cases) > actions.WARN_CASES}
    return render(request, "access/bulk.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.keep_teams", raise_exception=True)
def teams(request: SignedInRequest) -> HttpResponse:
    """The teams of the supervisor's area, and a new one."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(
                "access:team", team_id=actions.make_team(form.cleaned_data["name"], by=request.user).pk
            )
        except actions.GrantRefused as refusal:
            _add(form, refusal)
    kept = list(
        Team.objects.visible_to(request.user)
        .filter(is_active=True)
        .select_related("organisation")
        .order_by("name")
    )
    people = actions.members_by_team(kept)
    found = [{"team": team, "members": people[team.pk]} for team in kept]
    trail.record(Act.TEAM_VIEW)
    return render(
        request, "access/teams.html", {"form": form, "teams": found}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.keep_teams", raise_exception=True)
def team(request: SignedInRequest, team_id: UUID) -> HttpResponse:
    """One team: who is in it, joining, leaving, and what the team holds that a newcomer does not."""
    found = get_object_or_404(
        Team.objects.visible_to(request.user).select_related("organisation"), pk=team_id
    )
    form = JoinForm(request.POST or None, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            actions.join(found, form.cleaned_data["person"], by=request.user)
            messages.success(
                request, _("The person has joined. What the team holds already is offered beside the name.")
            )
            return redirect("access:team", team_id=found.pk)
        except actions.GrantRefused as refusal:
            _add(form, refusal)
    present = actions.members(found)
    missing = actions.plan_catching_up(found, present, by=request.user)
    people = [{"person": person, "missing": len(missing[person.pk].pairs)} for person in present]
    trail.record(Act.TEAM_VIEW, found)
    context = {"team": found, "people": people, "form": form}
    return render(request, "access/team.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required("access.keep_teams", raise_exception=True)
def leave_team(request: SignedInRequest, team_id: UUID, user_id: UUID) -> HttpResponse:
    found, person = _member(request, team_id, user_id)
    ended = actions.leave(found, person, by=request.user)
    if ended is not None:
        return redirect("access:revocation", revocation_id=ended.pk)
    messages.success(request, _("The person has left the team."))
    return redirect("access:team", team_id=found.pk)


@require_POST
@permission_required("access.keep_teams", raise_exception=True)
@step_up.required()
def catch_up(request: SignedInRequest, team_id: UUID, user_id: UUID) -> HttpResponse:
    found, person = _member(request, team_id, user_id)
    try:
        messages.success(request, _given(actions.catch_up(found, person, by=request.user)))
    except actions.GrantRefused as refusal:
        messages.info(request, refusal_words(refusal.code))
    return redirect("access:team", team_id=found.pk)


@require_POST
@permission_required("access.keep_teams", raise_exception=True)
def close_team(request: SignedInRequest, team_id: UUID) -> HttpResponse:
    found = get_object_or_404(Team.objects.visible_to(request.user).filter(is_active=True), pk=team_id)
    ended = actions.close_team(found, by=request.user)
    if ended is not None:
        return redirect("access:revocation", revocation_id=ended.pk)
    messages.success(request, _("The team is closed."))
    return redirect("access:teams")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.name_stand_in", raise_exception=True)
@step_up.required()
def stand_ins(request: SignedInRequest) -> HttpResponse:
    """Let somebody stand in for an absent investigator: first what it comes to, then the click."""
    form = StandInForm(request.POST or None, by=request.user)
    found: Expansion | None = None
    if request.method == "POST" and form.is_valid():
        words = form.cleaned_data
        try:
            found = actions.plan_stand_in(
                words["absent"], words["stand_in"], until=form.until, by=request.user
            )
            if words["expected"] == len(found.rows):
                actions.stand_in_for(
                    words["absent"],
                    words["stand_in"],
                    until=form.until,
                    by=request.user,
                    reason=words["reason"],
                )
                messages.success(request, _given(found))
                return redirect("access:stand_ins")
        except actions.GrantRefused as refusal:
            _add(form, refusal)
    trail.record(Act.GRANT_VIEW)
    context = {"form": form, "found": found, "present": _present(request)}
    return render(request, "access/stand_ins.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required("access.name_stand_in", raise_exception=True)
def end_stand_in(request: SignedInRequest, absent_id: UUID, user_id: UUID) -> HttpResponse:
    held = actions.stand_ins(request.user).filter(user_id=user_id, decision__stands_in_for_id=absent_id)
    person = get_object_or_404(User, pk=user_id if held.exists() else None)
    absent = get_object_or_404(User, pk=absent_id)
    return redirect(
        "access:revocation", revocation_id=actions.end_stand_in(absent, person, by=request.user).pk
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.view_unused", raise_exception=True)
def unused(request: SignedInRequest) -> HttpResponse:
    """Access of the area that nobody has used for two weeks; the chosen ones end with one click."""
    if request.method == "POST":
        try:
            act = actions.revoke_chosen(_pairs(request.POST.getlist("grant")), by=request.user)
            return redirect("access:revocation", revocation_id=act.pk)
        except (actions.GrantRefused, ValueError):
            messages.error(request, _("Choose at least one that has not ended."))
    found = actions.unused()
    people = User.objects.select_related("organisation").in_bulk({one.user_id for one in found})
    cases = visible_cases(request).in_bulk({one.case_id for one in found})
    lines = [
        {"one": one, "person": people[one.user_id], "case": cases[one.case_id]}
        for one in found
        if one.case_id in cases
    ]
    trail.record(Act.GRANT_VIEW, counts={"grants": len(lines)})
    return render(
        request, "access/unused.html", {"lines": lines}, status=422 if request.method == "POST" else 200
    )


def _planned(form: BulkForm, by: User) -> Expansion:
    words = form.cleaned_data
    people = actions.members(words["team"]) if words["team"] else list(words["to"])
    return actions.plan(
        people, form.case_ids, form.permissions, purpose=Purpose(words["purpose"]), until=form.until, by=by
    )


def _issue(form: BulkForm, by: User) -> Expansion:
    words = form.cleaned_data
    purpose, reason = Purpose(words["purpose"]), words["reason"]
    if words["team"]:
        return actions.issue_to_team(
            words["team"],
            form.case_ids,
            form.permissions,
            purpose=purpose,
            reason=reason,
            until=form.until,
            by=by,
        )
    return actions.issue_bulk(
        list(words["to"]),
        form.case_ids,
        form.permissions,
        purpose=purpose,
        reason=reason,
        until=form.until,
        by=by,
    )


def _present(request: SignedInRequest) -> list[dict[str, Any]]:
    """Who stands in for whom now: in how many cases, until when at the latest."""
    rows = (
        actions.stand_ins(request.user)
        .select_related("user__organisation", "decision__stands_in_for")
        .defer("user__password", "decision__stands_in_for__password")
    )
    found: dict[Any, dict[str, Any]] = {}
    for grant in rows:
        absent = grant.decision.stands_in_for
        line = found.setdefault(
            (grant.user_id, absent and absent.pk),
            {"person": grant.user, "absent": absent, "cases": set(), "until": grant.expires_at},
        )
        line["cases"].add(grant.content_object_id)
        line["until"] = max(line["until"], grant.expires_at)
    return list(found.values())


def _member(request: SignedInRequest, team_id: UUID, user_id: UUID) -> tuple[Team, User]:
    found = get_object_or_404(Team.objects.visible_to(request.user), pk=team_id)
    people = User.objects.filter(teams__team=found).select_related("organisation")
    return found, get_object_or_404(people, pk=user_id)


def _pairs(chosen: list[str]) -> list[tuple[UUID, UUID]]:
    """Person and case of each choice. Raises ValueError for anything else."""
    pairs = [one.split(".", 1) for one in chosen]
    return [(UUID(pair[0]), UUID(pair[-1])) for pair in pairs]


def _given(found: Expansion) -> str:
    words = ngettext("%(n)d grant is given.", "%(n)d grants are given.", len(found.pairs))
    return words % {"n": len(found.pairs)}


def _add(form: forms.Form, refusal: actions.GrantRefused) -> None:
    """A refusal as words on the form, beside the field where it has one."""
    field = _FIELDS.get(refusal.code, "")
    form.add_error(field if field in form.fields else None, _words(refusal.code))


_FIELDS = {
    "people": "to",
    "role": "to",
    "self": "to",
    "cases": "cases",
    "second": "until_date",
    "until": "until_date",
    "month": "last_day",
    "same": "stand_in",
    "taken": "name",
    "member": "person",
    "research": "classes",
    "temporary_export": "more",
    "temporary_until": "lasts",
}


def _words(code: str) -> str:
    own = {
        "people": _("Nobody is left who can be given access. Choose others."),
        "cases": _("Name at least one case of your area."),
        "rows": _("This comes to more than 10,000 rows (people × cases × permissions). Give it in parts."),
        "second": _("For several cases at once access ends after 30 days at most and is not for statistics."),
        "same": _("Somebody else has to stand in."),
        "month": _("Standing in ends after today and within 30 days."),
        "nothing": _(
            "There is nothing to stand in for: no live access in your area that the other does not hold."
        ),
        "none": _("Nothing is left to give: all of this is held already."),
        "taken": _("A team of your organisation has this name already."),
        "member": _("This person is a member already."),
    }
    return own.get(code) or refusal_words(code)
