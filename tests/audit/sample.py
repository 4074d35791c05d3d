"""A small audited table, and views that use, misuse and break the ledger in every way the tests need."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, models, transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from access.actor import acting_as_owner
from audit import capture, trail
from audit.acts import Act
from audit.capture import AuditedModel
from vault import witness
from vault.classes import DataClass

PLANTED = "欧阳种植"


class Thing(AuditedModel):
    """A record with one coded field that may be told, and one that may not."""

    audited_values = ("status",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    status = models.CharField(max_length=20, default="new")
    note = models.TextField(default="")

    class Meta:
        app_label = "vaultsample"

    @property
    def audit_label(self) -> str:
        return "T-1"


capture.register(Thing)


def make_table() -> None:
    """The table of things, with rights for visitors, in the database we are in."""
    with acting_as_owner(), transaction.atomic():
        with connection.schema_editor() as editor:
            editor.create_model(Thing)
        ContentType.objects.get_for_model(Thing)
        with connection.cursor() as cursor:
            cursor.execute("grant select, insert, update, delete on vaultsample_thing to ep_none")


@contextmanager
def owner_sql() -> Iterator[Any]:
    """A cursor with the owner's rights, in a transaction of its own."""
    with acting_as_owner(), transaction.atomic(), connection.cursor() as cursor:
        yield cursor


def create(request: HttpRequest) -> HttpResponse:
    thing = Thing.objects.create(status="open", note=PLANTED)
    trail.record(Act.CASE_CREATE, thing, fields=["note"], purpose="P1")
    return HttpResponse(f"{PLANTED} {thing.pk} {trail.trace_code()}", status=201)


def refuse(request: HttpRequest, thing_id: uuid.UUID) -> HttpResponse:
    Thing.objects.create(note=PLANTED)
    trail.record(Act.CASE_CHANGE)
    raise PermissionDenied


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404


def mistake(request: HttpRequest) -> HttpResponse:
    Thing.objects.create(note=PLANTED)
    return HttpResponse("mistake", status=422)


def crash(request: HttpRequest) -> HttpResponse:
    Thing.objects.create(note=PLANTED)
    raise RuntimeError(PLANTED)


def unnamed(request: HttpRequest) -> HttpResponse:
    Thing.objects.create(note=PLANTED)
    return HttpResponse(PLANTED)


def open_unnamed(request: HttpRequest) -> HttpResponse:
    witness.required()(Thing(), "note", DataClass.IDENTITY)
    return HttpResponse(PLANTED)


def reveal(request: HttpRequest) -> HttpResponse:
    thing = Thing()
    witness.required()(thing, "note", DataClass.IDENTITY)
    trail.record(Act.REVEAL, thing, purpose="P2")
    return HttpResponse(PLANTED)


def swallow(request: HttpRequest) -> HttpResponse:
    trail.record(Act.CASE_LIST)
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1 / 0")
    except DatabaseError:
        pass
    return HttpResponse(PLANTED)


def break_connection(request: HttpRequest) -> HttpResponse:
    """The backend dies after the change and before the flush."""
    create(request)
    with owner_connection() as other:
        other.execute("select pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    return HttpResponse(PLANTED)


@contextmanager
def owner_connection() -> Iterator[Any]:
    import psycopg

    from tests import servers

    name = str(connection.settings_dict["NAME"])
    with psycopg.connect(servers.url_of(name, "test"), autocommit=True) as other:
        yield other


def stream(request: HttpRequest) -> StreamingHttpResponse:
    trail.record(Act.CASE_LIST)
    return StreamingHttpResponse([PLANTED])


def download(request: HttpRequest) -> StreamingHttpResponse:
    trail.record(Act.EXPORT_DOWNLOAD)
    response = StreamingHttpResponse([b"sealed"])
    response.audited_download = True  # type: ignore[attr-defined]
    return response


def render_late(request: HttpRequest) -> TemplateResponse:
    """Records only while the template is drawn: too late, unless rendering is inside."""
    return TemplateResponse(request, "503.html", {"fault": Late()})


class Late:
    def __str__(self) -> str:
        trail.record(Act.CASE_LIST)
        return "late"


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def marked(request: HttpRequest) -> HttpResponse:
    return HttpResponse(trail.trace_code())


_VIEWS = (
    create, missing, mistake, crash, unnamed, open_unnamed, reveal, swallow, break_connection, stream,
    download, render_late, plain, marked,
)  # fmt: skip
urlpatterns = [path(f"{view.__name__}/", login_not_required(view), name=view.__name__) for view in _VIEWS]
urlpatterns.append(path("refuse/<uuid:thing_id>/", login_not_required(refuse), name="refuse"))
urlpatterns.append(path("healthz", login_not_required(plain), name="healthz"))
