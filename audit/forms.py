"""What an auditor may ask the ledger for. Nothing of a person: numbers, users, codes and days."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit import search, sentences, trace_codes, words
from audit.acts import CATALOGUE, Act, Outcome
from audit.search import Filters
from vault.forms import ClearChoices

DAYS = [("1", _("Today")), ("7", _("7 days")), ("30", _("30 days")), ("", _("All times"))]
GROUPS = {
    "shown": (_("Values shown"), tuple(act for act, entry in CATALOGUE.items() if entry.discloses)),
    "changed": (_("Changes"), tuple(act for act, entry in CATALOGUE.items() if entry.changes)),
    "grants": (_("Access"), (Act.GRANT_ISSUE, Act.GRANT_REVOKE, Act.GRANT_REQUEST, Act.EMERGENCY_OPEN)),
    "exports": (_("Exports"), tuple(act for act in Act if act.value.startswith("export."))),
    "signing": (_("Sign-in"), tuple(act for act in Act if act.value.startswith("sign_in"))),
    "audit": (_("Log read"), tuple(act for act in Act if act.value.startswith("audit."))),
}


class LogFilter(ClearChoices, forms.Form):
    """The filters above the log; what cannot be read narrows nothing and says so."""

    case = forms.CharField(label=_("Case number"), required=False, max_length=40)
    user = forms.ChoiceField(label=_("User"), required=False)
    act = forms.ChoiceField(label=_("Act"), required=False)
    purpose = forms.ChoiceField(label=_("Purpose"), required=False)
    days = forms.ChoiceField(label=_("Time"), required=False, choices=DAYS)
    refused = forms.BooleanField(label=_("Refused only"), required=False)
    code = forms.CharField(label=_("Trace code"), required=False, max_length=24)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        people = [(str(key), name) for key, name in search.people()]
        self._choices("user", _("Every user"), people)
        groups = [(code, label) for code, (label, _acts) in GROUPS.items()]
        acts = [(act.value, sentences.act_label(act)) for act in Act]
        self._choices("act", _("Every act"), [*groups, (_("Single acts"), acts)])
        self._choices("purpose", _("Every purpose"), words.purposes())

    def clean_code(self) -> str:
        """The code as it was issued, damage repaired."""
        text = self.cleaned_data["code"].strip()
        if not text:
            return ""
        try:
            return trace_codes.decode(text).code
        except trace_codes.NotATraceCode:
            raise forms.ValidationError(
                _("No trace code: 16 characters, ? for each one you cannot read, at most 6.")
            ) from None

    @property
    def is_active(self) -> bool:
        """Whether anything narrows the log, or wants to and cannot: then the filters stay in sight."""
        return bool(self.errors) or any(self.data.get(name) for name in self.fields)

    def filters(self) -> Filters:
        """What to look for."""
        given = self.cleaned_data if self.is_valid() else {}
        return Filters(
            actor_id=UUID(given["user"]) if given.get("user") else None,
            label=given.get("case", "").strip(),
            acts=_acts(given.get("act", "")),
            purpose=given.get("purpose", ""),
            outcome=Outcome.REFUSED if given.get("refused") else None,
            since=_since(given.get("days", "")),
            trace_code=given.get("code", ""),
        )

    def coded(self) -> dict[str, str]:
        """The filters as codes, for the event of this reading."""
        given = self.cleaned_data if self.is_valid() else {}
        return {
            name: str(given[name]) for name in ("user", "act", "purpose", "days", "code") if given.get(name)
        }

    def _choices(self, name: str, everything: Any, choices: list[Any]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", everything), *choices]


def _acts(code: str) -> tuple[str, ...]:
    return GROUPS[code][1] if code in GROUPS else (code,) if code else ()


def _since(days: str) -> datetime | None:
    if not days:
        return None
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=int(days) - 1)
