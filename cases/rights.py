"""What each role may do with a protected field: be told its masked form, have it revealed, write it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.apps import apps

from access.roles import Role, may
from access.visibility import CLASS_PERMISSIONS, CasePermission, class_permission
from vault.classes import DataClass
from vault.models import EncryptedModel


class Use(StrEnum):
    """What can be done with a value."""

    MASKED = "masked"
    REVEAL = "reveal"
    WRITE = "write"


# The permission of the role, and the permissions of the grant beside that of the field's class.
_NEEDS: Final[dict[Use, tuple[str, frozenset[CasePermission]]]] = {
    Use.MASKED: ("cases.view_cases", frozenset({CasePermission.VIEW})),
    Use.REVEAL: ("cases.reveal_values", frozenset({CasePermission.VIEW})),
    Use.WRITE: ("cases.correct_case", frozenset({CasePermission.VIEW, CasePermission.CHANGE})),
}


@dataclass(frozen=True)
class Protected:
    """One sealed field: which model, which field, which class."""

    model: type[EncryptedModel]
    name: str
    data_class: DataClass

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.name}"


def needed(role: Role, use: Use, data_class: DataClass) -> frozenset[CasePermission] | None:
    """The permissions on the case that the role needs; none (the area is enough) for a supervisor; None: never."""
    permission, beside = _NEEDS[use]
    if data_class not in CLASS_PERMISSIONS or not may(role, permission):
        return None
    return frozenset() if role is Role.SUPERVISOR else beside | {class_permission(data_class)}


def protected_fields() -> Iterator[Protected]:
    """Every sealed field of every model of the product."""
    for model in apps.get_models():
        if issubclass(model, EncryptedModel) and model._meta.app_label != "vaultsample":
            for field in model.encrypted_fields():
                yield Protected(model, field.name, DataClass(field.data_class))
