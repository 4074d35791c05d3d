"""Cases and visits in the database, under the roles of the product."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from access.actor import acting_as, acting_as_owner
from cases import actions
from cases.models import Case, Outbreak, Visit
from tests import factories
from tests.cast import World
from vault.errors import RecordGone
from vault.secret import Secret

ONSET = date(2026, 11, 17)
pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def at_work(world: World) -> Iterator[World]:
    """The investigator's role is on for the whole test."""
    with factories.as_person(world.investigator):
        yield world


def new_outbreak(world: World, code: str) -> Outbreak:
    with acting_as(world.supervisor):
        return factories.outbreak(world.supervisor, code=code)


def open_case(world: World, within: Outbreak | None = None, **values: Any) -> Case:
    given = factories.case_values(**{"district": world.district, "onset_date": ONSET, **values})
    return actions.open_case(within or world.outbreak, given, by=world.investigator)


def test_an_opened_case_has_a_number_and_its_area(at_work: World) -> None:
    case = open_case(at_work, new_outbreak(at_work, "YT-2026"))
    assert case.case_no == "YT-2026-0001"
    assert (case.district, case.city, case.province) == (at_work.district, at_work.city, at_work.province)
    assert case.audit_label == case.case_no == str(case)
    assert (case.report_org, case.investigator) == (at_work.district, at_work.investigator)


def test_numbers_count_within_the_outbreak(at_work: World) -> None:
    first, second = new_outbreak(at_work, "YT-2026"), new_outbreak(at_work, "XA-2026")
    assert [open_case(at_work, first).case_no for _ in range(2)] == ["YT-2026-0001", "YT-2026-0002"]
    assert open_case(at_work, second).case_no == "XA-2026-0001"


def test_a_rolled_back_case_gives_its_number_back(at_work: World) -> None:
    outbreak = new_outbreak(at_work, "YT-2026")
    with suppress(RuntimeError), transaction.atomic():
        open_case(at_work, outbreak)
        raise RuntimeError
    assert open_case(at_work, outbreak).case_no == "YT-2026-0001"


def test_the_creator_reads_the_case_again(at_work: World) -> None:
    case = open_case(at_work, full_name="张三", phone="10000001234", symptoms=["fever"])
    again = Case.objects.visible_to(at_work.investigator).get(pk=case.pk)
    assert isinstance(again.full_name, Secret)
    assert (again.full_name.masked, again.phone.masked) == ("张**", "100****1234")
    assert again.symptoms.reveal() == ["fever"]


def test_an_outsider_sees_no_case_at_all(at_work: World) -> None:
    case = open_case(at_work)
    assert Case.objects.filter(pk=case.pk).exists()
    with acting_as(at_work.outsider):
        assert not Case.objects.visible_to(at_work.outsider).exists()
        assert not Case.objects.filter(pk=case.pk).exists()


def test_a_supervisor_sees_the_own_area_only(at_work: World) -> None:
    case = open_case(at_work, full_name="张三")
    with acting_as(at_work.supervisor):
        assert Case.objects.visible_to(at_work.supervisor).get(pk=case.pk).full_name.masked == "张**"
    with acting_as(at_work.other_supervisor):
        assert not Case.objects.filter(pk=case.pk).exists()


def test_an_auditor_has_no_right_on_cases(at_work: World) -> None:
    with acting_as(at_work.auditor), pytest.raises(ProgrammingError, match="denied"), transaction.atomic():
        Case.objects.exists()


def test_a_case_opened_for_another_district_is_refused(at_work: World) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        open_case(at_work, district=at_work.other_district)


def test_saving_a_case_that_is_not_yours_says_so(at_work: World) -> None:
    case = open_case(at_work)
    case.status = "assigned"
    with acting_as(at_work.outsider), pytest.raises(RecordGone), transaction.atomic():
        case.save(update_fields=["status"])


