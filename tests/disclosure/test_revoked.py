"""Access that is taken back ends what was about to leave with it: requests, running builds, waiting files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from access import actions as access_actions
from access.models import CaseGrant
from access.visibility import CasePermission
from cases.models import Case
from disclosure import building
from disclosure.models import Export
from tests import factories
from tests.cast import World
from tests.disclosure.conftest import WITH_NAMES, again
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Asking = Callable[..., Export]


def revoke(world: World, case: Case) -> Any:
    with factories.as_person(world.supervisor):
        return access_actions.revoke(case, world.investigator, by=world.supervisor)


def test_a_request_and_an_approval_end_with_the_access(
    world: World, more_cases: list[Case], ask: Asking, approved: Asking, events: Any
) -> None:
    asked, agreed = ask(), approved()
    assert revoke(world, more_cases[1]).n_exports == 2
    assert {again(world, one).status for one in (asked, agreed)} == {"cancelled"}
    assert building.build(agreed.pk) == "not_waiting"
    assert {one["object"]["label"] for one in events("export.cancel")} == {asked.number, agreed.number}
    assert {one["reason"] for one in events("export.cancel")} == {"access_ended"}


def test_a_waiting_file_is_destroyed_and_its_old_link_is_gone(
    world: World,
    built: Asking,
    export_dir: Path,
    signed_in: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    export, browser = built(WITH_NAMES), signed_in(world.investigator)
    assert (export_dir / export.file_name).is_file()
    with django_capture_on_commit_callbacks(execute=True):
        assert revoke(world, world.case).n_exports == 1
    assert list(export_dir.glob("*")) == []
    assert browser.post(f"/disclosure/{export.pk}/download/").status_code == 410
    assert browser.post(f"/disclosure/{export.pk}/passphrase/").status_code == 410
    assert again(world, export).passphrase is None


def test_a_running_build_ends_with_its_next_batch_and_keeps_nothing(
    world: World, more_cases: list[Case], approved: Asking, monkeypatch: pytest.MonkeyPatch, export_dir: Path
) -> None:
    monkeypatch.setattr(building, "BATCH", 2)
    export = approved(WITH_NAMES)
    plan = building.claim(export.pk)
    assert plan is not None
    found = building.rows(plan)
    assert next(found)
    # A case of the batch that is done: only the export itself can tell that it ended.
    revoke(world, more_cases[0])
    with pytest.raises(building.LostClaim):
        list(found)
    assert again(world, export).status == "cancelled"
    assert list(export_dir.glob("*")) == []


def test_exports_of_other_cases_and_of_other_people_stay(
    world: World, more_cases: list[Case], ask: Asking
) -> None:
    export = ask()
    other = factories.case(world.investigator, world.outbreak)
    factories.grant(world.case, world.colleague, world.supervisor)
    assert revoke(world, other).n_exports == 0
    with factories.as_person(world.supervisor):
        access_actions.revoke(world.case, world.colleague, by=world.supervisor)
    assert again(world, export).status == "requested"


def test_the_door_ends_no_export_whose_cases_are_all_still_granted(world: World, built: Asking) -> None:
    export = built()
    assert (
        raw.run(
            raw.person(world.supervisor),
            "select * from sec.end_exports(%s, %s)",
            [[world.investigator.pk], [world.case.pk]],
        )
        == 0
    )
    assert again(world, export).status == "built"


def test_a_file_is_not_handed_over_when_the_access_ended_without_an_act(
    world: World, built: Asking, signed_in: Any
) -> None:
    export, browser = built(), signed_in(world.investigator)
    with factories.as_owner():
        CaseGrant.objects.filter(
            user=world.investigator, permission__codename=CasePermission.EXPORT.value
        ).delete()
    answer = browser.post(f"/disclosure/{export.pk}/download/")
    assert answer.status_code == 410
    assert "Access to a case of it has ended" in answer.content.decode()
    assert again(world, export).status == "built"


def test_the_database_refuses_the_download_too(world: World, built: Asking) -> None:
    export = built()
    statement = "update disclosure_export set status = 'downloaded' where id = %s"
    assert raw.run(raw.person(world.investigator), statement, [export.pk]) == 1
    with factories.as_owner():
        CaseGrant.objects.filter(permission__codename="export_case").delete()
    assert raw.run(raw.person(world.investigator), statement, [export.pk]) == raw.REFUSED


def test_no_person_cancels_the_export_of_another_by_sql(world: World, ask: Asking) -> None:
    export = ask()
    statement = "update disclosure_export set status = 'cancelled' where id = %s"
    assert raw.run(raw.person(world.investigator), statement, [export.pk]) == 1
    assert raw.run(raw.person(world.supervisor), statement, [export.pk]) == raw.REFUSED
