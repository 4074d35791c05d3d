"""How long an encrypted workbook takes, and how much memory: its own process, so that the peak is its own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from disclosure.marks import Mark
from disclosure.passphrases import new_passphrase
from disclosure.sealed_files import Column, write_sealed

COLUMNS = 20
SECONDS, MEGABYTES = 60, 500


def run(rows: int = 100_000) -> list[dict[str, Any]]:
    """Time and peak memory of one export of `rows` x 20 fields; a smaller one has a smaller target."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_export", str(rows)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parent.parent,
    )  # fmt: skip
    took, peak, size = json.loads(answer.stdout.splitlines()[-1])
    seconds = SECONDS * rows / 100_000
    name = f"export {rows:,} rows x {COLUMNS} fields, encrypted workbook"
    beside = f"file {size / 1e6:.1f} MB"
    return [
        _figure(f"{name}: time", took, "s", seconds, beside),
        _figure(f"{name}: peak memory", peak, "MB", MEGABYTES, beside),
    ]


def _figure(name: str, figure: float, unit: str, target: float, beside: str) -> dict[str, Any]:
    return {"name": name, "figure": round(figure, 2), "unit": unit, "target": f"< {target:g} {unit}",
            "met": figure < target, "beside": beside}  # fmt: skip


def synthetic_rows(rows: int) -> Iterator[list[str | int]]:
    """Rows as an export makes them: numbers, dates, codes, names and a longer text, none of them repeated."""
    chance = random.Random(7)
    signs = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
    for number in range(rows):
        words = ["".join(chance.choices(signs, k=12)) for _ in range(COLUMNS - 4)]
        yield [
            f"YT-2026-{number:06}",
            f"2026-11-{number % 28 + 1:02}",
            chance.randrange(100),
            "confirmed",
            *words,
        ]


def _measure(rows: int) -> None:
    import resource

    mark = Mark("7QK4-M2XD-9HTB-3WVE", "E-0001", "bench", "2026-11-22 14:00")
    columns = [Column(f"field {place}") for place in range(COLUMNS)]
    with tempfile.TemporaryDirectory() as place:
        started = time.perf_counter()
        made = write_sealed(synthetic_rows(rows), columns, mark, new_passphrase(), Path(place) / "sealed")
        took = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([took, peak, made.size]))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _measure(int(sys.argv[1]))
    else:
        print(json.dumps(run(), indent=1))
