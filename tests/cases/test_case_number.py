"""Case numbers under people who open cases at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from cases.models import Case
from tests import cast, factories
from tests.cast import World

pytestmark = pytest.mark.database


@pytest.fixture
def committed(private_database: str) -> World:
    return cast.build()


def test_eight_at_once_get_eight_numbers_without_a_gap(committed: World) -> None:
    def open_one(_: int) -> str:
        try:
            return factories.case(committed.investigator, committed.outbreak).case_no
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as people:
        numbers = list(people.map(open_one, range(8)))
    code = committed.outbreak.code
    assert sorted(numbers) == [f"{code}-{n:04d}" for n in range(2, 10)]
    with factories.as_person(committed.investigator):
        assert Case.objects.visible_to(committed.investigator).count() == 9
