"""One deliberate weakness for a whole test run: `make mutation-access` tries whether some test notices it.

EPICASE_MUTANT holds the weakness as JSON; without it nothing here does anything. Kinds:

    {"kind": "rule", "table": "cases_case", "number": 3, "how": "drop"}    a declared right is not given
    {"kind": "rule", "table": "cases_case", "number": 3, "how": "open"}    it holds for every row
    {"kind": "trigger", "table": "cases_case", "name": "pinned"}           a trigger is missing
    {"kind": "decorator", "path": "cases/views/detail.py", "number": 0}    a guard of a view is missing
    {"kind": "visible_to", "path": "cases/lists.py", "number": 0}          a filter lets everything through
"""

from __future__ import annotations

import ast
import importlib.machinery
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
GUARDS = {
    "login_not_required",
    "permission_required",
    "require_GET",
    "require_POST",
    "require_http_methods",
    "require_safe",
    "required",
    "stays_nobody",
    "step_up",
}


def chosen() -> dict[str, Any] | None:
    given = os.environ.get("EPICASE_MUTANT")
    found: dict[str, Any] | None = json.loads(given) if given else None
    return found


def change_database() -> None:
    """Weaken the test database, as the owner; called once, before anything is copied from it."""
    mutant = chosen()
    if mutant is None:
        return
    from tests.security import raw

    if mutant["kind"] == "rule":
        raw.as_owner(*_statements(mutant))
    elif mutant["kind"] == "trigger":
        raw.as_owner(f'drop trigger "{mutant["name"]}" on "{mutant["table"]}"')


def _statements(mutant: dict[str, Any]) -> list[str]:
    from access import rls

    table = rls._tables[mutant["table"]]
    rules = list(table.rules)
    rule = rules.pop(mutant["number"])
    if mutant["how"] == "open":
        rules.insert(mutant["number"], replace(rule, rows="true", check="true" if rule.check else None))
    changed = rls._tables[table.name] = replace(table, rules=tuple(rules))
    roles = ", ".join(sorted({one.role for one in table.rules}))
    return [f'revoke all on table "{table.name}" from {roles}', *rls._statements(changed)]


def guards(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef, ast.expr]]:
    """The guards of views: every function with each decorator that refuses someone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                named = decorator.func if isinstance(decorator, ast.Call) else decorator
                name = named.attr if isinstance(named, ast.Attribute) else getattr(named, "id", "")
                if name in GUARDS:
                    yield node, decorator


def filters(tree: ast.AST) -> Iterator[ast.Call]:
    """Every call of `visible_to`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "visible_to"
        ):
            yield node


def weakened(source: str, kind: str, number: int) -> ast.Module:
    tree = ast.parse(source)
    if kind == "decorator":
        function, decorator = list(guards(tree))[number]
        function.decorator_list.remove(decorator)
    else:
        call = list(filters(tree))[number]
        assert isinstance(call.func, ast.Attribute)
        call.func.attr, call.args, call.keywords = "all", [], []
    return ast.fix_missing_locations(tree)


def _import_changed(path: Path, kind: str, number: int) -> None:
    ordinary = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, fullname: str) -> CodeType | None:
        if Path(self.get_filename(fullname)) != path:
            return ordinary(self, fullname)
        return compile(weakened(path.read_text("utf-8"), kind, number), str(path), "exec", dont_inherit=True)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


# As a plugin (`-p tests.mutants`) this module is imported before Django and any module of ours is.
if (_mutant := chosen()) and _mutant["kind"] in ("decorator", "visible_to"):
    _import_changed(ROOT / _mutant["path"], _mutant["kind"], _mutant["number"])
