"""The weaknesses of `make mutation-access` are what they say."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from access import rls
from tests import factories, mutants
from tests.security import raw

VIEW = """
@require_POST
@permission_required("cases.open_case", raise_exception=True)
@step_up.required()
def go(request):
    return Case.objects.visible_to(request.user).filter(pk=1)
"""


def test_each_guard_can_be_taken_away_alone() -> None:
    assert len(list(mutants.guards(ast.parse(VIEW)))) == 3
    left = [ast.unparse(mutants.weakened(VIEW, "decorator", number)).count("@") for number in range(3)]
    assert left == [2, 2, 2]


def test_a_weakened_filter_lets_everything_through() -> None:
    assert "Case.objects.all().filter(pk=1)" in ast.unparse(mutants.weakened(VIEW, "visible_to", 0))


@pytest.mark.django_db
@pytest.mark.database
@pytest.mark.parametrize("how", ["drop", "open"])
def test_a_weakened_rule_reaches_the_database(world: Any, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    table = rls.declared()["cases_visit"]
    number = next(
        n for n, rule in enumerate(table.rules) if (rule.role, rule.command) == ("ep_investigator", "select")
    )
    mutant = {"kind": "rule", "table": table.name, "number": number, "how": how}
    monkeypatch.setattr(rls, "_tables", dict(rls._tables))
    monkeypatch.setenv("EPICASE_MUTANT", json.dumps(mutant))
    factories.visit(world.case, world.investigator)
    raw.as_owner("set constraints all immediate")
    assert raw.count(raw.person(world.outsider), table.name) == 0
    mutants.change_database()
    assert raw.count(raw.person(world.outsider), table.name) == {"drop": raw.DENIED, "open": 1}[how]
