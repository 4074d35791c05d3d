"""Every field says why it exists; none is collected that may not be."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.db import models
from django.test.utils import isolate_apps

from access.purposes import Purpose
from cases import checks, dictionary
from cases.codes import code_list
from cases.models import Case, Visit
from cases.policy import (
    ADMINISTRATIVE,
    NEED_WORDS,
    RETENTION_WORDS,
    SENSITIVITY_WORDS,
    Need,
    Retention,
    Sensitivity,
    is_encrypted,
    policed,
    policies,
    policy_for,
    policy_of,
)

STATUTORY_14 = {
    "full_name", "sex", "age_value", "phone", "town", "district", "occupation_group", "is_health_worker",
    "outbreak", "classification", "is_asymptomatic", "onset_date", "reported_at", "report_org",
    "interviewee_relation", "notice_given", "investigator",
}  # fmt: skip
CONTACT_8 = {
    "source_case", "full_name", "phone", "level", "relation", "mode", "last_contact_date", "responsible_org",
}  # fmt: skip


def protected_fields() -> Iterator[tuple[str, "models.Field"]]:
    for label in checks.PROTECTED:
        for field in apps.get_model(label)._meta.concrete_fields:
            yield label, field


def test_the_product_s_models_pass_all_checks() -> None:
    assert run_checks(tags=["epicase"]) == []


def test_every_field_has_a_policy_or_is_technical() -> None:
    for label, field in protected_fields():
        assert policy_of(field) is not None or field.name in checks.TECHNICAL, f"{label}.{field.name}"


def test_direct_identifiers_and_their_like_are_sealed() -> None:
    for label, field in protected_fields():
        policy = policy_of(field)
        if policy is not None and policy.sensitivity is Sensitivity.DIRECT:
            assert is_encrypted(field), f"{label}.{field.name}"


def test_sealed_fields_have_a_mask_that_hides() -> None:
    for label, field in protected_fields():
        policy = policy_of(field)
        if policy is not None and policy.encrypted:
            assert policy.mask != "none", f"{label}.{field.name}"
            assert policy.data_class != ADMINISTRATIVE


def test_identity_numbers_show_their_last_two_and_birth_dates_their_year() -> None:
    assert policy_for(Case, "id_number").mask == "id_last2"
    assert policy_for(Case, "birth_date").mask == "redact"


def test_where_somebody_was_is_sealed_except_order_and_source() -> None:
    plain = {field.name for field in Visit._meta.concrete_fields if not is_encrypted(field)}
    assert plain - checks.TECHNICAL == {"case", "order", "time_precision", "info_source"}


def test_the_dictionary_of_a_case_keeps_its_order_of_subjects() -> None:
    """Illness, person, registration, classification, course, investigation: the order in which the bases are read."""
    first = ["exposure_kind", "full_name", "case_no", "classification", "onset_date", "notice_given"]
    names = [declared.field.name for declared in policies("cases.Case")]
    assert sorted(first, key=names.index) == first


def test_named_code_lists_exist() -> None:
    for declared in policies():
        if declared.policy.codes:
            assert code_list(declared.policy.codes)


def test_the_minimum_to_open_a_case_is_the_positive_list() -> None:
    needed = {p.field.name for p in policies("cases.Case") if p.policy.need is Need.OPEN}
    assert needed == STATUTORY_14


def test_the_minimum_of_a_contact_is_the_positive_list() -> None:
    needed = {p.field.name for p in policies("contacts.Contact") if p.policy.need is Need.OPEN}
    person = {"sex", "age_value", "town", "occupation_group", "is_health_worker"}
    assert needed - person == CONTACT_8


@pytest.mark.parametrize(
    "name",
    ["height", "weight_kg", "bmi", "dwelling_area", "rooms", "household_size", "annual_income", "religion",
     "party", "political_status", "ethnicity", "marital_status", "sexual_history", "wechat_id", "qq",
     "face_photo", "bank_card_no", "device_id", "imei", "phone_contacts", "health_code_colour",
     "guardian_id_number", "father_id_no"],
)  # fmt: skip
def test_forbidden_fields_are_recognised(name: str) -> None:
    assert checks.forbidden_kind(name)


def test_no_field_of_ours_is_mistaken_for_a_forbidden_one() -> None:
    for model in apps.get_models():
        if model._meta.app_label in checks.ROOMS:
            assert not [f.name for f in model._meta.concrete_fields if checks.forbidden_kind(f.name)]


@isolate_apps("cases")
def test_a_forbidden_field_fails_the_check() -> None:
    class Survey(models.Model):
        bmi = models.FloatField()

        class Meta:
            app_label = "cases"

    assert [message.id for message in checks.check_model(Survey)] == ["cases.E001"]


@isolate_apps("cases", "access")
def test_a_protected_model_without_policies_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    class Diary(models.Model):
        number = models.BigAutoField(primary_key=True)
        text = models.TextField(db_default="")
        name = policed(
            models.TextField(),
            purpose=Purpose.IDENTIFY,
            sensitivity=Sensitivity.DIRECT,
            retention=Retention.EVENT,
        )
        other = models.ForeignKey("self", on_delete=models.CASCADE)

        class Meta:
            app_label = "cases"

    monkeypatch.setattr(checks, "PROTECTED", ("cases.Diary",))
    found = sorted((message.obj.name, message.id) for message in checks.check_model(Diary))
    assert found == [
        ("name", "cases.E003"), ("number", "cases.E002"), ("number", "cases.E004"), ("other", "cases.E002"),
        ("other", "cases.E005"), ("other", "cases.E006"), ("text", "cases.E002"), ("text", "cases.E004"),
    ]  # fmt: skip


def test_the_dictionary_has_a_row_for_every_declared_field() -> None:
    sections = {section.model: section for section in dictionary.sections()}
    assert set(sections) == set(checks.PROTECTED)
    rows = {entry.field: entry for entry in sections["cases.Case"].entries}
    assert {p.field.name for p in policies("cases.Case")} == set(rows)
    assert rows["phone"].is_encrypted
    assert rows["phone"].data_class == "reach"
    assert rows["phone"].purpose == "P2"
    assert str(rows["phone"].retention_words)


def test_every_word_of_the_dictionary_is_there() -> None:
    assert set(SENSITIVITY_WORDS) == set(Sensitivity)
    assert set(RETENTION_WORDS) == set(Retention)
    assert set(NEED_WORDS) == set(Need)
