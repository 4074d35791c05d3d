"""The ledger's tables refuse to be changed by anyone, and no month is without a place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from access.actor import acting_as_owner, acting_as_role
from audit import partitions, security, trail
from audit.acts import Act
from audit.models import Event, Pending

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def ledger(db: None) -> None:
    with trail.audit_job("test"):
        trail.record(Act.CASE_LIST)


def as_role(role: str, sql: str) -> Any:
    with acting_as_role(role), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None


CHANGES = ["update {} set occurred_at = now()", "delete from {}", "truncate {}"]


@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("table", ["audit_event", "partition", "audit_event_default"])
def test_not_even_the_owner_changes_an_event(ledger: None, statement: str, table: str) -> None:
    name = f"audit_event_{datetime.now(UTC):%Y_%m}" if table == "partition" else table
    if table == "audit_event_default" and "truncate" not in statement:
        pytest.skip("an empty table has no row to change")
    with pytest.raises(DatabaseError, match="insert-only"):
        as_role("epi_owner", statement.format(name))


@pytest.mark.parametrize("role", [role for role in security.WRITERS if role not in security.READERS])
def test_who_writes_cannot_read(ledger: None, role: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"):
        as_role(role, "select count(*) from audit_event")


def test_the_auditor_reads(ledger: None) -> None:
    assert as_role("ep_auditor", "select count(*) from audit_event") == (1,)


@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("role", ["ep_auditor", "ep_none", "ep_sealer"])
def test_no_role_has_a_right_to_change(ledger: None, role: str, statement: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"):
        as_role(role, statement.format("audit_event"))


def test_each_event_waits_to_be_sealed(ledger: None) -> None:
    with acting_as_owner(), transaction.atomic():
        assert Pending.objects.get().event_id == Event.objects.get().id


def test_months_run_over_the_year() -> None:
    assert partitions.months_from(date(2026, 11, 30), 3) == [
        date(2026, 11, 1),
        date(2026, 12, 1),
        date(2027, 1, 1),
    ]


def test_partitions_stand_ready(db: None) -> None:
    with acting_as_owner(), transaction.atomic():
        assert partitions.missing_ahead(3) == []
        made = partitions.ensure_ahead(5)
        assert len(made) == 4
        assert partitions.ensure_ahead(5) == []


def test_a_month_without_a_partition_falls_into_the_net(db: None) -> None:
    far = datetime(2040, 1, 15, tzinfo=UTC)
    with trail.audit_job("test"):
        trail.record(Act.CASE_LIST).at = far
    assert as_role("epi_owner", "select count(*) from audit_event_default") == (1,)
    with acting_as_owner(), transaction.atomic():
        assert "audit_event_2040_01" not in partitions.ensure_ahead(0, today=date(2040, 1, 1))
        assert Event.objects.get().occurred_at == far


def test_auditlogs_own_table_stays_empty_and_state_agrees(db: None) -> None:
    with acting_as_owner(), transaction.atomic():
        assert as_role("epi_owner", "select count(*) from auditlog_logentry") == (0,)
        call_command("makemigrations", "audit", check=True, dry_run=True, verbosity=0)
