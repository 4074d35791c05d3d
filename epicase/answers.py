"""What Django answers where no view does: pages for people, the API's one shape for programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from access import views
from audit import api_errors


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: what was sent cannot be read at all."""
    if _is_api(request):
        return _told(400, "bad_request", _("The request cannot be read."))
    return views.bad_request(request, exception)


def refused(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: the role does not allow it."""
    if _is_api(request):
        return _told(403, "permission_denied", _("Your role does not allow this."))
    return views.refused(request, exception)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: no such address, or nothing there for this person."""
    if _is_api(request):
        return _told(404, "not_found", _("There is nothing at this address, or nothing for you."))
    return views.not_found(request, exception)


def wrong_method(request: HttpRequest) -> HttpResponse:
    """405: an address that only takes what a form sends, opened as a page, e.g. by going back."""
    return render(request, "405.html", status=405)


def failed(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours, without a word of what it was about."""
    if _is_api(request):
        return _told(500, "error", _("The request failed. Nothing was changed."))
    return views.failed(request)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _told(status: int, code: str, detail: str) -> HttpResponse:
    return JsonResponse(api_errors.body(code, detail), status=status)
