"""The list and the page of one case, as the product answers them, with nothing hidden and nothing recorded."""

import base64
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.plain.models import Assignment, Case

PAGE_SIZE = 50
UNTOLD = {"sort_date", "created_by", "created_at", "changed_at"}
LISTED = (
    "case_no", "status", "classification", "is_asymptomatic", "onset_date", "first_positive_date", "reported_at",
    "sex", "age_value", "full_name",
)  # fmt: skip


def page(user_id: int) -> tuple[list[Case], str]:
    """The newest cases of a person, walked along the index, and the key of the next page."""
    rows = Assignment.objects.filter(user_id=user_id).order_by("-sort_date", "-case_id")
    ids = list(rows.values_list("case_id", flat=True)[: PAGE_SIZE + 1])
    found = Case.objects.filter(pk__in=ids).select_related("outbreak", "district", "investigator")
    by_id = {case.pk: case for case in found}
    cases = [by_id[case_id] for case_id in ids if case_id in by_id]
    older = _key(cases[PAGE_SIZE - 1]) if len(cases) > PAGE_SIZE else ""
    return cases[:PAGE_SIZE], older


def area_page(level: str, place: int) -> tuple[list[Case], str]:
    """The newest cases of a district, city or province."""
    rows = Case.objects.filter(**{f"{level}_id": place}).select_related(
        "outbreak", "district", "investigator"
    )
    cases = list(rows.order_by("-sort_date", "-id")[: PAGE_SIZE + 1])
    older = _key(cases[PAGE_SIZE - 1]) if len(cases) > PAGE_SIZE else ""
    return cases[:PAGE_SIZE], older


def _key(case: Case) -> str:
    return base64.urlsafe_b64encode(f"o{case.sort_date.isoformat()}{case.pk.hex}".encode()).decode()


def tell(case: Case, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """The case's fields by name."""
    told: dict[str, Any] = {"id": case.pk}
    for field in case._meta.concrete_fields:
        if field.name not in UNTOLD and (names is None or field.name in names):
            told[field.name] = getattr(case, field.attname)
    return {**told, "outbreak": case.outbreak.code, "district": case.district.code}


class Cases(APIView):
    """My cases, newest first."""

    def get(self, request: Request) -> Response:
        level, place = request.query_params.get("level"), request.query_params.get("place")
        cases, older = area_page(level, int(place)) if level and place else page(request.user.pk)
        rows = [tell(case, LISTED) for case in cases]
        return Response({"next": older or None, "previous": None, "results": rows})


class CaseDetail(APIView):
    """One case."""

    def get(self, request: Request, case_id: UUID) -> Response:
        case = get_object_or_404(Case.objects.select_related("outbreak", "district"), pk=case_id)
        return Response(tell(case))
