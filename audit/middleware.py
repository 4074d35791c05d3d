"""One transaction for each request, and no byte of the answer before its events are committed."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from psycopg.pq import TransactionStatus

from audit import api_errors, refusals, trail, writing
from audit import context as contexts
from audit.context import Context
from audit.errors import StreamingRefused, TransactionAborted

log = logging.getLogger("epicase.audit")
RETRY_AFTER_SECONDS = 5
_BARE = "<!doctype html><title>503</title><p>The log cannot be written. Nothing was shown or saved.</p>"


class OneTransaction:
    """Outermost: session, view, rendering and events share one COMMIT; whatever goes wrong with it is a 503.

    Static files and the liveness probe are answered outside any transaction: they have no right in the
    database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_outside(request):
            return self.get_response(request)
        context = contexts.for_request(request)
        response: HttpResponseBase | None = None
        try:
            with contexts.opened(context), writing.key_session(), transaction.atomic():
                response = self.get_response(request)
                finish(request, response, context)
        except Exception as error:  # noqa: BLE001 (fail closed: whatever it is, nothing may leave)
            # The type alone: messages of database errors quote values.
            log.error("request %s not committed: %s", context.request_id, type(error).__name__)  # noqa: TRY400
            connection.close()
            if response is not None and response.streaming:
                response.close()
            return unavailable(request, context)
        return response


def is_outside(request: HttpRequest) -> bool:
    """Whether the address is answered without the database: static files and /healthz."""
    return request.path == "/healthz" or request.path.startswith(_static_url())


def finish(request: HttpRequest, response: HttpResponseBase, context: Context) -> None:
    """Everything between the view's answer and COMMIT; raises when the answer may not leave."""
    if response.streaming and not getattr(response, "audited_download", False):
        raise StreamingRefused("a stream would leave before its event is committed")
    render = getattr(response, "render", None)
    if callable(render) and not getattr(response, "is_rendered", True):
        render()
    refuse_aborted()
    if request.resolver_match is not None:
        context.view = request.resolver_match.view_name[:80]
    _note_session(request, context)
    if refusals.is_refusal(response.status_code):
        refusals.record_refusal(request, response)
    trail.flush()
    refuse_aborted()


def refuse_aborted() -> None:
    """Raise TransactionAborted when the database has given up: COMMIT would be a silent ROLLBACK."""
    if connection.needs_rollback:
        raise TransactionAborted("marked for rollback")
    if connection.connection is None or connection.connection.closed:
        raise TransactionAborted("connection lost")
    if connection.connection.info.transaction_status == TransactionStatus.INERROR:
        raise TransactionAborted("a database error was swallowed")


def unavailable(request: HttpRequest, context: Context) -> HttpResponse:
    """503 in words that need no database; it names the request, so that an operator finds it."""
    fault = str(context.request_id)
    response: HttpResponse
    if request.path.startswith("/api/"):
        words = "The log cannot be written. Nothing was shown or changed."
        response = JsonResponse({**api_errors.body("unavailable", words), "fault": fault}, status=503)
    else:
        response = HttpResponse(_page(fault), status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(fault: str) -> str:
    try:
        return render_to_string("503.html", {"fault": fault})
    except TemplateDoesNotExist:
        return _BARE


def _note_session(request: HttpRequest, context: Context) -> None:
    session = getattr(request, "session", None)
    if not context.session_h and session is not None and session.session_key:
        context.session_h = contexts.session_fingerprint(session.session_key)


def _static_url() -> str:
    url: str = settings.STATIC_URL or "/static/"
    return url if url.startswith("/") else f"/{url}"
