"""Epoch keys: one for all processes, forgotten in time, never written under if the table does not have it."""

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection, transaction

from tests.vault.conftest import owner
from tests.vault.sampleapp.models import Folder
from vault import epochs, keyring, new_keys
from vault.classes import DataClass
from vault.errors import WrongRootKey
from vault.models import EpochKey, KeyringEntry
from vault.providers import FileProvider


@pytest.mark.django_db
def test_the_first_use_makes_one_epoch_and_the_next_uses_it() -> None:
    epochs.ensure_all()
    count = EpochKey.objects.count()
    assert EpochKey.objects.values("data_class").distinct().count() == len(DataClass) == count
    epochs.forget()
    epochs.ensure_all()
    assert EpochKey.objects.count() == count


@pytest.mark.django_db
def test_an_epoch_of_a_rolled_back_transaction_is_never_written_under() -> None:
    EpochKey.objects.all().delete()
    epochs.forget()
    with transaction.atomic():
        ghost = epochs.current(DataClass.IDENTITY).epoch
        transaction.set_rollback(True)
    folder = Folder.objects.create(number="1", name="Ana")
    assert not EpochKey.objects.filter(epoch=ghost).exists()
    epochs.forget()
    with keyring.session():
        assert Folder.objects.get(pk=folder.pk).name.masked == "A***"


@pytest.mark.django_db
def test_epoch_keys_are_read_again_when_their_time_is_up(settings: Any) -> None:
    first = epochs.current(DataClass.HEALTH)
    assert epochs.current(DataClass.HEALTH) is first
    settings.VAULT_EPOCH_TTL = 0
    again = epochs.current(DataClass.HEALTH)
    assert again is not first
    assert again.epoch == first.epoch


@pytest.mark.django_db
def test_another_key_file_is_refused_with_a_clear_line(settings: Any, tmp_path: Any) -> None:
    folder = Folder.objects.create(number="1", name="Ana")
    FileProvider.create(tmp_path / "other.json")
    settings.EPICASE_KEYRING = f"file:{tmp_path / 'other.json'}"
    with keyring.session(), pytest.raises(WrongRootKey, match="point EPICASE_KEYRING at"):
        assert Folder.objects.get(pk=folder.pk).name.masked


@pytest.mark.django_db
def test_a_second_process_waits_and_finds_the_first_ones_epoch(
    django_db_blocker: Any, request: pytest.FixtureRequest
) -> None:
    """The first transaction holds the lock until it ends; a second one cannot look before."""
    from django.db import connections

    epochs._make(DataClass.REACH)
    waited: list[bool] = []

    def second() -> None:
        with django_db_blocker.unblock():
            other = connections["default"]
            with other.cursor() as cursor:
                cursor.execute("select pg_try_advisory_xact_lock(%s)", [epochs._LOCK])
                waited.append(not cursor.fetchone()[0])
            other.close()

    thread = threading.Thread(target=second)
    thread.start()
    thread.join()
    assert waited == [True]
    assert connection.in_atomic_block


def test_many_first_uses_at_once_make_one_epoch(
    request: pytest.FixtureRequest, django_db_blocker: Any
) -> None:
    """Eight connections find no epoch and commit keys of their own: all are wrapped under the same one."""
    if settings.SETTINGS_MODULE == "tests.vault.settings":
        pytest.skip("needs the project's private_database fixture")
    request.getfixturevalue("private_database")
    with transaction.atomic():
        EpochKey.objects.all().delete()
    epochs.forget()
    start, failures = threading.Barrier(8), []

    def first_use() -> None:
        try:
            with django_db_blocker.unblock(), owner(), keyring.session(), transaction.atomic():
                start.wait(timeout=20)
                scope = uuid4()
                new_keys.create(scope, scope, [DataClass.HEALTH])
        except BaseException as error:  # noqa: BLE001  told by the main thread
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=first_use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with transaction.atomic():
        made = EpochKey.objects.get()
        assert set(KeyringEntry.objects.values_list("epoch", flat=True)) == {made.epoch}
        assert KeyringEntry.objects.count() == 8
