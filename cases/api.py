"""Cases over the API: reads answer masked values, `reveal` alone answers plain ones."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access import single_use, step_up
from access.models import User
from access.purposes import REVEAL_CHOICES
from audit import trail
from audit.acts import Act
from audit.api_paging import CURSOR, ByCursor, not_a_cursor, page_address, page_schema, paged
from cases import lists, reveal
from cases.holdings import holding
from cases.models import Case, Visit
from cases.serializers import SHOWN, secret_fields, tell_case, tell_listed, tell_visit
from vault.errors import Locked

Told = serializers.DictField(help_text="Fields by name; protected values masked.")


class RevealSerializer(serializers.Serializer[Any]):
    """Which values to open, and why."""

    fields_ = serializers.ListField(child=serializers.ChoiceField(choices=secret_fields(Case)), min_length=1)
    purpose = serializers.ChoiceField(choices=REVEAL_CHOICES)

    def get_fields(self) -> dict[str, Any]:
        """`fields` is a name that the base class keeps for itself."""
        declared = super().get_fields()
        declared["fields"] = declared.pop("fields_")
        return declared


class SearchSerializer(serializers.Serializer[Any]):
    """What to look for. Personal terms belong into the body, never into an address."""

    case_no = serializers.CharField(max_length=24)


def person(request: Request) -> User:
    if not isinstance(request.user, User):
        raise exceptions.NotAuthenticated
    return request.user


def _visible(request: Request, case_id: UUID) -> Case:
    cases = Case.objects.visible_to(person(request)).select_related("outbreak", "district")
    case: Case = get_object_or_404(cases, pk=case_id)
    single_use.note_opening(case, person(request))
    return case


class Cases(APIView):
    """The cases that the person may see, newest first."""

    required = {"GET": "cases.list_cases"}

    @extend_schema(
        operation_id="cases_list",
        parameters=[CURSOR],
        responses=page_schema("CasePage", Told),
    )
    def get(self, request: Request) -> Response:
        try:
            cursor = lists.Cursor.parse(request.query_params.get("cursor", ""))
        except lists.NotACursor as error:
            raise not_a_cursor() from error
        page = lists.page(person(request), cursor, shown=SHOWN)
        trail.record(Act.CASE_LIST, subjects=page.cases, counts={"cases": len(page.cases)})
        rows = [tell_listed(case) for case in page.cases]
        return paged(page_address(request, page.older), page_address(request, page.newer), rows)


class CaseDetail(APIView):
    """One case, its values masked."""

    required = {"GET": "cases.view_cases"}

    @extend_schema(operation_id="cases_view", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, case_id: UUID) -> Response:
        case = _visible(request, case_id)
        trail.record(Act.CASE_VIEW, case)
        return Response(tell_case(case, whole=True))


class CaseVisits(APIView):
    """A case's movements, masked; empty without a grant of the class trajectory."""

    required = {"GET": "cases.view_cases"}

    @extend_schema(operation_id="cases_visits", parameters=[CURSOR], responses=page_schema("VisitPage", Told))
    def get(self, request: Request, case_id: UUID) -> Response:
        case = _visible(request, case_id)
        pages = ByCursor("order", "id")
        visits = pages.page(Visit.objects.visible_to(person(request)).filter(case=case).standing(), request)
        trail.record(Act.CASE_VIEW, case, data_classes=["trajectory"], counts={"visits": len(visits)})
        return pages.answer(request, (tell_visit(visit) for visit in visits))


class CaseReveal(APIView):
    """Plain values of a case, for a purpose; every call is an event."""

    required = {"POST": "cases.reveal_values"}

    @extend_schema(
        operation_id="cases_reveal",
        request=RevealSerializer,
        responses=inline_serializer("Revealed", {"values": serializers.DictField()}),
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        form = RevealSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        case, wanted = _visible(request, case_id), form.validated_data
        if len(set(wanted["fields"])) > step_up.BULK_FIELDS:
            step_up.demand(request)
        held = holding(person(request), case)
        try:
            values = reveal.reveal(case, wanted["fields"], purpose=wanted["purpose"], held=held)
        except reveal.PurposeNotGranted as error:
            raise exceptions.PermissionDenied("The grant was given for another purpose.") from error
        except Locked as error:
            raise exceptions.PermissionDenied("A grant on this class of data is missing.") from error
        return Response({"values": values, "trace_code": trail.trace_code()})


class CaseSearch(APIView):
    """Cases whose number begins like this; only what the person may see is found."""

    required = {"POST": "cases.list_cases"}

    @extend_schema(
        operation_id="cases_search",
        request=SearchSerializer,
        parameters=[CURSOR],
        responses=page_schema("CasesFound", Told),
    )
    def post(self, request: Request) -> Response:
        form = SearchSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data["case_no"].strip().upper()
        cases = Case.objects.visible_to(person(request)).filter(case_no__startswith=wanted)
        pages = ByCursor("-sort_date", "-id")
        found = pages.page(cases.select_related("outbreak", "district"), request)
        trail.record(Act.CASE_SEARCH, subjects=found, fields=["case_no"], counts={"cases": len(found)})
        return pages.answer(request, (tell_case(case, whole=False) for case in found))
