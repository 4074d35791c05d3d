"""python -m benchmarks [--small] [--only NAME…]: runs the benches, prints a table, writes results.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import stage
from benchmarks.sizes import FULL, SMALL, Size, of_cases

if TYPE_CHECKING:
    from benchmarks.loading import World
    from benchmarks.twin import Twin

RESULTS = Path(__file__).parent / "results.json"
Row = dict[str, Any]


class Run:
    """One run: its size, and the world that is loaded when a bench first asks for it."""

    def __init__(self, size: Size, stack: ExitStack) -> None:
        self.size = size
        self._stack = stack
        self._loaded: tuple[World, Twin] | None = None

    def world(self) -> tuple[World, Twin]:
        """People, cases and grants here and at the twin."""
        if self._loaded is None:
            from benchmarks.loading import load
            from benchmarks.twin import Twin

            twin = self._stack.enter_context(Twin())
            _say(f"loading {self.size.cases:,} cases here and in plain text")
            self._loaded = load(self.size, twin), twin
        return self._loaded


def _vault(run: Run) -> list[Row]:
    from benchmarks import bench_vault

    return bench_vault.run()


def _lists(run: Run) -> list[Row]:
    from benchmarks import bench_cases

    world, twin = run.world()
    return bench_cases.lists_and_requests(world, twin, run.size)


def _may_see(run: Run) -> list[Row]:
    from benchmarks import bench_cases

    return bench_cases.may_see(run.world()[0], run.size)


def _access(run: Run) -> list[Row]:
    from benchmarks import bench_access

    world, twin = run.world()
    return bench_access.run(world, twin, run.size)


def _unread(run: Run) -> list[Row]:
    from benchmarks import bench_cases

    return bench_cases.unread_columns(run.world()[0], run.size)


def _audit(run: Run) -> list[Row]:
    from benchmarks import bench_ledger

    return bench_ledger.audit_cost(run.world()[0], run.size)


def _ledger(run: Run) -> list[Row]:
    from benchmarks import bench_ledger

    return bench_ledger.whole_ledger(run.world()[0], run.size)


def _export(run: Run) -> list[Row]:
    from benchmarks import bench_export

    return bench_export.run(run.size.exported)


def _import(run: Run) -> list[Row]:
    from benchmarks import bench_import

    return bench_import.run(run.world()[0], run.size)


BENCHES: dict[str, Callable[[Run], list[Row]]] = {
    "vault": _vault, "lists": _lists, "may-see": _may_see, "access": _access, "unread": _unread, "audit": _audit,
    "import": _import, "ledger": _ledger, "export": _export,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 unless a bench failed. A missed target is a row that says so, not a failure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--cases", type=int, help="load so many cases, and as many grants")
    parser.add_argument("--small", action="store_true", help="a tenth of the size, under five minutes")
    names = ", ".join(BENCHES)
    only = f"these benches only, without writing results.json: {names}"
    parser.add_argument("--only", nargs="+", choices=sorted(BENCHES), metavar="NAME", help=only)
    given = parser.parse_args(arguments)
    began, failed = time.monotonic(), False
    rows: list[Row] = []
    with stage.prepared(), ExitStack() as stack:
        size = SMALL if given.small else FULL
        run = Run(of_cases(given.cases) if given.cases else size, stack)
        for name, bench in BENCHES.items():
            if given.only and name not in given.only:
                continue
            _say(name)
            try:
                measured = bench(run)
                for row in measured:
                    # Told at once: a long run that is broken off has measured something.
                    _say(f"  {row['name']}: {row['figure']:,} {row['unit']} ({row['target'] or 'no target'})")
                rows += measured
            except Exception as error:  # noqa: BLE001 (the other figures are still wanted)
                failed = True
                _say(f"{name} failed: {type(error).__name__}: {error}")
                traceback.print_exc()
    _print_table(rows)
    print(f"\n{time.monotonic() - began:.0f} s on {os.cpu_count()} cores, Python {platform.python_version()}")
    if not given.only and not given.cases and not failed:
        RESULTS.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(failed)


def _print_table(rows: list[Row]) -> None:
    words = {True: "yes", False: "NO", None: ""}
    table = [("what", "figure", "target", "met", "beside")]
    for row in rows:
        figure = f"{row['figure']:,} {row['unit']}"
        table.append((row["name"], figure, row["target"], words[row["met"]], row["beside"]))
    widths = [max(len(line[column]) for line in table) for column in range(4)]
    for line in table:
        print("  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[4]]))


def _say(text: str) -> None:
    print(f"# {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
