"""One stay or journey: a day, times as people say them, a place, and how one got there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cases import merging, validation
from cases.forms.fields import CheckedField, DayField, form_field, with_value
from cases.models import Case, Visit
from vault.forms import ClearChoices

QUICK: Final = ("place_name", "place_kind", "transport", "time_precision", "info_source", "note")
MORE: Final = ("address", "service_no", "carriage", "seat", "plate", "companions", "mask_worn")
LONGEST_STAY: Final = timedelta(days=31)
# A year before the case fell ill, tested positive or was reported: what lies further back is a mistyped year.
OLDEST_VISIT_DAYS: Final = 366
_TIME = re.compile(r"(\d{1,2}):?(\d{2})")


def clock(text: str) -> int:
    """Minutes after midnight of "8:30", "830" or "24:00"."""
    found = _TIME.fullmatch(validation.narrow(text).replace("：", ":"))
    hours, minutes = (int(part) for part in found.groups()) if found else (99, 99)
    if minutes > 59 or hours * 60 + minutes > 24 * 60:
        raise ValidationError(_t("Enter a time such as 08:30 or 830."), code="time")
    return hours * 60 + minutes


class ClockField(CheckedField):
    """A time of day as minutes after midnight; 24:00 is the end of the day."""

    def __init__(self, **options: Any) -> None:
        super().__init__(rule=clock, limit=8, **options)
        self.widget.attrs.update({"inputmode": "numeric", "placeholder": "08:30"})

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(initial or "") != str(data or "")


class VisitForm(ClearChoices, forms.Form):
    """A row of the movements."""

    day = DayField(label=_("Day"))
    start = ClockField(label=_("From"))
    end = ClockField(label=pgettext_lazy("time", "To"), required=False)
    end_day = DayField(label=_("Until day"), required=False, help_text=_("Only when it is another day."))
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20_000)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._case = case
        for name in (*QUICK, *MORE):
            required = name in ("time_precision", "info_source")
            self.fields[name] = form_field(Visit, name, required=required)
            self.fields[name].help_text = ""
        self.fields["place_name"].help_text = _("Not needed on the way.")
        self.initial = {"time_precision": "minute", "info_source": "self", **self.initial}

    @property
    def quick(self) -> list[forms.BoundField]:
        """The fields of every row."""
        return [self[name] for name in ("day", "start", "end", *QUICK)]

    @property
    def more(self) -> list[forms.BoundField]:
        """The fields that few rows need."""
        return [self[name] for name in ("end_day", *MORE)]

    @property
    def has_more(self) -> bool:
        """Is one of the rarer fields filled or wrong?"""
        return any(field.errors or field.value() for field in self.more)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        start, end = moments(given)
        if start is not None:
            self._check_times(start, end)
        if "place_name" in given and not given["place_name"] and not given.get("transport"):
            self.add_error("place_name", _t("Name the place, or the transport on the way."))
        return given

    def _check_times(self, start: datetime, end: datetime | None) -> None:
        now = timezone.now()
        if start > now:
            self.add_error("day", _t("This lies in the future. Check the date."))
        elif (_first_sign(self._case) - timezone.localdate(start)).days > OLDEST_VISIT_DAYS:
            self.add_error("day", _t("This is more than a year before the case began. Check the year."))
        if end is None:
            return
        if end < start:
            self.add_error("end", _t("The stay ends before it starts. Correct one of the times."))
        elif end - start > LONGEST_STAY:
            self.add_error("end_day", _t("The stay would last over a month. Check the days."))
        elif start <= now < end:
            self.add_error("end", _t("This lies in the future. Check the time."))

    @property
    def seen_marks(self) -> dict[str, str]:
        return merging.parse(str(self.data.get("seen", "")))

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, by model field; nothing is NULL."""
        start, end = moments(self.cleaned_data)
        rest = {name: self.cleaned_data[name] for name in (*QUICK, *MORE)}
        told = {name: None if value in ("", None) else value for name, value in rest.items()}
        return {"start_at": start, "end_at": end, **told}

    def drawn_again(self, marks: Mapping[str, str]) -> None:
        """Carry newer marks: whoever saves again has seen what stands there now."""
        self.data = with_value(self.data, "seen", json.dumps({**self.seen_marks, **marks}))


def _first_sign(case: Case) -> date:
    """The first day on which anything is known of the case: onset, first positive sample or report."""
    known = (case.onset_date, case.first_positive_date, timezone.localdate(case.reported_at))
    return min(day for day in known if day is not None)


def moments(given: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """Arrival and departure from the typed day and times."""
    day, start, end = given.get("day"), given.get("start"), given.get("end")
    if not isinstance(day, date) or not isinstance(start, int):
        return None, None
    last = given.get("end_day") or day
    return _moment(day, start), _moment(last, end) if isinstance(end, int) else None


def drawn(values: Mapping[str, Any]) -> dict[str, Any]:
    """The form's starting values from a visit's opened values."""
    told = {name: value for name, value in values.items() if name not in ("start_at", "end_at")}
    start, end = (timezone.localtime(one) if one else None for one in (values["start_at"], values["end_at"]))
    if start:
        told |= {"day": start.date(), "start": f"{start:%H:%M}"}
    if end:
        is_midnight = (
            end.time() == time() and start is not None and end.date() == start.date() + timedelta(days=1)
        )
        told["end"] = "24:00" if is_midnight else f"{end:%H:%M}"
        if start and end.date() != start.date() and not is_midnight:
            told["end_day"] = end.date()
    return told


def _moment(day: date, minutes: int) -> datetime:
    midnight = datetime.combine(day, time())
    return timezone.make_aware(midnight + timedelta(minutes=minutes))
