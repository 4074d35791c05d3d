"""Whole requests without a network: the WSGI application called as a server calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

Get = Callable[[str, str], bytes]


def caller() -> Get:
    """A function that answers (path, cookie) with the body, and insists on status 200."""
    application = get_wsgi_application()
    factory = RequestFactory(SERVER_NAME="localhost", HTTP_HOST="localhost", HTTP_ACCEPT="application/json")

    def get(path: str, cookie: str) -> bytes:
        environ: dict[str, Any] = factory.get(path, HTTP_COOKIE=cookie).environ
        status: list[str] = []
        answer = application(environ, lambda line, *_: status.append(line))
        body = b"".join(answer)
        answer.close()
        if not status[0].startswith("200"):
            raise RuntimeError(f"{path}: {status[0]}")
        return body

    return get


def signed_in(user: Any, backend: str) -> str:
    """The cookie of a browser in which the person is signed in."""
    from django.conf import settings
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend=backend)
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"
