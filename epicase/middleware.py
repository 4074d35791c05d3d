"""What is put around every answer."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from epicase import answers


class NoStore:
    """No page of epicase stays in a browser's or proxy's cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith(settings.STATIC_URL):
            patch_cache_control(response, no_store=True, private=True)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), clipboard-read=()"
        )
        return response


class WrongMethod:
    """A page for whoever goes back to an address that only takes what a form sends; programs keep the bare 405."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or request.method != "GET" or response.content:
            return response
        page = answers.wrong_method(request)
        page.headers["Allow"] = response.headers["Allow"]
        return page
