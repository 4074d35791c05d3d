"""The hand-written SQL of the second fence: the schema ``sec`` and the triggers on grants and cases.

All functions are SECURITY DEFINER with a pinned search path and belong to ``epi_sec``, which cannot log in. They
look only at what :mod:`access.security` lets ``epi_sec`` read. Each module holds the functions and triggers of one
subject; ``PARTS`` puts them in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from access.roles import PgRole
from access.sql import (
    bulk,
    cases,
    emergency,
    factors,
    functions,
    grants,
    handover,
    notices,
    organisations,
    people,
    quotas,
    requests,
    revocation,
    tokens,
)
from access.sql.functions import SCHEMA as SCHEMA
from audit.sql import OWN_EVENTS_FUNCTION


def quote(name: str) -> str:
    """The identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def quoted(names: Sequence[str]) -> str:
    return ", ".join(quote(name) for name in names)


def drop_policies(table: str) -> str:
    """Drop all policies of the table, whoever made them."""
    return f"""do $$ declare p record; begin
        for p in select policyname from pg_policies where schemaname = 'public' and tablename = '{table}' loop
            execute format('drop policy %I on public.%I', p.policyname, '{table}');
        end loop; end $$"""


def pin_columns(table: str, columns: Sequence[str], once: Sequence[str] = ()) -> str:
    """A trigger that refuses an UPDATE of these columns; `once`: of a value that stands there already."""
    changed = [f"old.{quote(column)} is distinct from new.{quote(column)}" for column in columns]
    changed += [
        f"old.{quote(c)} is not null and old.{quote(c)} is distinct from new.{quote(c)}" for c in once
    ]
    return f"""drop trigger if exists pinned on {quote(table)};
        create trigger pinned before update on {quote(table)} for each row
            when ({" or ".join(changed)}) execute function sec.refuse_pinned()"""


def grant_sequences(table: str, roles: Iterable[str]) -> str:
    """Let the roles draw numbers from the table's own sequences."""
    return f"""do $$ declare s regclass; begin
        for s in select d.objid::regclass from pg_depend d join pg_class c on c.oid = d.objid and c.relkind = 'S'
                  where d.refobjid = 'public.{quote(table)}'::regclass loop
            execute format('grant usage on sequence %s to {", ".join(sorted(roles))}', s);
        end loop; end $$"""


# Functions and triggers, in the order in which the database gets them.
PARTS: Final = (
    functions.FUNCTIONS,
    functions.KEYS,
    grants.DECISION_FUNCTION,
    OWN_EVENTS_FUNCTION,
    cases.CASE_TRIGGERS,
    grants.GRANT_TRIGGERS,
    notices.NOTICES,
    requests.FUNCTIONS,
    requests.REQUEST_TRIGGERS,
    requests.DECISION_TRIGGER,
    requests.GRANT_TRIGGER,
    revocation.HOLDERS_FUNCTION,
    revocation.END_ACCESS_FUNCTION,
    revocation.END_EXPORTS_FUNCTION,
    revocation.SEEN_FUNCTION,
    revocation.REVOCATION_TRIGGERS,
    organisations.ORGANISATION_TRIGGERS,
    organisations.WEIGHT_FUNCTION,
    factors.RESET_FUNCTIONS,
    people.PASSWORD_FUNCTIONS,
    people.ACCOUNT_TRIGGERS,
    *emergency.PARTS,
    quotas.QUOTAS,
    tokens.TOKENS,
    bulk.EXPANSION_TRIGGERS,
    bulk.USE_ONCE_FUNCTION,
    bulk.UNUSED_FUNCTIONS,
    handover.TAKE_OVER_FUNCTION,
    handover.LEFT_FUNCTIONS,
    handover.LEFT_TRIGGER,
)


def security_statements(present: set[str]) -> Iterable[str]:
    """The functions and triggers, in order, for the tables that exist already."""
    if "access_casegrant" not in present or "cases_case" not in present:
        return
    yield functions.TICKET_KEY
    yield f"set local role {PgRole.SEC}"
    yield from (text for part in PARTS if (text := _functions_only(part)))
    yield f"set local role {PgRole.OWNER}"
    yield from (text for part in PARTS if (text := _triggers_only(part)))
    yield grants.CONSTRAINTS
    yield emergency.CONSTRAINTS
    yield f"set local role {PgRole.SEC}"
    yield functions.RIGHTS
    yield f"set local role {PgRole.OWNER}"


def _functions_only(text: str) -> str:
    return "\n".join(part for part in _parts(text) if part.lstrip().startswith("create or replace function"))


def _triggers_only(text: str) -> str:
    return "\n".join(
        part for part in _parts(text) if "trigger" in part and "create or replace function" not in part
    )


def _parts(text: str) -> list[str]:
    """The statements of the text: split at lines that begin one (bodies are indented)."""
    parts: list[str] = []
    for line in text.strip().splitlines():
        if line.startswith(("create ", "drop ")) or not parts:
            parts.append(line)
        else:
            parts[-1] += "\n" + line
    return parts
