"""Exposure and infectious windows, by tables of examples."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from cases.windows import Basis, Window, windows


@dataclass
class Disease:
    incubation_min_days: Decimal = Decimal(2)
    incubation_max_days: Decimal = Decimal(14)
    infectious_before_days: Decimal = Decimal(2)
    infectious_after_days: Decimal = Decimal(10)


@dataclass
class Facts:
    is_asymptomatic: bool = False
    onset_date: date | None = date(2026, 11, 17)
    onset_precision: str = "day"
    first_positive_date: date | None = date(2026, 11, 19)
    isolated_date: date | None = None


def day(number: int, month: int = 11) -> date:
    return date(2026, month, number)


@pytest.mark.parametrize(
    ("facts", "basis", "exposure", "infectious"),
    [
        (Facts(), Basis.ONSET, (day(3), day(15)), (day(15), day(27))),
        (Facts(isolated_date=day(20)), Basis.ONSET, (day(3), day(15)), (day(15), day(20))),
        (Facts(isolated_date=day(30)), Basis.ONSET, (day(3), day(15)), (day(15), day(27))),
        (Facts(isolated_date=day(10)), Basis.ONSET, (day(3), day(15)), (day(15), day(15))),
        (Facts(onset_precision="approx"), Basis.ONSET, (day(31, 10), day(18)), (day(12), day(30))),
        (
            Facts(is_asymptomatic=True, onset_date=None),
            Basis.FIRST_POSITIVE,
            (day(5), day(17)),
            (day(17), day(29)),
        ),
        (Facts(onset_date=None), Basis.FIRST_POSITIVE, (day(5), day(17)), (day(17), day(29))),
    ],
)
def test_windows(facts: Facts, basis: Basis, exposure: tuple, infectious: tuple) -> None:
    found = windows(facts, Disease())
    assert found is not None
    assert found.reference.basis is basis
    assert (found.exposure.start, found.exposure.end) == exposure
    assert (found.infectious.start, found.infectious.end) == infectious


def test_no_reference_day_no_windows() -> None:
    assert windows(Facts(onset_date=None, first_positive_date=None), Disease()) is None


def test_parts_of_a_day_round_outwards() -> None:
    found = windows(Facts(), Disease(Decimal("2.2"), Decimal("12.4"), Decimal("0.5"), Decimal("9.5")))
    assert found is not None
    assert (found.exposure.start, found.exposure.end) == (day(4), day(15))
    assert (found.infectious.start, found.infectious.end) == (day(16), day(27))


def test_both_ends_count() -> None:
    window = Window(day(15), day(20))
    assert window.days == 6
    assert day(15) in window
    assert day(20) in window
    assert day(14) not in window
    assert day(21) not in window
    assert window.overlaps(day(20), day(25))
    assert not window.overlaps(day(21), day(25))
