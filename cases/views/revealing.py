"""Showing one protected value of a case: why, once per case; that it was shown, every time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from access.dates import moment_words
from access.http import SignedInRequest
from audit import trail
from audit.acts import Act, Outcome
from cases import casefile
from cases.holdings import Holding, holding
from cases.models import Case
from cases.policy import policy_for
from cases.reveal import reveal
from cases.serializers import secret_fields
from cases.views import purposes
from cases.views.fetching import visible
from cases.wording import words


class NotGranted:
    """Stands where a value may be or not: whoever has no grant of its class learns neither."""

    masked = ""
    is_open_to_me = False


@require_POST
@permission_required("cases.reveal_values", raise_exception=True)
def reveal_value(request: SignedInRequest, case_id: UUID, name: str) -> HttpResponse:
    """The value lit for a minute; before that, once for each case, the question why."""
    if name not in secret_fields(Case):
        raise Http404
    case = visible(request, case_id)
    held, data_class = holding(request.user, case), policy_for(Case, name).data_class
    if not held.opens(data_class):
        trail.record(
            Act.REVEAL,
            case,
            fields=[name],
            data_classes=[data_class],
            outcome=Outcome.REFUSED,
            reason="no_grant",
        )
        return _page(request, case, name, value=NotGranted())
    purpose, error = purposes.stated(request, case, held)
    if not purpose:
        return _page(request, case, name, **_question(request, case, held, name), error=error)
    plain = reveal(case, [name], purpose=purpose, held=held)[name]
    return _page(request, case, name, lit=None if plain is None else words(Case, name, plain))


def _question(request: SignedInRequest, case: Case, held: Holding, name: str) -> dict[str, Any]:
    shown = casefile.fact(case, name).label
    facts = [(_("Shown now"), shown), (_("Hidden"), _("after 60 s, or when you leave"))]
    if held.until:
        facts.append((_("Basis"), _("your grant, until %(moment)s") % {"moment": moment_words(held.until)}))
    return {
        "asks": True,
        "choices": purposes.choices(held),
        "chosen": purposes.known(request, case, held) or held.purpose,
        "facts": facts,
    }


def _page(request: SignedInRequest, case: Case, name: str, **context: Any) -> HttpResponse:
    fact = casefile.fact(case, name)
    context = {"case": case, "fact": fact, "value": fact.value, "label": fact.label, "lit": None, **context}
    return render(request, "cases/value.html", context, status=422 if context.get("error") else 200)
