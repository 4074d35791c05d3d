"""Fills the product's tables and the twin's with the same people, cases and grants: sealed here, plain there."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from access.actions import ledger_actor
from access.actor import acting_as, acting_as_owner
from access.models import Organisation, User
from access.roles import Role
from access.visibility import CasePermission, permission_id
from audit import trail
from benchmarks import stage
from benchmarks.sizes import Size
from benchmarks.twin import Twin
from cases import actions
from cases.models import Case, DiseaseProfile, Outbreak
from vault import ciphertext, epochs, new_keys, wrapping
from vault.classes import RECORD_CLASSES

EXPIRED_SHARE = 10
# What an interview leaves behind; each is sealed.
FILLED: dict[str, Any] = {
    "full_name": "欧阳种植", "id_number": "990101198805152137", "birth_date": "1988-05-15", "phone": "10000004471",
    "town": "示例街道", "street": "示例路", "address_detail": "12号楼3单元402室", "workplace_name": "示例食品厂",
    "nationality": "CN", "hospital": "示例医院", "symptoms": ["fever", "cough"], "exposure_kind": "local",
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """An investigator at the product, the same one at the twin, and the newest of their cases."""

    user: User
    twin_id: int
    newest: Sequence[UUID]


@dataclass(frozen=True)
class World:
    """Who and what was loaded."""

    supervisor: User
    auditor: User
    district: Organisation
    outbreak: Outbreak
    people: list[User]
    measured: list[Person]
    cases: list[UUID]


def load(size: Size, twin: Twin) -> World:
    """Everything but the ledger's events."""
    random.seed(7)
    district, supervisor, auditor, people = _people(size.people)
    with acting_as(supervisor), trail.audit_job("bench", ledger_actor(supervisor)):
        outbreak = actions.open_outbreak(
            {
                "code": "BN-2026",
                "name": "bench",
                "disease": DiseaseProfile.objects.get(code="covid-19"),
                "started_on": timezone.localdate() - timedelta(days=300),
            },
            by=supervisor,
        )
    twin_ids = twin.do("people", [user.username for user in people])
    days = {uuid4(): date(2026, 11, 20) - timedelta(days=random.randrange(200)) for _ in range(size.cases)}
    own = {user.pk: random.sample(list(days), size.cases_each) for user in people}
    _load_cases(outbreak, supervisor, district, days, twin_ids[0])
    expired = _load_grants(supervisor, people[: size.measured_people], people, own, days)
    live = {
        user: sorted(
            (c for c in own[user.pk] if (user.pk, c) not in expired), key=lambda c: (days[c], c), reverse=True
        )
        for user in people
    }
    with stage.loading(stage.PLAIN) as connection_:
        copy(
            connection_,
            "plain_assignment",
            ("user_id", "case_id", "sort_date"),
            (
                (twin_id, c, days[c])
                for user, twin_id in zip(people, twin_ids, strict=True)
                for c in live[user]
            ),
        )
    measured = [
        Person(user, twin_id, live[user][:50])
        for user, twin_id in zip(people[: size.measured_people], twin_ids, strict=False)
    ]
    twin.do("sign_in", [person.twin_id for person in measured])
    return World(supervisor, auditor, district, outbreak, people, measured, list(days))


def _people(count: int) -> tuple[Organisation, User, User, list[User]]:
    with trail.audit_job("bench"), acting_as_owner():
        above: Organisation | None = None
        for code, level in (("990000", "province"), ("990100", "city"), ("990101", "district")):
            above = Organisation.objects.create(
                code=code, level=level, parent=above, name_zh=f"示例{code}", name_en=code, area_zh=code, area_en=code
            )  # fmt: skip
        assert above is not None
        names = [
            ("supervisor", Role.SUPERVISOR), ("auditor", Role.AUDITOR),
            *((f"p{number}", Role.INVESTIGATOR) for number in range(count)),
        ]  # fmt: skip
        users = [
            User(
                username=name,
                display_name=name,
                role=role.value,
                organisation=above,
                language="en",
                password="!",
            )
            for name, role in names
        ]
        User.objects.bulk_create(users)
        epochs.ensure_all()
    return above, users[0], users[1], users[2:]


def _load_cases(
    outbreak: Outbreak, by: User, district: Organisation, days: dict[UUID, date], twin_user: int
) -> None:
    with transaction.atomic(), acting_as(by):
        current = {data_class: epochs.current(data_class) for data_class in RECORD_CLASSES}
    template = _template(outbreak, by, district)
    fields = {field.name: field for field in Case.encrypted_fields()}
    plain = {name: fields[name].to_plain(fields[name].coerce(value)) for name, value in FILLED.items()}
    columns = [field.column for field in Case._meta.concrete_fields]
    keys: list[tuple[Any, ...]] = []

    def rows() -> Iterator[list[Any]]:
        for number, (case_id, day) in enumerate(days.items(), start=1):
            new = {key.data_class: key for key in new_keys.make(case_id, case_id, RECORD_CLASSES)}
            for data_class, key in new.items():
                epoch = current[data_class]
                keys.append(
                    (
                        case_id,
                        data_class.code,
                        1,
                        case_id,
                        epoch.epoch,
                        wrapping.wrap(key, epoch),
                        1,
                        by.created_at,
                    )
                )
            where = case_id.bytes + case_id.bytes
            values = {**template, **_of_case(case_id, number, day)}
            for name, text in plain.items():
                field = fields[name]
                values[name] = ciphertext.seal_at(
                    new[field.data_class].ready, text, field.data_class, field.bound_name + where
                )
            yield [values[column] for column in columns]

    with stage.loading() as target:
        copy(target, "cases_case", columns, rows())
        copy(
            target,
            "vault_keyring",
            ("scope_id", "data_class", "generation", "guard_id", "epoch", "wrapped", "state", "created_at"),
            keys,
        )
    _load_plain_cases(outbreak, template, days, twin_user)


