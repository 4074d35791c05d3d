"""Quotas of shown values: counted in the database, past refused pages, under parallel requests, and never by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.urls import reverse

from access import quotas
from access.actor import acting_as, acting_as_owner, acting_as_role
from access.models import QuotaBreach
from cases import actions as case_actions
from cases.models import Case
from tests import cast, factories
from tests.cases import pages
from tests.factories import as_person
from tests.security import raw

pytestmark = pytest.mark.database
COUNT = "select * from sec.count_reveals(%s, %s, false)"


@pytest.fixture
def three(settings: Any) -> None:
    """A quota of three values an hour."""
    settings.EPICASE_REVEALS_PER_HOUR = {"investigator": 3, "supervisor": 2}


def show(browser: Any, world: Any, name: str = "phone") -> Any:
    return browser.post(reverse("cases:reveal", args=[world.case.pk, name]), {"purpose": "P2"})


def counted(person: Any) -> int:
    rows = raw.owner_rows("select coalesce(sum(shown), 0) from access_revealtally where person_id = %s",
                          [person.pk])  # fmt: skip
    return int(rows[0][0])


def breaches() -> list[QuotaBreach]:
    with transaction.atomic(), acting_as_owner():
        return list(QuotaBreach.objects.all())


def told() -> list[Any]:
    rows = raw.owner_rows("select person_id from access_notice where kind = 'quota_exceeded'")
    return sorted(str(row[0]) for row in rows)


def use_up(browser: Any, world: Any, times: int = 3) -> None:
    for _ in range(times):
        assert factories.PHONE in show(browser, world).content.decode()


@pytest.mark.django_db
def test_values_are_shown_up_to_the_quota_and_then_429(
    world: Any, signed_in: Any, three: None, events: Any
) -> None:
    browser = signed_in(world.investigator)
    use_up(browser, world)
    answer = show(browser, world)
    assert answer.status_code == 429
    assert 3300 <= int(answer.headers["Retry-After"]) <= 3900
    page = answer.content.decode()
    assert "You were shown 3 values in the last hour, and you may be shown 3." in page
    assert factories.PHONE not in page
    refused = events("reveal")[0]
    assert (refused["outcome"], refused["reason"], refused["opened"]) == (1, "quota", [])
    assert not events("access.refused")


@pytest.mark.django_db
def test_the_refusal_speaks_the_persons_language(world: Any, signed_in: Any, three: None) -> None:
    browser = signed_in(world.investigator)
    use_up(browser, world)
    browser.post(reverse("access:language"), {"language": "zh-hans"})
    assert "一小时的限额已用完" in show(browser, world).content.decode()


@pytest.mark.django_db
def test_the_api_counts_too_and_answers_json(world: Any, signed_in: Any, three: None) -> None:
    browser, address = signed_in(world.investigator), f"/api/v1/cases/{world.case.pk}/reveal"
    wanted = {"fields": ["full_name", "phone"], "purpose": "P2"}
    assert browser.post(address, wanted, content_type="application/json").status_code == 200
    assert counted(world.investigator) == 2
    answer = browser.post(address, wanted, content_type="application/json")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 3000
    assert factories.PHONE not in answer.content.decode()
    assert len(breaches()) == 1


@pytest.mark.django_db
def test_fields_times_records_are_counted(world: Any, signed_in: Any) -> None:
    for _ in range(2):
        factories.visit(world.case, world.investigator)
    browser = signed_in(world.investigator)
    answer = browser.post(reverse("cases:show_movements", args=[world.case.pk]), {"purpose": "P2"})
    assert answer.status_code == 200
    # Start, end and place of each of the two.
    assert counted(world.investigator) == 6


@pytest.mark.django_db
def test_movements_and_contacts_stop_at_the_same_quota(world: Any, signed_in: Any, three: None) -> None:
    factories.visit(world.case, world.investigator)
    contact = factories.contact(world.case, world.investigator)
    browser = signed_in(world.investigator)
    movements = reverse("cases:show_movements", args=[world.case.pk])
    assert browser.post(movements, {"purpose": "P2"}).status_code == 200
    assert browser.post(movements, {"purpose": "P2"}).status_code == 429
    answer = browser.post(reverse("contacts:reveal", args=[contact.pk, "full_name"]), {"purpose": "P2"})
    assert answer.status_code == 429
    assert "接触者种植" not in answer.content.decode()


@pytest.mark.django_db
def test_an_empty_field_costs_nothing(world: Any, signed_in: Any, three: None) -> None:
    browser = signed_in(world.investigator)
    name = next(
        field.name for field in type(world.case).encrypted_fields() if getattr(world.case, field.name) is None
    )
    assert show(browser, world, name).status_code == 200
    assert counted(world.investigator) == 0


@pytest.mark.django_db
def test_each_role_and_each_person_has_an_own_quota(world: Any, signed_in: Any, three: None) -> None:
    use_up(signed_in(world.investigator), world)
    browser = signed_in(world.supervisor)
    use_up(browser, world, 2)
    assert show(browser, world).status_code == 429


@pytest.mark.django_db
def test_a_lower_quota_of_the_account_wins_and_a_higher_does_not(
    world: Any, signed_in: Any, three: None
) -> None:
    browser = signed_in(world.investigator)
    raw.as_owner(f"update access_user set reveals_per_hour = 1 where id = '{world.investigator.pk}'")
    use_up(browser, world, 1)
    assert show(browser, world).status_code == 429
    raw.as_owner(f"update access_user set reveals_per_hour = 100 where id = '{world.investigator.pk}'")
    use_up(browser, world, 2)
    assert show(browser, world).status_code == 429


@pytest.mark.django_db
def test_after_an_hour_there_is_room_again(world: Any, signed_in: Any, three: None) -> None:
    browser = signed_in(world.investigator)
    use_up(browser, world)
    raw.as_owner("update access_revealtally set slot = slot - interval '66 minutes'")
    use_up(browser, world, 1)


@pytest.mark.django_db
def test_supervisors_and_auditors_are_alarmed_once_an_hour(world: Any, signed_in: Any, three: None) -> None:
    browser = signed_in(world.investigator)
    use_up(browser, world)
    for _ in range(3):
        assert show(browser, world).status_code == 429
    assert [(one.person_id, one.quota) for one in breaches()] == [(world.investigator.pk, 3)]
    assert told() == sorted([str(world.supervisor.pk), str(world.auditor.pk)])


@pytest.mark.django_db
def test_what_a_refused_page_showed_stays_counted(world: Any, signed_in: Any) -> None:
    """A conflict answers 422 with the other person's values on it, and its transaction is undone."""
    browser, address = signed_in(world.investigator), reverse("cases:edit", args=[world.case.pk, "reach"])
    pages.state_purpose(browser, world.case)
    words = pages.drawn(browser, address)
    before = counted(world.investigator)
    with factories.as_person(world.supervisor):
        other = Case.objects.get(pk=world.case.pk)
        case_actions.correct_case(other, {"town": "他人街道"}, by=world.supervisor)
    answer = browser.post(address, {**words, "town": "我的街道"})
    assert answer.status_code == 422
    assert "他人街道" in answer.content.decode()
    assert before > 0
    assert counted(world.investigator) == before + 1


