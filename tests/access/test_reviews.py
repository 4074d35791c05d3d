"""Reviews of emergency access: by another person, from what was seen, within 72 hours, kept for good."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.db.utils import DatabaseError
from django.urls import reverse

from access import tasks
from access.actions import emergency
from access.actor import acting_as, acting_as_owner
from access.models import CaseGrant, DecisionReview, EmergencyAccess, Notice, Verdict
from tests import factories
from tests.access.test_emergency import backdate, broken, granted
from tests.factories import as_person
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]
INSERT = (
    "insert into access_decisionreview (id, decision_id, verdict, words, reviewed_by_id, reviewed_at)"
    " select gen_random_uuid(), decision_id, 'justified', '', %s, now() from access_emergencyaccess"
)


def address(opened: EmergencyAccess) -> str:
    return reverse("access:review", args=[opened.pk])


def verdict(opened: EmergencyAccess) -> str:
    return reverse("access:judge", args=[opened.pk])


def told(kind: str) -> set[Any]:
    with transaction.atomic(), acting_as_owner():
        return set(Notice.objects.filter(kind=kind).values_list("person_id", flat=True))


def reviewed() -> list[str]:
    with transaction.atomic(), acting_as_owner():
        return list(DecisionReview.objects.values_list("verdict", flat=True))


def make_older(hours: int) -> None:
    backdate(f"update access_emergencyaccess set opened_at = opened_at - interval '{hours} hours',"
             f" ends_at = ends_at - interval '{hours} hours'")  # fmt: skip


def test_a_supervisor_of_the_area_finds_it_in_the_queue_and_judges_it(
    world: Any, signed_in: Any, events: Any
) -> None:
    opened, browser = broken(world), signed_in(world.supervisor)
    assert world.case.case_no in browser.get(reverse("access:reviews")).content.decode()
    answer = browser.post(verdict(opened), {"verdict": "justified", "words": ""})
    assert answer.status_code == 302
    assert reviewed() == ["justified"]
    (event,) = events("emergency.review")
    assert (event["reason"], event["decision"]) == ("justified", str(opened.pk))
    assert event["toward"]["id"] == str(world.outsider.pk)
    assert told("emergency_reviewed") == {world.outsider.pk}
    # Justified access goes on until its end.
    assert granted(world) == {"view_case", "reveal_identity", "reveal_reach"}


def test_what_had_been_seen_stands_beside_the_verdict_without_a_value(world: Any, signed_in: Any) -> None:
    opened, browser = broken(world), signed_in(world.outsider)
    shown = browser.post(reverse("cases:reveal", args=[world.case.pk, "phone"]), {"purpose": "P2"})
    assert factories.PHONE in shown.content.decode()
    for reader in (world.supervisor, world.auditor):
        answer = signed_in(reader).get(address(opened))
        assert [(one.field, one.times) for _name, one in answer.context["seen"]] == [("phone", 1)]
        assert factories.PHONE not in answer.content.decode()


def test_the_navigation_says_what_waits_and_what_is_late(world: Any, signed_in: Any) -> None:
    chief, auditor = signed_in(world.supervisor), signed_in(world.auditor)
    entry = reverse("access:reviews")

    def count(browser: Any) -> str:
        groups = browser.get(reverse("access:notices")).context["frame"].groups
        found = [link.count for group in groups for link in group.links if link.url == entry]
        return str(found[0].text) if found and found[0] else ""

    assert (count(chief), count(auditor)) == ("", "")
    broken(world)
    assert (count(chief), count(auditor)) == ("1", "1")
    assert count(signed_in(world.other_supervisor)) == ""
    make_older(73)
    assert count(chief) == "1 overdue"


def test_looking_is_an_event(world: Any, signed_in: Any, events: Any) -> None:
    signed_in(world.supervisor).get(address(broken(world)))
    assert events("review.view")[0]["object"]["label"] == world.case.case_no


def test_not_justified_ends_it_at_once_and_tells_auditors_and_security(world: Any, signed_in: Any) -> None:
    opened = broken(world)
    words = "no contact was traced in that night"
    answer = signed_in(world.supervisor).post(verdict(opened), {"verdict": "not_justified", "words": words})
    assert answer.status_code == 302
    assert granted(world) == set()
    assert told("emergency_unjustified") == {world.auditor.pk, world.secadmin.pk}
    page = signed_in(world.secadmin).get(reverse("access:notices")).content.decode()
    assert "was found not justified and has ended" in page
    assert world.case.case_no not in page
    with transaction.atomic(), acting_as(world.outsider):
        assert DecisionReview.objects.get().words == words


def test_the_history_says_who_ended_it(world: Any) -> None:
    opened = broken(world)
    with as_person(world.supervisor):
        emergency.review(opened, Verdict.NOT_JUSTIFIED, words="not needed at that hour", by=world.supervisor)
    rows = raw.owner_rows("select distinct change, by_id from access_granthistory where decision_id = %s",
                          [opened.pk])  # fmt: skip
    assert set(rows) == {("insert", world.outsider.pk), ("delete", world.supervisor.pk)}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"verdict": "fine"},
        {"verdict": "not_justified"},
        {"verdict": "unclear", "words": "short"},
        {"verdict": "justified", "words": "call 13800001234"},
    ],
)
def test_bad_input_changes_nothing(world: Any, signed_in: Any, wrong: dict[str, str]) -> None:
    opened = broken(world)
    assert signed_in(world.supervisor).post(verdict(opened), wrong).status_code == 422
    assert reviewed() == []
    assert granted(world) == {"view_case", "reveal_identity", "reveal_reach"}


def test_the_outsider_gets_404_and_the_wrong_role_403(world: Any, signed_in: Any) -> None:
    opened = broken(world)
    given = {"verdict": "justified", "words": ""}
    assert signed_in(world.other_supervisor).get(address(opened)).status_code == 404
    assert signed_in(world.other_supervisor).post(verdict(opened), given).status_code == 404
    assert signed_in(world.auditor).post(verdict(opened), given).status_code == 403
    for person in (world.outsider, world.investigator, world.secadmin, world.privacy):
        assert signed_in(person).get(reverse("access:reviews")).status_code == 403
        assert signed_in(person).post(verdict(opened), given).status_code == 403
    assert reviewed() == []


def test_an_auditor_reads_the_queue_and_no_free_text(world: Any, signed_in: Any) -> None:
    words = "the family has to be reached tonight"
    with as_person(world.outsider):
        opened = emergency.break_glass(
            world.case.case_no, EmergencyAccess.Reason.OTHER, words=words, hours=4, by=world.outsider
        )
    assert words in signed_in(world.supervisor).get(address(opened)).content.decode()
    browser = signed_in(world.auditor)
    assert words not in browser.get(address(opened)).content.decode()
    assert "Save the review" not in browser.get(address(opened)).content.decode()
    with as_person(world.supervisor):
        emergency.review(opened, Verdict.JUSTIFIED, words="rightly so, thank you", by=world.supervisor)
    for page in (browser.get(address(opened)), browser.get(reverse("access:reviews"))):
        assert "Justified" in page.content.decode()
        assert "rightly so" not in page.content.decode()
    reading = "select words from access_decisionreview"
    assert raw.run(raw.person(world.auditor), reading) == raw.DENIED
    assert raw.run(raw.person(world.auditor), "select verdict from access_decisionreview") == 1


def become_supervisor(person: Any) -> None:
    with transaction.atomic(), acting_as_owner():
        type(person).accounts.filter(pk=person.pk).update(role="supervisor")
    person.role = "supervisor"


def test_nobody_reviews_their_own_in_either_fence(world: Any, signed_in: Any) -> None:
    """Somebody who becomes a supervisor of the very area afterwards."""
    opened = broken(world, by=world.colleague)
    become_supervisor(world.colleague)
    browser = signed_in(world.colleague)
    assert "Nobody reviews their own act" in browser.get(address(opened)).content.decode()
    answer = browser.post(verdict(opened), {"verdict": "justified", "words": ""})
    assert answer.status_code == 422
    assert raw.run(raw.person(world.colleague), INSERT, [world.colleague.pk]) == raw.REFUSED
    with (
        pytest.raises(DatabaseError, match="the own emergency access"),
        transaction.atomic(),
        acting_as_owner(),
    ):
        DecisionReview.objects.create(decision_id=opened.pk, verdict="justified", reviewed_by=world.colleague)
    assert reviewed() == []
    assert raw.run(raw.person(world.supervisor), INSERT, [world.supervisor.pk]) == 1


def test_a_review_is_written_by_supervisors_of_the_area_in_their_own_name(world: Any) -> None:
    broken(world)
    for person in (world.outsider, world.auditor, world.secadmin):
        assert raw.run(raw.person(person), INSERT, [person.pk]) == raw.DENIED
    assert raw.run(raw.person(world.supervisor), INSERT, [world.auditor.pk]) == raw.REFUSED
    # Of another area: there is nothing to insert from, and naming the decision outright is refused.
    assert raw.run(raw.person(world.other_supervisor), INSERT, [world.other_supervisor.pk]) == 0
    with transaction.atomic(), acting_as_owner():
        decision = EmergencyAccess.objects.get().pk
    outright = (
        "insert into access_decisionreview (id, decision_id, verdict, words, reviewed_by_id, reviewed_at)"
        " values (gen_random_uuid(), %s, 'justified', '', %s, now())"
    )
    assert (
        raw.run(raw.person(world.other_supervisor), outright, [decision, world.other_supervisor.pk])
        == raw.REFUSED
    )
    assert raw.run(raw.person(world.supervisor), outright, [decision, world.supervisor.pk]) == 1


def test_a_review_is_neither_changed_nor_deleted_nor_given_twice(world: Any, signed_in: Any) -> None:
    opened = broken(world)
    with as_person(world.supervisor):
        emergency.review(opened, Verdict.UNCLEAR, words="nobody could say why", by=world.supervisor)
    for statement in (
        "update access_decisionreview set verdict = 'justified'",
        "delete from access_decisionreview",
    ):
        assert raw.run(raw.person(world.supervisor), statement) == raw.DENIED
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            raw.as_owner(statement)
    again = signed_in(world.supervisor).post(verdict(opened), {"verdict": "justified", "words": ""})
    assert again.status_code == 422
    assert reviewed() == ["unclear"]


def test_only_emergency_access_is_reviewed(world: Any) -> None:
    decision = factories.grant(world.case, world.outsider, world.supervisor)
    with pytest.raises(DatabaseError, match="only emergency"), transaction.atomic(), acting_as_owner():
        DecisionReview.objects.create(
            decision_id=decision.pk, verdict="justified", reviewed_by=world.supervisor
        )


def test_a_review_that_is_due_is_reminded_of_once_and_an_overdue_one_is_told_to_auditors(world: Any) -> None:
    broken(world)
    assert tasks.remind_reviews() == 0
    make_older(49)
    assert tasks.remind_reviews() == 1
    assert told("emergency_to_review") == {world.supervisor.pk}
    assert tasks.remind_reviews() == 0
    make_older(24)
    assert tasks.remind_reviews() == 1
    assert told("review_overdue") == {world.supervisor.pk, world.auditor.pk}
    assert tasks.remind_reviews() == 0


def test_the_reminder_is_a_job_in_the_ledger(world: Any, events: Any) -> None:
    broken(world)
    make_older(73)
    tasks.remind_reviews()
    assert events("job")[0]["counts"] == {"due": 0, "overdue": 1}


def test_what_was_reviewed_is_not_reminded_of_and_frees_the_person(world: Any) -> None:
    opened = broken(world)
    make_older(73)
    with as_person(world.supervisor):
        emergency.review(opened, Verdict.JUSTIFIED, words="", by=world.supervisor)
    assert tasks.remind_reviews() == 0
    with transaction.atomic(), acting_as_owner():
        CaseGrant.objects.filter(user=world.outsider).delete()
    broken(world)


def test_no_person_runs_the_reminder(world: Any) -> None:
    for person in (world.supervisor, world.auditor, world.sysadmin):
        assert raw.run(raw.person(person), "select * from sec.remind_reviews()") == raw.REFUSED


def test_what_was_seen_is_told_to_the_area_and_to_auditors_only(world: Any, signed_in: Any) -> None:
    opened, browser = broken(world), signed_in(world.outsider)
    browser.post(reverse("cases:reveal", args=[world.case.pk, "phone"]), {"purpose": "P2"})
    call = "select * from sec.seen_in_emergency(%s)"
    for person, rows in ((world.supervisor, 1), (world.auditor, 1), (world.other_supervisor, 0),
                         (world.outsider, 0), (world.secadmin, 0)):  # fmt: skip
        assert raw.run(raw.person(person), call, [opened.pk]) == rows
