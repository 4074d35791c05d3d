"""Rights and row-level policies of every table, declared once and applied after each migration.

Each app says in its ``security.py`` who may do what with its tables; :func:`apply` makes the database agree:
what is not declared is taken away. The owner of the tables and the owner of the ``sec`` functions are bound by row
security too (FORCE) and have one open policy each, so that no role needs BYPASSRLS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.apps import apps
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from access import sql
from access.roles import EVERY_ROLE, PgRole

GRANTEES: Final = (*EVERY_ROLE, PgRole.SEALER.value, PgRole.SEC.value)
COMMANDS: Final = ("select", "insert", "update", "delete")


@dataclass(frozen=True)
class Rule:
    """One role's right to one command: which rows it reaches, which rows it may leave behind, which columns."""

    role: str
    command: str
    rows: str = "true"
    check: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """All that is permitted on one table; row security is on unless the table holds nothing about a person."""

    name: str
    rules: tuple[Rule, ...] = ()
    row_security: bool = True
    sequences: tuple[str, ...] = field(default=())

    def rules_of(self, role: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.role == role)


_tables: dict[str, Table] = {}
# Columns that never change, and columns that never change again once they are set, by table.
_pins: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}


def protect(model_label: str, *rules: Rule | Iterable[Rule], row_security: bool = True) -> None:
    """Declare who may do what with the model's table, e.g. ``protect("cases.Case", allow("ep_supervisor", …))``."""
    name = _table_name(model_label)
    flat: list[Rule] = []
    for rule in rules:
        flat.extend([rule] if isinstance(rule, Rule) else rule)
    earlier = _tables.get(name)
    if earlier is not None and earlier.row_security != row_security:
        raise ValueError(f"{name} is declared both with and without row security")
    known = earlier.rules if earlier else ()
    _tables[name] = Table(name, (*known, *(rule for rule in flat if rule not in known)), row_security)


def pin(model_label: str, *columns: str, once: Sequence[str] = ()) -> None:
    """Let no role, the owner included, change these columns of a row (`once`: after they were set)."""
    _pins[_table_name(model_label)] = (columns, tuple(once))


def allow(
    roles: str | Sequence[str],
    commands: str,
    rows: str = "true",
    *,
    check: str | None = None,
    columns: Sequence[str] = (),
) -> tuple[Rule, ...]:
    """Rules for several roles and commands at once: ``allow(("ep_none",), "select insert", rows="…")``.

    rows: SQL over the table's row, for reading and for the row before a change.
    check: SQL for the row after a change or of an insert; the same as rows when left out.
    """
    wanted = (roles,) if isinstance(roles, str) else tuple(roles)
    names = commands.split()
    if unknown := set(names) - set(COMMANDS):
        raise ValueError(f"unknown commands: {unknown}")
    return tuple(Rule(role, command, rows, check, tuple(columns)) for role in wanted for command in names)


def pinned() -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The pinned columns by table: those that never change, and those that are set once."""
    return dict(_pins)


def declared() -> Mapping[str, Table]:
    """Every declared table by its name in the database."""
    return dict(_tables)


def apply(connection: BaseDatabaseWrapper) -> None:
    """Make rights, policies, ``sec`` functions and triggers of this database equal to the declarations."""
    present = set(connection.introspection.table_names())
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('epicase.rls'))")
        cursor.execute(sql.SCHEMA)
        # Policies call the functions, so these come first.
        for statement in sql.security_statements(present):
            cursor.execute(statement)
        cursor.execute(f"revoke all on all tables in schema public from {sql.quoted(GRANTEES)}")
        for table in _tables.values():
            if table.name in present:
                for statement in _statements(table):
                    cursor.execute(statement)
        for name, (columns, once) in _pins.items():
            if name in present:
                cursor.execute(sql.pin_columns(name, columns, once))


def _table_name(model_label: str) -> str:
    return apps.get_model(model_label)._meta.db_table if "." in model_label else model_label


def _statements(table: Table) -> Iterable[str]:
    name = sql.quote(table.name)
    yield f"revoke all on table {name} from public"
    if table.row_security:
        yield f"alter table {name} enable row level security"
        yield f"alter table {name} force row level security"
        yield sql.drop_policies(table.name)
        yield f"create policy owner_all on {name} to {PgRole.OWNER} using (true) with check (true)"
        yield f"create policy sec_all on {name} to {PgRole.SEC} using (true) with check (true)"
    for number, rule in enumerate(table.rules):
        columns = f" ({', '.join(sql.quote(column) for column in rule.columns)})" if rule.columns else ""
        yield f"grant {rule.command}{columns} on table {name} to {rule.role}"
        if table.row_security and rule.role not in (PgRole.OWNER, PgRole.SEC):
            yield _policy(name, number, rule)
    if any(rule.command == "insert" for rule in table.rules):
        yield sql.grant_sequences(table.name, {rule.role for rule in table.rules if rule.command == "insert"})


def _policy(name: str, number: int, rule: Rule) -> str:
    text = f"create policy p{number:02d}_{rule.command} on {name} for {rule.command} to {rule.role}"
    if rule.command != "insert":
        text += f" using ({rule.rows})"
    if rule.command in ("insert", "update"):
        text += f" with check ({rule.check or rule.rows})"
    return text
