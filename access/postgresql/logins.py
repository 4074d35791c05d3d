"""Refuses to start under a database login that would undo the row-level security."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, ProgrammingError, connection

from access.roles import EVERY_ROLE, PgRole

_FACTS = """
select session_user, r.rolsuper, r.rolbypassrls,
       exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where c.relowner = r.oid and n.nspname in ('public', 'sec')),
       coalesce((select array_agg(g.rolname::text) from pg_auth_members m join pg_roles g on g.oid = m.roleid
                 where m.member = r.oid), '{}'),
       current_setting('fsync') = 'on' and current_setting('full_page_writes') = 'on'
           and current_setting('synchronous_commit') <> 'off'
from pg_roles r where r.rolname = session_user
"""


class UnsafeLogin(ImproperlyConfigured):
    """The database login, or the server, cannot keep epicase's promises."""


class DatabaseSilent(UnsafeLogin):
    """The database does not answer, so nothing is known about its login."""


def refuse_unsafe_login(kind: str) -> None:
    """Raise UnsafeLogin unless this process's login owns nothing, bypasses nothing and may wear only its roles.

    kind: "app", "worker", "sealer", "owner" or "test", as EPICASE_LOGIN says.
    """
    name, is_super, bypasses, owns, member_of, durable = _facts()
    wears = set(member_of)
    if is_super:
        raise UnsafeLogin(
            f"the database login {name} is a superuser: give DATABASE_URL a login made by bootstrap_database."
        )
    if bypasses:
        raise UnsafeLogin(
            f"the database login {name} bypasses row security: alter role {name} nobypassrls, or use another."
        )
    if not durable:
        raise UnsafeLogin(
            "the database may lose commits: set fsync, full_page_writes and synchronous_commit to on."
        )
    if kind in ("owner", "test"):
        return
    if owns or PgRole.OWNER in wears or PgRole.SEC in wears:
        raise UnsafeLogin(
            f"the database login {name} owns epicase's tables: give this process its own login (epi_{kind})."
        )
    if kind == "app" and (PgRole.SEALER in wears or PgRole.JOB in wears):
        raise UnsafeLogin(
            f"the database login {name} may seal or run jobs: the web process needs the login epi_app."
        )
    needed = {PgRole.SEALER.value} if kind == "sealer" else set(EVERY_ROLE) - {PgRole.JOB.value}
    if missing := sorted(needed - wears):
        raise UnsafeLogin(
            f"the database login {name} may not act as {', '.join(missing)}: run manage.py bootstrap_database."
        )


def _facts() -> tuple[str, bool, bool, bool, list[str], bool]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(_FACTS)
            row = cursor.fetchone()
    except ProgrammingError as error:
        # A process with a base role puts it on as soon as it is connected.
        raise UnsafeLogin(
            f"the database login may not act as {connection.settings_dict['BASE_ROLE']}: "
            "run manage.py bootstrap_database."
        ) from error
    except OperationalError as error:
        first_line = str(error).strip().splitlines()[0]
        raise DatabaseSilent(
            f"the database does not answer ({first_line}): check DATABASE_URL and that it runs."
        ) from error
    if row is None:
        raise UnsafeLogin("the database does not know its own login.")
    name, is_super, bypasses, owns, wears, durable = row
    return str(name), bool(is_super), bool(bypasses), bool(owns), list(wears), bool(durable)
