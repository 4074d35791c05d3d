"""Where Django asks for permissions: the role table for roles, live grants for cases."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Model
from django.db.models.functions import Now
from django.http import HttpRequest
from guardian.backends import ObjectPermissionBackend
from guardian.core import ObjectPermissionChecker

from access.models import User
from access.permissions import CasePermission
from access.roles import PERMISSIONS, Role
from access.visibility import VisibleCases


class RoleBackend(ModelBackend):
    """Signs in by password; a person's model permissions are those of the role table, nothing from the database."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The person whose name and password these are; an unknown name costs the same time."""
        if username is None or password is None:
            return None
        user = User.accounts.select_related("organisation").filter(username=username).first()
        if user is None:
            User().set_password(password)
            return None
        right = user.check_password(password)
        return user if right and self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: Any) -> bool:
        """Not switched off, and not past the end of the account."""
        return bool(user.is_present)

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.select_related("organisation").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        if user_obj.is_anonymous or not user_obj.is_present or obj is not None:
            return set()
        return set(PERMISSIONS[Role(user_obj.role)])

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        return perm in self.get_all_permissions(user_obj, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(name.startswith(f"{app_label}.") for name in self.get_all_permissions(user_obj))


class LiveGrants(ObjectPermissionChecker):
    """guardian's checker, for which an expired grant is none."""

    def get_user_filters(self, obj: Model) -> dict[str, Any]:
        filters: dict[str, Any] = super().get_user_filters(obj)
        name = next(key for key in filters if key.endswith("__user")).removesuffix("__user")
        if name == "casegrant":
            filters["casegrant__expires_at__gt"] = Now()
        return filters


class GrantBackend(ObjectPermissionBackend):
    """guardian's backend over ``CaseGrant``: for one record it says what ``visible_to`` says.

    Grants speak for investigators only. A supervisor's area does for a supervisor, whatever grants are left from an
    earlier role; nobody else may do anything with a case.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        if obj is None or not _is_active(user_obj):
            return False
        if user_obj.role == Role.SUPERVISOR:
            return perm.rpartition(".")[2] in _of_the_area(user_obj, obj)
        return user_obj.role == Role.INVESTIGATOR and bool(LiveGrants(user_obj).has_perm(perm, obj))

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        if obj is None or not _is_active(user_obj):
            return set()
        if user_obj.role == Role.SUPERVISOR:
            return _of_the_area(user_obj, obj)
        return set(LiveGrants(user_obj).get_perms(obj)) if user_obj.role == Role.INVESTIGATOR else set()


def _is_active(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_present)


def _of_the_area(user: Any, obj: Model) -> set[str]:
    """What a supervisor may do with the record: all but export, when it lies in the area."""
    records = type(obj)._default_manager.all()
    if not isinstance(records, VisibleCases) or not records.visible_to(user).filter(pk=obj.pk).exists():
        return set()
    return {permission.value for permission in CasePermission if permission is not CasePermission.EXPORT}
