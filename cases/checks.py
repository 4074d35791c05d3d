"""System checks: no field without a policy, no field that may not be collected, no trap of row security."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register
from django.db import models
from django.db.models.fields import NOT_PROVIDED

from cases.policy import Sensitivity, is_encrypted, policy_of

# The models whose rows are about a person: every column is declared, and no row is ever deleted by cascade.
PROTECTED = ("cases.Case", "cases.Visit", "contacts.Contact", "contacts.TransmissionLink")

# Keys, counters and stamps that carry nothing about a person.
TECHNICAL = frozenset(
    {"id", "created_at", "created_by", "changed_at", "source_token", "withdrawn_at", "withdrawn_by"}
)

CASCADES = (models.CASCADE, models.SET_NULL, models.SET_DEFAULT)
ROOMS = ("cases", "contacts", "disclosure")

THIRD_PERSONS = "guardian|parent|mother|father|spouse|friend|companion|contact|child|relative"

# Reference: positive list and forbidden list of the field catalogue. The pattern is matched against the whole
# field name, words joined by underscores.
FORBIDDEN = {
    "body measure": r"(body_)?(height|weight)(_cm|_kg)?|bmi|body_mass(_index)?",
    "dwelling size": r"(dwelling|floor|house|living)_(area|size|space)|room(s|_count)|household_size",
    "income": r"(.*_)?(income|salary|wage)",
    "religion": r"religion|faith|religious_.*",
    "party": r"(political_)?party(_member.*)?|political_.*",
    "ethnicity": r"ethnicity|ethnic_.*|race|nation_group",
    "marital or sexual history": r"marital_.*|marriage|divorced|sexual_.*|partners_count|sex_partners",
    "social account": r"(.*_)?(wechat|weixin|qq|weibo|social_account|social_media)(_.*)?",
    "face photo": r"face|photo|portrait|face_.*|(.*_)?selfie",
    "bank card": r"bank_.*|card_number|(.*_)?bank_card(_.*)?",
    "device id": r"device_.*|imei|imsi|mac_address|advertising_id",
    "phone book": r"phone_(book|contacts)|address_book|call_log(s)?",
    "health code": r"health_code(_.*)?|code_colou?r",
    "third person's ID": rf"({THIRD_PERSONS})s?_id_?(number|no|card)",
}


def forbidden_kind(name: str) -> str | None:
    """The forbidden kind a field name belongs to, or None."""
    for kind, pattern in FORBIDDEN.items():
        if re.fullmatch(pattern, name, re.IGNORECASE):
            return kind
    return None


@register("epicase")
def check_fields(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Every error of the rooms' models against the rules of this module."""
    messages: list[CheckMessage] = []
    for room in ROOMS:
        if apps.is_installed(room):
            for model in apps.get_app_config(room).get_models():
                messages += check_model(model)
    return messages


def check_model(model: type[models.Model]) -> Iterator[CheckMessage]:
    """The errors of one model."""
    for field in model._meta.concrete_fields:
        yield from _check_forbidden(field)
        if model._meta.label in PROTECTED:
            yield from _check_policy(field)
            yield from _check_row_security(field)
    if model._meta.label in PROTECTED:
        yield from _check_references(model)


def _check_forbidden(field: "models.Field[Any, Any]") -> Iterator[CheckMessage]:
    kind = forbidden_kind(field.name)
    if kind:
        yield Error(f"{field.name} may not be collected ({kind}).", obj=field, id="cases.E001")


def _check_policy(field: "models.Field[Any, Any]") -> Iterator[CheckMessage]:
    policy = policy_of(field)
    if policy is None:
        if field.name not in TECHNICAL:
            yield Error(
                f"{field.name} has no field policy.",
                hint="Wrap the field in cases.policy.policed(), or name it in cases.checks.TECHNICAL.",
                obj=field,
                id="cases.E002",
            )
    elif policy.sensitivity is Sensitivity.DIRECT and not is_encrypted(field):
        yield Error(
            f"{field.name} names a person directly and must be encrypted.", obj=field, id="cases.E003"
        )


def _check_row_security(field: "models.Field[Any, Any]") -> Iterator[CheckMessage]:
    """A value made by the database forces RETURNING, which row security refuses to the creator."""
    if getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED or isinstance(
        field, models.GeneratedField
    ):
        yield Error(f"{field.name} takes a value from the database.", obj=field, id="cases.E004")
    if isinstance(field, models.AutoField):
        yield Error(f"{field.name} is numbered by the database.", obj=field, id="cases.E004")
    remote = getattr(field, "remote_field", None)
    if getattr(remote, "on_delete", None) in CASCADES:
        yield Error(f"{field.name} would reach a protected row by cascade.", obj=field, id="cases.E005")


def _check_references(model: type[models.Model]) -> Iterator[CheckMessage]:
    """What points to a protected row may not vanish with it: Django collects only what the actor sees."""
    for relation in model._meta.related_objects:
        if relation.on_delete in CASCADES:
            yield Error("Deleting a protected row would cascade.", obj=relation.field, id="cases.E006")
