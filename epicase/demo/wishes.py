"""Requests for access that wait for the demo's supervisor: by a colleague, for longer, and for a second approval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.utils import timezone

from access import actions
from access.actions import ledger_actor
from access.actor import acting_as_owner
from access.models import CaseGrant, User
from access.purposes import Purpose
from access.visibility import CasePermission
from audit import trail
from cases.models import Case
from epicase.demo.grants import BOTH, MINE, evening

WORK = (CasePermission.CHANGE, CasePermission.IDENTITY, CasePermission.REACH, CasePermission.TRAJECTORY)


def ask(cases: Sequence[Case], people: dict[str, User]) -> None:
    """Ask as people do; the newest cases of the first district come first in `cases` when sorted by their report."""
    district = people["investigator"].organisation_id
    own = [case for case in cases if case.district_id == district]
    newest = sorted(own, key=lambda case: case.reported_at, reverse=True)
    _ask_for_a_case(newest[BOTH], people["investigator2"])
    _ask_for_longer(people["investigator"])
    _propose_statistics(newest[MINE], people["investigator2"], people["supervisor2"])


def _ask_for_a_case(case: Case, by: User) -> None:
    with _in_the_name_of(by):
        actions.ask(
            case.case_no,
            [CasePermission.REACH, CasePermission.TRAJECTORY],
            purpose=Purpose.SOURCE,
            reason="本区两例病例同一天去过同一集市，需核对行程和同行人",
            days=7,
            by=by,
        )


def _ask_for_longer(by: User) -> None:
    with _in_the_name_of(by):
        mine = CaseGrant.objects.filter(user=by, kind="direct", expires_at__gt=timezone.now())
        grant = mine.select_related("content_object").order_by("expires_at", "content_object__case_no")[0]
        actions.extend(
            grant, WORK, purpose=Purpose.CONTACTS, reason="两名密接还没有联系上，随访到下周", days=7, by=by
        )


def _propose_statistics(case: Case, to: User, by: User) -> None:
    with _in_the_name_of(by):
        actions.propose(
            case,
            to,
            [CasePermission.HEALTH, CasePermission.TRAJECTORY],
            purpose=Purpose.STATISTICS,
            reason="潜伏期估算，只用发病日期和暴露时间",
            until=evening(14),
            by=by,
        )


@contextmanager
def _in_the_name_of(person: User) -> Iterator[None]:
    """The seeding login cannot wear a person's role; the ledger names the person all the same."""
    with acting_as_owner(), trail.audit_job("demo_seed", ledger_actor(person)):
        yield
