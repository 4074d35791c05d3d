"""The document says what the code declares."""

from __future__ import annotations

import pytest

from access import doors, rls
from access.rls import allow
from access.roles import PERMISSIONS, Role
from tools import access_matrix


def test_the_document_is_up_to_date() -> None:
    text = access_matrix.DOCUMENT.read_text(encoding="utf-8")
    assert text == access_matrix.render(), "run: .venv/bin/python -m tools.access_matrix"


def test_a_new_permission_of_a_role_makes_it_old(monkeypatch: pytest.MonkeyPatch) -> None:
    # Before the table of roles is replaced: modules that are loaded first here would keep the replaced one.
    access_matrix.render()
    more = {**PERMISSIONS, Role.PARTNER: PERMISSIONS[Role.PARTNER] | {"cases.view_cases"}}
    # Both that name the table: a module first imported while it is changed would keep the changed one.
    monkeypatch.setattr("access.roles.PERMISSIONS", more)
    monkeypatch.setattr(doors, "PERMISSIONS", more)
    assert access_matrix.DOCUMENT.read_text(encoding="utf-8") != access_matrix.render()


@pytest.mark.parametrize("rows", ["true", "id is not null"])
def test_a_wider_right_makes_it_old(monkeypatch: pytest.MonkeyPatch, rows: str) -> None:
    monkeypatch.setattr(rls, "_tables", dict(rls.declared()))
    rls.protect("cases.Case", allow("ep_partner", "select", rows))
    assert access_matrix.DOCUMENT.read_text(encoding="utf-8") != access_matrix.render()
