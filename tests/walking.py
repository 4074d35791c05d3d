"""Every address of epicase, with identifiers of the test's own records filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.urls import URLPattern, URLResolver, get_resolver

PUBLIC = {
    "healthz",
    "readyz",
    "access:sign_in",
    "access:language",
    "access:sign_out",
    "access:invited",
    "access:sso",
    "access:sso_return",
    "access:sso_invited",
    "parts",
}


@dataclass(frozen=True)
class Address:
    """One pattern with its arguments filled in."""

    name: str
    path: str

    def __str__(self) -> str:
        return f"{self.name} {self.path}"


def addresses(ids: dict[str, Any]) -> Iterator[Address]:
    """All addresses; ``ids`` gives a value per argument name, others get an identifier of nothing."""
    for pattern, prefix, namespace in _patterns(get_resolver().url_patterns, "/", ""):
        name = f"{namespace}{pattern.name or ''}"
        yield Address(name or "unnamed", prefix + _filled(pattern, ids))


def _patterns(entries: Any, prefix: str, namespace: str) -> Iterator[tuple[URLPattern, str, str]]:
    for entry in entries:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _patterns(entry.url_patterns, prefix + str(entry.pattern), inner)
        else:
            yield entry, prefix, namespace


def _filled(pattern: URLPattern, ids: dict[str, Any]) -> str:
    route = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__
        value = ids.get(name) or (uuid4() if kind == "UUIDConverter" else _plain(name))
        value = value if not isinstance(value, UUID) else str(value)
        for text in (f"<uuid:{name}>", f"<slug:{name}>", f"<str:{name}>", f"<int:{name}>", f"<{name}>"):
            route = route.replace(text, str(value))
    return route


def _plain(name: str) -> str:
    return {"field": "full_name", "section": "person"}.get(name, "1")


def filled(route: str, ids: dict[str, Any]) -> str:
    """The route of a door as a path, e.g. ``/cases/<uuid:case_id>/``; unknown arguments name nothing."""

    def value(found: re.Match[str]) -> str:
        name = found["name"]
        return str(ids.get(name) or (uuid4() if found["kind"] == "uuid" else _plain(name)))

    return re.sub(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>", value, route)
