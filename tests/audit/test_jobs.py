"""Jobs and commands: their own transaction, and no change in autocommit."""

from __future__ import annotations

import pytest
from django.db import transaction

from access.actor import acting_as_owner
from audit import context, trail
from audit.acts import Act, Outcome
from audit.errors import AuditOutsideTransaction
from audit.models import Event
from tests.audit import sample
from tests.audit.sample import PLANTED, Thing

pytestmark = pytest.mark.database


def fail_after_a_change() -> None:
    with trail.audit_job("test"):
        Thing.objects.create(note=PLANTED)
        trail.record(Act.CASE_CREATE)
        raise ZeroDivisionError


def test_a_failed_job_leaves_an_event_and_no_change(private_database: str) -> None:
    sample.make_table()
    with pytest.raises(ZeroDivisionError):
        fail_after_a_change()
    with acting_as_owner(), transaction.atomic():
        assert not Thing.objects.exists()
        found = list(Event.objects.order_by("occurred_at").values_list("act", "outcome"))
    assert found == [("case.create", Outcome.FAILED), ("job", Outcome.FAILED)]


def test_a_change_in_autocommit_is_refused(private_database: str) -> None:
    with context.opened(context.Context()), pytest.raises(AuditOutsideTransaction):
        Thing().save()
    with context.opened(context.Context()), pytest.raises(AuditOutsideTransaction):
        trail.record(Act.CASE_LIST)
