"""A stage on which every protected table has a row, and the attackers who want it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone, translation

from access import actions as access_actions
from access import quotas
from access.actions import emergency, tokens
from access.actions.notices import notify
from access.models import AccessRequest, EmergencyAccess, Notice, Verdict
from access.models.tokens import Scope
from access.permissions import CasePermission
from access.purposes import Purpose
from cases.linelist import importing
from cases.models import Case, DiseaseProfile, ImportRun, Visit
from contacts.models import Contact, TransmissionLink
from disclosure import actions as export_actions
from disclosure.models import Export
from tests import cast, factories
from tests.cast import World

SECRETS = {
    "name": factories.NAME,
    "phone": factories.PHONE,
    "id": factories.ID_NUMBER,
    "note": "种植的备注一句",
    "place": "种植街九十九号",
    "contact": "接触者种植",
    "cell": "18800006677",
}
LINELIST = "id,age,sex,dt_onset,dt_report,dt_diag,outcome\nS1,40,M,2015-05-11,2015-05-21,2015-05-21,Alive\n"


@dataclass(frozen=True)
class Stage:
    """The world with a second case, a visit, a contact, a link, a request, an export and an import."""

    world: World
    second: Case
    visit: Visit
    contact: Contact
    export: Export
    run: ImportRun
    request: AccessRequest

    @property
    def insider(self) -> Any:
        return self.world.investigator


def build() -> Stage:
    world = cast.build()
    by = world.investigator
    second = factories.case(by, world.outbreak)
    visit = factories.visit(world.case, by, note=SECRETS["note"], place_name=SECRETS["place"])
    contact = factories.contact(world.case, by)
    with factories.as_person(by):
        TransmissionLink.objects.create(infector=world.case, infectee=second, created_by=by)
        _named()
        _token(by)
    with factories.as_person(world.supervisor):
        notify(Notice.Kind.REQUEST_ANSWERED, [by], case=world.case, about=world.supervisor)
    request = _ask(by, world.case)
    _ended_access(world, second)
    _emergency(world)
    return Stage(world, second, visit, contact, _export(world), _import(world), request)


def _ask(by: Any, case: Case) -> AccessRequest:
    with factories.as_person(by):
        return access_actions.ask(
            case.case_no,
            [CasePermission.EXPORT],
            purpose=Purpose.SOURCE,
            reason="the table for the city",
            days=7,
            by=by,
        )


def _ended_access(world: World, case: Case) -> None:
    factories.grant(case, world.colleague, world.supervisor)
    with factories.as_person(world.supervisor):
        access_actions.revoke(case, world.colleague, by=world.supervisor)
        team = access_actions.make_team("一组", by=world.supervisor)
        access_actions.join(team, world.colleague, by=world.supervisor)


def _emergency(world: World) -> None:
    """A colleague broke the glass and was judged; an investigator asked for too much."""
    by, reason = world.colleague, EmergencyAccess.Reason.LIFE
    with factories.as_person(by):
        opened = emergency.break_glass(world.case.case_no, reason, words="", hours=4, by=by)
    with factories.as_person(world.supervisor):
        emergency.review(opened, Verdict.NOT_JUSTIFIED, words="not needed that night", by=world.supervisor)
    with factories.as_person(world.investigator):
        tally = quotas.Tally(counted=1, is_refused=True)
        quotas.settle(tally)


def _token(by: Any) -> None:
    tokens.make_token("stage", [Scope.CASES], purpose=Purpose.REACH, lasts=timedelta(days=1), by=by)


def _export(world: World) -> Export:
    with factories.as_person(world.investigator), translation.override("en"):
        return export_actions.request_export(
            Case.objects.filter(pk=world.case.pk),
            ["case_no", "full_name"],
            purpose="P8",
            recipient="示例市疾控中心",
            use_until=timezone.localdate() + timedelta(days=7),
            by=world.investigator,
        )


def _import(world: World) -> ImportRun:
    with factories.as_person(world.supervisor):
        outbreak = factories.outbreak(world.supervisor, disease=DiseaseProfile.objects.get(code="mers"))
    with factories.as_person(world.supervisor):
        run = importing.start_import(
            LINELIST.encode(), "mers-korea", outbreak, world.supervisor, in_background=False
        )
    importing.run_import(run.pk, world.supervisor)
    return run


def _named() -> None:
    from audit import trail
    from audit.acts import Act

    trail.record(Act.JOB, reason="test.stage")
