"""Tags of the page frame and its parts; docs/parts.md shows each in use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import template
from django.forms import BaseForm
from django.template import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from access import dates
from access.chips import CLASSIFICATIONS, STATUSES, Chip

register = template.Library()

LIT_SECONDS = 60


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture of the sprite, silent to screen readers: the word stands beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("icons.svg"),
        name,
    )


@register.filter
def day(value: date | None) -> str:
    """MM-DD, with the year when it is not this one; "" for nothing."""
    return dates.day_words(value) if value else ""


@register.filter
def moment(value: datetime | None) -> str:
    """Such a day and the local time of day; "" for nothing."""
    return dates.moment_words(value) if value else ""


@register.filter
def exact_moment(value: datetime | None) -> str:
    """A moment to the second, as the log tells it; "" for nothing."""
    return dates.moment_words(value, seconds=True) if value else ""


@register.inclusion_tag("parts/_chip.html")
def chip(kind: str, code: str, label: object = None, plain: bool = False) -> dict[str, Any]:
    """A state with its own shape and word; kind is "classification" or "status"."""
    known = (CLASSIFICATIONS if kind == "classification" else STATUSES).get(str(code))
    found = known or Chip(str(code), "circle-half")
    return {"icon_name": found.icon, "tone": found.tone, "text": label or found.label, "plain": plain}


@register.inclusion_tag("parts/_chip.html")
def badge(icon_name: str, text: object, tone: str = "", plain: bool = False) -> dict[str, Any]:
    """Any other chip; tone is "", "ac", "ok", "bad", "inf" or "exp"."""
    return {"icon_name": icon_name, "tone": tone, "text": text, "plain": plain}


@register.inclusion_tag("parts/_secret.html", takes_context=True)
def secret(
    context: Context,
    value: Any,
    element_id: str,
    label: object,
    url: str = "",
    *,
    lit: object = None,
    seconds: int = LIT_SECONDS,
) -> dict[str, Any]:
    """A protected value: not collected, not in your grant, masked with "show", or lit when `lit` is given."""
    return {
        "csrf_token": context.get("csrf_token"),
        "state": _secret_state(value, lit),
        "masked": getattr(value, "masked", value),
        "secret_id": element_id,
        "label": label,
        "url": url,
        "lit": lit,
        "seconds": seconds,
    }


def _secret_state(value: Any, lit: object) -> str:
    if lit is not None:
        return "lit"
    if value is None or value == "":
        return "not_collected"
    return "masked" if getattr(value, "is_open_to_me", True) else "not_granted"


@register.inclusion_tag("parts/_watermark.html", takes_context=True)
def watermark(context: Context) -> dict[str, Any]:
    """The mark over a page: who looks, when, and the trace code of this answer."""
    from audit import trail  # access may know audit; imported late so that templates load without it

    frame = context.get("frame")
    person = frame.user if frame else None
    if person is None:
        return {"trace": ""}
    context.render_context[_MARKED] = True
    name = getattr(person, "display_name", "") or person.get_username()
    return {"trace": trail.trace_code(), "name": name, "at": timezone.localtime()}


_MARKED = "page is marked"


@register.simple_tag
def trace() -> str:
    """The trace code of this answer when it has one, else ""."""
    from audit import trail

    return trail.trace_code() if trail.has_trace() else ""


@register.inclusion_tag("parts/_pager.html", takes_context=True)
def pager(context: Context, newer: str = "", older: str = "", words: object = "") -> dict[str, Any]:
    """Newer and older by key, with the range in words; no page numbers, no total."""
    return {"newer": newer, "older": older, "words": words, "frame": context.get("frame")}


@register.inclusion_tag("parts/_empty.html")
def empty(title: object, why: object, url: str = "", action: object = "") -> dict[str, Any]:
    """What is not here, why, and the one thing to do."""
    return {"title": title, "why": why, "url": url, "action": action}


@register.inclusion_tag("parts/_progress.html")
def progress(
    element_id: str, done: int, total: int, label: object, url: str = "", *, note: object = ""
) -> dict[str, Any]:
    """A bar with its figures; while `url` is given it asks there once a second for the next one."""
    return {"progress_id": element_id, "done": done, "total": total, "label": label, "url": url, "note": note}


@register.inclusion_tag("parts/_meter.html")
def meter(percent: int, label: object = _("Complete")) -> dict[str, Any]:
    """A short bar with its per cent, for a table cell."""
    return {"percent": percent, "label": label}


@register.inclusion_tag("parts/_error_summary.html")
def error_summary(*forms: BaseForm | None) -> dict[str, Any]:
    """All mistakes of these forms on top of the page, each a link to its field."""
    given = [form for form in forms if form is not None]
    mistakes = [line for form in given for line in _mistakes(form)]
    return {"mistakes": mistakes}


def _mistakes(form: BaseForm) -> list[dict[str, Any]]:
    lines = [{"text": text, "target": "", "label": ""} for text in form.non_field_errors()]
    for field in form:
        lines += [{"text": text, "target": field.id_for_label, "label": field.label} for text in field.errors]
    return lines


@register.inclusion_tag("parts/_timeline.html")
def timeline(steps: Sequence[Any]) -> dict[str, Any]:
    """Acts in their order; a step has `icon`, `verb`, `text`, `note` (attributes or keys)."""
    return {"steps": steps}


@register.inclusion_tag("parts/_steps.html")
def steps(labels: Sequence[object], current: int) -> dict[str, Any]:
    """Numbered steps of a longer act; `current` counts from 1, one more than all means done."""
    drawn = [
        {"number": number, "label": label, "is_done": number < current, "is_here": number == current}
        for number, label in enumerate(labels, 1)
    ]
    return {"steps": drawn}


@register.inclusion_tag("parts/_days.html")
def days(done: int, total: int, today: bool = True) -> dict[str, Any]:
    """Observation days as boxes: done, today outlined, to come."""
    boxes = ["done"] * done + (["now"] if today and done < total else [])
    boxes += [""] * (total - len(boxes))
    return {"boxes": boxes, "number": min(done + 1, total) if today else done, "total": total}
