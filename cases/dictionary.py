"""The data dictionary, or positive list: what is collected about people, why, and until when."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps

from cases.checks import PROTECTED
from cases.policy import (
    ADMINISTRATIVE,
    NEED_WORDS,
    RETENTION_WORDS,
    SENSITIVITY_WORDS,
    Policed,
    Words,
    policies,
)


@dataclass(frozen=True)
class Entry:
    """One collected field in words; codes stand beside them for those who look rules up."""

    model: str
    field: str
    label: Words
    is_encrypted: bool
    data_class: str
    is_personal: bool
    purpose: str
    purpose_words: Words
    sensitivity: str
    sensitivity_words: Words
    need: str
    need_words: Words
    condition: Words
    mask: str
    search: str
    disclosure: str
    retention: str
    retention_words: Words
    codes: str


@dataclass(frozen=True)
class Section:
    """The fields of one kind of record."""

    model: str
    title: Words
    entries: tuple[Entry, ...]


def sections() -> Iterator[Section]:
    """The dictionary, one section for each kind of record about a person."""
    for label in PROTECTED:
        entries = tuple(_entry(declared) for declared in policies(label))
        yield Section(label, apps.get_model(label)._meta.verbose_name or label, entries)


def _entry(declared: Policed) -> Entry:
    field, policy = declared.field, declared.policy
    return Entry(
        model=declared.model._meta.label,
        field=field.name,
        label=field.verbose_name,
        is_encrypted=policy.encrypted,
        data_class=policy.data_class,
        is_personal=policy.data_class != ADMINISTRATIVE,
        purpose=policy.purpose.value,
        purpose_words=policy.purpose.label,
        sensitivity=policy.sensitivity.value,
        sensitivity_words=SENSITIVITY_WORDS[policy.sensitivity],
        need=policy.need.value,
        need_words=NEED_WORDS[policy.need],
        condition=policy.condition,
        mask=policy.mask,
        search=policy.search,
        disclosure=policy.disclosure,
        retention=policy.retention.value,
        retention_words=RETENTION_WORDS[policy.retention],
        codes=policy.codes,
    )
