"""Signing in, being refused, being locked out, and what a session tells a thief."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from access.actor import acting_as_owner
from access.models import Session, User
from access.sessions import digest
from audit import sentences
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]
URL = "/access/sign-in/"


def post(client: Client, username: str, password: str) -> Any:
    return client.post(URL, {"username": username, "password": password})


def test_a_person_signs_in_and_out(world: Any, events: Any) -> None:
    client = Client()
    assert post(client, "investigator", factories.PASSWORD).status_code == 302
    assert client.get(reverse("access:grants")).status_code == 200
    assert client.post(reverse("access:sign_out")).status_code == 302
    assert client.get(reverse("access:grants")).status_code == 302
    assert events("sign_in")[0]["actor"]["name"] == "人员investigator"
    assert events("sign_out")


@pytest.mark.parametrize(
    ("name", "password"), [("investigator", "wrong"), ("nobody", "wrong"), ("nobody", "")]
)
def test_a_mistake_is_answered_the_same_for_known_and_unknown_names(
    world: Any, events: Any, name: str, password: str
) -> None:
    answer = post(Client(), name, password)
    assert answer.status_code == 422
    if password:
        assert "not right" in answer.content.decode() or "不正确" in answer.content.decode()
        assert events("sign_in.failed")


def test_five_wrong_passwords_lock_even_the_right_one_out(world: Any, events: Any) -> None:
    client = Client()
    statuses = [post(client, "investigator", "wrong").status_code for _ in range(6)]
    assert statuses[:4] == [422] * 4
    assert statuses[5] == 429
    assert post(client, "investigator", factories.PASSWORD).status_code == 429
    assert events("sign_in.locked")
    assert post(Client(), "supervisor", factories.PASSWORD).status_code == 302


def test_an_inactive_person_cannot_sign_in(world: Any) -> None:
    with transaction.atomic(), acting_as_owner():
        User.objects.filter(username="investigator").update(is_active=False)
    assert post(Client(), "investigator", factories.PASSWORD).status_code == 422


def test_the_session_table_holds_no_cookie(world: Any, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    cookie = client.cookies["epicase_session"].value
    with transaction.atomic(), acting_as_owner():
        keys = set(Session.objects.values_list("session_key", flat=True))
    assert digest(cookie) in keys
    assert cookie not in keys
    thief = Client()
    thief.cookies["epicase_session"] = digest(cookie)
    assert thief.get(reverse("access:grants")).status_code == 302


def test_a_changed_password_ends_the_other_sessions(world: Any, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    with transaction.atomic(), acting_as_owner():
        user = User.accounts.get(pk=world.investigator.pk)
        user.set_password("another good password")
        user.save()
    assert client.get(reverse("access:grants")).status_code == 302


def test_people_never_read_password_hashes(world: Any) -> None:
    from access.actor import acting_as

    for person in world.people.values():
        with pytest.raises(Exception, match="permission denied"), transaction.atomic(), acting_as(person):
            with connection.cursor() as cursor:
                cursor.execute("select password from access_user")


def test_the_language_is_switched_and_remembered(world: Any, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    client.post(reverse("access:language"), {"language": "zh-hans", "next": reverse("access:grants")})
    assert 'lang="zh-Hans"' in client.get(reverse("access:grants")).content.decode()
    again = signed_in(world.investigator)
    assert 'lang="zh-Hans"' in again.get(reverse("access:grants")).content.decode()


def test_the_liveness_probe_leaves_the_session_alone(world: Any, signed_in: Any) -> None:
    client = signed_in(world.investigator)
    assert client.get("/healthz").status_code == 200
    assert client.get(reverse("access:grants")).status_code == 200


def test_a_form_without_a_good_token_is_refused_in_the_persons_name(
    world: Any, signed_in: Any, events: Any
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = signed_in(world.supervisor).cookies
    address = reverse("access:revoke", args=[world.case.pk, world.investigator.pk])
    assert browser.post(address, {"csrfmiddlewaretoken": "x"}).status_code == 403
    (refusal,) = events("access.refused")
    assert refusal["actor"]["id"] == str(world.supervisor.pk)
    assert refusal["reason"] == "csrf"
    assert refusal["object"]["id"] == str(world.case.pk)
    with translation.override("en"):
        assert "the form was not sent from our page" in sentences.tell(refusal).text
