"""Every database role against every table by raw SQL: what is not declared is refused, and dropping a guard shows."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from access import rls
from access.actor import acting_as_owner
from access.roles import EVERY_ROLE, PERSON_ROLES, PgRole
from tests.security import raw
from tests.security.stage import Stage
from vault.models import EncryptedModel

pytestmark = [pytest.mark.django_db, pytest.mark.database]
COMMANDS = ("select", "insert", "update", "delete")
ROLES = (*EVERY_ROLE, PgRole.SEALER.value)
# Roles that never touch a case, by SQL either: no rights at all, rather than no rows.
STRANGERS = ("ep_none", "ep_auditor", "ep_privacy", "ep_secadmin", "ep_sysadmin", "ep_partner", "ep_sealer")
# Written down a second time, so that a wrong declaration does not explain itself.
PERSONAL = {
    "access_accessdecision",
    "access_accessrequest",
    "access_apitoken",
    "access_casegrant",
    "access_decisionreview",
    "access_emergencyaccess",
    "access_notice",
    "access_endedaccess",
    "access_quotabreach",
    "access_revealtally",
    "access_team",
    "access_teammember",
    "cases_case",
    "cases_importedrow",
    "cases_importfile",
    "cases_importrowissue",
    "cases_importrun",
    "cases_visit",
    "contacts_contact",
    "contacts_transmissionlink",
    "disclosure_export",
    "disclosure_exportcase",
    "vault_keyring",
}
# Protected as well, but their rows hold ids and codes and nothing of one case: other roles than a case's read them.
OVERSEEN = {
    "access_accountchange",
    "access_binding",
    "access_granthistory",
    "access_invitation",
    "access_pledge",
    "access_revocation",
}
# What signs people in: read and written as nobody only, and sealed.
SEALED = {"mfa_authenticator"}
# Tables without row security: each with the reason why every row may be seen by whoever may read the table.
UNPOLICED = {
    "access_organisation": "the public tree of organisations",
    "access_session": "read and written as nobody only; keys are hashed",
    "access_user": "column rights; the names of colleagues are no secret among colleagues",
    "access_user_groups": "empty; libraries look at it",
    "access_user_user_permissions": "empty; libraries look at it",
    "audit_checkpoint": "published",
    "audit_event": "insert only; read by auditors and the sealer",
    "audit_leaf": "hashes",
    "audit_pending": "ids of events",
    "audit_state": "numbers",
    "audit_tile": "hashes",
    "audit_touch": "insert only; read by auditors and the sealer",
    "auth_group": "empty; libraries look at it",
    "auth_group_permissions": "empty; libraries look at it",
    "auth_permission": "names of permissions",
    "axes_accessattempt": "written as nobody only",
    "axes_accessattemptexpiration": "written as nobody only",
    "axes_accessfailurelog": "written as nobody only",
    "axes_accesslog": "written as nobody only",
    "cases_casecounter": "numbers",
    "cases_diseaseprofile": "reference",
    "cases_outbreak": "no person in it",
    "cases_place": "public places",
    "django_content_type": "names of tables",
    "django_migrations": "names of migrations",
    "guardian_groupobjectpermission": "empty; nobody may fill it",
    "guardian_userobjectpermission": "empty; nobody may fill it",
    "vault_epochkey": "wrapped by a key that no database holds",
}
# About what colleagues did: ids, codes and a case's number, no case data. Others may read some of it.
ABOUT_COLLEAGUES = {
    "access_apitoken",
    "access_decisionreview",
    "access_emergencyaccess",
    "access_notice",
    "access_quotabreach",
}
# Nobody but the owner has any right there.
CLOSED = {"account_emailaddress", "account_emailconfirmation", "auditlog_logentry"}
REFERRING = """
with recursive reached as (
    select 'public.cases_case'::regclass::oid as id
    union select c.conrelid from pg_constraint c join reached r on c.confrelid = r.id where c.contype = 'f'
) select c.relname, c.relrowsecurity, c.relforcerowsecurity from pg_class c join reached r on r.id = c.oid
"""


@pytest.fixture
def stage(committed: Stage, db: None) -> Stage:
    """One stage for the module; what a test does to it is rolled back."""
    return committed


def tables() -> list[str]:
    rows = raw.owner_rows(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1"
    )
    return [name for (name,) in rows]


def statement(command: str, table: str, column: str) -> str:
    """Needs the one right, and touches nothing if it is there (an insert fails on what it leaves out)."""
    return {
        "select": f'select 1 from "{table}" limit 0',
        "insert": f'insert into "{table}" default values',
        "update": f'update "{table}" set "{column}" = default where false',
        "delete": f'delete from "{table}" where false',
    }[command]


def column_of(table: str, rules: tuple[rls.Rule, ...]) -> str:
    named = [rule.columns[0] for rule in rules if rule.command == "update" and rule.columns]
    if named:
        return named[0]
    (row,) = raw.owner_rows(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
        " order by attnum limit 1",
        [f'public."{table}"'],
    )
    return str(row[0])


@pytest.mark.parametrize("name", ROLES)
def test_a_role_may_do_exactly_what_is_declared(stage: Stage, name: str) -> None:
    people = {f"ep_{role}": person for role, person in stage.world.people.items()}
    who = raw.person(people[name]) if name in people else raw.role(name)
    declared, wrong = rls.declared(), []
    for table in tables():
        rules = declared[table].rules_of(name) if table in declared else ()
        column = column_of(table, rules)
        for command in COMMANDS:
            expected = any(rule.command == command for rule in rules)
            outcome = raw.run(who, statement(command, table, column))
            if (outcome != raw.DENIED) != expected:
                wrong.append((table, command, outcome))
    assert wrong == []


def unknown_tables() -> set[str]:
    """Tables of the database that neither this file nor a declaration knows."""
    samples = {raw.table_of(model) for model in apps.get_app_config("vaultsample").get_models()}
    return set(tables()) - PERSONAL - OVERSEEN - SEALED - UNPOLICED.keys() - CLOSED - samples


def test_every_table_is_known_here_and_declared(stage: Stage) -> None:
    declared = rls.declared()
    assert unknown_tables() == set(), "say here whether it is personal, and in security.py who may do what"
    assert {name for name, table in declared.items() if table.row_security} == PERSONAL | OVERSEEN | SEALED
    assert {name for name, table in declared.items() if not table.row_security} <= UNPOLICED.keys()


def test_a_planted_table_is_found(stage: Stage) -> None:
    with transaction.atomic():
        raw.as_owner("create table planted (id int)")
        assert unknown_tables() == {"planted"}
        transaction.set_rollback(True)
    assert unknown_tables() == set()


@pytest.mark.parametrize("who", ["outsider", "other_supervisor"])
def test_rows_of_others_are_neither_changed_nor_taken_away_nor_added_to(stage: Stage, who: str) -> None:
    """Each table of which the role may change some rows at all: none of those that are on the stage."""
    person, tried = getattr(stage.world, who), 0
    role = f"ep_{person.role}"
    for table in sorted(PERSONAL):
        rules = rls.declared()[table].rules_of(role)
        commands = {rule.command for rule in rules}
        if "update" in commands:
            column = column_of(table, rules)
            assert raw.run(raw.person(person), f'update "{table}" set "{column}" = "{column}"') == 0, table
        if "delete" in commands:
            assert raw.run(raw.person(person), f'delete from "{table}"') == 0, table
        if "insert" in commands:
            assert inserted_again(table, person) == raw.REFUSED, table
        tried += len(commands)
    assert tried


def test_rows_of_ones_own_can_be_changed(stage: Stage) -> None:
    """A control for the test above: the same statements reach rows of those who may change them."""
    reached = {"ep_investigator": set[str](), "ep_supervisor": set[str]()}
    for person in (stage.world.investigator, stage.world.supervisor):
        role = f"ep_{person.role}"
        for table in sorted(PERSONAL):
            rules = rls.declared()[table].rules_of(role)
            if any(rule.command == "update" for rule in rules):
                column = column_of(table, rules)
                outcome = raw.run(raw.person(person), f'update "{table}" set "{column}" = "{column}"')
                if outcome not in (0, raw.DENIED, raw.REFUSED):
                    reached[role].add(table)
    for role, found in reached.items():
        assert found >= {"cases_case", "cases_visit", "contacts_contact"}, role


def inserted_again(table: str, person: Any) -> str | int:
    """What comes of writing a row of the stage once more, under a new key, as this person."""
    (columns,) = raw.owner_rows(
        "select array_agg(quote_ident(attname) order by attnum) from pg_attribute where attrelid = %s::regclass"
        " and attnum > 0 and not attisdropped",
        [f'public."{table}"'],
    )
    rows = raw.owner_rows(f"select {', '.join(columns[0])} from {table} limit 1")
    assert rows or table == "cases_importrowissue", f"the stage has no row in {table}"
    if not rows:
        return raw.REFUSED
    names, (values,) = columns[0], rows
    fresh = [
        uuid4() if name == "id" and isinstance(value, UUID) else value
        for name, value in zip(names, values, strict=True)
    ]
    places = ", ".join(["%s"] * len(fresh))
    given = [
        Jsonb(value) if isinstance(value, dict | list) and _is_json(table, name) else value
        for name, value in zip(names, fresh, strict=True)
    ]
    return raw.run(raw.person(person), f"insert into {table} ({', '.join(names)}) values ({places})", given)


def _is_json(table: str, column: str) -> bool:
    rows = raw.owner_rows(
        "select 1 from pg_attribute where attrelid = %s::regclass and quote_ident(attname) = %s"
        " and atttypid = 'jsonb'::regtype",
        [f'public."{table}"', column],
    )
    return bool(rows)


@pytest.mark.parametrize("name", ["ep_investigator", "ep_supervisor", "ep_job", *STRANGERS])
def test_nobody_deletes_or_empties_personal_tables(stage: Stage, name: str) -> None:
    for table in PERSONAL - {"access_casegrant", "access_teammember"}:
        assert raw.run(raw.role(name), f"delete from {table}") == raw.DENIED, table
        assert raw.run(raw.role(name), f"truncate {table} cascade") == raw.DENIED, table
    assert raw.run(raw.role(name), "truncate access_casegrant") == raw.DENIED


@pytest.mark.parametrize("name", STRANGERS)
def test_strangers_are_denied_case_data_rather_than_shown_no_rows(stage: Stage, name: str) -> None:
    for table in PERSONAL - ABOUT_COLLEAGUES:
        for command in COMMANDS:
            column = column_of(table, ())
            assert raw.run(raw.role(name), statement(command, table, column)) == raw.DENIED, (table, command)


def test_without_a_transaction_the_login_has_no_right(stage: Stage) -> None:
    login = raw.owner_rows("select session_user")[0][0]
    for table in PERSONAL:
        (row,) = raw.owner_rows("select has_table_privilege(%s, %s, 'select')", [login, f'public."{table}"'])
        assert row == (False,), table


def test_every_table_that_leads_to_a_case_has_row_security_forced(stage: Stage) -> None:
    found = {name: (on, forced) for name, on, forced in raw.owner_rows(REFERRING)}
    assert found.keys() >= {"cases_visit", "contacts_contact", "access_casegrant", "disclosure_exportcase"}
    assert set(found.values()) == {(True, True)}


def test_every_table_with_sealed_columns_has_row_security_forced(stage: Stage) -> None:
    sealed = {
        raw.table_of(model)
        for model in apps.get_models()
        if issubclass(model, EncryptedModel) and model._meta.app_label != "vaultsample"
    }
    state = {
        name: (on, forced)
        for name, on, forced in raw.owner_rows(
            "select relname, relrowsecurity, relforcerowsecurity from pg_class where relname = any(%s)",
            [sorted(sealed | PERSONAL)],
        )
    }
    assert state.keys() == sealed | PERSONAL
    assert set(state.values()) == {(True, True)}


def test_policies_in_the_database_are_the_declared_ones(stage: Stage) -> None:
    found = raw.owner_rows(
        "select tablename, cmd, unnest(roles)::text from pg_policies where schemaname = 'public'"
    )
    declared = {
        (table.name, rule.command.upper(), rule.role)
        for table in rls.declared().values()
        if table.row_security
        for rule in table.rules
        if rule.role not in (PgRole.OWNER, PgRole.SEC)
    }
    open_ones = {
        (table.name, "ALL", role)
        for table in rls.declared().values()
        if table.row_security
        for role in ("epi_owner", "epi_sec")
    }
    assert set(found) == declared | open_ones


def test_no_role_bypasses_anything(stage: Stage) -> None:
    rows = raw.owner_rows(
        "select rolname, rolsuper or rolbypassrls or rolcreaterole or rolreplication from pg_roles"
        " where rolname like 'ep\\_%%' or rolname like 'epi\\_%%'"
    )
    assert {"ep_none", *PERSON_ROLES, "epi_owner", "epi_sec"} <= {name for name, _ in rows}
    assert not [name for name, mighty in rows if mighty]
    # Version 16 says per membership whether it is inherited; before, the member did.
    inherits = "a.inherit_option" if connection.pg_version >= 160000 else "m.rolinherit"
    inherited = raw.owner_rows(
        "select m.rolname, g.rolname from pg_auth_members a join pg_roles m on m.oid = a.member"
        " join pg_roles g on g.oid = a.roleid where m.rolname ~ '^epi?_'"
        f" and ({inherits} or a.admin_option or g.rolname like 'pg\\_%%')"
    )
    assert inherited == []


def visible(stage: Stage) -> dict[str, Any]:
    """Who is shown rows of which table, for the control."""
    world = stage.world
    return {
        "cases_case": world.investigator,
        "cases_visit": world.investigator,
        "contacts_contact": world.investigator,
        "contacts_transmissionlink": world.investigator,
        "access_casegrant": world.investigator,
        "access_accessdecision": world.investigator,
        "access_decisionreview": world.supervisor,
        "access_emergencyaccess": world.supervisor,
        "access_notice": world.investigator,
        "access_apitoken": world.investigator,
        "access_accessrequest": world.investigator,
        "access_endedaccess": world.supervisor,
        "access_quotabreach": world.supervisor,
        "access_revealtally": None,
        "access_team": world.supervisor,
        "access_teammember": world.supervisor,
        "disclosure_export": world.investigator,
        "disclosure_exportcase": world.investigator,
        "cases_importrun": world.supervisor,
        "cases_importrowissue": None,
        "cases_importedrow": world.supervisor,
        "cases_importfile": world.supervisor,
        "vault_keyring": None,
    }


def test_the_stage_shows_each_table_to_someone_and_to_no_outsider(stage: Stage) -> None:
    shown = visible(stage)
    assert shown.keys() == PERSONAL
    for table, insider in shown.items():
        if insider is None:
            continue
        assert raw.count(raw.person(insider), table) not in (0, raw.DENIED), table
        stranger = stage.world.outsider if insider.role == "investigator" else stage.world.other_supervisor
        assert raw.count(raw.person(stranger), table) == 0, table


@pytest.mark.parametrize(
    "table", sorted(PERSONAL - {"vault_keyring", "cases_importrowissue", "access_revealtally"})
)
def test_dropping_its_policies_hides_a_table_and_disabling_row_security_bares_it(
    stage: Stage, table: str
) -> None:
    insider = visible(stage)[table]
    outsider = stage.world.outsider if insider.role == "investigator" else stage.world.other_supervisor
    everything = raw.owner_rows(f"select count(*) from {table}")[0][0]
    with transaction.atomic():
        with acting_as_owner(), connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            cursor.execute(
                "select policyname from pg_policies where tablename = %s and cmd in ('SELECT', 'ALL')"
                " and roles::text[] && %s",
                [table, [f"ep_{insider.role}"]],
            )
            policies = [name for (name,) in cursor.fetchall()]
            assert policies
            for name in policies:
                cursor.execute(f'drop policy "{name}" on {table}')
        assert raw.count(raw.person(insider), table) == 0
        with acting_as_owner(), connection.cursor() as cursor:
            cursor.execute(f"alter table {table} disable row level security")
        assert raw.count(raw.person(outsider), table) == everything
        transaction.set_rollback(True)


def test_force_binds_the_owner_too(stage: Stage) -> None:
    with transaction.atomic():
        raw.as_owner("set constraints all immediate", "drop policy owner_all on cases_case")
        assert raw.owner_rows("select count(*) from cases_case") == [(0,)]
        transaction.set_rollback(True)
    assert raw.owner_rows("select count(*) from cases_case") != [(0,)]
