"""What the tests of the pages share: a whole first form, and steps people take."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case
from tests import factories
from tests.cast import World


def first_form(world: World, **words: str) -> dict[str, str]:
    """The fourteen fields as typed; say only what matters."""
    today = timezone.localdate()
    return {
        "outbreak": world.outbreak.code,
        "full_name": "新种植",
        "sex": "2",
        "age_value": "34",
        "age_unit": "Y",
        "phone": "100-0000-5566",
        "district": str(world.district.pk),
        "town": "示例街道",
        "occupation_group": "09",
        "is_health_worker": "N",
        "classification": "confirmed",
        "onset_date": str(today - timedelta(days=2)),
        "reported_at": f"{timezone.localtime():%Y-%m-%dT%H:%M}",
        "report_org": str(world.district.pk),
        "interviewee_relation": "self",
        "notice_given": "full",
        **words,
    }


def state_purpose(client: Client, case: Case, code: str = "P2") -> None:
    """Say once why this case's values are opened."""
    answer = client.post(reverse("cases:purpose", args=[case.pk]), {"purpose": code})
    assert answer.status_code == 302


def drawn(client: Client, url: str) -> dict[str, Any]:
    """What a form's fields hold, as a browser would send them back unchanged."""
    answer = client.get(url)
    assert answer.status_code == 200, answer.status_code
    form = answer.context["form"]
    words: dict[str, Any] = {}
    for field in form:
        value = field.value()
        widget = field.field.widget
        if isinstance(value, list):
            words[field.html_name] = value
        elif value not in (None, "", False):
            shown = widget.format_value(value)
            words[field.html_name] = shown[0] if isinstance(shown, list) else shown
    return words


def text(answer: Any) -> str:
    """The page without its tags."""
    return unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))


def fresh(world: World, case: Case) -> Case:
    """The case as the investigator reads it now; for use inside `factories.as_person`."""
    found: Case = Case.objects.get(pk=case.pk)
    return found


def value(world: World, case: Case, name: str) -> Any:
    """A value as it stands in the database."""
    with factories.as_person(world.investigator):
        found = getattr(Case.objects.get(pk=case.pk), name)
        return found.reveal() if hasattr(found, "reveal") else found
