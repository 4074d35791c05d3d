"""What a bulk, team or stand-in decision expands to, against a model in plain Python; then the same in PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access import actions
from access.actions.expansion import Held, Row, caught_up, copied, filled_in, product
from access.models import CaseGrant
from access.purposes import Purpose
from access.visibility import CasePermission
from cases.models import Case
from tests import factories

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE = [UUID(int=n) for n in range(1, 4)]
CASES = [UUID(int=n) for n in range(11, 14)]
PERMISSIONS = ["view_case", "reveal_reach", "reveal_health"]
PURPOSES = ["P3", "P4"]
ends = st.integers(1, 30).map(lambda days: NOW + timedelta(days=days))
held_rows = st.builds(
    Held,
    st.sampled_from(PEOPLE),
    st.sampled_from(CASES),
    st.sampled_from(PERMISSIONS),
    ends,
    st.sampled_from(PURPOSES),
    st.booleans(),
)
holdings = st.lists(held_rows, max_size=14).map(lambda rows: {row.key: row for row in rows})


def some(values: list[Any]) -> Any:
    return st.sets(st.sampled_from(values), min_size=1)


@given(some(PEOPLE), some(CASES), some(PERMISSIONS), ends, st.sampled_from(PURPOSES), holdings)
def test_bulk_writes_each_cell_that_is_not_held_as_long(  # noqa: PLR0917 (what is drawn)
    people: set[UUID], cases: set[UUID], permissions: set[str], until: datetime, purpose: str, held: Any
) -> None:
    found = filled_in(product(people, cases, permissions, until=until, purpose=purpose), held)
    written = {row.key for row in found.rows}
    assert {row.expires_at for row in found.rows} <= {until}
    for person in PEOPLE:
        for case in CASES:
            for permission in PERMISSIONS:
                cell, present = (person, case, permission), held.get((person, case, permission))
                wanted = person in people and case in cases and permission in permissions
                stays = (
                    present is not None
                    and present.expires_at >= until
                    and (present.is_opener or present.purpose == purpose)
                )
                assert (cell in written) == (wanted and not stays)
                assert (cell in found.kept) == (wanted and stays)
                assert (cell in found.replaced) == (wanted and not stays and present is not None)


@given(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), ends, holdings)
def test_a_stand_in_holds_no_more_and_no_longer(
    absent: UUID, person: UUID, until: datetime, held: Any
) -> None:
    originals = [one for one in held.values() if one.user_id == absent]
    mine = {key: one for key, one in held.items() if one.user_id == person}
    found = copied(originals, person, until=until, held=mine)
    model = set()
    for one in originals:
        if (person, one.case_id, one.permission) not in mine:
            end = min(one.expires_at, until)
            model.add(Row(person, one.case_id, one.permission, end, one.purpose))
    assert found.rows == model
    assert not found.replaced


@given(st.sampled_from(PEOPLE), st.lists(held_rows, max_size=14))
def test_a_newcomer_catches_up_with_the_latest_end_of_each(newcomer: UUID, of_team: list[Held]) -> None:
    found = {(row.case_id, row.permission): row for row in caught_up(of_team, newcomer)}
    assert found.keys() == {(one.case_id, one.permission) for one in of_team}
    for (case, permission), row in found.items():
        alike = [one.expires_at for one in of_team if (one.case_id, one.permission) == (case, permission)]
        assert (row.user_id, row.expires_at) == (newcomer, max(alike))


@pytest.fixture
def three(world: Any) -> list[Case]:
    return [world.case, *(factories.case(world.colleague, world.outbreak) for _ in range(2))]


@pytest.mark.django_db
@pytest.mark.database
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.sets(st.sampled_from(["outsider", "colleague", "investigator"]), min_size=1),
    numbers=st.sets(st.integers(0, 2), min_size=1),
    permissions=st.sets(st.sampled_from([CasePermission.REACH, CasePermission.HEALTH]), min_size=1),
    days=st.integers(1, 29),
    way=st.sampled_from(["bulk", "team", "stand_in"]),
)
def test_the_rows_in_the_database_are_those_of_the_model(  # noqa: PLR0917 (what is drawn)
    world: Any, three: list[Case], people: set[str], numbers: set[int], permissions: Any, days: int, way: str
) -> None:
    by, cases = world.supervisor, [three[number] for number in sorted(numbers)]
    chosen = [getattr(world, name) for name in sorted(people)]
    with factories.as_owner():
        CaseGrant.objects.exclude(kind="created").delete()
    until = timezone.now() + timedelta(days=days)
    before = table()
    given_words = {"purpose": Purpose.CONTACTS, "reason": "", "until": until, "by": by}
    with factories.as_person(by):
        if way == "stand_in":
            absent, person = world.investigator, world.outsider
            actions.stand_in_for(absent, person, until=until, by=by)
            wanted = {
                (person.pk, case, permission): min(until, end)
                for (owner, case, permission), end in before.items()
                if owner == absent.pk
            }
        else:
            ids = [case.pk for case in cases]
            if way == "team":
                team = actions.make_team(f"组{days}{len(before)}{timezone.now():%f}", by=by)
                for one in chosen:
                    actions.join(team, one, by=by)
                write = lambda: actions.issue_to_team(team, ids, permissions, **given_words)  # noqa: E731
            else:
                write = lambda: actions.issue_bulk(chosen, ids, permissions, **given_words)  # noqa: E731
            wanted = {
                (one.pk, case.pk, str(permission)): until
                for one in chosen
                for case in cases
                for permission in {CasePermission.VIEW, *permissions}
            }
            # Whoever opened a case holds it for 30 days, for every purpose: longer than what is given here.
            wanted = {cell: end for cell, end in wanted.items() if cell not in before}
            if wanted:
                write()
            else:
                with pytest.raises(actions.GrantRefused, match="none"):
                    write()
    assert table() == {**before, **wanted}


def table() -> dict[tuple[UUID, UUID, str], datetime]:
    with factories.as_owner():
        rows = CaseGrant.objects.values_list(
            "user_id", "content_object_id", "permission__codename", "expires_at"
        )
        return {(person, case, codename): end for person, case, codename, end in rows}
