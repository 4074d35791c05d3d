"""Records seal what they are given, and keep what they had."""

import copy
import datetime
import json
import pickle
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core import serializers
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.vault.conftest import Notes
from tests.vault.sampleapp.models import Companion, Folder, Page, Plain
from vault import key_source, keyring, new_keys, witness
from vault.classes import DataClass
from vault.errors import (
    KeyConflict,
    Locked,
    NoWitness,
    PlainTextRefused,
    RecordGone,
    ScopeMoved,
)
from vault.key_source import KeyRow
from vault.models import KeyringEntry
from vault.secret import Sealed, Secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder() -> Folder:
    return Folder.objects.create(
        number="F-1",
        name="张小明",
        phone="13800138000",
        birth_date=datetime.date(1984, 3, 1),
        symptoms={"fever": True, "days": [1, 2]},
        temperature=Decimal("38.50"),
        parity=2,
    )


def stored(record: Any, column: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"select {column} from {record._meta.db_table} where id = %s", [record.pk])
        return bytes(cursor.fetchone()[0])


def test_what_was_given_comes_back_in_its_own_type(folder: Folder, notes: Notes) -> None:
    again = Folder.objects.get(pk=folder.pk)
    assert again.name.reveal() == "张小明"
    assert again.birth_date.reveal() == datetime.date(1984, 3, 1)
    assert again.symptoms.reveal() == {"days": [1, 2], "fever": True}
    assert str(again.temperature.reveal()) == "38.50"
    assert again.parity.reveal() == 2
    assert again.note is None
    assert notes[0] == ("folder", "name", "identity")
    assert len(notes) == 5


def test_a_new_scope_gets_a_key_of_every_record_class_guarded_by_itself(folder: Folder) -> None:
    keys = KeyringEntry.objects.filter(scope_id=folder.pk)
    assert sorted(keys.values_list("data_class", "guard_id")) == [(code, folder.pk) for code in (1, 2, 3, 4)]
    assert {len(bytes(key.wrapped)) for key in keys} == {66}


def test_a_child_uses_its_scopes_keys(folder: Folder, notes: Notes) -> None:
    page = Page.objects.create(
        folder=folder, place="West Market", seen_at=datetime.datetime(2024, 5, 1, 8, tzinfo=datetime.UTC)
    )
    assert KeyringEntry.objects.count() == 4
    again = Page.objects.get(pk=page.pk)
    assert again.place.reveal() == "West Market"
    assert again.seen_at.reveal() == datetime.datetime(2024, 5, 1, 8, tzinfo=datetime.UTC)


def test_a_companion_has_its_own_keys_under_its_folders_guard(folder: Folder) -> None:
    companion = Companion.objects.create(folder=folder, name="Ana")
    assert set(KeyringEntry.objects.filter(scope_id=companion.pk).values_list("guard_id", flat=True)) == {
        folder.pk
    }


def test_saving_an_untouched_record_writes_identical_bytes(folder: Folder) -> None:
    before = stored(folder, "name")
    again = Folder.objects.get(pk=folder.pk)
    assert again.name.masked  # opened, and still untouched
    again.save()
    assert stored(folder, "name") == before


def test_assigning_an_equal_value_keeps_the_ciphertext_and_another_changes_it(folder: Folder) -> None:
    before = stored(folder, "name")
    again = Folder.objects.get(pk=folder.pk)
    again.name = "张小明"
    again.save()
    assert stored(folder, "name") == before
    again.name = "张小红"
    again.save(update_fields=["name"])
    assert stored(folder, "name") != before


def test_the_snapshot_holds_the_old_bytes_until_the_save_is_done(folder: Folder) -> None:
    again = Folder.objects.get(pk=folder.pk)
    old = again._loaded["name"]
    again.name = "李四"
    assert again._loaded["name"] is old
    assert type(old) is Sealed
    again.save()
    assert again._loaded["name"] == stored(folder, "name") != old


def test_none_is_null_and_empty_text_is_sealed(folder: Folder, notes: Notes) -> None:
    folder.alias = ""
    folder.phone = None
    folder.save()
    again = Folder.objects.get(alias__isnull=False, phone__isnull=True)
    assert again.alias.reveal() == ""
    assert again.phone is None


def test_deferred_fields_load_when_read(folder: Folder, notes: Notes) -> None:
    again = Folder.objects.only("number").get(pk=folder.pk)
    assert again.name.reveal() == "张小明"
    again = Folder.objects.defer("name").get(pk=folder.pk)
    again.number = "F-2"
    again.save()
    assert Folder.objects.get(number="F-2").name.reveal() == "张小明"


