"""`manage.py audit_proof` gives evidence that convinces epicase-verify, and only for what was sealed."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from epicase_verify import cli

from access.actor import acting_as_role
from audit import signer
from tests.audit import ledger

pytestmark = pytest.mark.usefixtures("own_ledger")


def proof(*words: str, out: Path) -> str:
    said = io.StringIO()
    with acting_as_role("ep_sealer"):
        call_command("audit_proof", *words, "--out", str(out), stdout=said)
    return said.getvalue()


def verify(signing_key: Path, *words: str | Path) -> int:
    what, *rest = map(str, words)
    return cli.main([what, "--vkey-file", str(signer.public_path(signing_key)), *rest])


def test_an_events_bundle_convinces_the_verifier_and_a_changed_one_does_not(
    tmp_path: Path, signing_key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.write(300)
    (wanted,) = ledger.write(1, touched=2)
    ledger.seal()
    ledger.write(40)
    ledger.seal()
    said = proof(str(wanted), out=tmp_path)
    bundle = tmp_path / f"{wanted}.tar"
    assert str(bundle) in said
    assert verify(signing_key, "fsck", bundle) == 0
    with tarfile.open(bundle) as tar:
        tar.extractall(tmp_path / "open", filter="data")
    event, one = (tmp_path / "open/events" / name for name in ("0.json", "0.tlog-proof"))
    assert verify(signing_key, "inclusion", event, one) == 0
    assert str(wanted) in capsys.readouterr().out
    event.write_bytes(event.read_bytes().replace(b"case.view", b"case.edit"))
    assert verify(signing_key, "fsck", tmp_path / "open") == 1
    shutil.rmtree(tmp_path / "open")


def test_two_checkpoints_are_proved_to_be_one_ledger(tmp_path: Path, signing_key: Path) -> None:
    for count in (5, 300, 17):
        ledger.write(count)
        ledger.seal()
    proof("--consistency", "5", "322", out=tmp_path)
    proof("--consistency", "305", "322", out=tmp_path)
    old, new, other = (tmp_path / f"checkpoint-{size}.note" for size in (5, 322, 305))
    hashes = tmp_path / "consistency-5-322.txt"
    assert verify(signing_key, "consistency", old, new, "--proof", hashes) == 0
    assert verify(signing_key, "consistency", other, new, "--proof", hashes) == 1
    assert (
        verify(signing_key, "consistency", other, new, "--proof", tmp_path / "consistency-305-322.txt") == 0
    )


def test_what_was_not_sealed_or_signed_is_refused_in_one_line(tmp_path: Path) -> None:
    ledger.write(5)
    ledger.seal()
    (late,) = ledger.write(1)
    for words, reason in [
        ((str(late),), "not sealed"),
        ((str(uuid4()),), "no event"),
        (("--consistency", "4", "5"), "no checkpoint of 4"),
        (("--consistency", "5", "4"), "smaller"),
    ]:
        with pytest.raises(CommandError, match=reason) as refused:
            proof(*words, out=tmp_path)
        assert refused.value.returncode == 2
    assert not list(tmp_path.glob("*.tar"))
    assert not list(tmp_path.glob("*.txt"))


def test_taking_evidence_is_on_the_log(tmp_path: Path, events: Callable[..., list[dict[str, Any]]]) -> None:
    (wanted,) = ledger.write(1)
    ledger.seal()
    proof(str(wanted), out=tmp_path)
    (taken,) = events("audit.export")
    assert taken["extra"] == {"event": str(wanted), "form": "bundle"}
