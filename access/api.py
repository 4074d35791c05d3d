"""Grants over the API: see those of cases one may see, give one, take one back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.apps import apps
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access import actions, step_up
from access.models import CaseGrant, User
from access.purposes import Purpose
from access.visibility import CasePermission
from audit import trail
from audit.acts import Act
from audit.api_paging import CURSOR, ByCursor, page_schema
from vault.normalise import refuse_long_numbers


class GrantSerializer(serializers.ModelSerializer[CaseGrant]):
    """A grant as its case's supervisor, or its holder, sees it."""

    case = serializers.UUIDField(source="content_object_id")
    user = serializers.CharField(source="user.username")
    permission = serializers.CharField(source="permission.codename")
    purpose = serializers.CharField(source="decision.purpose")
    granted_by = serializers.CharField(source="granted_by.username")

    class Meta:
        model = CaseGrant
        fields = (
            "id",
            "case",
            "user",
            "permission",
            "purpose",
            "kind",
            "granted_by",
            "starts_at",
            "expires_at",
        )


class NewGrantSerializer(serializers.Serializer[Any]):
    """What it takes to give access."""

    case = serializers.UUIDField()
    user = serializers.CharField(max_length=64)
    permissions = serializers.ListField(
        child=serializers.ChoiceField(choices=[p.value for p in CasePermission]), min_length=1
    )
    purpose = serializers.ChoiceField(choices=Purpose.choices)
    reason = serializers.CharField(
        max_length=200, allow_blank=True, default="", validators=[refuse_long_numbers]
    )
    until = serializers.DateTimeField()


def _person(request: Request) -> User:
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


class Grants(APIView):
    """All grants that the person may see; giving one."""

    required = {"GET": "access.view_grants", "POST": "access.issue_grant"}

    @extend_schema(
        operation_id="grants_list",
        parameters=[CURSOR],
        responses=page_schema("GrantPage", GrantSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        grants = (
            CaseGrant.objects.visible_to(_person(request))
            .live()
            .select_related("permission", "decision", "user", "granted_by")
            .defer("user__password", "granted_by__password")
        )
        pages = ByCursor("-starts_at", "-id")
        page = pages.page(grants, request)
        trail.record(Act.GRANT_VIEW, counts={"grants": len(page)})
        return pages.answer(request, GrantSerializer(page, many=True).data)

    @extend_schema(
        operation_id="grants_issue",
        request=NewGrantSerializer,
        responses={201: inline_serializer("GrantIssued", {"decision": serializers.UUIDField()})},
    )
    def post(self, request: Request) -> Response:
        step_up.demand(request)
        form = NewGrantSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        case = get_object_or_404(
            apps.get_model("cases.Case").objects.visible_to(_person(request)), pk=given["case"]
        )
        person = get_object_or_404(
            User.objects.present().select_related("organisation"), username=given["user"]
        )
        decision = actions.issue(
            case,
            person,
            [CasePermission(codename) for codename in given["permissions"]],
            purpose=Purpose(given["purpose"]),
            reason=given["reason"],
            until=given["until"],
            by=_person(request),
        )
        return Response({"decision": decision.pk}, status=status.HTTP_201_CREATED)


class Grant(APIView):
    """One grant: taking it back takes all of that person's permissions on that case back."""

    required = {"DELETE": "access.revoke_grant"}

    @extend_schema(operation_id="grants_revoke", responses={204: None})
    def delete(self, request: Request, grant_id: UUID) -> Response:
        grants = CaseGrant.objects.visible_to(_person(request)).select_related("user__organisation")
        grant = get_object_or_404(grants.defer("user__password"), pk=grant_id)
        cases = apps.get_model("cases.Case").objects.visible_to(_person(request))
        case = get_object_or_404(cases, pk=grant.content_object_id)
        actions.revoke(case, grant.user, by=_person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
