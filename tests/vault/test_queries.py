"""What a database cannot answer about ciphertext is refused, and the message says what to use instead."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Case, Count, F, Max, Q, Value, When
from django.db.models.functions import Concat, Upper

from tests.vault.sampleapp.models import Folder, Page, Plain
from vault.errors import EncryptedLookupError, PlainTextRefused
from vault.secret import Sealed

pytestmark = pytest.mark.django_db
folders = Folder.objects

REFUSED: dict[str, Callable[[], Any]] = {
    "filter": lambda: folders.filter(name="Ana"),
    "exclude": lambda: folders.exclude(name="Ana"),
    "get": lambda: folders.get(name="Ana"),
    "none": lambda: folders.filter(name=None),
    "in": lambda: folders.filter(name__in=["Ana"]),
    "icontains": lambda: folders.filter(name__icontains="A"),
    "startswith": lambda: folders.filter(Q(number="1") | Q(name__startswith="A")),
    "range": lambda: folders.filter(birth_date__year=1984),
    "greater": lambda: folders.filter(temperature__gt=38),
    "key of json": lambda: folders.filter(symptoms__fever=True),
    "column": lambda: folders.filter(number=F("name")),
    "through a relation": lambda: Page.objects.filter(folder__name="Ana"),
    "from a plain model": lambda: Plain.objects.filter(folder__name__icontains="A"),
    "get_or_create": lambda: folders.get_or_create(name="Ana"),
    "order_by": lambda: folders.order_by("name"),
    "order_by descending": lambda: folders.order_by("-name"),
    "order_by expression": lambda: list(folders.order_by(F("name").desc())),
    "order_by function": lambda: list(folders.order_by(Upper("name"))),
    "order_by relation": lambda: Page.objects.order_by("folder__name"),
    "distinct on": lambda: folders.distinct("name"),
    "latest": lambda: folders.latest("birth_date"),
    "dates": lambda: list(folders.dates("birth_date", "year")),
    "annotate": lambda: folders.annotate(n=F("name")),
    "concat": lambda: folders.annotate(n=Concat("number", "name")),
    "aggregate": lambda: folders.aggregate(Max("name")),
    "count of column": lambda: folders.aggregate(Count("name")),
    "when": lambda: folders.annotate(n=Case(When(number="1", then="name"))),
    "update": lambda: folders.update(name="Ana"),
    "update to nothing": lambda: folders.update(name=None),
    "update from a column": lambda: folders.update(name=F("number")),
    "update of another column": lambda: folders.update(number=F("name")),
    "update by function": lambda: folders.update(number=Concat(Value("x"), "name")),
    "update of two": lambda: folders.update(number="1", phone="2"),
    "ignore_conflicts": lambda: folders.bulk_create([Folder(number="1", name="x")], ignore_conflicts=True),
    "update_conflicts": lambda: folders.bulk_create(
        [Folder(number="1", name="x")], update_conflicts=True, update_fields=["number"], unique_fields=["id"]
    ),
    "assigned expression": lambda: Folder(number="1", name=F("number")),
}


@pytest.mark.parametrize("question", REFUSED.values(), ids=REFUSED.keys())
def test_a_question_about_ciphertext_is_refused(question: Callable[[], Any]) -> None:
    with pytest.raises(EncryptedLookupError):
        question()


def test_the_refusal_names_find() -> None:
    for question in (REFUSED["filter"], REFUSED["order_by"], REFUSED["update"], REFUSED["annotate"]):
        with pytest.raises(EncryptedLookupError, match=r"find\(\)"):
            question()


def test_the_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(EncryptedLookupError) as caught:
        folders.filter(name__in=["Geheim"])
    assert "Geheim" not in str(caught.value)


def test_what_the_database_can_answer_works() -> None:
    Folder.objects.create(number="2", name="Ana")
    Folder.objects.create(number="1", name="Ben", phone="1")
    assert folders.filter(phone__isnull=True).get().number == "2"
    assert folders.exclude(phone__isnull=True).get().number == "1"
    assert [one.number for one in folders.order_by("number")] == ["1", "2"]
    assert folders.filter(number="1").update(number="3") == 1
    assert folders.annotate(n=Upper("number")).filter(n="3").exists()
    assert Plain.objects.filter(folder__phone__isnull=False).count() == 0
    assert folders.latest("number").number == "3"


def test_values_give_sealed_bytes_that_show_nothing() -> None:
    Folder.objects.create(number="1", name="Geheim")
    (row,) = folders.values("name", "number")
    assert type(row["name"]) is Sealed
    assert "Geheim" not in f"{row}"
    assert str(row["name"]).startswith("•")


@pytest.mark.parametrize("value", ["Ana", b"Ana", 1, {"a": 1}])
def test_no_way_round_the_record_stores_plain_text(value: Any) -> None:
    Folder.objects.create(number="1", name="x")
    from django.db.models import QuerySet

    with pytest.raises((PlainTextRefused, EncryptedLookupError)):
        QuerySet(Folder).update(name=value)
    with pytest.raises(PlainTextRefused):
        QuerySet(Folder).bulk_create([Folder(number="1", name="plain")])
    field: Any = Folder._meta.get_field("name")
    with pytest.raises(PlainTextRefused):
        field.get_db_prep_save(value, connection)
    with pytest.raises(PlainTextRefused):
        Folder(number="1", name="plain").save_base(force_insert=True)


def test_bulk_update_of_plain_columns_leaves_sealed_ones_alone() -> None:
    folder = Folder.objects.create(number="1", name="x")
    before = folder._loaded["name"]
    folder.number = "2"
    assert Folder.objects.bulk_update([folder], ["number"]) == 1
    assert Folder.objects.get(number="2")._loaded["name"] == before
