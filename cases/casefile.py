"""The case page as one person finds it: each section with what is filled, missing, masked or not theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cases import completeness
from cases.completeness import Filling, is_filled, is_told, is_wanted
from cases.holdings import Holding
from cases.models import Case
from cases.policy import Words, is_encrypted
from cases.sections import SECTIONS, Section
from cases.wording import field_label, plain_words

# Said together with another field.
SAID_WITH = {"age_unit": "age_value"}


@dataclass(frozen=True)
class Fact:
    """One field with its value: words, or a Secret for a protected one."""

    name: str
    label: str
    value: Any
    is_secret: bool = False


@dataclass(frozen=True)
class Part:
    """One section as drawn."""

    code: str
    title: Words
    facts: list[Fact]
    closed: list[str]
    empty: list[str]
    filling: Filling

    @property
    def icon(self) -> str:
        return "check-lg" if self.filling.is_complete else "pencil"


def parts(case: Case, held: Holding) -> list[Part]:
    """Every section. Of classes outside the grant only the names of the fields are told."""
    return [_part(section, case, held) for section in SECTIONS]


def _part(section: Section, case: Case, held: Holding) -> Part:
    facts, closed, empty = [], [], []
    for name in section.fields:
        if name in SAID_WITH:
            continue
        if not is_told(name, held.classes):
            closed.append(field_label(Case, name))
        elif is_filled(case, name) or is_wanted(case, name):
            facts.append(fact(case, name))
        else:
            empty.append(field_label(Case, name))
    return Part(
        section.code, section.title, facts, closed, empty, completeness.filling(case, held.classes, section)
    )


def fact(case: Case, name: str) -> Fact:
    """The field as it stands on the page."""
    is_secret = is_encrypted(Case._meta.get_field(name))
    value = getattr(case, name) if is_secret else plain_words(case, name)
    return Fact(name, field_label(Case, name), value, is_secret)
