"""A test client that is signed in the way a person is."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from tests import factories


def signed_in(person: Any) -> Client:
    """Sign in through the page; a visitor gets an empty client."""
    client = Client()
    if person is not None:
        answer = client.post(
            reverse("access:sign_in"), {"username": person.username, "password": factories.PASSWORD}
        )
        assert answer.status_code == 302, f"{person.username} could not sign in: {answer.status_code}"
    return client
