"""Signing in and out, and the language of the pages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from access import half_signed_in
from access.middleware import stays_nobody
from access.models import User
from access.sign_in import SignInForm


@method_decorator(login_not_required, name="dispatch")
class SignIn(auth_views.LoginView):
    """Name and password; a mistake answers 422 with the form kept, too many answer 429."""

    authentication_form = SignInForm
    template_name = "registration/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        if half_signed_in.begin(self.request, form.get_user(), self.get_success_url()):
            return HttpResponseRedirect(self.get_success_url())
        return redirect("access:second_factor")

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


sign_in = stays_nobody(SignIn.as_view())
_leave = auth_views.LogoutView.as_view()


@stays_nobody
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session, and let the browser forget everything it keeps of us."""
    response = _leave(request)
    if request.method == "POST":
        response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


@login_not_required
@require_POST
@stays_nobody
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language of this session, and of the person's next ones."""
    chosen = request.POST.get("language", "")
    where = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
    if chosen in dict(settings.LANGUAGES):
        request.session["language"] = chosen
        if request.user.is_authenticated:
            User.objects.filter(pk=request.user.pk).update(language=chosen)
    return HttpResponseRedirect(where if safe else "/")
