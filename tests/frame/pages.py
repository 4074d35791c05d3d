"""Pages drawn without a database, for tests of the frame."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation

from access.context_processors import Frame
from epicase import gallery


class NobodysFrame(Frame):
    """A visitor's frame."""

    user = None


def request(path: str = "/", role: str = "", cookies: dict[str, str] | None = None) -> HttpRequest:
    """A request with a session, and with a person when a role is named."""
    made = RequestFactory().get(path)
    made.COOKIES.update(cookies or {})
    made.session = {}  # type: ignore[assignment]
    made.user = SimpleNamespace(  # type: ignore[assignment]
        is_authenticated=bool(role),
        role=role,
        display_name="沈知远",
        username="zy",
        single_key_shortcuts=True,
    )
    return made


def draw(
    template: str, context: dict[str, Any] | None = None, *, language: str = "en", role: str = ""
) -> str:
    """The page as text."""
    with translation.override(language):
        return render_to_string(template, context, request=request(role=role))


def parts_page(query: str = "", language: str = "en", cookies: dict[str, str] | None = None) -> str:
    """The parts page as text."""
    with translation.override(language):
        return gallery.parts(request(f"/parts/{query}", cookies=cookies)).content.decode()
