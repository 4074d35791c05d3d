"""What the pages of contacts show, and the purpose that a person gave for looking into a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from access.dates import day_words
from access.http import SignedInRequest
from access.models import User
from access.navigation import Count
from access.purposes import Purpose
from cases import codes
from cases.holdings import holding
from cases.lists import Cursor
from cases.models import Case
from cases.views import purposes
from cases.wording import age_words
from contacts import editing, lists
from contacts.forms import SECTIONS, EditForm, FilterForm
from contacts.models import Contact

_ENCRYPTED: Final = frozenset(field.name for field in Contact.encrypted_fields())
MOST_COUNTED: Final = 100

# The eight fields of the minimum are always on the page; others only when something is known.
_ALWAYS: Final = frozenset(
    {"full_name", "phone", "relation", "mode", "level", "last_contact_date", "sex_age"}
)
_SHOWN: Final[tuple[tuple[str, str | Promise, tuple[str, ...]], ...]] = (
    (
        "identity",
        _("Identity"),
        (
            "full_name",
            "sex_age",
            "id_kind",
            "id_number",
            "birth_date",
            "nationality",
            "occupation_group",
            "is_health_worker",
        ),
    ),
    (
        "reach",
        _("Contact details"),
        (
            "phone",
            "relation",
            "guardian_name",
            "guardian_relation",
            "town",
            "street",
            "address_detail",
            "workplace_name",
            "school_name",
            "school_class",
        ),
    ),
    (
        "exposure",
        _("Exposure"),
        (
            "level",
            "parent_contact",
            "mode",
            "first_contact_date",
            "last_contact_date",
            "place_name",
            "frequency",
            "duration_minutes",
            "protection",
        ),
    ),
)


@dataclass(frozen=True)
class Fact:
    """One line of the page: a plain text, or a protected value with where it is shown."""

    name: str
    label: Any
    value: Any
    url: str = ""
    lit: str | None = None
    is_secret: bool = False

    @property
    def element_id(self) -> str:
        """Where htmx finds the value in the page."""
        return f"value-{self.name}"


@dataclass(frozen=True)
class Section:
    """A card of facts."""

    code: str
    label: Any
    facts: list[Fact]


def purpose_for(request: SignedInRequest, contact: Contact) -> str:
    """The purpose this person gave for the source case in this session, "" before the first time."""
    held = holding(request.user, contact.source_case)
    return purposes.known(request, contact.source_case, held)


def take_purpose(request: SignedInRequest, contact: Contact) -> str:
    """Keep the purpose that was posted; gives the mistake in words, "" when there is none."""
    held = holding(request.user, contact.source_case)
    return purposes.stated(request, contact.source_case, held)[1] if "purpose" in request.POST else ""


def forget_purpose(request: SignedInRequest, contact: Contact) -> None:
    """The next value asks for the purpose again."""
    purposes.keep(request, contact.source_case, "")


def purpose_dialog(
    request: SignedInRequest, contact: Contact, *, action: str, target: str, title: str, error: str = ""
) -> dict[str, Any]:
    """What the purpose dialog needs."""
    name = contact.full_name.masked if contact.full_name else ""
    held = holding(request.user, contact.source_case)
    return {
        "dialog": {
            "title": title,
            "object": f"{contact.contact_no} {name}".strip(),
            "action": action,
            "target": target,
            "choices": purposes.choices(held),
            "chosen": held.purpose or Purpose.CONTACTS.value,
            "facts": [(_now("Case"), contact.source_case.case_no)],
            "error": error,
        }
    }


def purpose_context(request: SignedInRequest, contact: Contact) -> dict[str, Any]:
    """The purpose as the head of a section says it."""
    code = purpose_for(request, contact)
    return {"purpose": {"code": code, "label": Purpose(code).label} if code else None}


def facts(contact: Contact, lit: Mapping[str, Any] | None = None) -> list[Section]:
    """The contact in sections; `lit` holds values just opened, by field name."""
    shown = lit or {}
    sections = []
    for code, label, names in _SHOWN:
        found = [_fact(contact, name, shown) for name in names]
        kept = [fact for fact in found if fact.value not in (None, "") or fact.name in _ALWAYS]
        sections.append(Section(code, label, kept))
    return sections


def list_context(request: SignedInRequest, case: Case | None = None) -> dict[str, Any]:
    """One page of contacts with its filters; raises NotACursor."""
    form = FilterForm(request.GET)
    ended = form.is_about_ended
    found = lists.of_cases(request.user, case)
    shown = lists.page(
        found, today=today(), ended=ended, cursor=Cursor.parse(request.GET.get("at", "")), filters=form.wanted
    )
    kept = {name: value for name, value in form.wanted.items() if value} | (
        {"view": "ended"} if ended else {}
    )
    return {
        "page": shown,
        "filters": form,
        "is_filtered": any(form.wanted.values()),
        "ended": ended,
        "case": case,
        "counts": lists.counts(found, today()),
        "before": _address(kept, shown.before),
        "after": _address(kept, shown.after),
        "words": _range(shown),
    }


def edit_context(contact: Contact, form: EditForm, tokens: Mapping[str, str]) -> dict[str, Any]:
    """The form in its sections; closed fields stand masked in their places."""
    sections = []
    for code, label, names in SECTIONS:
        fields = [form[name] for name in names if name in form.fields]
        masked = [_fact(contact, name, {}) for name in names if name not in form.fields]
        sections.append({"code": code, "label": label, "fields": fields, "masked": masked})
    return {"contact": contact, "form": form, "sections": sections, "tokens": tokens.items()}


def today() -> date:
    """The day that pages count from."""
    return timezone.localdate()


def late(person: Any) -> Count | None:
    """What waits behind the entry of the navigation: contacts whose observation has passed its last day."""
    if not isinstance(person, User):
        return None
    found = lists.of_cases(person).overdue(today())
    number = found.order_by()[: MOST_COUNTED + 1].count()
    if not number:
        return None
    text = f"{MOST_COUNTED}+" if number > MOST_COUNTED else str(number)
    return Count(ngettext("%(n)s late", "%(n)s late", number) % {"n": text}, is_late=True)


def _fact(contact: Contact, name: str, lit: Mapping[str, Any]) -> Fact:
    if name == "sex_age":
        return Fact(name, _("Sex, age"), _sex_and_age(contact) or "—")
    field: Any = Contact._meta.get_field(name)
    value = getattr(contact, name)
    if name in _ENCRYPTED:
        url = reverse("contacts:reveal", args=[contact.pk, name])
        words = (editing.words(name, lit[name]) or "—") if name in lit else None
        return Fact(name, field.verbose_name, value, url, words, is_secret=True)
    return Fact(name, field.verbose_name, editing.words(name, value))


def _sex_and_age(contact: Contact) -> str:
    sex = codes.label("SEX", contact.sex) if contact.sex else ""
    age = "" if contact.age_value is None else age_words(contact.age_value, contact.age_unit)
    return ", ".join(part for part in (sex, age) if part)


def _address(kept: Mapping[str, str], key: str) -> str:
    return f"?{urlencode({**kept, 'at': key})}" if key else ""


def _range(shown: lists.Page) -> str:
    if not shown.rows:
        return ""
    first, last = shown.contacts[0].follow_up_end_date, shown.contacts[-1].follow_up_end_date
    return _now("Last day of follow-up %(first)s to %(last)s") % {
        "first": day_words(first),
        "last": day_words(last),
    }
