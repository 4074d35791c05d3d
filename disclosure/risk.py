"""How recognisable the people in a planned table are."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from access.models import Organisation
from cases import codes
from cases.wording import age_words
from disclosure.grouping import SMALLEST_ALLOWED, Grouping, group
from disclosure.profiles import AGE_BAND, QUASI_IDENTIFIERS
from disclosure.values import band_of

if TYPE_CHECKING:
    from cases.models import CaseQuerySet

MOST_SHOWN = 4
_COLUMNS = ("sex", "age_value", "age_unit", "district")


@dataclass(frozen=True)
class Risk:
    """The groups of people who look the same by the chosen traits."""

    n_cases: int
    traits: tuple[str, ...]
    grouping: Grouping
    shown: tuple[tuple[str, int], ...]

    @property
    def smallest(self) -> int:
        return self.grouping.smallest

    @property
    def n_small(self) -> int:
        return len(self.grouping.small)

    @property
    def n_more(self) -> int:
        """How many small groups the list leaves out."""
        return self.n_small - len(self.shown)

    @property
    def is_fine(self) -> bool:
        return not self.grouping.small

    @property
    def required(self) -> int:
        return SMALLEST_ALLOWED


def assess(cases: CaseQuerySet, names: Collection[str]) -> Risk:
    """Group the cases by the chosen traits that recognise a person: sex, age or its band, district."""
    traits = tuple(name for name in QUASI_IDENTIFIERS if name in names)
    rows = [_traits(traits, case) for case in cases.only(*_COLUMNS, "id").iterator(chunk_size=2000)]
    # Without a trait nobody can be told apart, however few they are.
    grouping = group(rows if traits else ())
    areas = {one.pk: one.area for one in Organisation.objects.all()} if "district" in traits else {}
    shown = tuple((_words(traits, found.traits, areas), found.size) for found in grouping.small[:MOST_SHOWN])
    return Risk(len(rows), traits, grouping, shown)


def _traits(traits: tuple[str, ...], case: object) -> tuple[Hashable, ...]:
    values = {
        "sex": getattr(case, "sex", ""),
        AGE_BAND: band_of(case),  # type: ignore[arg-type]
        "age_value": (getattr(case, "age_value", None), getattr(case, "age_unit", "")),
        "district": getattr(case, "district_id", None),
    }
    return tuple(values[name] for name in traits)


def _words(traits: tuple[str, ...], found: tuple[Hashable, ...], areas: dict[int, str]) -> str:
    """A group in words: district, sex, age."""
    words: list[str] = []
    for name, value in zip(traits, found, strict=True):
        if name == "district":
            words.insert(0, areas.get(value, "?") if isinstance(value, int) else "?")
        elif name == "sex":
            words.append(codes.label("SEX", str(value)) if value else "?")
        elif name == "age_value" and isinstance(value, tuple):
            words.append(age_words(value[0], str(value[1])) if value[0] is not None else "?")
        else:
            words.append(str(value) or "?")
    return ", ".join(words)
