"""Approving and declining: by another person, responsible for every case."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, ProgrammingError
from django.utils import timezone, translation

from access.actor import acting_as_owner
from disclosure import actions, profiles
from disclosure.models import TRANSITIONS, Export, Status
from tests import factories
from tests.cast import World
from tests.disclosure.conftest import WITH_NAMES, again, opened, passphrase_of, rows

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Asking = Callable[..., Export]


def address(export: Export, step: str = "") -> str:
    return f"/disclosure/{export.pk}/{step}"


def test_a_supervisor_of_the_area_approves(world: World, ask: Asking, signed_in: Any, events: Any) -> None:
    export = ask()
    answer = signed_in(world.supervisor).post(address(export, "approve/"), {"answer": ""})
    assert answer.status_code == 302
    now = again(world, export)
    assert (now.status, now.approver_id) == ("approved", world.supervisor.pk)
    [event] = events("export.approve")
    assert event["object"]["label"] == export.number


def test_the_approver_sees_what_leaves_and_what_stays(world: World, ask: Asking, signed_in: Any) -> None:
    export = ask(WITH_NAMES)
    page = signed_in(world.supervisor).get(address(export)).content.decode()
    assert world.case.case_no in page
    assert "欧阳" in page
    assert factories.NAME not in page
    assert factories.PHONE not in page
    assert "ID number" in page


MOVING = ["case_no", "sex", "onset_date", "full_name", "phone", "visits"]
HOME = "示例路7号302室"


@pytest.fixture
def at_home(world: World) -> None:
    """The case was at home."""
    factories.visit(
        world.case, world.investigator, place_kind="residence", place_name="示例小区", address=HOME
    )


@pytest.mark.parametrize("who", ["investigator", "supervisor"])
def test_both_are_told_that_movements_hold_addresses(
    world: World, at_home: None, ask: Asking, signed_in: Any, who: str
) -> None:
    page = signed_in(getattr(world, who)).get(address(ask(MOVING))).content.decode()
    assert "Movements holds times, place names and full addresses" in page
    assert "Arrival, Departure, Kind of place, Place, Address" in page
    assert "Workplace" in page.split("thereby says:")[1].split("</p>")[0]
    assert HOME not in page


def test_they_are_told_in_chinese_too(world: World, at_home: None, ask: Asking, signed_in: Any) -> None:
    browser = signed_in(world.supervisor)
    browser.post("/access/language/", {"language": "zh-hans", "next": "/"})
    page = browser.get(address(ask(MOVING))).content.decode()
    assert "行动轨迹含时间、场所名称和详细地址" in page
    assert "到达时间、离开时间、场所类型、场所、地址" in page


def test_whoever_asks_is_told_beside_the_field(world: World, signed_in: Any) -> None:
    page = signed_in(world.investigator).get("/disclosure/new/").content.decode()
    assert "Movements holds times, place names and full addresses" in page


def test_what_stays_names_nothing_that_a_visit_says(world: World, ask: Asking, signed_in: Any) -> None:
    browser = signed_in(world.supervisor)
    with translation.override("en"):
        said = {str(one.label) for one in profiles.every_field() if one.name in profiles.SAID_BY_VISITS}
    assert len(said) == len(profiles.SAID_BY_VISITS)
    moving = browser.get(address(ask(MOVING))).context["left_behind"]
    names = browser.get(address(ask(WITH_NAMES))).context["left_behind"]
    assert not [one for one in said if one in moving]
    assert all(one in names for one in said)
    assert "Date of birth" in moving


def test_the_preview_shows_the_parts_of_a_visit_masked(
    world: World, at_home: None, ask: Asking, signed_in: Any
) -> None:
    [row] = signed_in(world.supervisor).get(address(ask(MOVING))).context["preview"]
    assert row[-1].startswith("Arrival ******")
    assert "Kind of place ******" in row[-1]
    assert "Address ******" in row[-1]
    assert "Seat" not in row[-1]
    assert HOME not in row[-1]


def test_the_file_holds_what_the_approver_was_told(
    world: World, at_home: None, built: Asking, export_dir: Path
) -> None:
    export = built(MOVING)
    content = (export_dir / export.file_name).read_bytes()
    [_heading, row] = rows(opened(content, passphrase_of(world, export)))
    assert HOME in row[-1]
    assert "示例小区" in row[-1]


@pytest.mark.parametrize(("step", "reason"), [("ask", "nobody has approved"), ("approved", "being built")])
def test_before_the_file_is_built_there_is_no_passphrase_yet(
    world: World, request: pytest.FixtureRequest, signed_in: Any, step: str, reason: str
) -> None:
    export, browser = request.getfixturevalue(step)(), signed_in(world.investigator)
    for answer in (browser.get(address(export, "passphrase/")), browser.post(address(export, "passphrase/"))):
        page = answer.content.decode()
        assert reason in page
        assert "shown before" not in page
    assert answer.status_code == 409


def test_declining_needs_a_reason(world: World, ask: Asking, signed_in: Any) -> None:
    export, browser = ask(), signed_in(world.supervisor)
    assert browser.post(address(export, "reject/"), {"answer": ""}).status_code == 422
    assert again(world, export).status == "requested"
    assert browser.post(address(export, "reject/"), {"answer": "Too many fields"}).status_code == 302
    assert again(world, export).status == "rejected"
    assert "Too many fields" in signed_in(world.investigator).get(address(export)).content.decode()


def test_nobody_approves_the_own_request(world: World, ask: Asking) -> None:
    export = ask()
    with pytest.raises(actions.OwnRequest), factories.as_person(world.investigator):
        actions.approve(export, by=world.investigator)


def change(export: Export, actor: AbstractContextManager[None], **values: Any) -> None:
    """Write columns of the export as somebody, past the actions."""
    with actor:
        found = Export.objects.get(pk=export.pk)
        for name, value in values.items():
            setattr(found, name, value)
        found.save(update_fields=list(values))


def test_the_database_refuses_an_approver_who_asked(world: World, ask: Asking) -> None:
    answer = {"approver": world.investigator, "decided_at": timezone.now(), "status": Status.APPROVED}
    with pytest.raises(IntegrityError, match="export_approver_is_another"):
        change(ask(), factories.as_owner(), **answer)


def test_the_database_refuses_an_investigator_who_approves(world: World, ask: Asking) -> None:
    answer = {"approver": world.supervisor, "decided_at": timezone.now(), "status": Status.APPROVED}
    with pytest.raises(ProgrammingError, match="permission denied"):
        change(ask(), factories.as_person(world.investigator), **answer)
    with pytest.raises(ProgrammingError, match="may not make"):
        change(ask(), factories.as_person(world.investigator), status=Status.APPROVED)


def test_a_supervisor_cannot_sign_for_another(world: World, ask: Asking) -> None:
    answer = {"approver": world.other_supervisor, "decided_at": timezone.now(), "status": Status.APPROVED}
    with pytest.raises(ProgrammingError, match="row-level security"):
        change(ask(), factories.as_person(world.supervisor), **answer)
    change(ask(), factories.as_person(world.supervisor), **{**answer, "approver": world.supervisor})


@pytest.mark.parametrize("step", ["", "approve/", "reject/"])
def test_a_supervisor_elsewhere_finds_nothing(world: World, ask: Asking, signed_in: Any, step: str) -> None:
    export, browser = ask(), signed_in(world.other_supervisor)
    answer = (
        browser.get(address(export)) if not step else browser.post(address(export, step), {"answer": "no"})
    )
    assert answer.status_code == 404
    assert again(world, export).status == "requested"


@pytest.mark.parametrize("role", ["investigator", "auditor", "privacy", "secadmin", "sysadmin", "partner"])
def test_other_roles_may_not_answer(world: World, ask: Asking, signed_in: Any, role: str) -> None:
    export = ask()
    for step in ("approve/", "reject/"):
        assert signed_in(world.people[role]).post(address(export, step), {"answer": "x"}).status_code == 403
    assert again(world, export).status == "requested"


@pytest.mark.parametrize("person", ["colleague", "outsider"])
def test_another_investigator_finds_nothing(world: World, ask: Asking, signed_in: Any, person: str) -> None:
    export, browser = ask(), signed_in(getattr(world, person))
    assert browser.get(address(export)).status_code == 404
    for step in ("withdraw/", "passphrase/", "download/"):
        assert browser.post(address(export, step)).status_code == 404


def test_cases_outside_the_area_need_another_supervisor(world: World, ask: Asking, signed_in: Any) -> None:
    far = factories.case(world.outsider, world.outbreak)
    factories.grant(far, world.investigator, world.other_supervisor)
    export = ask()
    assert export.n_cases == 2
    answer = signed_in(world.supervisor).post(address(export, "approve/"), {"answer": ""})
    assert answer.status_code == 422
    assert "outside your area" in answer.content.decode()
    assert again(world, export).status == "requested"


def test_an_answered_request_is_not_answered_again(world: World, approved: Asking, signed_in: Any) -> None:
    export = approved()
    answer = signed_in(world.supervisor).post(address(export, "reject/"), {"answer": "too late"})
    assert answer.status_code == 422
    assert again(world, export).status == "approved"


def test_a_number_in_the_note_is_refused(world: World, ask: Asking, signed_in: Any) -> None:
    export = ask()
    answer = signed_in(world.supervisor).post(address(export, "reject/"), {"answer": "ask 100 0000 4471"})
    assert answer.status_code == 422


def test_a_dead_broker_does_not_stop_an_approval(
    world: World,
    ask: Asking,
    signed_in: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    from kombu.exceptions import OperationalError

    from disclosure import tasks

    def dead(*_args: Any, **_options: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.build_export, "apply_async", dead)
    export, browser = ask(), signed_in(world.supervisor)
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(address(export, "approve/"), {"answer": ""}).status_code == 302
    assert again(world, export).status == "approved"


def test_the_database_knows_the_same_steps(world: World) -> None:
    """The guard in the migration says the same as TRANSITIONS."""
    filled = {
        "digest": "x",
        "file_name": "x",
        "trace_code": "x",
        "expires_at": timezone.now() + timedelta(days=1),
    }
    filled |= {"approver": world.supervisor, "decided_at": timezone.now(), "use_until": timezone.localdate()}
    steps = {}
    for before in Status:
        with factories.as_owner():
            export = Export(number=f"T-{before}"[:12], requester=world.investigator, status=before, **filled)
            export.save()
        for after in Status:
            with connection.cursor() as cursor, acting_as_owner():
                steps[before, after] = _passes(cursor, export, after)
    expected = {(a, b): a == b or b in TRANSITIONS[a] for a in Status for b in Status}
    assert steps == expected


def _passes(cursor: Any, export: Export, after: Status) -> bool:
    """Whether the database lets the export become that; undone either way."""
    place = transaction.savepoint()
    try:
        cursor.execute("update disclosure_export set status = %s where id = %s", [after, export.pk])
    except IntegrityError:
        return False
    else:
        return True
    finally:
        transaction.savepoint_rollback(place)


@pytest.mark.parametrize("changed", [{"fields": WITH_NAMES}, {"n_cases": 1}, {"recipient": "x"}])
def test_what_was_approved_cannot_be_changed(world: World, approved: Asking, changed: dict[str, Any]) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        change(approved(), factories.as_person(world.investigator), **changed)
