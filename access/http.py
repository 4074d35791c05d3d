"""Types of a request whose person is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from access.models import User


class SignedInRequest(HttpRequest):
    """A request behind LoginRequiredMiddleware."""

    user: User
