"""What people do with outbreaks, cases and visits, and what the ledger then says."""

from typing import Any

import pytest
from django.db import transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from cases import actions
from cases.models import Case
from tests import factories
from tests.cast import World

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_opening_a_case_is_one_event_without_values(world: World, events: Any) -> None:
    before = len(events("case.create"))
    case = factories.case(world.investigator, world.outbreak, full_name="欧阳种植", symptoms=["fever"])
    found = events("case.create")
    assert len(found) == before + 1
    assert case.case_no in str(found[0])
    assert "full_name" in str(found[0])
    assert "欧阳种植" not in str(found[0])
    assert "fever" not in str(found[0])


def test_no_case_is_opened_in_an_ended_outbreak(world: World) -> None:
    world.outbreak.ended_on = timezone.localdate()
    with pytest.raises(actions.OutbreakEnded):
        factories.case(world.investigator, world.outbreak)


@pytest.mark.parametrize("field", ["case_no", "created_by", "source_token", "sort_date", "status", "bmi"])
def test_what_the_program_sets_is_nobody_s_to_fill(world: World, field: str) -> None:
    with pytest.raises(actions.NotYours):
        factories.case(world.investigator, world.outbreak, **{field: "x"})


def test_correcting_names_the_fields_and_keeps_the_rest(world: World, events: Any) -> None:
    with factories.as_person(world.investigator):
        case = Case.objects.get(pk=world.case.pk)
        actions.correct_case(case, {"phone": "10000005555", "age_value": 40}, by=world.investigator)
    with factories.as_person(world.investigator):
        again = Case.objects.get(pk=world.case.pk)
        assert (again.phone.reveal(), again.age_value) == ("10000005555", 40)
        assert again.full_name.masked == "欧阳**"
    event = events("case.change")[0]
    assert {"phone", "age_value"} <= set(event["fields"])
    assert "10000005555" not in str(event)


def test_classification_has_its_own_act(world: World, events: Any) -> None:
    with factories.as_person(world.supervisor):
        case = Case.objects.get(pk=world.case.pk)
        with pytest.raises(actions.NotYours):
            actions.correct_case(case, {"classification": "excluded"}, by=world.supervisor)
        actions.classify(case, "excluded", by=world.supervisor)
    assert "classification" in events("case.change")[0]["fields"]


def test_a_closed_case_takes_no_change(world: World) -> None:
    with factories.as_person(world.investigator):
        case = Case.objects.get(pk=world.case.pk)
        actions.set_status(case, "closed", by=world.investigator)
        with pytest.raises(actions.CaseClosed):
            actions.correct_case(case, {"age_value": 41}, by=world.investigator)
        with pytest.raises(actions.CaseClosed):
            actions.classify(case, "excluded", by=world.investigator)
        with pytest.raises(actions.CaseClosed):
            actions.add_visit(case, {"start_at": timezone.now()}, by=world.investigator)


def test_several_visits_are_one_act(world: World, events: Any) -> None:
    rows = [
        {"start_at": timezone.now(), "place_name": "示例集市"},
        {"start_at": timezone.now(), "seat": "12A"},
    ]
    with factories.as_person(world.investigator):
        case = Case.objects.get(pk=world.case.pk)
        added = actions.add_visits(case, rows, by=world.investigator)
    assert [visit.order for visit in added] == [1, 2]
    found = events("visit.add")
    assert len(found) == 1
    assert {"start_at", "place_name", "seat"} <= set(found[0]["fields"])


def test_an_investigator_opens_no_outbreak(world: World) -> None:
    with factories.as_person(world.investigator), transaction.atomic():
        with pytest.raises(ProgrammingError, match="denied"):
            factories.outbreak(world.investigator)
        transaction.set_rollback(True)
