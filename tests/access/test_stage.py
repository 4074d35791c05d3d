"""The stage itself: roles, rights and refusals of the test database."""

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from access.actor import acting_as_owner, acting_as_role

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_nobody_reads_cases() -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("select * from cases_case")


def test_the_owner_reads_cases() -> None:
    with acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("select count(*) from cases_case")
        assert cursor.fetchone() == (0,)


def test_a_role_without_a_ticket_sees_no_row() -> None:
    with acting_as_role("ep_investigator"), connection.cursor() as cursor:
        cursor.execute("select count(*) from cases_case")
        assert cursor.fetchone() == (0,)
