"""Fetching what the pages of access are about, through the person who asks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.apps import apps
from django.shortcuts import get_object_or_404

from access.http import SignedInRequest
from access.models import User


def visible_cases(request: SignedInRequest) -> Any:
    """The cases that the person may see; their model belongs to a room on the left."""
    return apps.get_model("cases.Case").objects.visible_to(request.user)


def visible_case(request: SignedInRequest, case_id: UUID) -> Any:
    """The case, or the one answer for missing and not granted."""
    return get_object_or_404(visible_cases(request), pk=case_id)


def person(user_id: UUID) -> User:
    """The account with its organisation, or 404."""
    found: User = get_object_or_404(User.objects.select_related("organisation"), pk=user_id)
    return found
