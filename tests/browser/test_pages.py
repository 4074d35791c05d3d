"""Every main page, as its reader meets it: no flaw for axe and the ruler, and nothing left in the other language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from access import actions as access_actions
from access.actions import accounts, emergency, invitations, tokens
from access.actions.accounts import State
from access.models import EmergencyAccess, User
from access.models.tokens import Scope
from access.permissions import CasePermission
from access.purposes import Purpose
from access.roles import Role
from cases.models import Case
from disclosure import actions
from tests import factories
from tests.browser import wording
from tests.browser.person import PHONE, WIDE, Person
from tests.browser.product import Product
from tests.cast import World
from tests.security import raw

PAGES = {
    "investigator": (
        "/",
        "/cases/",
        "/cases/{case}/",
        "/cases/open/",
        "/cases/{case}/movements/",
        "/cases/{case}/edit/report/",
        "/cases/{case}/edit/illness/",
        "/outbreaks/",
        "/outbreaks/{outbreak}/",
        "/access/",
        "/access/ask/",
        "/access/requests/",
        "/access/why/?case={case}",
        "/disclosure/",
        "/disclosure/new/",
        "/disclosure/{export}/",
        "/dictionary/",
        "/audit/mine/",
        "/access/emergency/",
        "/access/tokens/",
        "/access/notices/",
        "/access/me/",
        "/access/me/password/",
        "/access/me/pledge/",
        "/access/second-factor/set-up/",
        "/access/confirm/",
    ),
    "supervisor": (
        "/",
        "/cases/",
        "/cases/{case}/",
        "/access/",
        "/access/cases/{case}/",
        "/access/requests/",
        "/access/requests/{request}/",
        "/access/why/?case={case}",
        "/access/bulk/",
        "/access/teams/",
        "/access/teams/{team}/",
        "/access/stand-ins/",
        "/access/unused/",
        "/access/holders/",
        "/access/holders/people/{holder}/revoke/",
        "/access/revocations/{revocation}/",
        "/access/reviews/",
        "/access/reviews/{review}/",
        "/access/notices/",
        "/disclosure/",
        "/disclosure/{export}/",
        "/outbreaks/open/",
        "/contacts/import/",
        "/access/holders/",
        "/access/holders/people/{person}/hand-over/",
    ),
    "auditor": (
        "/audit/",
        "/audit/case/{case}/",
        "/audit/person/{person}/",
        "/audit/events/{event}/",
        "/audit/integrity/",
        "/access/reviews/",
        "/access/reviews/{review}/",
    ),
    "privacy": ("/dictionary/", "/audit/mine/"),
    "secadmin": (
        "/access/accounts/",
        "/access/accounts/{holder}/",
        "/access/accounts/invite/",
        "/access/organisations/",
        "/access/organisations/{district}/merge/",
        "/access/accounts/{person}/second-factor/",
        "/access/holders/",
        "/audit/mine/",
    ),
    "sysadmin": ("/audit/mine/",),
    "partner": ("/audit/mine/",),
}


@dataclass(frozen=True)
class Stage:
    """Readers of every role who read Chinese, and records for their pages."""

    readers: dict[str, User]
    ids: dict[str, Any]


@pytest.fixture(scope="module")
def stage(site: Product, world: World) -> Stage:
    with site.inside():
        with factories.as_owner():
            readers = {
                role: factories.user(f"reader-{role}", role, someone.organisation, language="zh-hans")
                for role, someone in world.people.items()
            }
        case = factories.case(readers["investigator"], world.outbreak)
        factories.visit(case, readers["investigator"])
        factories.grant(case, world.outsider, readers["supervisor"])
        export = wanted_export(readers["investigator"])
        request = wanted_access(readers["investigator"], case)
        given = given_access(readers, world)
    ids = {
        **given,
        "request": request.pk,
        "case": case.pk,
        "outbreak": world.outbreak.pk,
        "export": export.pk,
        "person": world.investigator.pk,
    }
    return Stage(readers, ids)


def wanted_export(by: User) -> Any:
    with factories.as_person(by), translation.override("en"):
        until = timezone.localdate() + timedelta(days=7)
        return actions.request_export(
            Case.objects.all(),
            ["case_no", "sex", "full_name"],
            purpose="P8",
            recipient="示例市疾控中心",
            use_until=until,
            by=by,
        )


def wanted_access(by: User, case: Any) -> Any:
    with factories.as_person(by):
        return access_actions.ask(
            case.case_no,
            [CasePermission.HEALTH],
            purpose=Purpose.SOURCE,
            reason="核对集市当天的行程和同行人",
            days=7,
            by=by,
        )


def given_access(readers: dict[str, User], world: World) -> dict[str, Any]:
    """A team, unused access, a revocation, an emergency access, a token, an invitation: by identifier."""
    chief, asker = readers["supervisor"], readers["investigator"]
    with factories.as_owner():
        holder = factories.user("holder", "investigator", world.other_district)
    idle, shown, urgent = (factories.case(asker, world.outbreak) for _ in range(3))
    factories.grant(idle, holder, chief)
    raw.as_owner("update access_casegrant set starts_at = starts_at - interval '15 days'"
                 f" where content_object_id = '{idle.pk}'")  # fmt: skip
    factories.grant(shown, holder, chief)
    with factories.as_person(chief):
        team = access_actions.make_team("流调一组", by=chief)
        access_actions.join(team, holder, by=chief)
        revocation = access_actions.revoke(shown, holder, by=chief)
        until = timezone.now() + timedelta(days=3)
        access_actions.stand_in_for(holder, world.colleague, until=until, by=chief)
    with factories.as_person(holder):
        opened = emergency.break_glass(
            urgent.case_no, EmergencyAccess.Reason.UNREACHABLE, words="", hours=4, by=holder
        )
    with factories.as_person(asker):
        tokens.make_token("周报", [Scope.CASES], purpose=Purpose.SOURCE, lasts=timedelta(days=7), by=asker)
    with factories.as_person(world.secadmin):
        for role in (Role.SECADMIN, Role.INVESTIGATOR):
            wanted = State(role, world.district)
            invitations.invite(f"invited-{role}", "章三", wanted, by=world.secadmin)
        promoted = State(Role.SECADMIN, holder.organisation)
        accounts.change(holder, promoted, reason=accounts.Reason.MOVED, by=world.secadmin)
    return {
        "team": team.pk,
        "revocation": revocation.pk,
        "review": opened.pk,
        "holder": holder.pk,
        "district": world.other_district.pk,
    }


def newest_event(reader: Person) -> str:
    """The identifier that the first line of the log leads to."""
    reader.go("/audit/")
    return str(reader.page.locator(".log-row").first.get_attribute("id")).removeprefix("event-")


@pytest.mark.parametrize("role", PAGES)
def test_the_pages_of_a_role_have_no_flaws(
    person: Callable[..., Person], world: World, stage: Stage, role: str
) -> None:
    reader = person(stage.readers[role], locale="zh-CN")
    ids = dict(stage.ids)
    if role == "auditor":
        ids["event"] = newest_event(reader)
    flaws: list[str] = []
    for path in PAGES[role]:
        status = reader.go(path.format(**ids))
        flaws += [] if status == 200 else [f"{path}: {status}"]
        flaws += [f"{path} is left in English: {words}" for words in wording.left_over(reader.page)]
        flaws += [f"{path} is hard to hit: {one}" for one in reader.small_targets()]
        flaws += reader.flaws()
    flaws += english_on_a_phone(reader, PAGES[role], ids)
    assert not flaws, "\n".join(flaws)


def english_on_a_phone(reader: Person, paths: tuple[str, ...], ids: dict[str, Any]) -> list[str]:
    """English words are longer: the pages once more, for the ruler alone."""
    reader.go(paths[-1].format(**ids))
    reader.speak("en")
    assert reader.page.get_attribute("html", "lang") == "en"
    found = []
    for path in paths:
        reader.page.set_viewport_size(WIDE)
        reader.go(path.format(**ids))
        found += [f"{path} in English is hard to hit: {one}" for one in reader.small_targets()]
        reader.page.set_viewport_size(PHONE)
        found += [f"{path} in English is too wide: {reader.widest()}"] if reader.overflows() else []
    return found


def test_on_a_phone_the_logs_filters_are_folded_until_one_is_used(
    person: Callable[..., Person], stage: Stage
) -> None:
    auditor = person(stage.readers["auditor"], viewport=PHONE)
    page = auditor.page
    auditor.go("/audit/")
    assert not page.is_visible("#id_purpose")
    assert page.locator(".log-row").first.bounding_box()["y"] < PHONE["height"]
    page.click("#fold > summary")
    page.select_option("#id_days", "7")
    page.click("#filters button[type=submit]")
    page.wait_for_url("**days=7*")
    assert page.is_visible("#id_purpose")
    page.set_viewport_size(WIDE)
    auditor.go("/audit/")
    assert page.is_visible("#id_purpose")
    assert not page.is_visible("#fold > summary")


def test_what_a_supervisor_is_shown_before_deciding_has_no_flaws(
    person: Callable[..., Person], stage: Stage, site: Product
) -> None:
    chief = person(stage.readers["supervisor"], locale="zh-CN")
    page = chief.page
    with site.inside(), factories.as_person(stage.readers["supervisor"]):
        number = Case.objects.get(pk=stage.ids["case"]).case_no
    chief.speak("zh-hans")
    chief.go("/access/bulk/")
    page.fill("#id_cases", number)
    page.select_option("#id_team", str(stage.ids["team"]))
    page.check("input[name=classes][value=reveal_reach]")
    page.locator("main .card-foot button").first.click()
    page.wait_for_selector("#preview")
    assert wording.left_over(page) == []
    assert chief.small_targets() == []
    assert chief.flaws() == []


def test_dark_has_no_flaws_either(person: Callable[..., Person], stage: Stage) -> None:
    reader = person(stage.readers["investigator"], color_scheme="dark")
    reader.go(f"/cases/{stage.ids['case']}/")
    assert reader.page.get_attribute("html", "data-bs-theme") == "dark"
    assert reader.flaws() == []
