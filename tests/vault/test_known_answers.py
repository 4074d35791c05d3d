"""The format is what its description says: known answers, and a reader that shares no code with the vault."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

from tests.vault import independent_reader as reader
from tests.vault.sampleapp.models import Folder
from vault import ciphertext, epochs, index, keyring, providers
from vault.ciphertext import Context
from vault.classes import DataClass
from vault.models import EpochKey, KeyringEntry

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("vectors.json").read_text())
CODES = reader.CODES


@pytest.fixture
def vector_keys(db: None, tmp_path: Path, settings: Any) -> None:
    """The database and key file of the vectors."""
    path = tmp_path / "keyring.json"
    path.write_text(json.dumps(VECTORS["keyring"]))
    path.chmod(0o600)
    settings.EPICASE_KEYRING = f"file:{path}"
    epochs.forget()
    EpochKey.objects.all().delete()
    for row in VECTORS["epochs"]:
        wrapped = bytes.fromhex(row["wrapped"])
        EpochKey(data_class=CODES[row["class"]], epoch=row["epoch"], root_version=1, wrapped=wrapped).save(
            force_insert=True
        )
    for row in VECTORS["keys"]:
        KeyringEntry(
            scope_id=UUID(row["scope"]),
            data_class=CODES[row["class"]],
            generation=row["generation"],
            guard_id=UUID(row["scope"]),
            epoch=0,
            wrapped=bytes.fromhex(row["wrapped"]),
        ).save(force_insert=True)


def test_the_independent_reader_opens_every_vector() -> None:
    assert reader.read(VECTORS) == [row["plain"].encode() for row in VECTORS["values"]]


def test_the_vault_opens_every_vector(vector_keys: None) -> None:
    for row in VECTORS["values"]:
        context = Context(DataClass(row["class"]), row["label"], UUID(row["scope"]), UUID(row["row"]))
        blob = bytes.fromhex(row["sealed"])
        generation = ciphertext.generation_of(blob, row["label"])
        key = keyring.key_to_open(context.scope_id, context.data_class, generation)
        assert ciphertext.open_(key, blob, context) == row["plain"].encode()


def test_the_vaults_tokens_are_the_vectors(vector_keys: None) -> None:
    for row in VECTORS["tokens"]:
        assert index.token(row["label"], row["value"]).hex() == row["token"]


def test_the_independent_reader_opens_what_the_vault_seals(db: None) -> None:
    folder = Folder.objects.create(
        number="1", name="张小明", phone="13800138000", symptoms={"b": 1, "a": "é"}
    )
    assert reader.read(_dump(folder)) == ["张小明".encode(), b"13800138000", '{"a":"é","b":1}'.encode()]


def _dump(folder: Folder) -> dict[str, Any]:
    """What a dump of the database and the key file give."""
    names = {code: name for name, code in CODES.items()}
    with connection.cursor() as cursor:
        cursor.execute("select data_class, epoch, root_version, wrapped from vault_epochkey")
        epoch_rows = [
            {"class": names[c], "epoch": e, "root_version": v, "wrapped": bytes(w).hex()}
            for c, e, v, w in cursor.fetchall()
        ]
        cursor.execute("select scope_id, data_class, generation, wrapped from vault_keyring")
        keys = [
            {"scope": str(s), "class": names[c], "generation": g, "wrapped": bytes(w).hex()}
            for s, c, g, w in cursor.fetchall()
        ]
        cursor.execute("select name, phone, symptoms from vaultsample_folder where id = %s", [folder.pk])
        sealed = [bytes(value).hex() for value in cursor.fetchone()]
    where = {"scope": str(folder.pk), "row": str(folder.pk)}
    fields = [("identity", "folder.name"), ("reach", "folder.phone"), ("health", "folder.symptoms")]
    values = [
        {"class": kind, "label": label, "sealed": blob, **where}
        for (kind, label), blob in zip(fields, sealed, strict=True)
    ]
    path = Path(settings.EPICASE_KEYRING.removeprefix("file:"))
    return {"keyring": json.loads(path.read_text()), "epochs": epoch_rows, "keys": keys, "values": values}


def test_the_vectors_key_file_is_accepted_as_good(vector_keys: None) -> None:
    assert providers.configured().health().ok
