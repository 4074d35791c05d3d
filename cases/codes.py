"""Code lists: codes are stored, labels follow the reader's language."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.functional import lazy
from django.utils.translation import get_language

SOURCE = Path(__file__).parent / "data" / "code_lists.csv"


class UnknownCodeList(LookupError):
    """Names a code list that the data file does not hold."""


@dataclass(frozen=True)
class Code:
    """One code with its labels in both languages."""

    value: str
    label_en: str
    label_zh: str
    order: int

    @property
    def label(self) -> str:
        """The label in the active language."""
        return self.label_zh if (get_language() or "").startswith("zh") else self.label_en


@dataclass(frozen=True)
class CodeList:
    """A named, ordered set of codes."""

    name: str
    codes: tuple[Code, ...]

    def __iter__(self) -> Iterator[Code]:
        return iter(self.codes)

    def __contains__(self, value: object) -> bool:
        return any(code.value == value for code in self.codes)

    @property
    def values(self) -> tuple[str, ...]:
        """The stored codes, in their order."""
        return tuple(code.value for code in self.codes)

    def choices(self) -> list[tuple[str, str]]:
        """Pairs for a field or a form; the labels stay lazy and follow the active language."""
        return [(code.value, _lazy_label(self.name, code.value)) for code in self.codes]

    def label(self, value: str) -> str:
        """The label of a code in the active language; an unknown code is shown as it is."""
        return next((code.label for code in self.codes if code.value == value), value)

    def find(self, text: str) -> str | None:
        """The code that a typed or imported word stands for (code or either label), or None."""
        wanted = text.strip().casefold()
        for code in self.codes:
            if wanted in (code.value.casefold(), code.label_en.casefold(), code.label_zh):
                return code.value
        return None


@cache
def _lists() -> dict[str, CodeList]:
    rows: dict[str, list[Code]] = {}
    with SOURCE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code = Code(row["code"], row["label_en"], row["label_zh"], int(row["order"]))
            rows.setdefault(row["list"], []).append(code)
    return {name: CodeList(name, tuple(sorted(codes, key=lambda c: c.order))) for name, codes in rows.items()}


def names() -> tuple[str, ...]:
    """The names of all code lists."""
    return tuple(_lists())


def code_list(name: str) -> CodeList:
    """The code list of this name; raises UnknownCodeList."""
    try:
        return _lists()[name]
    except KeyError:
        raise UnknownCodeList(name) from None


def choices(name: str) -> list[tuple[str, str]]:
    """Pairs of code and lazy label for a form field."""
    return code_list(name).choices()


def label(name: str, value: str) -> str:
    """The label of one code in the active language."""
    return code_list(name).label(value)


def labels(name: str, values: list[str]) -> list[str]:
    """The labels of several codes in the active language, in the order given."""
    return [label(name, value) for value in values]


_lazy_label = lazy(label, str)

if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
else:
    _CharField = models.CharField


class CodeField(_CharField):
    """A short text column that holds a code of one list; empty means "not stated".

    A migration keeps the name of the list, not its labels, so a corrected label needs no migration.
    """

    def __init__(self, *args: Any, codes: str, **kwargs: Any) -> None:
        self.codes = codes
        kwargs.setdefault("max_length", 24)
        kwargs["choices"] = code_list(codes).choices
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Give what a migration writes: the list's name instead of its labels."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("choices", None)
        return str(name), path, list(args), {**kwargs, "codes": self.codes}


def code_check(model: str, field: str, codes: str) -> models.CheckConstraint:
    """A database rule: the column holds a code of the list, or nothing."""
    condition = models.Q(**{f"{field}__in": ["", *code_list(codes).values]})
    return models.CheckConstraint(name=f"{model}_{field}_is_a_code", condition=condition)
