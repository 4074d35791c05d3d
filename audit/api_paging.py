"""Pages over the API: everywhere the same three words, `next`, `previous` (whole addresses) and `results`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from django.core.exceptions import ValidationError as NotAValue
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

CURSOR = OpenApiParameter(
    "cursor", str, description="Where the page begins. Not to be made up: `next` and `previous` hold it."
)


class ByCursor:
    """Pages of a queryset in an order whose last column is unique; the key is the row beside the page.

    DRF's own cursor keeps the first column only, and loses its way back among rows of the same day.
    """

    page_size = 50

    def __init__(self, *ordering: str) -> None:
        self.ordering = ordering
        self.next = self.previous = ""

    def page(self, rows: QuerySet[Any], request: Request) -> list[Any]:
        """The rows of the page that the address asks for. Raises ValidationError for what is no cursor."""
        asked = request.query_params.get("cursor", "")
        backwards, values = self._read(rows.model, asked) if asked else (False, [])
        order = [_turned(name) for name in self.ordering] if backwards else list(self.ordering)
        if values:
            rows = rows.filter(_beyond(order, values))
        found = list(rows.order_by(*order)[: self.page_size + 1])
        more, found = len(found) > self.page_size, found[: self.page_size]
        if backwards:
            found.reverse()
        if found:
            self.next = self._key(found[-1], backwards=False) if more or backwards else ""
            self.previous = self._key(found[0], backwards=True) if (more if backwards else asked) else ""
        return found

    def answer(self, request: Request, told: Iterable[Any]) -> Response:
        """These rows, and the addresses of the pages beside them."""
        return paged(page_address(request, self.next), page_address(request, self.previous), told)

    def _key(self, row: Model, *, backwards: bool) -> str:
        values = [_written(getattr(row, name.lstrip("-"))) for name in self.ordering]
        text = json.dumps(["p" if backwards else "n", *values], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _read(self, model: type[Model], text: str) -> tuple[bool, list[Any]]:
        try:
            side, *written = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            fields = [model._meta.get_field(name.lstrip("-")) for name in self.ordering]
            values = [field.to_python(one) for field, one in zip(fields, written, strict=True)]  # type: ignore[union-attr]
        except (ValueError, TypeError, RecursionError, NotAValue):
            raise not_a_cursor() from None
        if side not in ("n", "p") or None in values:
            raise not_a_cursor()
        return side == "p", values


def paged(following: str | None, previous: str | None, told: Iterable[Any]) -> Response:
    """A page in the words that every list uses."""
    return Response({"next": following, "previous": previous, "results": list(told)})


def page_address(request: Request, cursor: str) -> str | None:
    """The whole address of this list at the cursor, its other parameters kept; None without a cursor.

    Scheme and host are those that the person's browser used: behind the proxy they come from its headers.
    """
    if not cursor:
        return None
    asked = request.query_params.copy()
    asked["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{asked.urlencode()}")


def not_a_cursor() -> ValidationError:
    """The refusal of a cursor that no page of ours holds."""
    return ValidationError({"cursor": [_("This page key is not complete. Begin without one.")]})


def page_schema(name: str, row: Any) -> Any:
    """How a page of such rows is described."""
    many = row if isinstance(row, serializers.BaseSerializer) else serializers.ListField(child=deepcopy(row))
    return inline_serializer(
        name,
        {
            "next": serializers.URLField(allow_null=True, help_text="Address of the following page."),
            "previous": serializers.URLField(allow_null=True, help_text="Address of the page before."),
            "results": many,
        },
    )


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(order: list[str], values: list[Any]) -> Q:
    """Rows after these values in this order, column by column."""
    found, same = Q(), Q()
    for name, value in zip(order, values, strict=True):
        column = name.lstrip("-")
        side = "lt" if name.startswith("-") else "gt"
        found |= same & Q(**{f"{column}__{side}": value})
        same &= Q(**{column: value})
    return found


def _written(value: Any) -> Any:
    return (
        value if isinstance(value, int) else value.isoformat() if hasattr(value, "isoformat") else str(value)
    )
