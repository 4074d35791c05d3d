"""Forms take plain values and give none away by accident."""

from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError

from tests.vault.conftest import Notes
from tests.vault.sampleapp.models import Folder, Page
from vault.errors import PlainTextRefused
from vault.forms import revealed
from vault.secret import Secret

pytestmark = pytest.mark.django_db
FIELDS = ["name", "alias", "phone", "birth_date", "symptoms", "temperature", "parity", "note"]


class FolderForm(forms.ModelForm):
    class Meta:
        model = Folder
        fields = FIELDS


def filled(**changes: Any) -> dict[str, Any]:
    return {"name": "Ana", "birth_date": "1984-03-01", "symptoms": '{"fever": true}', "temperature": "38.5",
            "parity": "2", "note": "one\r\ntwo"} | changes  # fmt: skip


def test_a_form_gives_ordinary_fields_and_saves_what_was_typed(notes: Notes) -> None:
    form = FolderForm(filled(), instance=Folder(number="1"))
    assert isinstance(form.fields["birth_date"], forms.DateField)
    assert isinstance(form.fields["note"].widget, forms.Textarea)
    assert form.is_valid(), form.errors
    folder = Folder.objects.get(pk=form.save().pk)
    assert folder.name.reveal() == "Ana"
    assert str(folder.temperature.reveal()) == "38.5"
    assert folder.note.reveal() == "one\ntwo"
    assert folder.alias is None


def test_a_form_that_would_show_a_secret_refuses(notes: Notes) -> None:
    folder = Folder.objects.create(number="1", name="Ana")
    with pytest.raises(PlainTextRefused, match="revealed"):
        FolderForm(instance=folder).as_p()
    assert notes == []


def test_a_form_given_revealed_values_shows_them_and_the_witness_knows(notes: Notes) -> None:
    folder = Folder.objects.create(number="1", name="Ana")
    form = FolderForm(instance=folder, initial=revealed(folder, FIELDS))
    assert 'value="Ana"' in form.as_p()
    assert notes == [("folder", "name", "identity")]


def test_saving_a_form_unchanged_keeps_every_ciphertext() -> None:
    folder = FolderForm(filled(), instance=Folder(number="1")).save()
    before = dict(folder._loaded)
    again = FolderForm(filled(), instance=Folder.objects.get(pk=folder.pk)).save()
    assert again._loaded == before


@pytest.mark.parametrize("typed", ["Ana\x00", "An\x07a", "An\x1ba", "An\x85a", "An\ta", "An\na"])
def test_control_characters_are_refused(typed: str) -> None:
    form = FolderForm(filled(name=typed))
    assert not form.is_valid()
    assert form.errors.as_data()["name"][0].code == "control_characters"


def test_invisible_characters_are_taken_out(notes: Notes) -> None:
    form = FolderForm(filled(name="\ufeffA\u200bn\u2060a\U000e0041 "), instance=Folder(number="1"))
    assert form.save().name.reveal() == "Ana"


def test_a_stolen_ciphertext_typed_into_a_form_stays_the_text_it_is(notes: Notes) -> None:
    other = Folder.objects.create(number="1", name="Geheim")
    raw = other._loaded["name"]
    for token in (raw.hex(), str(raw), raw.decode("latin-1"), "sealed:" + raw.hex()):
        form = FolderForm(filled(alias=token), instance=Folder(number="2"))
        form.is_valid()
        form.instance.number = "2"
        assert "Geheim" not in str(form.errors)
        if form.is_valid():
            assert form.save().alias.reveal() != "Geheim"
    with pytest.raises(ValidationError):
        Folder._meta.get_field("name").to_python(bytes(raw))


def test_to_python_opens_nothing(notes: Notes) -> None:
    folder = Folder.objects.create(number="1", name="Ana")
    secret = Folder.objects.get(pk=folder.pk).name
    assert Folder._meta.get_field("name").to_python(secret) is secret


def test_full_clean_checks_what_was_assigned_and_leaves_the_rest_sealed() -> None:
    folder = Folder.objects.create(number="1", name="Ana")
    folder.full_clean()
    assert isinstance(folder.name, Secret)
    folder.name = "x" * 61
    with pytest.raises(ValidationError) as caught:
        folder.full_clean()
    assert set(caught.value.message_dict) == {"name"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("birth_date", "yesterday-ish"),
        ("birth_date", 5),
        ("parity", "Geheim"),
        ("parity", 1.5),
        ("temperature", "NaN"),
        ("temperature", "Geheim"),
        ("symptoms", {"a": object()}),
        ("symptoms", float("nan")),
        ("name", b"bytes"),
        ("name", "\ud800Geheim"),
    ],
)
def test_an_impossible_value_is_refused_without_repeating_it(name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        Folder(number="1", **{name: value})
    assert "Geheim" not in repr(caught.value)
    assert "Geheim" not in repr(caught.value.params)
    assert caught.value.__cause__ is None


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        Page(seen_at="2024-05-01T08:00:00")
