"""People with an account, and their signed-in browsers."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import PermissionsMixin
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from access.actor import acting_as
from access.models.organisations import Organisation
from access.roles import Role, may

# Temporary staff and contractors work on what is granted to them; they decide about nobody.
TEMPORARY_ROLES = (Role.INVESTIGATOR.value, Role.PARTNER.value)


class UserQuerySet(models.QuerySet["User"]):
    """Never reads the password unless asked: a person's database role has no right to that column."""

    def only(self, *fields: str) -> Self:
        return models.QuerySet.only(self.defer(None), *fields)

    def present(self) -> Self:
        """People whose account works now: not switched off, not past its end."""
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=Now()), is_active=True)


class UserManager(BaseUserManager["User"]):
    """Accounts without their password hash."""

    use_in_migrations = False

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db).defer("password")

    def present(self) -> UserQuerySet:
        return self.get_queryset().present()

    def create_user(self, username: str, password: str, **fields: Any) -> User:
        """Make an account; the password is stored as an Argon2id hash."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account: exactly one role, in exactly one organisation. Nobody is a superuser."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(_("user name"), max_length=64, unique=True)
    display_name = models.CharField(_("name"), max_length=80)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="users")
    language = models.CharField(_("language"), max_length=8, default="zh-hans")
    single_key_shortcuts = models.BooleanField(default=True)
    is_active = models.BooleanField(_("active"), default=True)
    # From this moment on the account is nobody's: sec.uid() is null, and signing in is refused like a wrong password.
    ends_at = models.DateTimeField(_("account ends"), null=True, blank=True)
    is_temporary = models.BooleanField(_("temporary"), default=False)
    created_at = models.DateTimeField(default=timezone.now)
    # Signed into every session instead of the password hash, which a person's database role may not read.
    session_stamp = models.UUIDField(default=uuid.uuid4, editable=False)
    # The person's own quota of shown values an hour; the role's holds too, the lower one wins.
    reveals_per_hour = models.PositiveIntegerField(_("shown values an hour"), null=True, blank=True)

    objects = UserManager()
    accounts: ClassVar[models.Manager[User]] = models.Manager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    class Meta:
        default_permissions = ()
        base_manager_name = "objects"
        constraints = (
            models.CheckConstraint(name="user_nobody_is_superuser", condition=Q(is_superuser=False)),
            models.CheckConstraint(
                name="user_temporary_is_narrow",
                condition=Q(is_temporary=False) | (Q(ends_at__isnull=False) & Q(role__in=TEMPORARY_ROLES)),
            ),
        )

    def __str__(self) -> str:
        return self.display_name

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password)
        self.session_stamp = uuid.uuid4()

    def check_password(self, raw_password: str | None) -> bool:
        """Whether this is the password. A hash of an older kind is replaced, which no role may do by itself."""

        def renew(password: str) -> None:
            with acting_as(self), connection.cursor() as cursor:
                hashed = make_password(password)
                cursor.execute("select sec.set_password(%s, %s, false)", [self.password, hashed])

        return check_password(raw_password, self.password, renew if self.is_present else None)

    def get_session_auth_hash(self) -> str:
        """What a session is bound to: it ends when the password changes or the sessions are ended."""
        return salted_hmac("access.session", self.session_stamp.hex, algorithm="sha256").hexdigest()

    @property
    def audit_label(self) -> str:
        return self.username

    def may(self, permission: str) -> bool:
        """Whether the person's role holds the permission, e.g. ``user.may("cases.open_case")``."""
        return self.is_present and may(self.role, permission)

    @property
    def is_present(self) -> bool:
        """Whether the account works now: not switched off, not past its end."""
        return self.is_active and (self.ends_at is None or self.ends_at > timezone.now())

    @property
    def is_supervisor(self) -> bool:
        return self.role == Role.SUPERVISOR

    @property
    def is_investigator(self) -> bool:
        return self.role == Role.INVESTIGATOR


class Session(models.Model):
    """A signed-in browser. The cookie holds the key; the table holds its SHA-256 only."""

    session_key = models.CharField(max_length=64, primary_key=True)
    session_data = models.TextField()
    expire_date = models.DateTimeField(db_index=True)
    # What a person is told of their own browsers, and no more: docs/plain-columns.md.
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=40, default="", blank=True)
    agent = models.CharField(max_length=40, default="", blank=True)

    class Meta:
        default_permissions = ()
