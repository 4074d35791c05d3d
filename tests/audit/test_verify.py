"""Verification: a whole ledger is whole, and each way of changing it is found and named."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from epicase_verify.note import SigningKey

from access.actor import acting_as_role
from audit import checking, sealing, signer, verification
from tests.audit import ledger

SIZE = 600
SEVENTH = "from audit_leaf where leaf_index = 7 and id = event_id"
FLIPPED = "hashes = set_byte(hashes, 40, 255 - get_byte(hashes, 40))"


@pytest.fixture
def sealed(own_ledger: str) -> None:
    """A sealed ledger of 600 events in two checkpoints, some of which touched records."""
    ledger.write(290)
    ledger.write(10, touched=3)
    ledger.seal()
    ledger.write(300)
    ledger.seal()


pytestmark = pytest.mark.usefixtures("sealed")


def test_a_whole_ledger_is_whole() -> None:
    report = ledger.verify()
    assert (report.exit_code, report.size, report.bodies) == (0, SIZE, SIZE)
    assert (report.checkpoints, report.published, report.signatures_checked) == (2, 2, True)
    assert any("nothing was changed" in line for line in report.lines())


@pytest.mark.parametrize(
    ("statement", "kinds"),
    [
        (f"update audit_event set actor_name = 'x' {SEVENTH}", "columns"),
        (f"update audit_event set ip = null {SEVENTH}", "columns"),
        (f"update audit_event set body = body || ' ' {SEVENTH}", "body_changed mac"),
        (f"update audit_event set salt = decode(repeat('00', 16), 'hex') {SEVENTH}", "body_changed mac"),
        (f"update audit_event set mac = sha256('') {SEVENTH}", "mac"),
        ("delete from audit_event using audit_leaf where leaf_index = 7 and id = event_id", "event_missing"),
        ("update audit_leaf set leaf_hash = sha256('') where leaf_index = 7", "body_changed tile tile root root root root state"),  # noqa: E501
        ("delete from audit_leaf where leaf_index = 7", "leaf_missing unqueued"),
        ("delete from audit_leaf where leaf_index = 599", "leaf_missing unqueued"),
        ("update audit_leaf set mac_ok = false where leaf_index = 7", "altered"),
        (f"update audit_tile set {FLIPPED} where (level, idx) = (0, 1)", "tile"),
        (f"update audit_tile set {FLIPPED} where (level, idx) = (1, 0)", "tile"),
        ("delete from audit_tile where (level, idx) = (0, 1)", "tile"),
        ("delete from audit_tile where level = 1", "tile"),
        ("update audit_checkpoint set root = sha256('') where size = 300", "root signature"),
        ("update audit_checkpoint set note = replace(note, '300', '301') where size = 300", "signature"),
        ("update audit_checkpoint set note = (select note from audit_checkpoint where size = 600) where size = 300", "signature"),  # noqa: E501
        ("delete from audit_checkpoint where size = 600", "state"),
        ("update audit_state set frontier = decode(repeat('00', 32 * 4), 'hex')", "state"),
        ("update audit_state set size = 300", "cut_short cut_short state tile"),
        ("delete from audit_touch where object_id = (select max(object_id::text) from audit_touch)::uuid", "touches"),
        ("insert into audit_touch select occurred_at, event_id, gen_random_uuid() from audit_touch limit 1", "touches"),
    ],
)  # fmt: skip
def test_each_change_is_found_and_named(statement: str, kinds: str) -> None:
    assert ledger.tamper(statement) >= 1
    report = ledger.verify()
    assert report.exit_code == 1
    assert sorted(report.counts.elements()) == sorted(kinds.split())
    assert all(str(problem) for problem in report.problems)


def test_two_events_that_changed_places_are_found() -> None:
    for index, other in ((3, -1), (4, 3), (-1, 4)):
        ledger.tamper("update audit_leaf set leaf_index = %s where leaf_index = %s", [other, index])
    assert {"root", "tile"} <= set(ledger.verify().counts)


def test_an_event_slipped_in_beside_the_queue_is_found() -> None:
    ledger.write(1)
    ledger.tamper("delete from audit_pending")
    assert ledger.verify().counts == {"unqueued": 1}


def test_waiting_events_are_no_problem_but_late_ones_are_remarked() -> None:
    ledger.write(2)
    report = ledger.verify()
    assert (report.is_whole, report.pending) == (True, 2)
    ledger.tamper("update audit_pending set occurred_at = occurred_at - interval '1 hour'")
    ledger.tamper("update audit_event set occurred_at = e.occurred_at - interval '1 hour' from audit_event e"
                  " join audit_pending p on p.event_id = e.id where audit_event.id = e.id")  # fmt: skip
    assert any("late" in remark for remark in ledger.verify().remarks)


def test_sealing_meanwhile_raises_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    real, seen = verification._state, []

    def grow() -> None:
        try:
            ledger.write(300)
            seen.append(ledger.seal().size)
        finally:
            connection.close()

    def grow_after(report: verification.VerifyReport) -> bytes:
        stored = real(report)
        other = threading.Thread(target=grow)
        other.start()
        other.join()
        return stored

    monkeypatch.setattr(verification, "_state", grow_after)
    report = ledger.verify()
    assert (seen, report.size, report.counts) == ([SIZE + 300], SIZE, {})


def test_the_newest_bodies_alone_can_be_read_while_the_tree_is_checked_whole() -> None:
    ledger.tamper(f"update audit_event set actor_name = 'x' {SEVENTH}")
    report = ledger.verify(bodies=100)
    assert (report.exit_code, report.bodies, report.size) == (0, 100, SIZE)
    assert ledger.verify(bodies=SIZE).exit_code == 1


def test_another_key_cannot_have_signed() -> None:
    stranger = SigningKey.generate("test.example/ledger").vkey
    assert ledger.verify(keys=[stranger]).counts == {"signature": 2}


def test_without_a_verification_key_nothing_is_called_whole(signing_key: Path) -> None:
    assert ledger.verify(keys=[]).exit_code == 2
    signing_key.unlink()
    assert ledger.verify().exit_code == 0
    signer.public_path(signing_key).unlink()
    assert ledger.verify().exit_code == 2


def test_a_published_file_that_cannot_be_read_is_remarked(settings: Any, tmp_path: Path) -> None:
    settings.EPICASE_CHECKPOINT_FILE = str(tmp_path)
    report = ledger.verify()
    assert report.is_whole
    assert any("cannot be read here" in remark for remark in report.remarks)


def test_an_auditor_verifies_without_any_right_to_write() -> None:
    for statement in (
        "delete from audit_pending",
        "update audit_state set size = 0",
        "select txid_current()",
    ):
        if statement.startswith("select"):
            continue
        with acting_as_role("ep_auditor"), pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute(statement)
    with acting_as_role("ep_auditor"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set transaction read only")
        assert sealing.verify().is_whole


def test_the_command_exits_with_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    with acting_as_role("ep_auditor"):
        call_command("audit_verify")
        assert "nothing was changed" in capsys.readouterr().out
        ledger.tamper(f"update audit_event set act = 'x' {SEVENTH}")
        with pytest.raises(SystemExit) as stopped:
            call_command("audit_verify")
        assert stopped.value.code == 1
        assert "at 7" in capsys.readouterr().out
        with pytest.raises(SystemExit) as stopped:
            call_command("audit_verify", vkey=["nonsense"])
        assert stopped.value.code == 2


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An auditor at a browser, for whom one stretch is all that a request has time for."""
    from tests import browsing, cast

    monkeypatch.setattr(checking, "SECONDS_AT_ONCE", 0.0)
    monkeypatch.setattr(verification, "STEP", 256)
    return browsing.signed_in(cast.build().people["auditor"])


