"""python -m tools.mutation_access [--kind KIND…] [--only TEXT] [--sample N] [--list]: does any test notice?

Weakens one thing at a time (a policy, a trigger, a guard of a view, a call of `visible_to`; see `tests/mutants.py`)
and runs the tests that ought to notice, until the first one does. Prints the weaknesses that none noticed and ends
with 1 when there are any. A whole run takes an hour or more; --sample takes that many of each kind, by --seed.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MIGRATED = "test_epicase_mutation"
ROOMS = ("access", "cases", "contacts", "disclosure", "audit", "epicase")
KINDS = ("rule", "trigger", "decorator", "visible_to")
SECONDS = 900
Mutant = dict[str, Any]


def main() -> int:
    given = _arguments()
    os.environ.update(EPICASE_TEST="1", DJANGO_SETTINGS_MODULE="tests.settings")
    import django

    django.setup()
    from tests import servers

    servers.drop_database(MIGRATED)
    servers.create_database(MIGRATED)
    servers.migrate(MIGRATED)
    try:
        mutants = _chosen(given)
        if given.list:
            print(*map(_words, mutants), sep="\n")
            return 0
        return _tried(mutants, given.at_once)
    finally:
        servers.drop_database(MIGRATED)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.mutation_access", description=__doc__)
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--only", default="", help="those whose description contains this text")
    parser.add_argument("--sample", type=int, default=0, help="so many of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def _chosen(given: argparse.Namespace) -> list[Mutant]:
    ways = {"rule": _rules, "trigger": _triggers, "decorator": _sources, "visible_to": _sources}
    found: list[Mutant] = []
    for kind in given.kind:
        those = [mutant for mutant in ways[kind](kind) if given.only in _words(mutant)]
        if given.sample and given.sample < len(those):
            those = random.Random(given.seed).sample(those, given.sample)  # noqa: S311 (a sample of tests)
        found += those
    return found


def _rules(kind: str) -> Iterator[Mutant]:
    from access import rls

    for table in rls.declared().values():
        for number, rule in enumerate(table.rules):
            about = {"role": rule.role, "command": rule.command}
            yield {"kind": kind, "table": table.name, "number": number, "how": "drop", **about}
            if (rule.rows, rule.check) not in (("true", None), ("true", "true")) and table.row_security:
                yield {"kind": kind, "table": table.name, "number": number, "how": "open", **about}


def _triggers(kind: str) -> Iterator[Mutant]:
    from django.db import connection

    from tests import servers

    servers.use_database(MIGRATED, login="owner", base_role="epi_owner")
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.relname, t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid"
            " join pg_namespace n on n.oid = c.relnamespace"
            " where not t.tgisinternal and n.nspname = 'public' and t.tgparentid = 0 order by 1, 2"
        )
        rows = cursor.fetchall()
    connection.close()
    for table, name in rows:
        yield {"kind": kind, "table": table, "name": name}


def _sources(kind: str) -> Iterator[Mutant]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            where = {"kind": kind, "path": str(path.relative_to(ROOT))}
            for number, what in enumerate(_found(kind, ast.parse(path.read_text("utf-8")))):
                yield {**where, "number": number, "what": what}


def _found(kind: str, tree: ast.Module) -> list[str]:
    from tests import mutants

    if kind == "visible_to":
        return [ast.unparse(call) for call in mutants.filters(tree)]
    return [f"{ast.unparse(guard)} of {function.name}" for function, guard in mutants.guards(tree)]


def _tests_for(mutant: Mutant) -> list[str]:
    """The tests that ought to notice, likeliest first."""
    rooms = [f"tests/{room}" for room in ("access", "cases", "contacts", "disclosure", "audit", "api")]
    if mutant["kind"] == "decorator":
        first = ["tests/access/test_doors.py", "tests/access/test_step_up.py", "tests/test_routes.py"]
    elif mutant["kind"] == "visible_to":
        first = ["tests/security/test_first_fence.py"]
    else:
        first = ["tests/security/test_matrix.py", "tests/security/test_pinned.py"]
    place = str(mutant.get("path") or mutant["table"])
    own = "tests/" + place.replace("_", "/").split("/")[0]
    rooms.sort(key=lambda room: room != own)
    return [*first, *rooms, "tests/security"]


def _tried(mutants: list[Mutant], at_once: int) -> int:
    began = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        outcomes = pool.map(_outcome, mutants)
        unnoticed = []
        for number, (mutant, outcome) in enumerate(zip(mutants, outcomes, strict=True), 1):
            print(f"{number}/{len(mutants)} {outcome}: {_words(mutant)}", flush=True)
            if outcome != "noticed":
                unnoticed.append((mutant, outcome))
    print(
        f"\n{len(mutants)} weaknesses in {time.monotonic() - began:.0f} s, {len(unnoticed)} not noticed by a test"
    )
    for mutant, outcome in unnoticed:
        print(f"  {outcome}: {_words(mutant)}")
    return int(bool(unnoticed))


def _outcome(mutant: Mutant) -> str:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutants", "-p", "no:randomly"]
    given = {**os.environ, "EPICASE_MUTANT": json.dumps(mutant), "EPICASE_TEST_MIGRATED": MIGRATED}
    try:
        ended = subprocess.run(
            [*command, "-m", "not browser", *_tests_for(mutant)],
            cwd=ROOT,
            env=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return "TOO LONG"
    words = {0: "NOT NOTICED", 1: "noticed"}
    return words.get(ended.returncode, f"BROKEN OFF ({ended.returncode})")


def _words(mutant: Mutant) -> str:
    return " ".join(str(value) for value in mutant.values())


if __name__ == "__main__":
    sys.exit(main())
