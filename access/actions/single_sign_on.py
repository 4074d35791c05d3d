"""Binding accounts to a provider of single sign-on. Nobody's account is made or found by a name or an address."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from access import actor
from access.actions.invitations import refuse_code
from access.actions.people import ledger_actor
from access.models import Binding, User
from access.models.bindings import subject_hash
from access.single_sign_on.id_token import Claims
from audit import trail
from audit.acts import Act


class BindingRefused(Exception):
    """The account is bound to somebody there already, or whoever it is there is bound to an account."""


class OnlyWayIn(Exception):
    """Who has no password would be locked out."""


def person_of(claims: Claims) -> User | None:
    """Whose account is bound to whom the provider names; asked as ep_none, before anybody is signed in."""
    digest = subject_hash(claims.issuer, claims.subject)
    bound = Binding.objects.filter(subject_hash=digest).values_list("user_id", flat=True).first()
    return User.accounts.select_related("organisation").filter(pk=bound).first() if bound else None


def binding_of(user: User, issuer: str) -> Binding | None:
    """The person's binding to this provider."""
    with actor.wearing(actor.NOBODY):
        return _of(user, issuer).first()


def bind(user: User, claims: Claims) -> None:
    """Bind one's own account to whom the provider names. Raises BindingRefused."""
    made = Binding(user=user, issuer=claims.issuer, subject_hash=subject_hash(claims.issuer, claims.subject))
    try:
        with actor.acting_as(user), transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        raise BindingRefused from error
    trail.record(Act.SIGN_ON_BIND, user, reason="sso.bound", by=ledger_actor(user))


def unbind(user: User, issuer: str) -> bool:
    """Let the provider sign one in no more; False when it did not. Raises OnlyWayIn."""
    with actor.wearing(actor.NOBODY):
        if not User.accounts.get(pk=user.pk).has_usable_password():
            raise OnlyWayIn
    with actor.acting_as(user):
        ended, _ = _of(user, issuer).delete()
    if ended:
        trail.record(Act.SIGN_ON_BIND, user, reason="sso.unbound", by=ledger_actor(user))
    return bool(ended)


def accept(code_digest: bytes, claims: Claims) -> UUID | None:
    """Use an invitation: make its account, without a password, bound to whom the provider names.

    None for a code that does not work, one that only resets a password, and for somebody who has an account: then
    the code is not used up. Runs as ep_none.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select sec.accept_invitation_bound(%s, %s, %s, %s)",
            [code_digest, make_password(None), claims.issuer, subject_hash(claims.issuer, claims.subject)],
        )
        (person_id,) = cursor.fetchone()
    if person_id is None:
        refuse_code()
        return None
    person = User.objects.select_related("organisation").get(pk=person_id)
    trail.record(Act.ACCOUNT_CREATE, person, reason="invitation", toward=ledger_actor(person))
    trail.record(Act.SIGN_ON_BIND, person, reason="sso.bound", by=ledger_actor(person))
    return person.pk


def _of(user: User, issuer: str) -> QuerySet[Binding]:
    return Binding.objects.filter(user_id=user.pk, issuer=issuer)
