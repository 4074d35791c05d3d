"""What the ledger gives away holds for epicase-verify, which knows nothing of the database."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection, transaction
from epicase_verify import cli, tiles
from epicase_verify.bundle import BundleWriter, join_entries

from access.actor import acting_as_role
from audit import evidence, publishing, signer
from tests.audit import ledger

pytestmark = pytest.mark.usefixtures("own_ledger")


def test_an_event_and_its_proof_convince_the_verifier(
    tmp_path: Path, signing_key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.write(300)
    ledger.seal()
    (wanted,) = ledger.write(1, touched=3)
    ledger.seal()
    ledger.write(400)
    ledger.seal()
    with acting_as_role("ep_auditor"), transaction.atomic():
        event = evidence.event_file(wanted)
        proof = evidence.inclusion_proof(wanted)
    assert event is not None
    (tmp_path / "event.json").write_bytes(event)
    (tmp_path / "event.tlog-proof").write_text(proof)
    words = ["inclusion", "--vkey-file", str(signer.public_path(signing_key))]
    assert cli.main([*words, str(tmp_path / "event.json"), str(tmp_path / "event.tlog-proof")]) == 0
    assert "event 300 of the 701" in capsys.readouterr().out


def test_the_database_as_a_bundle_is_whole_and_a_changed_event_in_it_is_found(
    tmp_path: Path, signing_key: Path
) -> None:
    for _ in range(3):
        ledger.write(200)
        ledger.seal()
    words = ["fsck", "--vkey-file", str(signer.public_path(signing_key))]
    assert cli.main([*words, str(bundled(tmp_path / "whole.tar"))]) == 0
    ledger.tamper(
        "update audit_event set body = body || ' ' from audit_leaf where leaf_index = 7 and id = event_id"
    )
    assert cli.main([*words, str(bundled(tmp_path / "bad.tar"))]) == 1


def bundled(path: Path) -> Path:
    """The whole ledger as a bundle: checkpoints, tiles and entries."""
    with (
        acting_as_role("ep_auditor"),
        transaction.atomic(),
        connection.cursor() as cursor,
        BundleWriter(path) as bundle,
    ):
        cursor.execute("select size, note from audit_checkpoint order by size desc limit 1")
        size, note = cursor.fetchone()
        bundle.add("checkpoint", note.encode())
        file = publishing.file()
        assert file is not None
        bundle.add("checkpoints", file.read_bytes())
        for tile in tiles.tiles_of(size):
            cursor.execute(
                "select hashes from audit_tile where (level, idx) = (%s, %s)", [tile.level, tile.index]
            )
            bundle.add(tile.path, bytes(cursor.fetchone()[0]))
        cursor.execute(
            "select salt, body from audit_leaf join audit_event on id = event_id order by leaf_index"
        )
        entries = [bytes(salt) + bytes(body) for salt, body in cursor.fetchall()]
        for tile in (one for one in tiles.tiles_of(size) if one.level == 0):
            part = entries[tile.index * tiles.WIDTH :][: tile.width]
            bundle.add(tiles.Tile(-1, tile.index, tile.width).path, join_entries(part))
    return path
