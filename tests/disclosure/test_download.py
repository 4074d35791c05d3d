"""The one download, the one look at the passphrase, and the end of a file."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from msoffcrypto.exceptions import InvalidKeyError

from access.actor import acting_as_role
from audit.acts import Act
from audit.trail import audit_job, record
from cases.models import Case
from disclosure import actions, building, tasks
from disclosure.models import Export
from disclosure.passphrases import new_passphrase
from tests import factories
from tests.cast import World
from tests.disclosure.conftest import WITH_NAMES, again, opened, passphrase_of, rows
from vault.errors import Locked

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Asking = Callable[..., Export]


def address(export: Export, step: str = "") -> str:
    return f"/disclosure/{export.pk}/{step}"


def bytes_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_the_requester_downloads_it_and_opens_it(
    world: World, more_cases: list[Case], built: Asking, signed_in: Any
) -> None:
    export, browser = built(WITH_NAMES), signed_in(world.investigator)
    answer = browser.post(address(export, "download/"))
    content = bytes_of(answer)
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="{export.number}.xlsx"'
    assert hashlib.sha256(content).hexdigest() == export.digest
    shown = browser.post(address(export, "passphrase/")).context["words"]
    assert len(rows(opened(content, shown))) == len(more_cases) + 1
    with pytest.raises(InvalidKeyError):
        opened(content, new_passphrase())


def test_the_download_is_on_the_log_with_digest_rows_and_every_case(
    world: World, more_cases: list[Case], built: Asking, signed_in: Any, events: Any
) -> None:
    export = built()
    bytes_of(signed_in(world.investigator).post(address(export, "download/")))
    [event] = events("export.download")
    assert event["counts"]["rows"] == 4
    assert event["extra"]["digest"] == export.digest
    assert event["extra"]["file_trace"] == export.trace_code
    assert event["touches"] >= 4


def test_a_second_download_is_refused_in_words(
    world: World, built: Asking, signed_in: Any, events: Any
) -> None:
    export, browser = built(), signed_in(world.investigator)
    bytes_of(browser.post(address(export, "download/")))
    answer = browser.post(address(export, "download/"))
    assert answer.status_code == 410
    assert "downloaded already" in answer.content.decode()
    refused = events("export.download")[0]
    assert (refused["outcome"], refused["reason"]) == (1, "used_up")
    assert refused["object"]["label"] == export.number
    assert not events("input.refused")


def test_the_file_is_gone_after_the_download(
    world: World, built: Asking, signed_in: Any, export_dir: Path, django_capture_on_commit_callbacks: Any
) -> None:
    export, browser = built(), signed_in(world.investigator)
    with django_capture_on_commit_callbacks(execute=True):
        answer = browser.post(address(export, "download/"))
    assert list(export_dir.iterdir()) == []
    assert hashlib.sha256(bytes_of(answer)).hexdigest() == export.digest


def test_fetching_the_address_downloads_nothing(world: World, built: Asking, signed_in: Any) -> None:
    export = built()
    assert signed_in(world.investigator).get(address(export, "download/")).status_code == 405
    assert again(world, export).status == "built"


@pytest.mark.parametrize("role", ["supervisor", "auditor", "privacy", "secadmin", "sysadmin", "partner"])
def test_other_roles_neither_download_nor_see_the_passphrase(
    world: World, built: Asking, signed_in: Any, role: str
) -> None:
    export, browser = built(), signed_in(world.people[role])
    assert browser.post(address(export, "download/")).status_code == 403
    assert browser.post(address(export, "passphrase/")).status_code == 403
    assert again(world, export).status == "built"


def test_a_lost_file_does_not_use_up_the_download(
    world: World, built: Asking, signed_in: Any, export_dir: Path
) -> None:
    export = built()
    (export_dir / export.file_name).unlink()
    answer = signed_in(world.investigator).post(address(export, "download/"))
    assert answer.status_code == 410
    assert again(world, export).status == "built"


def test_nothing_is_downloaded_before_it_is_built(world: World, approved: Asking, signed_in: Any) -> None:
    assert signed_in(world.investigator).post(address(approved(), "download/")).status_code == 410


def test_the_passphrase_is_on_its_own_page_and_shown_once(
    world: World, built: Asking, signed_in: Any, events: Any
) -> None:
    export, browser = built(), signed_in(world.investigator)
    waiting = browser.get(address(export, "passphrase/"))
    words = browser.post(address(export, "passphrase/")).context["words"]
    assert words not in waiting.content.decode()
    assert words not in browser.get(address(export)).content.decode()
    again_asked = browser.post(address(export, "passphrase/"))
    assert again_asked.status_code == 410
    assert words not in again_asked.content.decode()
    [event] = events("export.passphrase")
    assert words not in str(event)
    assert again(world, export).passphrase is None


def test_a_passphrase_belongs_to_the_requester_alone(world: World, built: Asking) -> None:
    export = built()
    for person in (world.supervisor, world.colleague):
        with pytest.raises((Locked, Export.DoesNotExist)):
            reveal_passphrase(export, person)
    assert reveal_passphrase(export, world.investigator)


def test_an_expired_file_is_removed_and_cannot_be_downloaded(
    world: World, built: Asking, signed_in: Any, export_dir: Path, events: Any
) -> None:
    export = built()
    run_out(export)
    assert signed_in(world.investigator).post(address(export, "download/")).status_code == 410
    assert tasks.expire_exports() == 1
    assert list(export_dir.iterdir()) == []
    now = again(world, export)
    assert (now.status, now.passphrase) == ("expired", None)
    assert len(events("export.expire")) == 1
    assert signed_in(world.investigator).post(address(export, "download/")).status_code == 410


def test_a_file_in_time_stays(world: World, built: Asking, export_dir: Path) -> None:
    export = built()
    assert tasks.expire_exports() == 0
    assert [path.name for path in export_dir.iterdir()] == [export.file_name]


def test_what_a_killed_worker_left_is_removed_after_a_while(
    world: World, built: Asking, export_dir: Path
) -> None:
    export = built()
    fresh, old = export_dir / "fresh.xlsx.part", export_dir / "old.xlsx"
    for path in (fresh, old):
        path.write_bytes(b"")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    assert tasks.remove_leftovers() == 1
    assert {path.name for path in export_dir.iterdir()} == {export.file_name, fresh.name}


def test_withdrawing_a_built_export_removes_the_file(
    world: World, built: Asking, signed_in: Any, export_dir: Path, django_capture_on_commit_callbacks: Any
) -> None:
    export, browser = built(), signed_in(world.investigator)
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(address(export, "withdraw/")).status_code == 302
    assert list(export_dir.iterdir()) == []
    assert browser.post(address(export, "download/")).status_code == 410
    assert browser.post(address(export, "withdraw/")).status_code == 409


def test_pages_show_where_it_stands(world: World, approved: Asking, signed_in: Any) -> None:
    export, browser = approved(), signed_in(world.investigator)
    assert "<progress" in browser.get(address(export)).content.decode()
    assert 'value="0"' in browser.get(address(export, "progress/")).content.decode()
    assert building.build(export.pk) == "built"
    assert browser.get(address(export, "progress/"))["HX-Refresh"] == "true"
    assert "Download once" in browser.get(address(export)).content.decode()


def test_pages_speak_chinese(world: World, built: Asking, signed_in: Any) -> None:
    export, browser = built(), signed_in(world.investigator)
    browser.post("/access/language/", {"language": "zh-hans", "next": "/"})
    page = browser.get(address(export), headers={"accept-language": "zh-hans"}).content.decode()
    assert "下载一次" in page


def test_a_name_with_a_path_is_no_sealed_file() -> None:
    for name in ("", "../x.xlsx", "a/b.xlsx", "/etc/passwd"):
        with pytest.raises(ValueError, match="not the name"):
            actions.path_of(name)


def test_the_passphrase_opens_nothing_else(world: World, built: Asking, export_dir: Path) -> None:
    first, second = built(), built()
    words = passphrase_of(world, first)
    assert opened((export_dir / first.file_name).read_bytes(), words)
    with pytest.raises(InvalidKeyError):
        opened((export_dir / second.file_name).read_bytes(), words)


def run_out(export: Export) -> None:
    """Its time has run out a minute ago."""
    with acting_as_role("ep_job"), audit_job("test"):
        late = Export.objects.get(pk=export.pk)
        late.expires_at = timezone.now() - timedelta(minutes=1)
        late.save(update_fields=["expires_at"])
        record(Act.JOB, late)


def reveal_passphrase(export: Export, person: Any) -> str:
    """Open the passphrase past the action."""
    with factories.as_person(person):
        seen = Export.objects.get(pk=export.pk)
        record(Act.EXPORT_PASSPHRASE, seen)
        assert seen.passphrase is not None
        return str(seen.passphrase.reveal())
