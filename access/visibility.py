"""The one place that says which records a person sees; PostgreSQL's policies say the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import models
from django.db.models.functions import Now

from access.models import CaseGrant, Organisation
from access.permissions import CasePermission as CasePermission  # noqa: PLC0414  (rooms to the left import it here)
from access.roles import Role
from vault.classes import DataClass

if TYPE_CHECKING:
    from access.models import User


CLASS_PERMISSIONS: Final[dict[DataClass, CasePermission]] = {
    DataClass.IDENTITY: CasePermission.IDENTITY,
    DataClass.REACH: CasePermission.REACH,
    DataClass.HEALTH: CasePermission.HEALTH,
    DataClass.TRAJECTORY: CasePermission.TRAJECTORY,
}


def class_permission(data_class: DataClass) -> CasePermission:
    """The permission that opens values of the class."""
    return CLASS_PERMISSIONS[data_class]


def jurisdiction_field(organisation: Organisation) -> str:
    """The case's column that an organisation of this level is compared with: one equality, never an OR."""
    return organisation.level


def granted_case_ids(user: User, permission: CasePermission) -> models.QuerySet[CaseGrant, dict[str, Any]]:
    """Identifiers of the cases on which the person holds a live grant of the permission (a subquery)."""
    return CaseGrant.objects.filter(
        user=user, permission_id=permission_id(permission), expires_at__gt=Now()
    ).values("content_object_id")


def permission_id(permission: CasePermission) -> int:
    """The row of Django's permission table; it never changes, so it is remembered for the process."""
    if permission not in _permission_ids:
        rows = Permission.objects.filter(content_type__app_label="cases", content_type__model="case")
        _permission_ids.update(rows.values_list("codename", "pk"))
    return _permission_ids[permission]


_permission_ids: dict[str, int] = {}


def forget_permission_ids() -> None:
    """Between databases (tests) the rows' numbers differ."""
    _permission_ids.clear()


class VisibleCases(models.QuerySet):  # type: ignore[type-arg]
    """Mixin for the queryset of cases."""

    def visible_to(self, user: User, permission: CasePermission = CasePermission.VIEW) -> Self:
        """Cases granted to an investigator, or of a supervisor's jurisdiction; nothing for anyone else."""
        if user.role == Role.SUPERVISOR:
            if permission is CasePermission.EXPORT:
                return self.none()
            return self.filter(**{jurisdiction_field(user.organisation): user.organisation_id})
        if user.role == Role.INVESTIGATOR:
            return self.filter(pk__in=granted_case_ids(user, permission))
        return self.none()


class VisibleWithCase(models.QuerySet):  # type: ignore[type-arg]
    """Mixin for querysets of records that belong to a case; ``case_path`` names the foreign key."""

    case_path = "case"
    permission = CasePermission.VIEW

    def visible_to(self, user: User, permission: CasePermission | None = None) -> Self:
        """Records of the cases that the person may see."""
        if user.role == Role.SUPERVISOR:
            place = jurisdiction_field(user.organisation)
            return self.filter(**{f"{self.case_path}__{place}": user.organisation_id})
        if user.role == Role.INVESTIGATOR:
            wanted = permission or self.permission
            return self.filter(**{f"{self.case_path}_id__in": granted_case_ids(user, wanted)})
        return self.none()


def permissions_on(user: User, case_ids: list[UUID]) -> dict[UUID, set[str]]:
    """What the person may do with each of the cases, in one query: codenames per case.

    A supervisor holds, in the own jurisdiction, everything except export; that is not asked here.
    """
    found: dict[UUID, set[str]] = {case_id: set() for case_id in case_ids}
    rows = CaseGrant.objects.filter(user=user, content_object_id__in=case_ids, expires_at__gt=Now())
    for case_id, codename in rows.values_list("content_object_id", "permission__codename"):
        found[case_id].add(codename)
    return found
