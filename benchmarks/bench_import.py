"""A line list taken in: read, compared, sealed, keyed and recorded, in batches that can be resumed."""

from __future__ import annotations

import time
from datetime import date, timedelta

from access.actions import ledger_actor
from access.actor import acting_as
from audit import trail
from benchmarks.loading import World
from benchmarks.measuring import Row, at_most
from benchmarks.sizes import Size
from cases.linelist import importing

HEADER = "id,age,sex,loc_hosp,dt_onset,dt_report,dt_start_exp,dt_diag,outcome"
SECONDS = 120


def run(world: World, size: Size) -> list[Row]:
    """The time of one import; its target is the part of 100,000 rows' that falls to it."""
    content, by = _line_list(size.imported), world.supervisor
    began = time.perf_counter()
    with acting_as(by), trail.audit_job("bench", ledger_actor(by)):
        begun = importing.start_import(content, "mers-korea", world.outbreak, by, in_background=False)
    done = importing.run_import(begun.pk, by)
    took = time.perf_counter() - began
    if importing.counts_of(done)["new"] != size.imported:
        raise RuntimeError(f"the import took in something else: {importing.counts_of(done)}")
    beside = f"{size.imported / took:,.0f} rows/s; one case row, four keys and an imported row each"
    limit = SECONDS * size.imported / 100_000
    return [at_most(f"import of a line list of {size.imported:,} rows", took, limit, "s", beside)]


def _line_list(rows: int) -> bytes:
    lines = [HEADER]
    for number in range(rows):
        day = date(2015, 5, 11) + timedelta(days=number % 30)
        lines.append(
            f"SK_{number},{number % 90},{'MF'[number % 2]},Hospital {number % 40},{day},"
            f"{day + timedelta(days=4)},{day - timedelta(days=6)},{day + timedelta(days=5)},Alive"
        )
    return "\n".join(lines).encode()
