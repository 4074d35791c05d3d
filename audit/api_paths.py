"""Addresses of the API: each answers with and without a slash at its end, and is described once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path

View = Callable[..., HttpResponseBase]
Endpoint = tuple[str, str, str, Any]


def api_path(route: str, view: View, name: str) -> list[URLPattern]:
    """The address as documented, and its twin with a slash."""
    return [path(route, view, name=name), path(f"{route}/", view)]


def described(endpoints: list[Endpoint], **_kwargs: Any) -> list[Endpoint]:
    """A hook for the schema: leave the twins out."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]
