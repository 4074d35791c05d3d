"""Role × protected field × (masked, revealed, written), over HTTP and the API, from the declarations."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from access.purposes import Purpose
from access.roles import Role
from access.visibility import CLASS_PERMISSIONS, CasePermission, class_permission
from cases.models import Case, Visit
from cases.rights import Use, needed, protected_fields
from cases.sections import SECTIONS
from contacts.forms import EDITABLE
from contacts.models import Contact
from tests import factories
from tests.security import raw
from vault import keyring
from vault.classes import RECORD_CLASSES, DataClass
from vault.secret import open_quietly

pytestmark = [pytest.mark.django_db, pytest.mark.database]
DAY = timezone.localdate() - timedelta(days=2)
# Two values of every protected field: what stands there, and what somebody would write. A new field needs an entry.
VALUES: dict[str, dict[str, tuple[Any, Any]]] = {
    "cases.Case": {
        "full_name": ("欧阳种植", "司马种植"),
        "id_number": ("990101198805152137", "990101198805152137"),
        "birth_date": (date(1988, 5, 15), date(1988, 5, 15)),
        "nationality": ("CN", "FR"),
        "guardian_name": ("监护种植", "另一监护"),
        "guardian_relation": ("parent", "other"),
        "phone": ("10000004471", "10000004475"),
        "town": ("种植街道", "另一街道"),
        "street": ("种植路", "另一路"),
        "address_detail": ("种植9号", "另一9号"),
        "workplace_name": ("种植工厂", "另一工厂"),
        "school_name": ("种植学校", "另一学校"),
        "school_class": ("三年二班", "四年一班"),
        "interviewee_relation": ("self", "parent"),
        "exposure_kind": ("market", "case"),
        "exposure_start_date": (DAY - timedelta(days=9), DAY - timedelta(days=8)),
        "exposure_end_date": (DAY - timedelta(days=7), DAY - timedelta(days=6)),
        "symptoms": (["fever"], ["sputum"]),
        "max_temperature": (Decimal("38.5"), Decimal("39.1")),
        "underlying": (["diabetes"], ["cardio"]),
        "complications": (["sepsis"], ["ards"]),
        "pregnancy": ("no", "unknown"),
        "hospital": ("种植医院", "另一医院"),
        "admitted_date": (DAY, DAY + timedelta(days=1)),
        "icu_date": (DAY, DAY + timedelta(days=1)),
        "summary_note": ("种植摘要", "另一摘要"),
    },
    "cases.Visit": {
        "start_at": (None, None),
        "end_at": (None, None),
        "place_kind": ("market", "market"),
        "place_name": ("种植集市", "另一集市"),
        "place_id": ("种植编号", "另一编号"),
        "address": ("种植街1号", "另一街1号"),
        "transport": ("bus", "taxi"),
        "service_no": ("K9001", "K9002"),
        "carriage": ("7", "8"),
        "seat": ("12F", "13F"),
        "plate": ("京A00001", "京A00002"),
        "companions": (3, 4),
        "mask_worn": ("Y", "N"),
        "note": ("种植备注", "另一备注"),
    },
    "contacts.Contact": {
        "full_name": ("接触者种植", "另一接触者"),
        "id_number": ("990101198805152137", "990101198805152137"),
        "birth_date": (date(1988, 5, 15), date(1988, 5, 15)),
        "nationality": ("CN", "FR"),
        "guardian_name": ("监护种植", "另一监护"),
        "guardian_relation": ("parent", "other"),
        "phone": ("10000004472", "10000004476"),
        "town": ("种植街道", "另一街道"),
        "street": ("种植路", "另一路"),
        "address_detail": ("种植9号", "另一9号"),
        "workplace_name": ("种植工厂", "另一工厂"),
        "school_name": ("种植学校", "另一学校"),
        "school_class": ("三年二班", "四年一班"),
        "first_contact_date": (DAY - timedelta(days=3), DAY - timedelta(days=4)),
        "relation": ("friend", "colleague"),
        "mode": (["meal"], ["meal"]),
        "place_name": ("种植地点", "另一地点"),
    },
}
# Not about a person of an outbreak: its keys belong to whoever asked for the export, and no grant opens them.
OF_THE_SYSTEM = {"disclosure.Export.passphrase"}
CLASSES = [one.value for one in RECORD_CLASSES]


def entries() -> set[str]:
    return {f"{model}.{name}" for model, names in VALUES.items() for name in names} | OF_THE_SYSTEM


def test_every_protected_field_has_an_entry() -> None:
    declared = {field.label: field.data_class for field in protected_fields()}
    assert entries() == declared.keys()
    assert {label for label, one in declared.items() if one is DataClass.SYSTEM} == OF_THE_SYSTEM


def test_a_planted_field_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from vault.fields import EncryptedTextField

    planted = EncryptedTextField(DataClass.REACH, "*.planted")
    planted.name = "planted"
    fields = Case.encrypted_fields()
    monkeypatch.setattr(Case, "encrypted_fields", classmethod(lambda cls: [*fields, planted]))
    assert {field.label for field in protected_fields()} - entries() == {"cases.Case.planted"}


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.INVESTIGATOR, Role.SUPERVISOR)])
def test_other_roles_need_more_than_there_is(role: Role) -> None:
    assert {needed(role, use, one) for use in Use for one in DataClass} == {None}


class Records:
    """A case, a visit and a contact with every protected field filled."""

    def __init__(self, world: Any) -> None:
        by = world.investigator
        given = {name: first for name, (first, _) in VALUES["cases.Case"].items()}
        self.case = factories.case(by, world.outbreak, **given)
        filled = {name: first for name, (first, _) in VALUES["cases.Visit"].items() if first is not None}
        self.visit = factories.visit(self.case, by, **filled)
        known = {name: first for name, (first, _) in VALUES["contacts.Contact"].items()}
        self.contact = factories.contact(self.case, by, id_kind="99", **known)

    def of(self, model: type[Any]) -> Any:
        return {Case: self.case, Visit: self.visit, Contact: self.contact}[model]

    def value(self, world: Any, model: type[Any], name: str) -> Any:
        """What stands there now, as whoever opened the case finds it."""
        with factories.as_person(world.investigator), keyring.session():
            secret = getattr(model.objects.get(pk=self.of(model).pk), name)
            return None if secret is None else open_quietly(secret)


@pytest.fixture
def records(world: Any) -> Records:
    return Records(world)


def holds(role: Role, use: Use, held: set[CasePermission], data_class: str) -> bool:
    wanted = needed(role, use, DataClass(data_class))
    return wanted is not None and wanted <= held


@pytest.fixture(params=[*CLASSES, "area"])
def reader(
    request: pytest.FixtureRequest, world: Any, records: Records, signed_in: Any
) -> tuple[Any, set[Any], Role]:
    """A colleague with one class and the right to correct, or the supervisor of the area; what they hold."""
    if request.param == "area":
        return signed_in(world.supervisor), set(), Role.SUPERVISOR
    permission = class_permission(DataClass(request.param))
    factories.grant(records.case, world.colleague, world.supervisor, permission, CasePermission.CHANGE)
    held = {CasePermission.VIEW, CasePermission.CHANGE, permission}
    return signed_in(world.colleague), held, Role.INVESTIGATOR


def class_of(model: type[Any], name: str) -> str:
    return next(
        field.data_class.value for field in protected_fields() if (field.model, field.name) == (model, name)
    )


def test_masked_values_are_told_of_open_classes_only(records: Records, reader: Any) -> None:
    client, held, role = reader
    address = f"/api/v1/cases/{records.case.pk}"
    told = {
        Case: client.get(address).json(),
        Visit: client.get(f"{address}/visits").json()["results"][0],
        Contact: client.get(f"{address}/contacts").json()["results"][0],
    }
    for model, row in told.items():
        for name in VALUES[model._meta.label]:
            is_open = holds(role, Use.MASKED, held, class_of(model, name))
            assert row[name] is not None, (model, name)
            assert (row[name] != "•••") == is_open, (model, name, row[name])


def test_plain_values_of_a_case_are_answered_of_open_classes_only(records: Records, reader: Any) -> None:
    client, held, role = reader
    for name, (value, _other) in VALUES["cases.Case"].items():
        answer = client.post(
            f"/api/v1/cases/{records.case.pk}/reveal",
            {"fields": [name], "purpose": Purpose.REACH.value},
            content_type="application/json",
        )
        if holds(role, Use.REVEAL, held, class_of(Case, name)):
            assert answer.status_code == 200, name
            assert str(answer.json()["values"][name]) == str(value), name
        else:
            assert answer.status_code == 403, name
            assert str(value) not in answer.content.decode(), name


def test_plain_values_on_pages_are_shown_of_open_classes_only(records: Records, reader: Any) -> None:
    client, held, role = reader
    plain = {"full_name", "phone", "street", "workplace_name", "place_name"}
    for model, address in ((Case, f"/cases/{records.case.pk}"), (Contact, f"/contacts/{records.contact.pk}")):
        for name in plain & VALUES[model._meta.label].keys():
            answer = client.post(f"{address}/reveal/{name}/", {"purpose": Purpose.REACH.value})
            shown = VALUES[model._meta.label][name][0] in answer.content.decode()
            assert shown == holds(role, Use.REVEAL, held, class_of(model, name)), (model, name)
    shows = client.post(f"/cases/{records.case.pk}/movements/show/", {"purpose": Purpose.REACH.value})
    is_open = holds(role, Use.REVEAL, held, DataClass.TRAJECTORY.value)
    assert (VALUES["cases.Visit"]["note"][0] in shows.content.decode()) == is_open


def test_values_are_written_of_open_classes_only(world: Any, records: Records, reader: Any) -> None:
    """Everything is sent, whatever the form offers: hidden and forged fields are of no use."""
    client, held, role = reader
    client.post(f"/cases/{records.case.pk}/purpose/", {"purpose": Purpose.REACH.value})
    for section in SECTIONS:
        page = client.get(f"/cases/{records.case.pk}/edit/{section.code}/")
        posted = posted_of(page.context["form"])
        for name in set(section.fields) & VALUES["cases.Case"].keys():
            posted[name] = as_text(VALUES["cases.Case"][name][1])
        answer = client.post(f"/cases/{records.case.pk}/edit/{section.code}/", posted)
        assert answer.status_code == 302, (section.code, answer.context["form"].errors)
    for name, (before, after) in VALUES["cases.Case"].items():
        is_open = holds(role, Use.WRITE, held, class_of(Case, name))
        assert records.value(world, Case, name) == (after if is_open else before), name


def test_a_row_of_movements_is_written_with_the_class_only(world: Any, records: Records, reader: Any) -> None:
    client, held, role = reader
    client.post(f"/cases/{records.case.pk}/purpose/", {"purpose": Purpose.REACH.value})
    address = f"/cases/{records.case.pk}/movements/{records.visit.pk}/"
    page = client.get(address)
    is_open = holds(role, Use.WRITE, held, DataClass.TRAJECTORY.value)
    assert page.status_code == (200 if is_open else 403)
    posted = posted_of(page.context["form"]) if is_open else {"day": as_text(DAY), "start": "08:00"}
    client.post(address, {**posted, "note": VALUES["cases.Visit"]["note"][1]})
    assert records.value(world, Visit, "note") == VALUES["cases.Visit"]["note"][1 if is_open else 0]


def test_a_contacts_values_are_written_of_open_classes_only(
    world: Any, records: Records, reader: Any
) -> None:
    client, held, role = reader
    address = f"/contacts/{records.contact.pk}/edit/"
    client.post(address, {"purpose": Purpose.REACH.value})
    page = client.get(address)
    posted = {**posted_of(page.context["form"]), "save": "1", "opened": "1"}
    tokens = dict(re.findall(r'name="(base-\w+)" value="(\w*)"', page.content.decode()))
    for name, (_before, after) in VALUES["contacts.Contact"].items():
        posted[name] = as_text(after)
    answer = client.post(address, {**posted, **tokens})
    assert answer.status_code == 302, answer.context["form"].errors
    for name, (before, after) in VALUES["contacts.Contact"].items():
        is_open = holds(role, Use.WRITE, held, class_of(Contact, name)) and name in EDITABLE
        assert records.value(world, Contact, name) == (after if is_open else before), name


def posted_of(form: Any) -> dict[str, Any]:
    """What a browser would send of the form as drawn."""
    drawn = {name: form[name].value() for name in form.fields}
    return {name: as_text(value) for name, value in drawn.items() if value not in (None, "")}


def as_text(value: Any) -> Any:
    if isinstance(value, list):
        return value
    if isinstance(value, datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return local.strftime("%Y-%m-%dT%H:%M")
    return value.isoformat() if isinstance(value, date) else str(value)


def test_keys_are_handed_out_of_open_classes_only(world: Any, records: Records) -> None:
    """The fence behind all of these: the wrapped keys that a statement gets, whatever the code wants."""
    for data_class, permission in CLASS_PERMISSIONS.items():
        factories.grant(records.case, world.colleague, world.supervisor, permission)
        assert (
            raw.run(
                raw.person(world.colleague),
                "select 1 from sec.keys(array[%s]::uuid[]) where data_class = %s",
                [records.case.pk, data_class.code],
            )
            == 1
        )