def test_bulk_create_and_bulk_update_seal(notes: Notes) -> None:
    Folder.objects.bulk_create([Folder(number=str(n), name=f"name {n}") for n in range(5)])
    folders = list(Folder.objects.order_by("number"))
    assert [folder.name.reveal() for folder in folders] == [f"name {n}" for n in range(5)]
    for folder in folders:
        folder.name = "Nobody " + folder.number
        folder.phone = None
    assert Folder.objects.bulk_update(folders, ["name", "phone"]) == 5
    assert Folder.objects.get(number="3").name.reveal() == "Nobody 3"
    assert KeyringEntry.objects.count() == 20


def test_a_copy_made_by_clearing_the_key_is_sealed_anew(folder: Folder, notes: Notes) -> None:
    clone = Folder.objects.get(pk=folder.pk)
    clone.pk = None
    clone.save()
    assert clone.pk != folder.pk
    assert stored(clone, "name") != stored(folder, "name")
    assert Folder.objects.get(pk=clone.pk).name.reveal() == "张小明"
    assert Folder.objects.get(pk=folder.pk).name.reveal() == "张小明"


def test_a_page_moves_to_another_folder_only_by_rescope(folder: Folder, notes: Notes) -> None:
    other = Folder.objects.create(number="F-2", name="x")
    page = Page.objects.create(folder=folder, place="here")
    page.folder = other
    with pytest.raises(ScopeMoved):
        page.save()
    page.rescope()
    page.save()
    assert Page.objects.get(pk=page.pk).place.reveal() == "here"


def test_a_value_passes_from_record_to_record_without_being_shown(folder: Folder, notes: Notes) -> None:
    companion = Companion.objects.create(folder=folder, name=folder.name)
    assert notes == []
    assert Companion.objects.get(pk=companion.pk).name.reveal() == "张小明"


def test_a_rows_absence_at_update_is_said_clearly(folder: Folder) -> None:
    gone = Folder.objects.get(pk=folder.pk)
    Folder.objects.filter(pk=folder.pk).delete()
    with pytest.raises(RecordGone):
        gone.save()


def test_nothing_is_revealed_without_a_witness(folder: Folder) -> None:
    with pytest.raises(NoWitness):
        folder.name.reveal()


def test_nothing_is_revealed_if_the_witness_refuses(folder: Folder) -> None:
    def refuses(*_: object) -> None:
        raise RuntimeError("no paper")

    with witness.watching(refuses), pytest.raises(RuntimeError):
        folder.name.reveal()


def test_a_locked_class_shows_dots_and_raises_on_reveal(folder: Folder, notes: Notes) -> None:
    def only_health(scopes: Any) -> list[KeyRow]:
        return [row for row in key_source.from_table(scopes) if row.data_class == 3]

    key_source.install(only_health, bearer=lambda: "nurse")
    again = Folder.objects.get(pk=folder.pk)
    assert again.name.masked == "•••"
    assert not again.name.is_open_to_me
    assert again.parity.is_open_to_me
    assert again.parity.reveal() == 2
    with pytest.raises(Locked):
        again.name.reveal()
    again.name = "other"
    with pytest.raises(KeyConflict):
        again.save()


def test_another_bearer_in_the_same_session_gets_nothing_from_the_first(folder: Folder) -> None:
    again = Folder.objects.get(pk=folder.pk)
    assert again.name.masked == "张**"
    key_source.install(lambda scopes: [], bearer=lambda: "stranger")
    assert again.name.masked == "•••"


def test_who_may_only_insert_keys_can_read_back_what_it_just_made(notes: Notes) -> None:
    key_source.install(lambda scopes: [])
    made = Folder.objects.create(number="1", name="Ana", phone="13800138000")
    again = Folder.objects.get(pk=made.pk)
    assert again.name.reveal() == "Ana"
    Page.objects.create(folder=made, place="here")
    again.phone = "13900139000"
    again.save()


def test_without_a_session_every_use_asks_the_source(folder: Folder) -> None:
    token = keyring._session.set(None)
    try:
        again = Folder.objects.get(pk=folder.pk)
        assert again.name.masked == "张**"
        again.name = "李四"
        again.save()
        assert Folder.objects.get(pk=folder.pk).name.masked == "李**"
        assert Folder.objects.create(number="2", name="Ana").name.masked == "A***"
    finally:
        keyring._session.reset(token)


def test_a_list_of_fifty_needs_two_queries(folder: Folder) -> None:
    Folder.objects.bulk_create([Folder(number=str(n), name=f"N{n}", phone="1") for n in range(50)])
    with keyring.session(), CaptureQueriesContext(connection) as queries:
        for one in Folder.objects.all():
            assert one.name.masked
            assert one.phone is None or one.phone.masked
    assert len(queries) == 2


