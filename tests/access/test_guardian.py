"""The traps of django-guardian that were found by experiment, each with the fence that closes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from django.db.models import UniqueConstraint
from django.utils import timezone
from guardian.core import ObjectPermissionChecker
from guardian.models import UserObjectPermission
from guardian.shortcuts import assign_perm, get_objects_for_user, get_users_with_perms, remove_perm
from guardian.utils import get_user_obj_perms_model

from access.actor import acting_as, acting_as_owner
from access.models import CaseGrant, User
from access.roles import Role
from access.visibility import CasePermission, permission_id
from cases.models import Case
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]
VIEW, CHANGE = "cases.view_case", "cases.change_case"


def objects_for(person: User, permissions: str | list[str], **how: Any) -> set[Any]:
    found = get_objects_for_user(
        person,
        permissions,
        klass=Case,
        use_groups=False,
        accept_global_perms=False,
        with_superuser=False,
        **how,
    )
    return set(found.values_list("pk", flat=True))


def expire(person: User) -> None:
    with transaction.atomic(), acting_as_owner():
        CaseGrant.objects.filter(user=person).update(
            starts_at=timezone.now() - timedelta(days=3), expires_at=timezone.now() - timedelta(seconds=1)
        )


# 1. An expiry that a manager applies is not seen by has_perm.


def test_an_expired_grant_is_no_permission_wherever_it_is_asked(world: Any) -> None:
    factories.grant(world.case, world.outsider, world.supervisor)
    for asker in (world.outsider, world.supervisor):
        with transaction.atomic(), acting_as(asker):
            assert world.outsider.has_perm(VIEW, world.case)
    expire(world.outsider)
    # The supervisor's policy shows expired rows: there, only our checker's filter stands between.
    for asker in (world.outsider, world.supervisor):
        with transaction.atomic(), acting_as(asker):
            assert not world.outsider.has_perm(VIEW, world.case)
            assert not world.outsider.get_all_permissions(world.case)


def test_the_stock_checker_would_answer_yes_where_the_row_is_shown(world: Any) -> None:
    """Why the checker is our own, and why investigators are not shown what has expired."""
    factories.grant(world.case, world.outsider, world.supervisor)
    expire(world.outsider)
    with transaction.atomic(), acting_as(world.supervisor):
        assert ObjectPermissionChecker(world.outsider).has_perm("view_case", world.case)
    with transaction.atomic(), acting_as(world.outsider):
        assert not ObjectPermissionChecker(world.outsider).has_perm("view_case", world.case)


def test_the_backend_that_is_asked_is_ours() -> None:
    assert "access.backends.GrantBackend" in settings.AUTHENTICATION_BACKENDS
    assert not [name for name in settings.AUTHENTICATION_BACKENDS if name.startswith("guardian.")]


# 2. A hidden relation makes guardian fall back to its generic table without a word.


def test_guardian_uses_our_table_and_no_other(world: Any) -> None:
    assert get_user_obj_perms_model(Case) is CaseGrant
    assert CaseGrant._meta.get_field("content_object").remote_field.related_name == "grants"
    with transaction.atomic(), acting_as_owner():
        assert not UserObjectPermission.objects.exists()


# 3. Without the unique constraint, two rows of one permission count as two permissions.


def test_one_person_holds_a_permission_on_a_case_once(world: Any) -> None:
    assert CaseGrant.objects.model._meta.constraints
    unique = [one for one in CaseGrant._meta.constraints if isinstance(one, UniqueConstraint)]
    assert {one.fields for one in unique} >= {("user", "permission", "content_object")}
    with transaction.atomic(), acting_as_owner():
        row = CaseGrant.objects.filter(user=world.investigator).values().first()
    del row["id"]
    with pytest.raises(IntegrityError, match="grant_one_per_person_permission_case"):
        with transaction.atomic(), acting_as_owner():
            CaseGrant.objects.bulk_create([CaseGrant(**row)])


def test_two_permissions_are_not_one_permission_twice(world: Any) -> None:
    factories.grant(world.case, world.outsider, world.supervisor, CasePermission.REACH)
    with transaction.atomic(), acting_as(world.outsider):
        assert objects_for(world.outsider, [VIEW, "cases.reveal_reach"]) == {world.case.pk}
        assert objects_for(world.outsider, [VIEW, CHANGE]) == set()


# 4. A permission on the model, given to a group, would show every case.


def test_no_group_and_no_person_holds_a_permission_on_a_model(world: Any) -> None:
    with transaction.atomic(), acting_as_owner(), connection.cursor() as cursor:
        for table in (
            "auth_group",
            "auth_group_permissions",
            "access_user_groups",
            "access_user_user_permissions",
        ):
            cursor.execute(f"select count(*) from {table}")
            assert cursor.fetchone() == (0,), table


@pytest.mark.parametrize("role", Role.values)
def test_no_role_can_give_a_permission_on_a_model(world: Any, role: str) -> None:
    person = world.people[role]
    for statement in (
        "insert into auth_group (name) values ('all')",
        "insert into auth_group_permissions (group_id, permission_id) values (1, 1)",
        f"insert into access_user_groups (user_id, group_id) values ('{person.pk}', 1)",
        f"insert into access_user_user_permissions (user_id, permission_id) values ('{person.pk}', 1)",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            with transaction.atomic(), acting_as(person), connection.cursor() as cursor:
                cursor.execute(statement)


def test_even_such_a_permission_would_show_no_case(world: Any) -> None:
    """Planted by the owner: the library says yes, PostgreSQL shows no row, and our own door does not ask."""
    with transaction.atomic(), acting_as_owner():
        group = Group.objects.create(name="planted")
        group.permissions.add(Permission.objects.get(pk=permission_id(CasePermission.VIEW)))
        group.user_set.add(world.outsider)
    with transaction.atomic(), acting_as(world.outsider):
        assert not world.outsider.has_perm(VIEW)
        assert not get_objects_for_user(world.outsider, VIEW, klass=Case).exists()
        assert not Case.objects.visible_to(world.outsider).exists()


# 5. A superuser is answered yes before anything is asked.


def test_nobody_is_made_a_superuser(world: Any) -> None:
    with pytest.raises(IntegrityError, match="user_nobody_is_superuser"):
        with transaction.atomic(), acting_as_owner():
            User.objects.filter(pk=world.outsider.pk).update(is_superuser=True)


def test_a_superuser_would_see_no_case_either(world: Any) -> None:
    with transaction.atomic():
        with acting_as_owner(), connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            cursor.execute("alter table access_user drop constraint user_nobody_is_superuser")
            cursor.execute("update access_user set is_superuser = true where id = %s", [world.outsider.pk])
        with acting_as(world.outsider):
            person = User.objects.get(pk=world.outsider.pk)
            assert person.is_superuser
            assert not Case.objects.visible_to(person).exists()
            assert not get_objects_for_user(person, VIEW, klass=Case).exists()
        transaction.set_rollback(True)


# 6. assign_perm knows no end, no decision and no grantor.


@pytest.mark.parametrize("who", ["supervisor", "investigator", "secadmin"])
def test_guardians_own_way_to_give_access_is_closed(world: Any, who: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), acting_as(getattr(world, who)):
        assign_perm("view_case", world.outsider, world.case)
    with transaction.atomic(), acting_as_owner():
        assert not CaseGrant.objects.filter(user=world.outsider).exists()


def test_an_investigator_cannot_take_access_away_by_guardian(world: Any) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        with acting_as(world.investigator):
            remove_perm("view_case", world.investigator, world.case)


# What else is said of guardian under row-level security (the table of its calls).


def test_prefetched_permissions_know_the_end_for_the_person(world: Any) -> None:
    factories.grant(world.case, world.outsider, world.supervisor, CasePermission.REACH)
    with transaction.atomic(), acting_as(world.outsider):
        checker = ObjectPermissionChecker(world.outsider)
        checker.prefetch_perms([world.case])
        assert set(checker.get_perms(world.case)) == {"view_case", "reveal_reach"}
    expire(world.outsider)
    with transaction.atomic(), acting_as(world.outsider):
        checker = ObjectPermissionChecker(world.outsider)
        checker.prefetch_perms([world.case])
        assert not checker.get_perms(world.case)


def test_who_can_see_a_case_is_told_to_its_supervisor_and_to_nobody_else(world: Any) -> None:
    factories.grant(world.case, world.colleague, world.supervisor)

    def told(to: User) -> set[Any]:
        with transaction.atomic(), acting_as(to):
            people = get_users_with_perms(world.case, with_group_users=False, with_superusers=False)
            return set(people.defer("password").values_list("pk", flat=True))

    assert told(world.supervisor) == {world.investigator.pk, world.colleague.pk}
    assert told(world.colleague) == {world.colleague.pk}
    assert told(world.outsider) == set()


def test_every_model_with_grants_has_one_table_of_them() -> None:
    """A second model of permissions would be a second truth."""
    from guardian.models import UserObjectPermissionBase

    ours = {model for model in apps.get_models() if issubclass(model, UserObjectPermissionBase)}
    assert ours == {CaseGrant, UserObjectPermission}
