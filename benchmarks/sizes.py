"""How much each bench loads and how often it measures."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Size:
    """Rows to load and rounds to measure."""

    cases: int = 100_000
    people: int = 200
    measured_people: int = 40
    cases_each: int = 500
    rounds: int = 25
    listed: int = 10_000
    writes: int = 1_000
    events: int = 1_000_000
    backlog: int = 100_000
    searches: int = 500
    exported: int = 100_000
    imported: int = 10_000


FULL = Size()
SMALL = Size(
    cases=10_000,
    people=40,
    measured_people=10,
    cases_each=200,
    rounds=20,
    listed=5_000,
    writes=300,
    events=100_000,
    backlog=10_000,
    searches=200,
    exported=10_000,
    imported=1_000,
)


def of_cases(cases: int) -> Size:
    """As full size, but with so many cases, a grant for each, and 500 of them for each person."""
    return replace(FULL, cases=cases, people=max(40, cases // FULL.cases_each))
