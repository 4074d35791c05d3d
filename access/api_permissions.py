"""The API's guard: a view without a named permission refuses everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission

if TYPE_CHECKING:
    # DRF's views import this module through its settings.
    from rest_framework.request import Request
    from rest_framework.views import APIView


class RolePermission(BasePermission):
    """The person's role must hold what the view requires: ``required = {"GET": "cases.view_cases"}``.

    A method that the view does not have is let through to the view's own answer, 405.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        required = getattr(view, "required", {}).get(request.method or "")
        user: Any = request.user
        if user.is_authenticated and not hasattr(view, (request.method or "options").lower()):
            return True
        if not required or not user.is_authenticated or not user.may(required):
            return False
        return _token_permits(request, required)


def _token_permits(request: Request, required: str) -> bool:
    """Whether the personal token, if there is one, is for this: its scopes, and for plain values its purpose."""
    token: Any = request.auth
    if token is None:
        return True
    # Anything that is no token of ours permits nothing.
    if not getattr(token, "permits", lambda _permission: False)(required):
        return False
    if required != "cases.reveal_values":
        return True
    return isinstance(request.data, dict) and request.data.get("purpose") == token.purpose
