"""Two at once, with real commits: one wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from tests import browsing, cast
from tests.access import enrolled
from tests.access.test_invitations import accounts, code_in, invite, use

pytestmark = pytest.mark.database


@pytest.fixture
def committed(private_database: str) -> Any:
    return cast.build()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What the acts gave, each begun in its own thread at the same moment."""
    together, outcomes = threading.Barrier(len(acts)), list[Any]()

    def run(act: Callable[[], Any]) -> None:
        together.wait()
        try:
            outcomes.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_two_who_use_a_code_at_once_one_wins(committed: Any) -> None:
    code = code_in(invite(browsing.signed_in(committed.secadmin), committed))
    answers = at_once(
        lambda: use(code, "a quiet lake, number one").status_code,
        lambda: use(code, "a quiet lake, number two").status_code,
    )
    assert sorted(answers) == [302, 422]
    assert accounts(username="newcomer") == 1


def test_a_case_opened_while_its_district_moves_lies_in_the_new_city(committed: Any) -> None:
    """Whichever of the two is first, no case keeps the old city."""
    from access.actions import organisations
    from access.models import Organisation
    from cases.models import Case
    from tests import factories

    with factories.as_owner():
        city = factories.organisation("980100", "city", committed.province, "邻市")

    def open_case() -> None:
        factories.case(committed.investigator, committed.outbreak)

    def move() -> None:
        with factories.as_person(committed.secadmin):
            place = Organisation.objects.get(pk=committed.district.pk)
            organisations.move(place, city, by=committed.secadmin)

    at_once(open_case, move, open_case)
    with factories.as_owner():
        places = list(Case.objects.values_list("city_id", flat=True))
    assert places == [city.pk] * 3


@pytest.mark.parametrize("kind", ["recovery code", "code of the app"])
def test_of_two_who_use_a_second_factor_at_once_one_wins(
    committed: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = enrolled.Clock()
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time", clock)
    telephone = enrolled.enrol(browsing.signed_in(committed.investigator), clock)
    code = telephone.codes[0] if kind == "recovery code" else telephone.code()
    first, second = (enrolled.with_password(committed.investigator) for _ in range(2))
    answers = at_once(
        lambda: first.post(enrolled.SECOND, {"code": code}).status_code,
        lambda: second.post(enrolled.SECOND, {"code": code}).status_code,
    )
    assert sorted(answers) == [302, 422]
    assert sorted([enrolled.is_in(first), enrolled.is_in(second)]) == [False, True]


def test_of_two_who_hand_the_same_work_over_at_once_one_wins(committed: Any) -> None:
    from access.models import CaseGrant
    from tests import factories

    with factories.as_owner():
        second = factories.user("second_supervisor", "supervisor", committed.district)
        peer = factories.user("peer", "investigator", committed.district)
    address = f"/access/holders/people/{committed.investigator.pk}/hand-over/"

    def post(by: Any, to: Any) -> int:
        answer = browsing.signed_in(by).post(address, {"to": to.pk, "shown": to.pk, "expected": 7})
        return int(answer.status_code)

    answers = at_once(
        lambda: post(committed.supervisor, committed.colleague),
        lambda: post(second, peer),
    )
    assert answers.count(302) == 1
    assert set(answers) - {302} <= {404, 422}
    with factories.as_owner():
        taken = CaseGrant.objects.filter(content_object_id=committed.case.pk)
        assert {grant.kind for grant in taken} == {"handover"}
        assert len({grant.user_id for grant in taken}) == 1
