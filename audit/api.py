"""The ledger over the API: events by cursor, the newest checkpoint, and the proof of one event."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import evidence, search, trail
from audit.acts import Act
from audit.api_paging import not_a_cursor, page_address, page_schema, paged
from audit.search import Filters

# Begins the cursor of a page that lies before: events newer than the key.
NEWER = "newer-"


class AskedSerializer(serializers.Serializer[Any]):
    """What to look for; nothing of a person."""

    cursor = serializers.CharField(
        required=False,
        max_length=80,
        help_text="Where the page begins. Not to be made up: `next` and `previous` hold it.",
    )
    user = serializers.UUIDField(required=False)
    object = serializers.UUIDField(required=False)
    case = serializers.CharField(required=False, max_length=40)
    act = serializers.ChoiceField(required=False, choices=[act.value for act in Act])
    purpose = serializers.CharField(required=False, max_length=40)
    outcome = serializers.ChoiceField(required=False, choices=[0, 1, 2])
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class EventSerializer(serializers.Serializer[Any]):
    """An event: its sealed body, and its place in the tree once it is sealed."""

    id = serializers.UUIDField()
    leaf_index = serializers.IntegerField(allow_null=True)
    sentence = serializers.CharField(source="told.text")
    body = serializers.JSONField()


EVENT_PAGE = page_schema("EventPage", EventSerializer(many=True))


class CheckpointSerializer(serializers.Serializer[Any]):
    """A signed checkpoint: `note` is what is signed."""

    size = serializers.IntegerField()
    root = serializers.CharField()  # type: ignore[assignment]
    at = serializers.DateTimeField()
    note = serializers.CharField()


class ProofSerializer(serializers.Serializer[Any]):
    """What epicase-verify needs to check one event."""

    event = serializers.CharField()
    proof = serializers.CharField()


class Events(APIView):
    """Events, newest first, fifty at a time."""

    required = {"GET": "audit.view_ledger"}

    @extend_schema(operation_id="audit_events", parameters=[AskedSerializer], responses=EVENT_PAGE)
    def get(self, request: Request) -> Response:
        """A page of events; `next` is the address of the older ones, `previous` of the newer ones."""
        asked = AskedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        cursor = given.get("cursor", "")
        try:
            page = search.events(_filters(given), cursor.removeprefix(NEWER), newer=cursor.startswith(NEWER))
        except search.BadCursor:
            raise not_a_cursor() from None
        trail.record(Act.AUDIT_VIEW, counts={"events": len(page.lines)}, extra={"form": "api"})
        newer = page_address(request, page.newer and NEWER + page.newer)
        return paged(page_address(request, page.older), newer, EventSerializer(page.lines, many=True).data)


class CheckpointView(APIView):
    """The newest signed checkpoint."""

    required = {"GET": "audit.view_ledger"}

    @extend_schema(operation_id="audit_checkpoint", responses=CheckpointSerializer)
    def get(self, request: Request) -> Response:
        """The checkpoint of the largest tree that was signed."""
        newest = evidence.newest_checkpoint()
        if newest is None:
            raise Http404
        trail.record(Act.AUDIT_EXPORT, counts={"size": newest.size}, extra={"form": "checkpoint"})
        root = bytes(newest.root).hex()
        return Response({"size": newest.size, "root": root, "at": newest.at, "note": newest.note})


class Proof(APIView):
    """The inclusion proof of one event."""

    required = {"GET": "audit.view_ledger"}

    @extend_schema(
        operation_id="audit_event_proof",
        parameters=[OpenApiParameter("event_id", UUID, OpenApiParameter.PATH)],
        responses=ProofSerializer,
    )
    def get(self, request: Request, event_id: UUID) -> Response:
        """The event file and its proof; 404 until it is sealed."""
        try:
            proof, event = evidence.inclusion_proof(event_id), evidence.event_file(event_id) or b""
        except evidence.NotSealedYet:
            raise Http404 from None
        trail.record(Act.AUDIT_EXPORT, counts={"events": 1}, extra={"event": event_id, "form": "tlog-proof"})
        return Response({"event": event.decode(), "proof": proof})


def _filters(given: dict[str, Any]) -> Filters:
    return Filters(
        actor_id=given.get("user"),
        object_id=given.get("object"),
        label=given.get("case", ""),
        acts=(given["act"],) if given.get("act") else (),
        purpose=given.get("purpose", ""),
        outcome=given.get("outcome"),
        since=given.get("since"),
        until=given.get("until"),
    )
