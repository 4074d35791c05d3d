"""What every collected field says about itself: why it exists, who may see it, when it goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.apps import apps
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from access.purposes import Purpose

AnyField = TypeVar("AnyField", bound="models.Field[Any, Any]")
Words = str | Promise

ADMINISTRATIVE = "administrative"


class Sensitivity(StrEnum):
    """How near a value is to a person's dignity."""

    PUBLIC = "S0"
    INTERNAL = "S1"
    QUASI = "S2"
    SENSITIVE = "S3"
    DIRECT = "S4"


class Retention(StrEnum):
    """When a value is destroyed or made anonymous."""

    CONTACT = "R0"
    EVENT = "R1"
    STATUTORY = "R2"
    ACCOUNT = "R3"
    ANONYMOUS = "R4"
    CONFIGURATION = "R5"


class Need(StrEnum):
    """When a field has to be filled."""

    OPEN = "Y"
    SUBMIT = "S"
    CONDITION = "C"
    OPTIONAL = "N"
    AUTOMATIC = "A"


SENSITIVITY_WORDS: dict[Sensitivity, Words] = {
    Sensitivity.PUBLIC: _("public"),
    Sensitivity.INTERNAL: _("internal"),
    Sensitivity.QUASI: _("helps to recognise a person"),
    Sensitivity.SENSITIVE: _("sensitive personal information"),
    Sensitivity.DIRECT: _("names a person directly"),
}
RETENTION_WORDS: dict[Retention, Words] = {
    Retention.CONTACT: _("destroyed 30 days after the contact is released"),
    Retention.EVENT: _("destroyed or made anonymous 30 days after the outbreak ends"),
    Retention.STATUTORY: _("made anonymous 3 years after the case is closed"),
    Retention.ACCOUNT: _("kept 3 years after the outbreak ends"),
    Retention.ANONYMOUS: _("anonymous, no limit"),
    Retention.CONFIGURATION: _("while in use"),
}
NEED_WORDS: dict[Need, Words] = {
    Need.OPEN: _("to open the record"),
    Need.SUBMIT: _("before review"),
    Need.CONDITION: _("on a condition"),
    Need.OPTIONAL: _("optional"),
    Need.AUTOMATIC: _("set by the program"),
}


@dataclass(frozen=True)
class FieldPolicy:
    """The rules of one field, as declared beside it."""

    purpose: Purpose
    sensitivity: Sensitivity
    retention: Retention
    data_class: str
    mask: str
    search: str
    disclosure: str
    need: Need
    condition: Words
    codes: str
    many: bool
    encrypted: bool


@dataclass(frozen=True)
class Policed:
    """A field together with its policy and the model that holds it."""

    model: type[models.Model]
    field: "models.Field[Any, Any]"
    policy: FieldPolicy


def policed(
    field: AnyField,
    *,
    purpose: Purpose,
    sensitivity: Sensitivity,
    retention: Retention,
    data_class: str = "",
    mask: str = "",
    search: str = "none",
    disclosure: str = "never",
    need: Need = Need.OPTIONAL,
    condition: Words = "",
    codes: str = "",
    many: bool = False,
) -> AnyField:
    """The same field with its policy attached.

    `codes` names the code list behind an encrypted text or list of codes (`many`). Encrypted fields bring
    their data class and mask along; plain ones default to the administrative class and no mask.
    """
    policy = FieldPolicy(
        purpose=purpose,
        sensitivity=sensitivity,
        retention=retention,
        data_class=data_class or str(getattr(field, "data_class", "") or ADMINISTRATIVE),
        mask=mask or mask_name(field),
        search=search,
        disclosure=disclosure,
        need=need,
        condition=condition,
        codes=codes or getattr(field, "codes", ""),
        many=many,
        encrypted=is_encrypted(field),
    )
    setattr(field, "policy", policy)  # noqa: B010  Django's field class does not declare it
    return field


def policy_of(field: object) -> FieldPolicy | None:
    """The policy declared for a field, or None."""
    found = getattr(field, "policy", None)
    return found if isinstance(found, FieldPolicy) else None


def is_encrypted(field: object) -> bool:
    """Is the column sealed by the vault?"""
    return hasattr(field, "data_class")


def mask_name(field: object) -> str:
    """The name of an encrypted field's mask; plain columns have none."""
    mask = getattr(field, "mask", None)
    return str(getattr(mask, "__name__", mask) or "none")


def policies(*labels: str) -> Iterator[Policed]:
    """Every declared field of the models named ("cases.Case"), or of all models, in model order."""
    chosen = [apps.get_model(label) for label in labels] if labels else apps.get_models()
    for model in chosen:
        for field in model._meta.concrete_fields:
            policy = policy_of(field)
            if policy is not None:
                yield Policed(model, field, policy)


def policy_for(model: type[models.Model], name: str) -> FieldPolicy:
    """The policy of a field by name; raises LookupError when it has none."""
    policy = policy_of(model._meta.get_field(name))
    if policy is None:
        raise LookupError(f"{model._meta.label}.{name} has no policy")
    return policy
