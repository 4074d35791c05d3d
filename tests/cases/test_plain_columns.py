"""The list of plain columns is complete and true."""

import re
from pathlib import Path

import pytest
from django.apps import apps

from cases.checks import PROTECTED
from cases.policy import is_encrypted

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "plain-columns.md"


def documented(label: str) -> list[list[str]]:
    """The rows of the model's table in the document: column, reason, what it tells."""
    text = DOCUMENT.read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(label)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert section, f"docs/plain-columns.md has no section {label}"
    rows = [line for line in section[1].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize("label", PROTECTED)
def test_every_plain_column_is_explained_and_no_other(label: str) -> None:
    plain = [field.name for field in apps.get_model(label)._meta.concrete_fields if not is_encrypted(field)]
    listed = [row[0].strip("`") for row in documented(label)]
    assert sorted(listed) == sorted(plain)


@pytest.mark.parametrize("label", PROTECTED)
def test_each_has_a_reason_and_says_what_it_tells(label: str) -> None:
    for row in documented(label):
        assert len(row) == 3
        assert all(row), row
