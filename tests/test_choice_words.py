"""What is refused in a choice or a date is told in our own words, which say what to do, in both languages."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from vault.forms import ClearChoices
from vault.normalise import refuse_control_characters

ROOMS = ("audit", "access", "cases", "contacts", "disclosure")
DJANGO = ("not one of the available choices", "is not a valid UUID", "Enter a list of values", "valid date")
OURS = {"en": "Choose one of the values offered.", "zh-hans": "从给出的选项中选一个。"}
CHOICES = (forms.ChoiceField, forms.MultipleChoiceField, forms.ModelChoiceField)


def our_forms() -> Iterator[type[forms.Form]]:
    for room in ROOMS:
        for module in pkgutil.walk_packages([f"{settings.BASE_DIR}/{room}"], f"{room}."):
            if "forms" in module.name and "migrations" not in module.name:
                importlib.import_module(module.name)
    waiting: list[type[Any]] = [forms.BaseForm]
    while waiting:
        found = waiting.pop()
        waiting += found.__subclasses__()
        if found.__module__.split(".")[0] in ROOMS:
            yield found


def test_every_form_with_a_choice_has_clear_words() -> None:
    found = list(our_forms())
    assert len(found) > 8
    offers = [one for one in found if any(isinstance(f, CHOICES) for f in one.base_fields.values())]
    assert not [one.__qualname__ for one in offers if not issubclass(one, ClearChoices)]


class Sample(ClearChoices, forms.Form):
    one = forms.ChoiceField(choices=[("a", "a")])
    several = forms.MultipleChoiceField(choices=[("a", "a")])
    day = forms.DateField()


@pytest.mark.parametrize("language", OURS)
def test_a_wrong_choice_says_what_to_do(language: str) -> None:
    with translation.override(language):
        form = Sample({"one": "zz", "several": ["zz"], "day": "2026-02-31"})
        assert not form.is_valid()
        assert form.errors["one"] == form.errors["several"] == [OURS[language]]
        assert "zz" not in str(form.errors)
        assert form.errors["day"] not in (["Enter a valid date."], ["输入一个有效的日期。"])
        assert Sample({"one": ""}).errors["one"] != [OURS[language]]


@pytest.mark.django_db
@pytest.mark.database
@pytest.mark.parametrize("wrong", ["nobody", "0", "00000000-0000-0000-0000-000000000000"])
@pytest.mark.parametrize("language", OURS)
def test_a_record_that_is_no_choice_says_what_to_do(
    world: Any, signed_in: Any, wrong: str, language: str
) -> None:
    asked: dict[str, tuple[Any, str, dict[str, Any]]] = {
        "grant": (world.supervisor, reverse("access:case", args=[world.case.pk]), {"to": wrong, "lasts": "x"}),
        "contact": (world.investigator, reverse("contacts:add", args=[world.case.pk]), {"parent_contact": wrong}),
        "export": (world.investigator, reverse("disclosure:request"), {"outbreak": wrong, "purpose": "x"}),
        "import": (world.supervisor, reverse("contacts:import"), {"outbreak": wrong, "district": wrong}),
    }  # fmt: skip
    for name, (person, address, given) in asked.items():
        client = signed_in(person)
        client.post(reverse("access:language"), {"language": language})
        answer = client.post(address, given)
        assert answer.status_code == 422, name
        text = answer.content.decode()
        assert OURS[language] in text, name
        assert not [words for words in DJANGO if words in text], name
        assert "不是有效的 UUID" not in text, name


class Texts(ClearChoices, forms.Form):
    words = forms.CharField(max_length=5, min_length=3, validators=[refuse_control_characters])


SAID = {
    "a\x00bc": {"en": "Remove the control characters from this text.", "zh-hans": "其中有控制字符，请删除。"},
    "abcdefgh": {
        "en": "The text is 3 characters too long. Shorten it.",
        "zh-hans": "文字超出 3 个字符。缩短一些。",
    },
    "a": {"en": "Write at least 3 characters.", "zh-hans": "至少写 3 个字符。"},
}


@pytest.mark.parametrize("typed", SAID)
@pytest.mark.parametrize("language", OURS)
def test_a_wrong_text_is_told_once_in_our_words(typed: str, language: str) -> None:
    with translation.override(language):
        assert Texts({"words": typed}).errors["words"] == [SAID[typed][language]]


@pytest.mark.django_db
@pytest.mark.database
@pytest.mark.parametrize("language", OURS)
def test_every_form_says_one_fault_once(world: Any, signed_in: Any, language: str) -> None:
    over, control = (SAID[typed][language] for typed in ("abcdefgh", "a\x00bc"))
    over = over.replace("3", "200")
    asked = [
        (world.supervisor, reverse("access:case", args=[world.case.pk]), "reason"),
        (world.investigator, reverse("access:ask"), "reason"),
        (world.investigator, reverse("access:ask"), "case_no"),
        (world.investigator, reverse("disclosure:request"), "reason"),
    ]
    with translation.override(language):
        for person, address, name in asked:
            client = signed_in(person)
            client.post(reverse("access:language"), {"language": language})
            with_control = client.post(address, {name: "some\x00 words here"})
            assert with_control.context["form"].errors[name] == [control], (address, name)
            if name == "reason":
                long = client.post(address, {name: "words " * 66 + "last"})
                assert long.context["form"].errors[name] == [over], address
        client = signed_in(world.investigator)
        client.post(reverse("access:language"), {"language": language})
        opened = client.post(reverse("cases:open"), {"outbreak": "OB\x00"})
        assert opened.context["form"].errors["outbreak"] == [OURS[language]]
