"""What the API answers to an error."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as answer

from access.actions import GrantRefused
from access.pledges import PledgeMissing
from access.quotas import QuotaExceeded
from access.step_up import NotConfirmed
from audit import api_errors


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's answers in our one shape; a refused grant is bad input, a foreign record does not exist."""
    if isinstance(error, GrantRefused):
        error = exceptions.ValidationError({error.field or "non_field_errors": [error.code]})
    if isinstance(error, QuotaExceeded):
        words = _("The hour's quota of shown values is used up.")
        error = exceptions.Throttled(wait=error.retry_seconds, detail=words)
    if isinstance(error, PledgeMissing):
        words = _("Accept the pledge first.")
        error = exceptions.PermissionDenied(words, code="pledge")
    if isinstance(error, NotConfirmed):
        words = _("Confirm who you are first.")
        error = exceptions.PermissionDenied(words, code="step_up")
    if isinstance(error, RecursionError):
        # Brackets nested thousands deep: the JSON parser gives up.
        error = exceptions.ParseError()
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    response = answer(error, context)
    if response is not None and isinstance(error, exceptions.APIException):
        response.data = _body(error)
        if isinstance(error, exceptions.NotAuthenticated):
            response.status_code = 401
            response.headers.setdefault("WWW-Authenticate", 'Session realm="epicase"')
    return response


def _body(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return api_errors.invalid(error.detail)
    detail: Any = error.detail
    return api_errors.body(getattr(detail, "code", error.default_code), str(detail))
