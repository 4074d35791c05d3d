"""Attacks by someone who can write to the database: each is refused, beside a control that opens."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from tests.vault.conftest import Notes
from tests.vault.sampleapp.models import Companion, Folder, Page
from vault import epochs, keyring
from vault.errors import CiphertextError, Locked, NotAuthentic, Shredded, UnknownGeneration, WrongRootKey
from vault.secret import BROKEN

pytestmark = pytest.mark.django_db


def sql(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() if cursor.description else cursor.rowcount


@pytest.fixture
def alice(notes: Notes) -> Folder:
    return Folder.objects.create(
        number="A", name="Alice", alias="Al", phone="13800138000", note="ill", parity=1
    )


@pytest.fixture
def bob(notes: Notes) -> Folder:
    return Folder.objects.create(number="B", name="Bob", alias="Bo", phone="13900139000", note="well")


def opens(record: Folder | Page | Companion, name: str = "name") -> Any:
    """The value after a fresh reading, with nothing kept from before."""
    epochs.forget()
    with keyring.session():
        return getattr(type(record)._default_manager.get(pk=record.pk), name).reveal()


def refused(record: Folder | Page | Companion, name: str = "name") -> None:
    with pytest.raises(CiphertextError):
        opens(record, name)


def test_a_value_moved_to_another_row_is_refused(alice: Folder, bob: Folder) -> None:
    assert opens(bob) == "Bob"
    sql("update vaultsample_folder set name = (select name from vaultsample_folder where id = %s)", alice.pk)
    refused(bob)
    assert opens(alice) == "Alice"


def test_a_value_moved_with_its_case_and_key_is_refused(alice: Folder, bob: Folder) -> None:
    sql("update vaultsample_folder set name = (select name from vaultsample_folder where id = %s)", alice.pk)
    sql("update vault_keyring set wrapped = (select wrapped from vault_keyring k where k.scope_id = %s"
        " and k.data_class = 1) where data_class = 1", alice.pk)  # fmt: skip
    assert opens(alice) == "Alice"
    refused(bob)


def test_a_value_moved_to_another_column_is_refused(alice: Folder) -> None:
    sql("update vaultsample_folder set name = alias")
    refused(alice)
    assert opens(alice, "alias") == "Al"


def test_a_value_moved_to_another_class_is_refused(alice: Folder) -> None:
    sql("update vaultsample_folder set phone = name")
    refused(alice, "phone")


def test_a_value_moved_to_another_table_is_refused(alice: Folder) -> None:
    companion = Companion.objects.create(folder=alice, name="Carol")
    assert opens(companion) == "Carol"
    sql("update vaultsample_companion set name = (select name from vaultsample_folder)")
    refused(companion)


def test_a_row_moved_to_another_case_is_refused(alice: Folder, bob: Folder) -> None:
    page = Page.objects.create(folder=alice, place="West Market")
    assert opens(page, "place") == "West Market"
    sql("update vaultsample_page set folder_id = %s", bob.pk)
    refused(page, "place")


def test_a_row_given_another_id_is_refused(alice: Folder) -> None:
    page = Page.objects.create(folder=alice, place="West Market")
    sql("update vaultsample_page set id = gen_random_uuid()")
    refused(Page.objects.get(folder_id=alice.pk), "place")
    assert not Page.objects.filter(pk=page.pk).exists()


@pytest.mark.parametrize(
    "written",
    [b"", b"Mallory", b"gAAAAABlTg" + b"A" * 90, b"\x01\x01\x00\x01", os.urandom(64)],
    ids=["empty", "plain text", "a token of another library", "a header", "noise"],
)
def test_what_a_database_administrator_writes_is_refused(alice: Folder, written: bytes) -> None:
    sql("update vaultsample_folder set name = %s", written)
    refused(alice)


def test_the_mask_of_an_altered_value_says_so_and_the_list_stays_up(
    alice: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    sql("update vaultsample_folder set name = %s", b"Mallory")
    assert [one.name.masked for one in Folder.objects.all()] == [BROKEN]
    assert "folder.name" in caplog.text
    assert "Mallory" not in caplog.text


@pytest.mark.parametrize(
    ("place", "value"), [(0, 2), (1, 2), (2, 1), (3, 2)], ids=["version", "suite", "generation high", "low"]
)
def test_an_edited_header_is_refused(alice: Folder, place: int, value: int) -> None:
    sql("update vaultsample_folder set name = set_byte(name, %s, %s)", place, value)
    refused(alice)


def test_every_bit_of_a_stored_value_counts(alice: Folder) -> None:
    (stored,) = sql("select name from vaultsample_folder")
    record = Folder.objects.get()
    for bit in range(len(stored) * 8):
        flipped = bytearray(stored)
        flipped[bit // 8] ^= 1 << bit % 8
        record.__dict__["name"] = type(record.__dict__["name"])(flipped)
        with pytest.raises(CiphertextError):
            record.name.reveal()
    record.__dict__["name"] = type(record.__dict__["name"])(stored)
    assert record.name.reveal() == "Alice"


def swap_classes(alice: Folder, bob: Folder) -> None:
    sql("update vault_keyring set wrapped = (select wrapped from vault_keyring k where k.scope_id = %s"
        " and k.data_class = 2) where scope_id = %s and data_class = 1", alice.pk, alice.pk)  # fmt: skip


def swap_cases(alice: Folder, bob: Folder) -> None:
    sql("update vault_keyring set wrapped = (select wrapped from vault_keyring k where k.scope_id = %s"
        " and k.data_class = 1) where scope_id = %s and data_class = 1", bob.pk, alice.pk)  # fmt: skip


def swap_classes_and_name_the_epoch(alice: Folder, bob: Folder) -> None:
    (number,) = sql("select epoch from vault_epochkey where data_class = 1")
    swap_classes(alice, bob)
    sql("update vault_keyring set wrapped = overlay(wrapped placing %s from 3 for 4)"
        " where scope_id = %s and data_class = 1", number.to_bytes(4, "big"), alice.pk)  # fmt: skip


def flip_a_bit(alice: Folder, bob: Folder) -> None:
    sql("update vault_keyring set wrapped = set_bit(wrapped, 200, 1 - get_bit(wrapped, 200))")


def shorten(alice: Folder, bob: Folder) -> None:
    sql("update vault_keyring set wrapped = substr(wrapped, 1, 65)")


def write_own_key(alice: Folder, bob: Folder) -> None:
    sql("update vault_keyring set wrapped = %s", b"\x01\x01" + b"\0" * 64)


@pytest.mark.parametrize(
    "attack", [swap_classes, swap_classes_and_name_the_epoch, swap_cases, flip_a_bit, shorten]
)
def test_a_key_moved_or_altered_opens_nothing(
    alice: Folder, bob: Folder, attack: Callable[[Folder, Folder], None]
) -> None:
    assert opens(alice) == "Alice"
    attack(alice, bob)
    with pytest.raises(NotAuthentic):
        opens(alice)


def test_a_key_that_names_another_epoch_opens_nothing(alice: Folder) -> None:
    write_own_key(alice, alice)
    with pytest.raises(NotAuthentic):
        opens(alice)
    epochs.forget()
    sql("update vault_epochkey set state = 2 where data_class = 1")
    Folder.objects.create(number="C", name="C")
    numbers = sql("select array_agg(epoch order by created_at) from vault_epochkey where data_class = 1")[0]
    assert len(numbers) == 2
    other = numbers[1].to_bytes(4, "big")
    sql("update vault_keyring set wrapped = overlay(wrapped placing %s from 3 for 4)"
        " where data_class = 1 and scope_id = %s", other, alice.pk)  # fmt: skip
    with pytest.raises(NotAuthentic):
        opens(alice)


def test_a_retired_epoch_still_opens_and_seals_nothing_new(alice: Folder) -> None:
    sql("update vault_epochkey set state = 2")
    epochs.forget()
    other = Folder.objects.create(number="C", name="Carol")
    assert opens(alice) == "Alice"
    assert opens(other) == "Carol"
    (used,) = sql("select count(distinct epoch) from vault_keyring where data_class = 1")
    assert used == 2


def test_a_key_row_given_another_generation_opens_nothing(alice: Folder) -> None:
    sql("update vault_keyring set generation = 2 where data_class = 1")
    with pytest.raises(UnknownGeneration):
        opens(alice)
    sql("update vaultsample_folder set name = set_byte(name, 3, 2)")
    with pytest.raises(NotAuthentic):
        opens(alice)


@pytest.mark.parametrize(
    "change",
    [
        "update vault_epochkey set wrapped = set_bit(wrapped, 99, 1 - get_bit(wrapped, 99))",
        "update vault_epochkey set wrapped = (select wrapped from vault_epochkey where data_class = 2)",
        "update vault_epochkey set root_version = 2",
        "update vault_epochkey set wrapped = ''",
        "delete from vault_epochkey",
    ],
    ids=["bit", "class", "root version", "emptied", "deleted"],
)
def test_an_epoch_key_that_was_altered_opens_nothing(alice: Folder, change: str) -> None:
    sql(change)
    with pytest.raises(WrongRootKey):
        opens(alice)


def test_a_removed_key_locks_and_a_shredded_key_says_so(alice: Folder) -> None:
    sql("update vault_keyring set wrapped = null where data_class = 1")
    with pytest.raises(Shredded):
        opens(alice)
    assert Folder.objects.get(pk=alice.pk).name is not None
    sql("delete from vault_keyring where data_class = 1")
    with pytest.raises(Locked):
        opens(alice)
    assert opens(alice, "phone") == "13800138000"


def test_a_new_value_under_a_removed_key_never_makes_the_old_ones_readable(alice: Folder) -> None:
    sql("delete from vault_keyring where data_class = 1")
    with keyring.session():
        again = Folder.objects.get(pk=alice.pk)
        again.name = "Mallory"
        again.save()
    assert opens(alice) == "Mallory"
    with pytest.raises(CiphertextError):
        opens(alice, "alias")