def test_records_that_came_along_share_one_key_query(folder: Folder) -> None:
    Folder.objects.bulk_create([Folder(number=str(n), name=f"N{n}") for n in range(10)])
    Page.objects.bulk_create([Page(folder=one, place="x") for one in Folder.objects.all()])
    with keyring.session(), CaptureQueriesContext(connection) as queries:
        for page in Page.objects.select_related("folder"):
            assert page.folder.name.masked
            assert page.place.masked
    assert len(queries) == 2
    with keyring.session(), CaptureQueriesContext(connection) as queries:
        for page in Page.objects.iterator(chunk_size=6):
            assert page.place.masked
    assert len(queries) == 3


def test_keys_made_in_what_was_rolled_back_are_never_used_again() -> None:
    from django.db import transaction

    record = Folder(number="1", name="Ana")
    with transaction.atomic():
        record.save()
        transaction.set_rollback(True)
    assert keyring.fresh(record.pk) == frozenset()
    copy_of = Folder(id=record.pk, number="1", name="Ben")
    copy_of.save()
    with keyring.session():
        assert Folder.objects.get(pk=record.pk).name.masked == "B***"


def test_two_keys_for_one_scope_are_refused(folder: Folder) -> None:
    with pytest.raises(KeyConflict):
        new_keys.create(folder.pk, folder.pk, [DataClass.IDENTITY])


def pickled(record: Any) -> Any:
    return pickle.loads(pickle.dumps(record))  # noqa: S301  our own bytes


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_copies_of_a_record_carry_no_plain_text(folder: Folder, copied: Any, notes: Notes) -> None:
    assert folder.name.masked
    for record in (folder, Folder.objects.get(pk=folder.pk)):
        assert record.name.masked
        assert "小明" not in str(copied(record).__dict__)
        assert "小明".encode() not in pickle.dumps(record)
        assert copied(record).name.reveal() == "张小明"


def test_an_unsaved_secret_is_neither_copied_nor_pickled() -> None:
    record = Folder(number="1", name="Geheim")
    for way in (pickle.dumps, copy.deepcopy, lambda r: pickle.dumps(r.name)):
        with pytest.raises((PlainTextRefused, pickle.PicklingError, TypeError)):
            way(record)


def test_nothing_that_shows_a_record_shows_a_value(folder: Folder) -> None:
    folder.name = "Geheim"
    shown = [
        repr(folder.name),
        str(folder.name),
        f"{folder.name:>9}",
        str(vars(folder)),
        repr(folder.__dict__["name"]),
    ]
    folder.save()
    assert folder.name.masked
    shown += [repr(folder.name), str(folder.name), str(vars(folder)), str(Folder.objects.values("name"))]
    shown += [
        f"{folder.name} {folder.name!r}",
        str(folder._loaded),
        serializers.serialize("json", [folder]),
    ]
    assert not any("Geheim" in text for text in shown)
    assert folder.name.fingerprint == str(folder.name) == str(folder._loaded["name"])
    assert len(str(folder.name)) == 7
    assert str(folder.name).startswith("•")
    with pytest.raises(TypeError):
        json.dumps({"name": folder.name})


def test_secrets_compare_by_their_bytes_and_have_no_hash(folder: Folder) -> None:
    again = Folder.objects.get(pk=folder.pk)
    assert again.name == folder.name
    assert again.name != folder.phone
    assert again.name != "张小明"
    with pytest.raises(TypeError):
        hash(folder.name)


def test_changing_a_json_value_in_place_changes_nothing(folder: Folder, notes: Notes) -> None:
    folder.symptoms.reveal()["fever"] = False
    assert folder.symptoms.reveal()["fever"] is True


def test_an_insert_gives_back_nothing_and_names_no_conflict(folder: Folder) -> None:
    with CaptureQueriesContext(connection) as queries:
        Companion.objects.create(folder=folder, name="A")
        Folder.objects.bulk_create([Folder(number="2", name="B")])
        Plain.objects.bulk_create([Plain(folder=folder, text="x")])
    inserts = [q["sql"].lower() for q in queries if "insert" in q["sql"].lower()]
    sealed = [q for q in inserts if "vault_keyring" in q or "sample_folder" in q or "sample_companion" in q]
    assert len(sealed) == 4
    assert not any("returning" in q or "on conflict (" in q for q in sealed)


def test_an_unknown_record_is_locked(notes: Notes) -> None:
    with pytest.raises(Locked):
        keyring.key_to_seal(uuid4(), DataClass.IDENTITY)


def test_reading_the_class_gives_no_secret() -> None:
    assert not isinstance(Folder.name, Secret)
