"""Whose request it is: the address no client can forge, the session that cannot be taken over from the log."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from audit import context
from audit.errors import AuditOutsideContext


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "6.6.6.6, 198.51.100.1, 10.0.0.3", "198.51.100.1"),
        ("10.0.0.2", "", None),
        ("10.0.0.2", "nonsense", None),
        ("", "", None),
    ],
)
def test_only_trusted_proxies_are_believed(
    settings: Any, peer: str, forwarded: str, expected: str | None
) -> None:
    settings.EPICASE_TRUSTED_PROXIES = ["10.0.0.0/8"]
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=peer, **headers)
    assert context.client_ip(request) == expected


def test_without_proxies_the_header_counts_for_nothing(settings: Any) -> None:
    settings.EPICASE_TRUSTED_PROXIES = []
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR="1.2.3.4")
    assert context.client_ip(request) == "10.0.0.2"


def test_contexts_nest_and_come_back() -> None:
    with pytest.raises(AuditOutsideContext):
        context.current()
    with context.opened(context.Context()) as outer:
        with context.opened(context.Context()) as inner:
            assert context.current() is inner
        assert context.current() is outer
    assert not context.is_open()


def test_a_session_key_leaves_only_its_fingerprint() -> None:
    fingerprint = context.session_fingerprint("secret key")
    assert len(fingerprint) == 16
    assert fingerprint == context.session_fingerprint("secret key") != context.session_fingerprint("other")