@pytest.mark.django_db
def test_a_supervisor_of_the_persons_place_reviews_the_breach(
    world: Any, signed_in: Any, three: None, events: Any
) -> None:
    investigator = signed_in(world.investigator)
    use_up(investigator, world)
    show(investigator, world)
    (breach,) = breaches()
    address, browser = reverse("access:review_breach", args=[breach.pk]), signed_in(world.supervisor)
    assert "More values than an hour allows" in browser.get(reverse("access:reviews")).content.decode()
    assert browser.post(address, {"verdict": "fine"}).status_code == 422
    assert not breaches()[0].verdict
    assert signed_in(world.other_supervisor).post(address, {"verdict": "justified"}).status_code == 404
    assert signed_in(world.auditor).post(address, {"verdict": "justified"}).status_code == 403
    assert browser.post(address, {"verdict": "justified"}).status_code == 302
    assert (breaches()[0].verdict, breaches()[0].reviewed_by_id) == ("justified", world.supervisor.pk)
    assert events("quota.review")[0]["reason"] == "justified"
    browser.post(address, {"verdict": "unclear"})
    assert breaches()[0].verdict == "justified"


@pytest.mark.django_db
def test_nobody_reviews_the_own_breach_in_either_fence(world: Any, signed_in: Any, three: None) -> None:
    browser = signed_in(world.supervisor)
    use_up(browser, world, 2)
    show(browser, world)
    (breach,) = breaches()
    assert str(world.supervisor.pk) not in told()
    browser.post(reverse("access:review_breach", args=[breach.pk]), {"verdict": "justified"})
    by_hand = "update access_quotabreach set verdict = 'justified', reviewed_by_id = %s, reviewed_at = now()"
    assert raw.run(raw.person(world.supervisor), by_hand, [world.supervisor.pk]) == 0
    assert not breaches()[0].verdict
    with factories.as_owner():
        chief = factories.user("city_chief", "supervisor", world.city)
    assert raw.run(raw.person(chief), by_hand, [world.supervisor.pk]) == raw.REFUSED
    assert raw.run(raw.person(chief), by_hand, [chief.pk]) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["investigator", "supervisor", "auditor", "secadmin"])
