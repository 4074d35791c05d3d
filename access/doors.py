"""What every address asks of whoever comes, read from the views themselves: their decorators and declarations.

A door that asks for no permission must be named here, with a reason; any other one without a permission is an
:class:`Unguarded` error, so that no address is open by accident. Tests knock at every door; ``docs/access-matrix.md``
shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver

from access.roles import PERMISSIONS, Role

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Signed in is enough: what these show is the person's own, or is no secret to anyone who works here.
FOR_EVERYONE_SIGNED_IN: Final[Mapping[str, str]] = {
    "access:sign_out": "ends one's own session",
    "access:confirm": "asks once more who one is",
    "access:second_factor": "for who has shown the password; sends everybody else to sign in",
    "access:set_up": "one's own second factor; for who has shown the password, or confirmed",
    "access:sso_confirm": "asks the provider once more who one is",
    "access:sso_bind": "one's own account",
    "access:sso_unbind": "one's own account",
    "access:own_account": "one's own factors and browsers",
    "access:remove_factor": "one's own factor",
    "access:recovery_codes": "one's own codes",
    "access:end_session": "one's own browsers",
    "access:password": "one's own password",
    "access:pledge": "one's own pledge",
    "cases:work": "leads everyone to the first page of their role",
    "api-schema": "describes the API, holds no data",
    "api-schema-json": "describes the API, holds no data",
}
# The view itself asks for one of several permissions, and refuses without any.
ASKS_FOR_ONE_OF: Final[Mapping[str, frozenset[str]]] = {
    "access:grants": frozenset({"access.view_grants", "access.view_own_grants"}),
}
VISITOR: Final = "visitor"


class Unguarded(LookupError):
    """An address asks for no permission and is not among those that need none."""


@dataclass(frozen=True)
class Door:
    """One address and method: the permissions of which one is needed; none needed when it is None."""

    name: str
    route: str
    method: str
    permissions: frozenset[str] | None
    is_public: bool = False

    @property
    def roles(self) -> frozenset[str]:
        """Who gets past the door; which record they get is another question."""
        if self.permissions is None:
            return frozenset(Role.values) | ({VISITOR} if self.is_public else frozenset())
        return frozenset(role.value for role in Role if self.permissions & PERMISSIONS[role])


def doors() -> list[Door]:
    """Every address with every method it answers, in the order of the URL table; twins with a slash left out."""
    found: list[Door] = []
    for name, route, view in addresses(get_resolver().url_patterns):
        for method in methods_of(view):
            is_public = _is_public(view) and name not in FOR_EVERYONE_SIGNED_IN
            permissions = None if is_public else _asked(name, route, view, method)
            found.append(Door(name, route, method, permissions, is_public))
    return found


def addresses(
    entries: Sequence[Any], prefix: str = "/", space: str = ""
) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Name, route and view of every pattern."""
    for entry in entries:
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from addresses(entry.url_patterns, prefix + str(entry.pattern), inner)
        elif isinstance(entry, URLPattern) and not _is_twin(entry, entries):
            yield f"{space}{entry.name or ''}", prefix + str(entry.pattern), entry.callback


def methods_of(view: Callable[..., Any]) -> list[str]:
    """The methods that a view answers, HEAD and OPTIONS aside."""
    shown = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if shown is not None:
        allowed = {name.upper() for name in shown.http_method_names if hasattr(shown, name)}
    else:
        listed = [set(names) for layer in _layers(view) for names in _kept(layer, "request_method_list")]
        allowed = set.intersection(*listed) if listed else set(METHODS)
    return [method for method in METHODS if method in allowed]


def permissions_of(view: Callable[..., Any], method: str) -> frozenset[str]:
    """The permissions that decorators of a view, or the ``required`` of an API view, ask for."""
    shown = getattr(view, "cls", None)
    if shown is not None:
        required = getattr(shown, "required", {}).get(method)
        return frozenset({required} if required else ())
    tests = (test for layer in _layers(view) for test in _kept(layer, "test_func"))
    return frozenset(name for test in tests for names in _kept(test, "perms") for name in names)


def _asked(name: str, route: str, view: Callable[..., Any], method: str) -> frozenset[str] | None:
    if name in FOR_EVERYONE_SIGNED_IN:
        return None
    permissions = permissions_of(view, method) or ASKS_FOR_ONE_OF.get(name, frozenset())
    if not permissions:
        raise Unguarded(
            f"{method} {route} ({name}) asks for no permission: decorate it, or name it in {__name__}"
        )
    return permissions


def _is_public(view: Callable[..., Any]) -> bool:
    """Whether visitors get in. Views of the API have a guard of their own: there nobody does."""
    return not hasattr(view, "cls") and not getattr(view, "login_required", True)


def _is_twin(pattern: URLPattern, others: Sequence[Any]) -> bool:
    """The address of the API with a slash at its end: the same view as the one before, without a name."""
    routes = {str(other.pattern): other for other in others if isinstance(other, URLPattern)}
    first = routes.get(str(pattern.pattern).removesuffix("/"))
    return pattern.name is None and first is not None and first.callback is pattern.callback


def _layers(view: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    layer: Any = view
    while layer is not None:
        yield layer
        layer = getattr(layer, "__wrapped__", None)


def _kept(function: Callable[..., Any], name: str) -> list[Any]:
    """What the function's closure holds under the name, as a list of at most one."""
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None)
    if code is None or not cells or name not in code.co_freevars:
        return []
    return [cells[code.co_freevars.index(name)].cell_contents]
