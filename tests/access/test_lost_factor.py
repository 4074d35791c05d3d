"""A lost second factor: reset by a security administrator, of a colleague by two, of oneself never."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.db import transaction
from django.test import Client
from django.urls import reverse

from access.actions import accounts
from access.actor import acting_as_owner
from access.models import AccountChange, Notice, User
from tests import factories
from tests.access import enrolled
from tests.access.enrolled import SECOND, SET_UP, Clock, Telephone, is_in
from tests.factories import as_person
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]
RESET = "select sec.reset_factors(%s)"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(totp, "time", clock)
    return clock


@pytest.fixture
def telephone(investigator: Any, clock: Clock, signed_in: Any) -> Telephone:
    return enrolled.enrol(signed_in(investigator), clock)


@pytest.fixture
def peers(world: Any) -> list[User]:
    """Two more security administrators."""
    with factories.as_owner():
        return [factories.user(f"secadmin_{n}", "secadmin", world.province) for n in ("two", "three")]


def address(person: Any) -> str:
    return reverse("access:reset_factors", args=[person.pk])


def factors_of(person: Any) -> int:
    with transaction.atomic(), acting_as_owner():
        return int(Authenticator.objects.filter(user_id=person.pk).count())


def told(person: Any) -> list[tuple[str, Any]]:
    with factories.as_owner():
        return list(Notice.objects.filter(person=person).values_list("kind", "about_id"))


def test_a_reset_ends_sessions_and_the_next_sign_in_enrols_anew(
    world: Any, telephone: Telephone, signed_in: Any, settings: Any
) -> None:
    settings.EPICASE_REQUIRE_SECOND_FACTOR = True
    theirs = enrolled.sign_in(world.investigator, telephone)
    half = enrolled.with_password(world.investigator)
    assert is_in(theirs)
    assert half.get(SECOND).status_code == 200
    settings.EPICASE_REQUIRE_SECOND_FACTOR = False
    admin = signed_in(world.secadmin)
    page = admin.get(reverse("access:account", args=[world.investigator.pk])).content.decode()
    assert address(world.investigator) in page
    assert admin.get(address(world.investigator)).status_code == 200
    assert admin.post(address(world.investigator), {"reason": "lost"}).status_code == 302
    assert factors_of(world.investigator) == 0
    settings.EPICASE_REQUIRE_SECOND_FACTOR = True
    assert not is_in(theirs)
    # Whoever had shown the password before has to show it again.
    assert half.post(SECOND, {"code": telephone.code()}).status_code == 302
    assert not is_in(half)
    fresh = enrolled.with_password(world.investigator)
    assert not is_in(fresh)
    answer = fresh.get(SECOND)
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, SET_UP)
    enrolled.enrol(fresh, telephone.clock)
    assert is_in(fresh)


def test_it_is_on_the_log_with_its_reason(
    world: Any, telephone: Telephone, signed_in: Any, events: Any
) -> None:
    signed_in(world.secadmin).post(address(world.investigator), {"reason": "stolen"})
    [event] = events("account.second_factor_reset")
    assert event["actor"]["id"] == str(world.secadmin.pk)
    assert (event["object"]["pk"], event["reason"]) == (str(world.investigator.pk), "factor.stolen")


def test_the_person_and_the_other_administrators_are_told(
    world: Any, telephone: Telephone, peers: list[User], signed_in: Any
) -> None:
    signed_in(world.secadmin).post(address(world.investigator), {"reason": "lost"})
    assert told(world.investigator) == [("factors_reset", world.secadmin.pk)]
    assert [told(one) for one in peers] == [[("factors_reset_of", world.investigator.pk)]] * 2
    assert told(world.secadmin) == []
    page = signed_in(peers[0]).get(reverse("access:notices")).content.decode()
    assert f"The second factor of {world.investigator.display_name} was reset." in page
    browser = signed_in(world.investigator)
    assert (
        f"{world.secadmin.display_name} reset your second factor."
        in browser.get(reverse("access:notices")).content.decode()
    )
    browser.post(reverse("access:language"), {"language": "zh-hans"})
    assert "重置了您的二次验证" in browser.get(reverse("access:notices")).content.decode()


def test_other_roles_are_kept_out_and_nobody_is_404(world: Any, telephone: Telephone, signed_in: Any) -> None:
    for who in ("investigator", "supervisor", "auditor", "privacy", "sysadmin", "partner"):
        browser = signed_in(getattr(world, who)) if who != "investigator" else signed_in(world.colleague)
        assert browser.get(address(world.investigator)).status_code == 403
        assert browser.post(address(world.investigator), {"reason": "lost"}).status_code == 403
    admin = signed_in(world.secadmin)
    assert admin.post(f"/access/accounts/{uuid4()}/second-factor/", {"reason": "lost"}).status_code == 404
    assert Client().post(address(world.investigator), {"reason": "lost"}).status_code == 302
    assert factors_of(world.investigator) > 0


@pytest.mark.parametrize("reason", ["", "boredom"])
def test_without_a_reason_nothing_happens(
    world: Any, telephone: Telephone, signed_in: Any, reason: str
) -> None:
    answer = signed_in(world.secadmin).post(address(world.investigator), {"reason": reason})
    assert answer.status_code == 422
    assert "reason" in answer.context["form"].errors
    assert factors_of(world.investigator) > 0
    assert told(world.investigator) == []


def test_who_has_none_has_none_reset(world: Any, signed_in: Any) -> None:
    theirs = signed_in(world.colleague)
    browser = signed_in(world.secadmin)
    answer = browser.post(address(world.colleague), {"reason": "lost"})
    assert answer.status_code == 422
    assert "This person has no second factor." in answer.content.decode()
    browser.post(reverse("access:language"), {"language": "zh-hans"})
    assert "此人没有二次验证" in browser.post(address(world.colleague), {"reason": "lost"}).content.decode()
    assert is_in(theirs)
    assert told(world.colleague) == []


def test_an_account_that_does_not_work_has_none_reset(
    world: Any, telephone: Telephone, signed_in: Any
) -> None:
    with factories.as_owner():
        User.objects.filter(pk=world.investigator.pk).update(is_active=False)
    assert signed_in(world.secadmin).post(address(world.investigator), {"reason": "lost"}).status_code == 422
    assert factors_of(world.investigator) > 0


def test_nobody_resets_the_own(world: Any, clock: Clock, signed_in: Any) -> None:
    browser = signed_in(world.secadmin)
    enrolled.enrol(browser, clock)
    answer = browser.post(address(world.secadmin), {"reason": "lost"})
    assert answer.status_code == 422
    assert "Nobody resets the own second factor." in answer.content.decode()
    assert factors_of(world.secadmin) > 0
    with factories.as_owner():
        assert not AccountChange.objects.exists()


def test_of_a_security_administrator_a_second_one_decides(
    world: Any, clock: Clock, peers: list[User], signed_in: Any, events: Any
) -> None:
    theirs = signed_in(peers[0])
    enrolled.enrol(theirs, clock)
    first, second = signed_in(world.secadmin), signed_in(peers[1])
    assert first.post(address(peers[0]), {"reason": "replaced"}).status_code == 302
    assert factors_of(peers[0]) > 0
    with factories.as_owner():
        waiting = AccountChange.objects.get()
    decide = reverse("access:decide_change", args=[waiting.pk])
    assert "Reset the second factor" in second.get(reverse("access:accounts")).content.decode()
    # Neither who asked nor whom it is about is the second person.
    for client in (first, theirs):
        client.post(decide, {"answer": "confirm"})
        assert factors_of(peers[0]) > 0
    assert second.post(decide, {"answer": "confirm"}).status_code == 302
    assert factors_of(peers[0]) == 0
    assert not is_in(theirs)
    [event] = events("account.second_factor_reset")
    assert (event["reason"], event["extra"]["asked_by"]) == ("factor.replaced", str(world.secadmin.pk))
    assert told(peers[0]) == [("factors_reset", peers[1].pk)]
    assert told(world.secadmin) == [("factors_reset_of", peers[0].pk)]


def test_a_confirmed_reset_leaves_the_account_as_it_is_now(
    world: Any, clock: Clock, peers: list[User], signed_in: Any
) -> None:
    enrolled.enrol(signed_in(peers[0]), clock)
    signed_in(world.secadmin).post(address(peers[0]), {"reason": "lost"})
    with factories.as_owner():
        User.objects.filter(pk=peers[0].pk).update(organisation=world.city)
        waiting = AccountChange.objects.get()
    with as_person(peers[1]):
        accounts.confirm(waiting, by=peers[1])
    with factories.as_owner():
        assert User.objects.get(pk=peers[0].pk).organisation_id == world.city.pk
    assert factors_of(peers[0]) == 0


def test_a_declined_reset_changes_nothing(
    world: Any, clock: Clock, peers: list[User], signed_in: Any
) -> None:
    enrolled.enrol(signed_in(peers[0]), clock)
    signed_in(world.secadmin).post(address(peers[0]), {"reason": "lost"})
    with factories.as_owner():
        waiting = AccountChange.objects.get()
    decide = reverse("access:decide_change", args=[waiting.pk])
    assert signed_in(peers[1]).post(decide, {"answer": "refuse"}).status_code == 302
    assert factors_of(peers[0]) > 0


# ---------------------------------------------------------------- raw SQL


def test_the_database_lets_a_security_administrator_alone_reset(
    world: Any, telephone: Telephone, peers: list[User]
) -> None:
    assert raw.run(raw.person(world.secadmin), RESET, [world.investigator.pk]) == 1
    for person in (world.secadmin, *peers):
        assert raw.run(raw.person(world.secadmin), RESET, [person.pk]) == raw.REFUSED
    for who in ("investigator", "colleague", "supervisor", "auditor", "privacy", "sysadmin", "partner"):
        assert raw.run(raw.person(getattr(world, who)), RESET, [world.investigator.pk]) == raw.REFUSED
    for role in ("ep_none", "ep_job", "ep_secadmin"):
        assert raw.run(raw.role(role), RESET, [world.investigator.pk]) == raw.REFUSED
    inner = "select sec.drop_factors(%s, %s)"
    values = [world.investigator.pk, world.secadmin.pk]
    assert raw.run(raw.person(world.secadmin), inner, values) == raw.DENIED


def test_a_security_administrator_reads_and_deletes_no_row_of_the_table(
    world: Any, telephone: Telephone
) -> None:
    mine = raw.person(world.secadmin)
    for statement in (
        "select data from mfa_authenticator",
        "select user_id from mfa_authenticator",
        "update mfa_authenticator set data = '{}'",
        "delete from mfa_authenticator",
    ):
        assert raw.run(mine, statement) == raw.DENIED
    assert factors_of(world.investigator) > 0


def test_the_owner_of_the_functions_reads_whose_they_are_and_no_secret(telephone: Telephone) -> None:
    assert raw.owner_rows(
        "select has_column_privilege('epi_sec', 'mfa_authenticator', 'user_id', 'select')"
    ) == [(True,)]
    assert raw.owner_rows(
        "select has_column_privilege('epi_sec', 'mfa_authenticator', 'data', 'select')"
    ) == [(False,)]


def test_a_waiting_reset_of_oneself_is_refused_by_the_database(world: Any, peers: list[User]) -> None:
    ask = (
        "insert into access_accountchange (id, person_id, role, organisation_id, is_active, is_temporary,"
        " resets_factors, reason, asked_by_id, asked_at, verdict)"
        " values (gen_random_uuid(), %s, 'secadmin', %s, true, false, true, 'lost', %s, now(), '')"
    )
    mine = raw.person(world.secadmin)
    assert raw.run(mine, ask, [peers[0].pk, world.province.pk, world.secadmin.pk]) == 1
    assert raw.run(mine, ask, [world.secadmin.pk, world.province.pk, world.secadmin.pk]) == raw.REFUSED