def read_to_the_end(auditor: Any) -> str:
    """Press the button, follow the bar, and give the page that tells the end."""
    begun = auditor.post(reverse("audit:verify"))
    assert begun.status_code == 302
    shown = []
    for _ in range(50):
        answer = auditor.get(reverse("audit:verify_progress"))
        if "HX-Refresh" in answer.headers:
            break
        shown.append(int(answer.content.decode().split("<progress")[1].split('value="')[1].split('"')[0]))
    assert shown == sorted(set(shown))
    assert len(shown) >= 1
    return str(auditor.get(reverse("audit:integrity")).content.decode())


def test_from_the_page_every_body_is_read_in_stretches(auditor: Any, events: Any) -> None:
    ledger.seal()
    page = read_to_the_end(auditor)
    (told,) = events("audit.verify")
    assert (told["outcome"], told["counts"]["bodies"]) == (0, told["counts"]["events"])
    assert told["counts"]["events"] >= SIZE
    assert 'id="report"' in page
    assert 'id="checking"' not in auditor.get(reverse("audit:integrity")).content.decode()


def test_from_the_page_an_old_event_that_was_changed_is_found(auditor: Any, events: Any) -> None:
    ledger.tamper(f"update audit_event set actor_name = 'x' {SEVENTH}")
    assert "card-bad" in read_to_the_end(auditor)
    assert events("audit.verify")[0]["outcome"] == 2


def test_problems_are_told_in_the_readers_language() -> None:
    from django.utils import translation

    from audit.verification.report import WORDS, Problem, VerifyReport

    with translation.override("zh-hans"):
        assert str(Problem("columns", 100)) == "该事件的检索列与正文不一致（位置 100）"
        assert not [words for words in map(str, WORDS.values()) if words.isascii()]
        report = VerifyReport()
        report.add("columns", 100)
        assert any(
            "searchable columns do not say what its body says at 100" in line for line in report.lines()
        )
