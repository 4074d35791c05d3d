"""One's own tokens of the API: made here, shown once, revoked here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from access import step_up
from access.actions import tokens as actions
from access.forms.tokens import TokenForm
from access.half_signed_in import factor_shown
from access.http import SignedInRequest
from access.models import ApiToken
from audit import trail
from audit.acts import Act

SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("access.use_tokens", raise_exception=True)
@step_up.required
def tokens(request: SignedInRequest) -> HttpResponse:
    """The list, and making a new one; its words are on the answer to the form and never again."""
    form, words = TokenForm(request.POST or None, by=request.user), ""
    if request.method == "POST":
        _require_second_factor(request)
        words = _made(request, form)
    else:
        trail.record(Act.TOKEN_VIEW)
    context = {
        "form": TokenForm(by=request.user) if words else form,
        "words": words,
        "tokens": ApiToken.objects.visible_to(request.user).order_by("-created_at")[:SHOWN],
    }
    return render(request, "access/tokens.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required("access.use_tokens", raise_exception=True)
def revoke_token(request: SignedInRequest, token_id: UUID) -> HttpResponse:
    try:
        actions.revoke_token(token_id, by=request.user)
    except ApiToken.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("The token opens nothing any more."))
    return redirect("access:tokens")


def _made(request: SignedInRequest, form: TokenForm) -> str:
    if not form.is_valid():
        return ""
    try:
        return actions.make_token(**form.given, by=request.user)[1]
    except actions.TokenRefused as refusal:
        form.add_error(refusal.field, _refusal_words(refusal.code))
        return ""


def _refusal_words(code: str) -> str:
    words: dict[str, Any] = {
        "scopes": _("Choose only what your role may do."),
        "purpose": _("Choose one of the purposes."),
        "lasts": _("A token ends within 90 days."),
        "many": _("You have ten live tokens. Revoke one that you do not need."),
    }
    return str(words[code])


def _require_second_factor(request: SignedInRequest) -> None:
    """A token comes from a session with a second factor, where one is mandatory, or not at all."""
    if settings.EPICASE_REQUIRE_SECOND_FACTOR and not factor_shown(request):
        raise PermissionDenied
