"""Figures: medians, 95th percentiles, ways taken in turn, rows of the table."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
Way = Callable[[], Any]


def p50(seconds: Sequence[float]) -> float:
    """The median."""
    return statistics.median(seconds)


def p95(seconds: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(seconds, n=20)[-1]


def ms(seconds: float) -> str:
    """Seconds as milliseconds, for `beside`."""
    return f"{seconds * 1e3:.2f} ms"


def spread(seconds: Sequence[float]) -> str:
    """Median and 95th percentile, for `beside`."""
    return f"p50 {ms(p50(seconds))}, p95 {ms(p95(seconds))}"


def timed(way: Way) -> float:
    """How long it took once."""
    started = time.perf_counter()
    way()
    return time.perf_counter() - started


def in_turn(ways: Mapping[str, Way], rounds: int, *, warm: int = 3) -> dict[str, list[float]]:
    """Each way's times, taken in turn so that a busy moment hits all alike; the first rounds do not count."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    gc.collect()
    for number in range(rounds + warm):
        for name, way in ways.items():
            seconds = timed(way)
            if number >= warm:
                taken[name].append(seconds)
    return taken


def at_most(name: str, figure: float, limit: float | None, unit: str, beside: str) -> Row:
    """A row that is good when the figure is small; without a limit it only informs."""
    met = None if limit is None else figure <= limit
    return _row(name, figure, unit, "" if limit is None else f"<= {limit:g}", met, beside)


def at_least(name: str, figure: float, limit: float | None, unit: str, beside: str) -> Row:
    """A row that is good when the figure is large."""
    met = None if limit is None else figure >= limit
    return _row(name, figure, unit, "" if limit is None else f">= {limit:g}", met, beside)


def _row(  # noqa: PLR0917 (the columns of the table, in order)
    name: str, figure: float, unit: str, target: str, met: bool | None, beside: str
) -> Row:
    return {
        "name": name,
        "figure": round(figure, 3 if figure < 1 else 2),
        "unit": unit,
        "target": target,
        "met": met,
        "beside": beside,
    }
