"""The parts page: every part of the interface in all its states, with invented content."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.context_processors import Frame
from access.navigation import Count, Group, Link

TRACE = "7QK4-M2XD-9HTB-3WVE"


class Closed:
    """A value whose class is not in the person's grant."""

    masked = "•••"
    is_open_to_me = False


class PartsForm(forms.Form):
    """A field of each kind, with mistakes."""

    onset_date = forms.DateField(label=_("First positive"), help_text=_("The day the sample was taken."))
    outcome = forms.ChoiceField(label=_("Class"), choices=[("", "—"), ("a", "A"), ("b", "B")], required=False)
    ways = forms.MultipleChoiceField(
        label=_("Data class"),
        choices=[("r", "R"), ("t", "T")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    note = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 2}), required=False)


class GalleryFrame(Frame):
    """A frame for an invented person, so that the page needs no account and no database."""

    user = SimpleNamespace(is_authenticated=True, single_key_shortcuts=True)
    user_name = "沈知远"
    role_label = _("Investigator")  # type: ignore[assignment]
    organisation = "鹭屿区疾控中心"
    last_sign_in = datetime(2026, 11, 22, 10, 40, tzinfo=UTC)
    seconds_left = 852
    is_demo = True
    sees_cases = True
    groups = [
        Group(
            "",
            [
                Link("/", _("Today"), "house", is_here=True),
                Link("/cases/", _("Cases"), "text-left", count=Count("23")),
                Link("/contacts/", _("Contacts"), "people", count=Count(_("3 late"), is_late=True)),
                Link("/outbreaks/", _("Outbreaks"), "share"),
            ],
        ),
        Group(
            _("Data and access"),
            [
                Link("/grants/", _("My access"), "key", count=Count("2")),
                Link("/exports/", _("Exports"), "file-earmark", count=Count("1")),
            ],
        ),
        Group(_("Me"), [Link("/me/log/", _("My own log"), "eye")]),
    ]

    def __getattr__(self, name: str) -> str:
        return {"url_go": "/go/", "url_language": "/language/", "url_sign_out": "/sign-out/"}.get(
            name
        ) or super().__getattr__(name)


@login_not_required
def parts(request: HttpRequest) -> HttpResponse:
    form = PartsForm({"onset_date": "2026-15-11"})
    form.add_error("outcome", _("Earlier than the onset. Set the class to asymptomatic first."))
    form.add_error(None, _("Row 4 of the movements overlaps the row above by 36 minutes."))
    return render(request, "parts/gallery.html", _content(request) | {"form": form})


def _content(request: HttpRequest) -> dict[str, Any]:
    return {
        "frame": GalleryFrame(request),
        "trace_code": TRACE,
        "now": timezone.localtime(),
        "closed": Closed(),
        "classifications": ("confirmed", "clinical", "suspected", "asymptomatic", "excluded"),
        "statuses": ("new", "investigating", "review", "reviewed", "closed", "returned"),
        "step_labels": (_("Request"), _("Approval"), _("Build"), _("Download once")),
        "acts": [
            {"icon": "send", "verb": _("Reported"), "text": "鹭屿区第二医院", "note": "11-19 16:20"},
            {"icon": "key", "verb": _("Granted"), "text": "陆文清 → 沈知远", "note": "11-19 16:50"},
            {"icon": "eye", "verb": _("Seen"), "text": "4", "note": "11-20 – 11-23"},
        ],
        "choices": [
            {"code": "P2", "label": _("Reach the person"), "note": _("call, visit")},
            {"code": "P3", "label": _("Find the source"), "note": _("where the infection came from")},
            {"code": "P4", "label": _("Trace contacts"), "note": _("who has to be told")},
            {
                "code": "P6",
                "label": _("Classify and treat"),
                "note": _("health is not in your grant"),
                "is_off": True,
            },
        ],
        "facts": [
            (_("Shown now"), _("Phone")),
            (_("Hidden"), _("after 60 s, or when you leave")),
            (_("Basis"), "G-20811"),
        ],
    }
