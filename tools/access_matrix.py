"""Writes docs/access-matrix.md from what the code declares, or checks that it still says the same.

    python -m tools.access_matrix            # write
    python -m tools.access_matrix --check    # exit 1 when the document and the declarations differ

A new permission, table, address or protected field changes the document: it is read and agreed to with the change.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "access-matrix.md"
LETTERS = {"select": "s", "insert": "i", "update": "u", "delete": "d"}
# Shown in development and in tests only.
NOT_SERVED = {"parts"}

HEAD = """# Who may do what

Generated from the declarations by `python -m tools.access_matrix`; a test fails when it is out of date. What a role
may do *at all* is said here. Which cases a person reaches is said by grants (investigators) and by the area
(supervisors), in `access/visibility.py` and again in PostgreSQL's policies.

## Role and permission (`access/roles.py`)
"""
TABLES = """
## Role and table (`security.py` of each room; enforced by PostgreSQL)

`s` select, `i` insert, `u` update, `d` delete. A capital letter: every row and every column; a small one: the rows that
the policy lets through, or some columns. A table that is not listed gives these roles no right at all.
"""
ADDRESSES = """
## Role and address (URL table; decorators and `required` of the views)

Who gets past the door. Behind it, a record that is not one's own does not exist (404).
"""
FIELDS = """
## Role and protected field (`cases/rights.py`)

What the person must hold *on the case*. `area`: the case lies in the supervisor's area. Revealing asks for a purpose.
All other roles: never. Keys of the class `system` belong to a person or a job; no grant opens them.
"""


def render() -> str:
    """The whole document."""
    sections = (HEAD, *_permissions(), TABLES, *_tables(), ADDRESSES, *_addresses(), FIELDS, *_fields())
    return "\n".join(sections).rstrip() + "\n"


def _permissions() -> Iterator[str]:
    from access.roles import PERMISSIONS, Role, every_permission

    yield from _head("permission", *(role.value for role in Role))
    for name in sorted(every_permission()):
        yield _row(f"`{name}`", *("yes" if name in PERMISSIONS[role] else "" for role in Role))


def _tables() -> Iterator[str]:
    from access import rls

    roles = sorted({rule.role for table in rls.declared().values() for rule in table.rules}, key=_rank)
    yield from _head("table", "rows", *(role.removeprefix("ep_") for role in roles))
    for name, table in sorted(rls.declared().items()):
        cells = (_letters(table.rules_of(role), is_split=table.row_security) for role in roles)
        yield _row(f"`{name}`", "policies" if table.row_security else "all", *cells)


def _rank(role: str) -> int:
    from access.rls import GRANTEES

    return GRANTEES.index(role)


def _letters(rules: Sequence[object], *, is_split: bool) -> str:
    from access.rls import Rule

    text = ""
    for command, letter in LETTERS.items():
        found = [rule for rule in rules if isinstance(rule, Rule) and rule.command == command]
        if not found:
            continue
        whole = any(_is_whole(rule, is_split=is_split) for rule in found)
        text += letter.upper() if whole else letter
    return text


def _is_whole(rule: object, *, is_split: bool) -> bool:
    said = (getattr(rule, "rows", "true"), getattr(rule, "check", None) or "true")
    return not getattr(rule, "columns", ()) and (not is_split or said == ("true", "true"))


def _addresses() -> Iterator[str]:
    from access.doors import VISITOR, doors
    from access.roles import Role

    people = (*Role.values, VISITOR)
    yield from _head("address", "method", "asks for", *people)
    for door in doors():
        if door.name in NOT_SERVED:
            continue
        asked = " or ".join(f"`{name}`" for name in sorted(door.permissions or ()))
        cells = ("yes" if who in door.roles else "" for who in people)
        yield _row(
            f"`{door.route}`", door.method, asked or ("nothing" if door.is_public else "sign-in"), *cells
        )


def _fields() -> Iterator[str]:
    from access.roles import Role
    from cases.rights import Use, needed, protected_fields

    yield from _head(
        "field",
        "class",
        *(f"{role.value}: {use}" for role in (Role.INVESTIGATOR, Role.SUPERVISOR) for use in Use),
    )
    for field in protected_fields():
        cells = (
            _held(needed(role, use, field.data_class))
            for role in (Role.INVESTIGATOR, Role.SUPERVISOR)
            for use in Use
        )
        yield _row(f"`{field.label}`", field.data_class.value, *cells)


def _held(permissions: frozenset[str] | None) -> str:
    if permissions is None:
        return ""
    return ", ".join(f"`{name}`" for name in sorted(permissions)) or "area"


def _head(*cells: str) -> Iterable[str]:
    return (_row(*cells), _row(*("---" for _ in cells)))


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def main(arguments: Sequence[str]) -> int:
    """Write or check; 0 when the document says what the code says."""
    import django

    django.setup()
    text = render()
    if "--check" not in arguments:
        DOCUMENT.write_text(text, encoding="utf-8")
        return 0
    if DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == text:
        return 0
    print(f"{DOCUMENT.relative_to(ROOT)} is out of date: python -m tools.access_matrix", file=sys.stderr)
    return 1


if __name__ == "__main__":
    os.environ.setdefault("EPICASE_DEV", "1")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "epicase.settings")
    sys.exit(main(sys.argv[1:]))
