"""Opening a case."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from access.http import SignedInRequest
from cases import actions
from cases.forms.opening import OpenCaseForm
from cases.models import Outbreak


@require_http_methods(["GET", "POST"])
@permission_required("cases.open_case", raise_exception=True)
def open_case(request: SignedInRequest) -> HttpResponse:
    """One form of the fields that every case needs; then the case's own page."""
    if request.method == "GET":
        form = OpenCaseForm(by=request.user, initial=_first_words(request))
        return render(request, "cases/open.html", {"form": form})
    form = OpenCaseForm(request.POST, by=request.user)
    if form.is_valid():
        try:
            case = actions.open_case(form.cleaned_data["outbreak"], form.values, by=request.user)
        except actions.OutbreakEnded:
            form.add_error("outbreak", _("This outbreak has ended. Choose another one."))
        else:
            messages.success(request, _("%(number)s is open.") % {"number": case.case_no})
            for remark in form.remarks:
                messages.info(request, remark.message)
            return redirect(case)
    return render(request, "cases/open.html", {"form": form}, status=422)


def _first_words(request: SignedInRequest) -> dict[str, str]:
    """The outbreak named in the address, or the only one there is."""
    codes = list(Outbreak.objects.filter(ended_on__isnull=True).values_list("code", flat=True)[:2])
    wanted = request.GET.get("outbreak", codes[0] if len(codes) == 1 else "")
    return {"outbreak": wanted}
