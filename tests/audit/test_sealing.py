"""Sealing: each event gets its leaf once, whatever dies, and nothing is signed upon a changed past."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from epicase_verify import journal
from epicase_verify.note import open_checkpoint

from access.actor import acting_as_role
from audit import publishing, sealing, signer, tasks
from tests.audit import ledger

pytestmark = pytest.mark.usefixtures("own_ledger")


def published() -> list[int]:
    return [found[0].size for found in publishing.published() if found is not None]


def test_every_event_gets_one_leaf_in_order() -> None:
    ids = ledger.write(5) + ledger.write(3)
    report = ledger.seal()
    assert (report.sealed, report.size, report.published, report.trouble) == (8, 8, 1, "")
    with acting_as_role("ep_auditor"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select leaf_index, event_id from audit_leaf order by leaf_index")
        rows = cursor.fetchall()
    assert [row[0] for row in rows] == list(range(8))
    assert sorted(row[1] for row in rows) == sorted(ids)
    assert ledger.one("select count(*) from audit_pending") == 0
    assert ledger.verify().is_whole


def test_sealing_nothing_signs_nothing() -> None:
    assert ledger.seal().sealed == 0
    assert ledger.one("select count(*) from audit_checkpoint") == 0
    assert ledger.verify().is_whole


def test_batches_cross_tiles_and_add_up() -> None:
    ledger.write(700)
    assert ledger.seal(limit=90).sealed == 700
    assert [
        ledger.one("select length(hashes) / 32 from audit_tile where (level, idx) = (0, %s)", n)
        for n in range(3)
    ] == [
        256,
        256,
        188,
    ]
    assert ledger.one("select length(hashes) / 32 from audit_tile where (level, idx) = (1, 0)") == 2
    assert published() == [90, 180, 270, 360, 450, 540, 630, 700]
    assert ledger.verify().is_whole


def test_the_checkpoint_is_signed_for_the_root(signing_key: Path) -> None:
    ledger.write(3)
    ledger.seal()
    note = ledger.one("select note from audit_checkpoint where size = 3")
    checkpoint = open_checkpoint(note, signer.configured().vkeys)
    assert (checkpoint.size, checkpoint.root) == (3, bytes(ledger.one("select root from audit_checkpoint")))


def test_an_event_altered_before_sealing_is_sealed_and_marked() -> None:
    ledger.write(2)
    ledger.tamper(
        "update audit_event set body = '{}' where id = (select max(id::text) from audit_event)::uuid"
    )
    report = ledger.seal()
    assert (report.sealed, report.altered) == (2, 1)
    assert {"altered", "mac", "columns"} <= set(ledger.verify().counts)


def test_an_event_removed_before_sealing_stays_in_the_queue_as_evidence() -> None:
    first, *_ = ledger.write(3)
    ledger.tamper("delete from audit_event where id = %s", [first])
    report = ledger.seal()
    assert (report.sealed, report.missing) == (2, 1)
    assert ledger.verify().counts == {"vanished": 1}
    ledger.write(1)
    assert ledger.seal().sealed == 1


def test_a_second_sealer_finds_the_first_at_work() -> None:
    ledger.write(1)
    seen: list[sealing.SealReport] = []

    def second() -> None:
        try:
            seen.append(ledger.seal())
        finally:
            connection.close()

    with acting_as_role("ep_sealer"), transaction.atomic():
        assert sealing.seal_pending().sealed == 1
        other = threading.Thread(target=second)
        other.start()
        other.join()
    assert [report.is_busy for report in seen] == [True]
    assert published() == [1]


def test_nothing_is_published_before_commit() -> None:
    ledger.write(1)
    with acting_as_role("ep_sealer"), transaction.atomic():
        assert sealing.seal_pending().sealed == 1
        assert published() == []
        transaction.set_rollback(True)
    assert published() == []
    assert ledger.seal().sealed == 1


POINTS = ["_trusted_frontier", "_dequeue", "_insert_leaves", "_extend_tiles", "_sign"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("point", POINTS)
def test_a_killed_sealer_has_done_nothing(point: str, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.write(300)
    ledger.seal()
    ledger.write(300)
    assert ledger.in_killed_child(lambda: ledger.seal() if rig(sealing, point, moment) else None)
    assert ledger.one("select count(*) from audit_pending") == 300
    assert ledger.one("select size from audit_state") == 300
    assert ledger.seal().sealed == 300
    assert ledger.verify().is_whole


@pytest.mark.parametrize("point", ["publish", "_write"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_around_publishing_is_made_good(point: str, moment: str) -> None:
    ledger.write(2)
    assert ledger.in_killed_child(lambda: ledger.seal() if rig(publishing, point, moment) else None)
    assert ledger.one("select size from audit_state") == 2
    ledger.write(1)
    ledger.seal()
    assert published() == [2, 3]
    assert ledger.verify().is_whole


def rig(module: Any, name: str, moment: str) -> bool:
    """Replace a function of the module, in this process, by one that ends in SIGKILL."""
    real: Callable[..., Any] = getattr(module, name)

    def dying(*args: Any, **kwargs: Any) -> Any:
        if moment == "before":
            ledger.die()
        real(*args, **kwargs)
        ledger.die()

    setattr(module, name, dying)
    return True


def test_a_torn_write_is_ended_and_the_note_written_again(settings: Any) -> None:
    ledger.write(1)
    ledger.seal()
    path = Path(settings.EPICASE_CHECKPOINT_FILE)
    whole = path.read_bytes()
    ledger.write(1)
    ledger.seal()
    second = path.read_bytes()[len(whole) :]
    for cut in (1, len(second) // 2, len(second) - 1):
        path.write_bytes(whole + second[:cut])
        with acting_as_role("ep_sealer"):
            publishing.publish()
        assert published()[-1] == 2
        assert ledger.verify().is_whole


def test_a_file_that_cannot_be_written_only_delays(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    ledger.write(1)
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_write", full)
        report = ledger.seal()
    assert report.sealed == 1
    assert "No space left" in report.trouble
    assert ledger.seal().published == 1
    assert published() == [1]
    assert ledger.one("select published_size from audit_state") == 1


def test_a_restored_older_database_is_not_signed_upon(settings: Any) -> None:
    ledger.write(1)
    ledger.seal()
    checkpoint = publishing.last_published()
    assert checkpoint is not None
    note = signer.configured().sign(type(checkpoint)(checkpoint.origin, 9, checkpoint.root))
    with Path(settings.EPICASE_CHECKPOINT_FILE).open("ab") as file:
        file.write(journal.entry(note))
    ledger.write(1)
    with pytest.raises(sealing.RolledBack, match="older database"):
        ledger.seal()
    assert ledger.one("select count(*) from audit_pending") == 1
    assert ledger.verify().counts == {"cut_short": 1}


def test_a_rewritten_history_is_not_signed_upon(settings: Any) -> None:
    ledger.write(1)
    ledger.seal()
    checkpoint = publishing.last_published()
    assert checkpoint is not None
    note = signer.configured().sign(type(checkpoint)(checkpoint.origin, 1, bytes(32)))
    Path(settings.EPICASE_CHECKPOINT_FILE).write_bytes(journal.entry(note))
    ledger.write(1)
    with pytest.raises(sealing.RolledBack, match="rewritten"):
        ledger.seal()
    assert ledger.verify().counts == {"root": 1}


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_state set frontier = decode(repeat('00', 32), 'hex')",
        "update audit_state set size = 0, frontier = ''",
        "update audit_state set frontier = ''",
        "update audit_state set origin = 'another.example'",
        "delete from audit_checkpoint",
        "update audit_checkpoint set note = 'x'",
    ],
)
def test_a_changed_state_is_not_built_upon(statement: str) -> None:
    ledger.write(1)
    ledger.seal()
    assert ledger.tamper(statement) == 1
    ledger.write(1)
    with pytest.raises((sealing.LedgerDamaged, sealing.RolledBack)):
        ledger.seal()
    assert ledger.one("select count(*) from audit_pending") == 1


def test_the_sealer_cannot_change_or_remove_what_is_sealed() -> None:
    ledger.write(1)
    ledger.seal()
    for statement in (
        "update audit_event set act = 'x'",
        "delete from audit_event",
        "update audit_leaf set mac_ok = true",
        "delete from audit_leaf",
        "delete from audit_checkpoint",
        "truncate audit_event",
    ):
        with acting_as_role("ep_sealer"), pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute(statement)
    assert ledger.verify().is_whole


# The key -------------------------------------------------------------------------------------------


def test_without_its_key_sealing_stops_and_events_wait(signing_key: Path) -> None:
    ledger.write(1)
    signing_key.unlink()
    with pytest.raises(signer.SigningKeyUnusable, match="missing; make one with"):
        ledger.seal()
    with acting_as_role("ep_sealer"):
        assert tasks.seal() == -1
    assert ledger.one("select count(*) from audit_pending") == 1


def test_a_key_that_others_can_read_is_refused(signing_key: Path) -> None:
    signing_key.chmod(0o640)
    with pytest.raises(signer.SigningKeyUnusable, match="chmod 600"):
        signer.configured()


@pytest.mark.parametrize("content", ["", "not a key", "PRIVATE+KEY+a+00000000+AAAA"])
def test_a_damaged_key_is_refused(signing_key: Path, content: str) -> None:
    signing_key.write_text(content)
    with pytest.raises(signer.SigningKeyUnusable, match="make one with"):
        signer.configured()


def test_a_key_behind_a_link_is_refused(signing_key: Path, settings: Any) -> None:
    link = signing_key.with_name("link")
    link.symlink_to(signing_key)
    settings.EPICASE_AUDIT_KEY = f"file:{link}"
    with pytest.raises(signer.SigningKeyUnusable, match="cannot be read"):
        signer.configured()


def test_keygen_makes_a_private_key_once_and_prints_the_public_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "key"
    call_command("audit_keygen", str(path), name="a.example/ledger")
    printed = capsys.readouterr().out.strip()
    assert printed.startswith("a.example/ledger+")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert signer.public_path(path).read_text().strip() == printed
    secret = path.read_text()
    with pytest.raises(CommandError, match="never replaced"):
        call_command("audit_keygen", str(path))
    call_command("audit_keygen", str(path), if_missing=True)
    assert path.read_text() == secret
    assert capsys.readouterr().out.strip() == printed


def test_a_new_key_can_take_over_while_the_old_one_signs_too(signing_key: Path) -> None:
    ledger.write(1)
    ledger.seal()
    heir = signing_key.with_name("heir")
    vkey = signer.create(heir, "heir.example")
    signing_key.write_text(signing_key.read_text() + heir.read_text())
    ledger.write(1)
    ledger.seal()
    note = ledger.one("select note from audit_checkpoint where size = 2")
    assert open_checkpoint(note, [vkey], origin="test.example/ledger").size == 2
    assert ledger.verify().is_whole


# Commands and task ---------------------------------------------------------------------------------


def test_the_command_and_the_task_seal(capsys: pytest.CaptureFixture[str]) -> None:
    ledger.write(2)
    with acting_as_role("ep_sealer"):
        call_command("audit_seal")
        assert "Sealed 2 events" in capsys.readouterr().out
        ledger.write(1)
        assert tasks.seal() == 1
    assert (tasks.seal.ignore_result, tasks.seal.expires) == (True, 2)
    assert ledger.verify().size == 3
