"""How small the smallest group of a table is: who stands nearly alone in it is recognised without a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

# A group of fewer than five is called small: the usual threshold of public health statistics (k = 5).
SMALLEST_ALLOWED = 5
BAND_YEARS = 10
OLDEST_BAND = 80


@dataclass(frozen=True)
class Group:
    """People who look the same in the table, and how many they are."""

    traits: tuple[Hashable, ...]
    size: int

    @property
    def is_small(self) -> bool:
        return self.size < SMALLEST_ALLOWED


@dataclass(frozen=True)
class Grouping:
    """The groups of a table, smallest first."""

    groups: tuple[Group, ...]

    @property
    def smallest(self) -> int:
        """How many people the smallest group holds; 0 for an empty table."""
        return self.groups[0].size if self.groups else 0

    @property
    def small(self) -> tuple[Group, ...]:
        """The groups below the threshold."""
        return tuple(group for group in self.groups if group.is_small)


def group(rows: Iterable[Sequence[Hashable]]) -> Grouping:
    """Group the rows (one person each, only the traits that recognise) and order the groups by size."""
    sizes = Counter(tuple(row) for row in rows)
    ordered = sorted(sizes.items(), key=lambda found: (found[1], [str(trait) for trait in found[0]]))
    return Grouping(tuple(Group(traits, size) for traits, size in ordered))


def age_band(years: int) -> str:
    """The ten-year band of an age in whole years: 0-9 … 70-79, 80+."""
    if years >= OLDEST_BAND:
        return f"{OLDEST_BAND}+"
    start = years // BAND_YEARS * BAND_YEARS
    return f"{start}-{start + BAND_YEARS - 1}"