def _of_case(case_id: UUID, number: int, day: date) -> dict[str, Any]:
    return {"id": case_id, "case_no": f"BN-2026-{number:06d}", "onset_date": day, "sort_date": day}


def _template(outbreak: Outbreak, by: User, district: Organisation) -> dict[str, Any]:
    """The columns that all cases share."""
    case = Case(
        outbreak=outbreak, district=district, created_by=by, report_org=district, investigator=by, sex="1",
        age_value=38, age_unit="Y", id_kind="01", occupation_group="14", is_health_worker="N", status="investigating",
        classification="confirmed", notice_given="full", reported_at=datetime(2026, 11, 21, tzinfo=UTC),
    )  # fmt: skip
    case.place_in(district)
    return {field.column: case.__dict__.get(field.attname) for field in Case._meta.concrete_fields}


def _load_plain_cases(
    outbreak: Outbreak, template: dict[str, Any], days: dict[UUID, date], twin_user: int
) -> None:
    text = {name: value if isinstance(value, str) else "fever cough" for name, value in FILLED.items()}
    own = {"investigator_id": twin_user, "created_by_id": twin_user}
    with stage.loading(stage.PLAIN) as target:
        _copy_models(target, "plain_organisation", Organisation.objects.model, _read(Organisation))
        _copy_models(target, "plain_outbreak", Outbreak, [outbreak])
        columns = [
            name
            for (name,) in target.execute(
                "select column_name from information_schema.columns where table_name = 'plain_case'"
            )
        ]
        shared = {**template, **text, **own}
        rows = (
            [({**shared, **_of_case(case_id, number, day)})[column] for column in columns]
            for number, (case_id, day) in enumerate(days.items(), start=1)
        )
        copy(target, "plain_case", columns, rows)


def _read(model: Any) -> list[Any]:
    with transaction.atomic(), acting_as_owner():
        return list(model.objects.all())


def _copy_models(target: psycopg.Connection[Any], table: str, model: Any, records: Iterable[Any]) -> None:
    """Copy the columns that both tables have."""
    known = {
        name
        for (name,) in target.execute(
            "select column_name from information_schema.columns where table_name = %s", [table]
        )
    }
    fields = [field for field in model._meta.concrete_fields if field.column in known]
    rows = (
        [field.get_db_prep_save(getattr(r, field.attname), connection) for field in fields] for r in records
    )
    copy(target, table, [field.column for field in fields], rows)


def _load_grants(
    by: User,
    whole: Sequence[User],
    people: Sequence[User],
    own: dict[Any, list[UUID]],
    days: dict[UUID, date],
) -> set[tuple[Any, UUID]]:
    """All permissions on their cases for those who are measured, the view for the others; a tenth has ended."""
    with transaction.atomic(), acting_as_owner():
        every = [permission_id(permission) for permission in CasePermission]
        view = [permission_id(CasePermission.VIEW)]
    now, decision = timezone.now(), uuid4()
    start, ends, ended = now - timedelta(days=60), now + timedelta(days=25), now - timedelta(days=1)
    measured, expired = {user.pk for user in whole}, set()

    def rows() -> Iterator[tuple[Any, ...]]:
        for user in people:
            for case_id in own[user.pk]:
                is_over = random.randrange(EXPIRED_SHARE) == 0
                if is_over:
                    expired.add((user.pk, case_id))
                for permission in every if user.pk in measured else view:
                    yield (
                        uuid4(), user.pk, permission, case_id, decision, by.pk, "direct", start,
                        ended if is_over else ends, days[case_id],
                    )  # fmt: skip

    with stage.loading() as target:
        target.execute(
            "insert into access_accessdecision (id, kind, purpose, reason, granted_by_id, created_at)"
            " values (%s, 'direct', 'P4', '', %s, now())",
            [decision, by.pk],
        )
        columns = (
            "id", "user_id", "permission_id", "content_object_id", "decision_id", "granted_by_id", "kind",
            "starts_at", "expires_at", "sort_date",
        )  # fmt: skip
        copy(target, "access_casegrant", columns, rows())
    return expired


def copy(
    target: psycopg.Connection[Any], table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with target.cursor() as cursor, cursor.copy(statement) as stream:
        for row in rows:
            stream.write_row(row)