def test_plain_text_never_reaches_the_table(at_work: World) -> None:
    case = open_case(at_work, full_name="张三", phone="10000001234", summary_note="planted in the note")
    with connection.cursor() as cursor:
        cursor.execute("select c::text from cases_case c where id = %s", [case.pk])
        row = cursor.fetchone()[0]
    assert case.case_no in row
    for planted in ("张三", "10000001234", "planted in the note"):
        assert planted not in row
        assert planted.encode().hex() not in row


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"classification": "certain"}, "case_classification_is_a_code"),
        ({"sex": "x"}, "case_sex_is_a_code"),
        ({"age_value": 131}, "case_age_is_possible"),
        ({"is_asymptomatic": True}, "case_no_onset_without_symptoms"),
        ({"first_visit_date": date(2026, 11, 1)}, "case_onset_not_after_first_visit"),
        ({"outcome": "recovered", "outcome_date": date(2026, 11, 1)}, "case_onset_not_after_outcome"),
    ],
)
def test_the_database_refuses(at_work: World, values: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        open_case(at_work, **values)


@pytest.mark.parametrize(
    ("values", "day"),
    [
        ({}, ONSET),
        (
            {"is_asymptomatic": True, "onset_date": None, "first_positive_date": date(2026, 11, 19)},
            date(2026, 11, 19),
        ),
        ({"onset_date": None, "reported_at": datetime(2026, 11, 20, 23, tzinfo=UTC)}, date(2026, 11, 20)),
    ],
)
def test_the_day_in_lists_is_onset_else_sample_else_report(
    at_work: World, values: dict[str, Any], day: date
) -> None:
    case = open_case(at_work, **values)
    assert case.sort_date == day
    case.refresh_from_db()
    assert case.sort_date == day


def test_nobody_moves_a_case_out_of_their_area(at_work: World) -> None:
    case = open_case(at_work)
    for person, why in (
        (at_work.investigator, "only a supervisor"),
        (at_work.supervisor, "row-level security"),
    ):
        with acting_as(person), pytest.raises(ProgrammingError, match=why), transaction.atomic():
            actions.correct_case(case, {"district": at_work.other_district}, by=person)


def test_a_city_s_supervisor_moves_a_case_within_the_city(at_work: World) -> None:
    case = open_case(at_work)
    with acting_as_owner():
        head = factories.user("head", "supervisor", at_work.city)
    with acting_as(head):
        moved = Case.objects.visible_to(head).get(pk=case.pk)
        actions.correct_case(moved, {"district": at_work.other_district}, by=head)
    with acting_as(at_work.other_supervisor):
        assert Case.objects.get(pk=case.pk).full_name.masked == "欧阳**"


def test_a_visit_is_sealed_with_its_case(at_work: World) -> None:
    case = open_case(at_work)
    start = timezone.now() - timedelta(days=2)
    visit = actions.add_visit(case, {"start_at": start, "place_name": "示例集市"}, by=at_work.investigator)
    assert (visit.vault_scope_id(), visit.vault_guard_id(), visit.order) == (case.pk, case.pk, 1)
    again = case.visits.visible_to(at_work.investigator).get()
    assert again.start_at.reveal() == start
    assert again.place_name.masked == "******"


def test_a_withdrawn_visit_stays_and_stands_no_more(at_work: World) -> None:
    case = open_case(at_work)
    rows = [{"start_at": timezone.now(), "place_name": name} for name in ("一", "二")]
    first, _ = actions.add_visits(case, rows, by=at_work.investigator)
    actions.withdraw_visit(first, by=at_work.investigator)
    assert [visit.order for visit in case.visits.standing()] == [2]
    assert case.visits.count() == 2
    with pytest.raises(actions.VisitWithdrawn):
        actions.correct_visit(first, {"place_name": "三"}, by=at_work.investigator)


def test_nobody_deletes_a_case_or_a_visit(at_work: World) -> None:
    case = open_case(at_work)
    actions.add_visit(case, {"start_at": timezone.now()}, by=at_work.investigator)
    for person in (at_work.investigator, at_work.supervisor):
        for records in (Visit.objects.filter(case=case), Case.objects.filter(pk=case.pk)):
            with acting_as(person), pytest.raises(ProgrammingError, match="denied"), transaction.atomic():
                records._raw_delete(using="default")


def test_windows_come_from_the_outbreak_s_disease(at_work: World) -> None:
    windows = open_case(at_work, isolated_date=date(2026, 11, 20)).windows
    assert windows is not None
    assert (windows.exposure.start, windows.exposure.end) == (date(2026, 11, 3), date(2026, 11, 15))
    assert (windows.infectious.start, windows.infectious.end) == (date(2026, 11, 15), date(2026, 11, 20))