def test_the_tally_is_out_of_everybodys_hands(world: Any, signed_in: Any, who: str) -> None:
    use_up(signed_in(world.investigator), world, 1)
    person = raw.person(getattr(world, who))
    for statement in (
        "select * from access_revealtally",
        "update access_revealtally set shown = 0",
        "delete from access_revealtally",
        f"insert into access_revealtally (person_id, slot, shown) values ('{world.investigator.pk}', now(), 1)",
        "delete from access_quotabreach",
        "insert into access_quotabreach select * from access_quotabreach",
    ):
        assert raw.run(person, statement) == raw.DENIED, statement
    assert counted(world.investigator) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [(0, 100), (-5, 100), (None, 100), (1, -1), (1, None)])
def test_counts_go_up_only(world: Any, arguments: tuple[Any, Any]) -> None:
    assert raw.run(raw.person(world.investigator), COUNT, arguments) == raw.REFUSED
    assert raw.run(raw.person(world.investigator), COUNT, (1, 100)) == 1


@pytest.mark.django_db
def test_nobody_without_a_ticket_is_counted_or_accused(world: Any) -> None:
    assert raw.run(raw.role("ep_investigator"), COUNT, (1, 100)) == raw.REFUSED
    assert raw.run(raw.role("ep_investigator"), "select sec.note_breach(1)") == raw.REFUSED
    with transaction.atomic(), acting_as_role("ep_job"):
        quotas.count(1)


@pytest.mark.django_db
def test_the_breach_of_another_area_is_not_seen(world: Any, signed_in: Any, three: None) -> None:
    browser = signed_in(world.investigator)
    use_up(browser, world)
    show(browser, world)
    table = "access_quotabreach"
    assert raw.count(raw.person(world.supervisor), table) == 1
    assert raw.count(raw.person(world.auditor), table) == 1
    assert raw.count(raw.person(world.other_supervisor), table) == 0
    assert raw.count(raw.person(world.investigator), table) == raw.DENIED


def test_parallel_requests_stay_within_the_quota(private_database: str, settings: Any) -> None:
    """Eight at once on connections of their own, three values each, a quota of ten: three get through."""
    settings.EPICASE_REVEALS_PER_HOUR = {"investigator": 10}
    world = cast.build()
    before = counted(world.investigator)

    def ask(_number: int) -> bool:
        try:
            with as_person(world.investigator):
                try:
                    quotas.count(3)
                except quotas.QuotaExceeded:
                    return False
                return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as people:
        shown = list(people.map(ask, range(8)))
    assert (before, sum(shown)) == (0, 3)
    assert counted(world.investigator) == 9


def test_parallel_emergencies_stay_within_two(private_database: str) -> None:
    from access.actions import emergency
    from access.models import EmergencyAccess

    world = cast.build()
    cases = [world.case, *(factories.case(world.investigator, world.outbreak) for _ in range(3))]

    def ask(number: str) -> bool:
        try:
            with as_person(world.outsider):
                try:
                    emergency.break_glass(
                        number, EmergencyAccess.Reason.LIFE, words="", hours=4, by=world.outsider
                    )
                except emergency.EmergencyRefused:
                    return False
                return True
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as people:
        assert sum(people.map(ask, [case.case_no for case in cases])) == 2


@pytest.mark.django_db
def test_refused_values_are_not_counted(world: Any, three: None) -> None:
    with transaction.atomic(), acting_as(world.investigator):
        quotas.count(2)
        with pytest.raises(quotas.QuotaExceeded) as refusal:
            quotas.count(2)
        assert (refusal.value.shown, refusal.value.quota) == (2, 3)
        quotas.count(1)
    assert counted(world.investigator) == 3


@pytest.mark.django_db
def test_not_even_the_owner_rewrites_a_breach(world: Any, signed_in: Any, three: None) -> None:
    browser = signed_in(world.investigator)
    use_up(browser, world)
    show(browser, world)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        raw.as_owner("update access_quotabreach set quota = 1000")
