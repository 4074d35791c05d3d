"""Models that would lose or misplace sealed values fail the system check."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import models
from django.db.models.functions import Now
from django.test.utils import isolate_apps

from vault import checks, labels
from vault.fields import EncryptedTextField
from vault.models import EncryptedModel


def found(model: type[models.Model]) -> list[str]:
    return [str(message.id)[-4:] for message in checks.check_model(model)]


def text(label: str = "probe.text", **options: Any) -> EncryptedTextField[Any, Any]:
    return EncryptedTextField("health", label, **options)


def not_encrypted_model() -> type[models.Model]:
    class Probe(models.Model):
        text = EncryptedTextField("health", "probe.text")

        class Meta:
            app_label = "vaultsample"

    return Probe


def other_key() -> type[models.Model]:
    class Probe(EncryptedModel):
        id = models.BigAutoField(primary_key=True)  # type: ignore[assignment]
        text = EncryptedTextField("health", "probe.text")

        class Meta:
            app_label = "vaultsample"

    return Probe


def plain_manager() -> type[models.Model]:
    class Probe(EncryptedModel):
        text = EncryptedTextField("health", "probe.text")
        objects = models.Manager()

        class Meta:
            app_label = "vaultsample"

    return Probe


def database_default() -> type[models.Model]:
    class Probe(EncryptedModel):
        at = models.DateTimeField(db_default=Now())

        class Meta:
            app_label = "vaultsample"

    return Probe


def generated() -> type[models.Model]:
    class Probe(EncryptedModel):
        n = models.IntegerField()
        twice = models.GeneratedField(
            expression=models.F("n") * 2, output_field=models.IntegerField(), db_persist=True
        )

        class Meta:
            app_label = "vaultsample"

    return Probe


def no_such_scope() -> type[models.Model]:
    class Probe(EncryptedModel):
        vault_scope = "case"
        text = EncryptedTextField("health", "probe.text")

        class Meta:
            app_label = "vaultsample"

    return Probe


def indexed() -> type[models.Model]:
    class Probe(EncryptedModel):
        text = EncryptedTextField("health", "probe.text", unique=True)

        class Meta:
            app_label = "vaultsample"

    return Probe


def bad_label() -> type[models.Model]:
    class Probe(EncryptedModel):
        text = EncryptedTextField("health", "")

        class Meta:
            app_label = "vaultsample"

    return Probe


def ordered() -> type[models.Model]:
    class Probe(EncryptedModel):
        text = EncryptedTextField("health", "probe.text")

        class Meta:
            app_label = "vaultsample"
            ordering = ("-text",)

    return Probe


WRONG: dict[Callable[[], type[models.Model]], str] = {
    not_encrypted_model: "E001",
    other_key: "E002",
    plain_manager: "E003",
    database_default: "E004",
    generated: "E004",
    no_such_scope: "E005",
    indexed: "E006",
    bad_label: "E007",
    ordered: "E008",
}


@pytest.mark.parametrize(("make", "number"), WRONG.items())
@isolate_apps("tests.vault.sampleapp")
def test_a_wrong_model_is_found(make: Callable[[], type[models.Model]], number: str) -> None:
    assert number in found(make())


def test_the_models_of_this_project_are_right() -> None:
    assert [message for message in run_checks() if str(message.id).startswith("vault.")] == []


@isolate_apps("tests.vault.sampleapp")
def test_a_label_used_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Probe(EncryptedModel):
        text = EncryptedTextField("health", "folder.note")

        class Meta:
            app_label = "vaultsample"

    everything = [*apps.get_models(), Probe]
    monkeypatch.setattr(checks.apps, "get_models", lambda: everything)
    monkeypatch.setattr(checks, "labels", _Unchanged)
    folder = _sample("Folder")
    monkeypatch.setattr(checks.apps, "get_models", lambda: [folder, Probe])
    assert [str(message.id) for message in checks._labels()] == ["vault.E009"]


class _Unchanged:
    @staticmethod
    def changed() -> list[str]:
        return []


def _sample(name: str) -> Any:
    from tests.vault.sampleapp import models as sample

    return getattr(sample, name)


def test_a_star_becomes_the_models_own_label() -> None:
    assert _sample("Folder")._meta.get_field("name").label == "folder.name"
    assert _sample("Companion")._meta.get_field("name").label == "companion.name"


def test_migrations_keep_class_and_label() -> None:
    *_, path, args, kwargs = _sample("Folder")._meta.get_field("name").deconstruct()
    assert (path, args) == ("vault.fields.EncryptedTextField", [])
    assert (kwargs["data_class"], kwargs["label"]) == ("identity", "folder.name")
    again = EncryptedTextField(**kwargs)
    assert again.label == "folder.name"


# The labels of the project.


def test_frozen_labels_never_change() -> None:
    assert labels.changed() == [], "a label, its class and its type are frozen: give the field a new label"


def test_every_label_is_frozen() -> None:
    assert labels.missing() == [], "run: manage.py vault_labels --write"


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "labels.lock"
    monkeypatch.setattr(labels, "frozen", lambda p=path, read=labels.frozen: read(path))
    monkeypatch.setattr(labels, "freeze", lambda p=path, write=labels.freeze: write(path))
    monkeypatch.setattr(labels, "registered", lambda: {"a.b": ("health", "EncryptedTextField")})
    return path


def test_new_labels_are_added_and_changed_ones_refused(lock: Path) -> None:
    with pytest.raises(CommandError, match=r"a\.b"):
        call_command("vault_labels")
    call_command("vault_labels", "--write", stdout=_Silent())
    call_command("vault_labels")
    assert "a.b health EncryptedTextField" in lock.read_text()
    lock.write_text("a.b identity EncryptedTextField\nold.one health EncryptedTextField\n")
    with pytest.raises(CommandError, match="changed"):
        call_command("vault_labels", "--write")


class _Silent:
    def write(self, text: str) -> int:
        return len(text)
