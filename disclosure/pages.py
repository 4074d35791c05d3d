"""What the pages of exports show, put together so that templates hold no rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from access.actor import current
from access.dates import moment_words
from access.navigation import Count
from cases.models import Case
from disclosure import profiles, risk, values
from disclosure.forms import RequestForm
from disclosure.models import Export, ExportCase, Status
from disclosure.profiles import ExportField

if TYPE_CHECKING:
    from access.models import User

PREVIEW_ROWS = 5
STEP_LABELS = (
    gettext_lazy("Fill in the request"),
    gettext_lazy("Approval by another person"),
    gettext_lazy("Building the file"),
    gettext_lazy("One download"),
)


@dataclass(frozen=True)
class Beside:
    """The cards beside the request: how many rows, how small the smallest group, who has to agree."""

    n_cases: int
    n_fields: int
    risk: risk.Risk
    classes: str


@dataclass(frozen=True)
class FieldRow:
    """One field in the table of choices."""

    field: ExportField
    is_taken: bool

    @property
    def contents(self) -> list[Contents]:
        return contents([self.field])


@dataclass(frozen=True)
class FieldRows:
    """The table of choices: the usual ones in sight, the others folded away until one of them is taken."""

    first: list[FieldRow]
    more: list[FieldRow]
    is_open: bool


@dataclass(frozen=True)
class Contents:
    """What one column holds: the headings of its parts, and of the fields that these repeat."""

    label: object
    parts: str
    says: str


@dataclass(frozen=True)
class Step:
    """One line of what has happened so far."""

    icon: str
    verb: str
    text: str
    note: str


def beside(form: RequestForm) -> Beside:
    """Count and group the cases of the choice as it stands."""
    names = form.taken()
    found = risk.assess(form.cases(), names)
    return Beside(found.n_cases, len(names), found, class_words(profiles.chosen(names)))


def field_rows(form: RequestForm) -> FieldRows:
    """The fields most often taken, and the others."""
    taken = set(form.taken())
    rows = [FieldRow(field, field.name in taken) for field in profiles.every_field()]
    usual = {*profiles.FIRST, *profiles.NEVER, profiles.VISITS}
    more = sorted((row for row in rows if row.field.name not in usual), key=_by_class)
    return FieldRows(
        [row for row in rows if row.field.name in usual], more, any(row.is_taken for row in more)
    )


def _by_class(row: FieldRow) -> int:
    return profiles.CLASS_ORDER.index(row.field.data_class)


def sets(form: RequestForm) -> list[tuple[profiles.FieldSet, bool]]:
    """The sets to start from, and whether the choice is just that one."""
    taken = set(form.taken())
    exact = next(
        (one for one in (profiles.STATISTICS, profiles.REPORT) if set(one.names) == taken), profiles.CUSTOM
    )
    return [(one, one is exact) for one in profiles.FIELD_SETS.values()]


def words_with_set(posted: QueryDict) -> dict[str, Any]:
    """What was typed so far, with the fields and the purpose of the set that was asked for."""
    words: dict[str, Any] = {name: posted.get(name, "") for name in posted if name != "csrfmiddlewaretoken"}
    field_set = profiles.FIELD_SETS.get(posted.get("use_set", ""), profiles.STATISTICS)
    words["case"] = posted.getlist("case")
    words["fields_taken"] = list(field_set.names) or posted.getlist("fields_taken")
    words["purpose"] = field_set.purpose or words.get("purpose", "")
    return words


def approval(export: Export, person: User) -> dict[str, Any]:
    """All that the approver decides on: the first rows as they leave, what stays, what goes too far."""
    fields = profiles.chosen(export.fields)
    ids = ExportCase.objects.filter(export=export).order_by("position").values_list("case_id", flat=True)
    mine = Case.objects.visible_to(person).filter(pk__in=ids)
    first = list(ids[:PREVIEW_ROWS])
    shown = {
        one.pk: one for one in mine.filter(pk__in=first).select_related("district", "outbreak", "report_org")
    }
    found = risk.assess(mine, export.fields)
    needed = profiles.needed_for(export.purpose)
    beyond = profiles.beyond_purpose(export.fields, export.purpose)
    return {
        "fields": fields,
        "preview": _preview([shown[one] for one in first if one in shown], fields),
        "contents": contents(fields),
        "left_behind": listed(one.label for one in profiles.left_behind(export.fields)),
        "needed": listed(one.label for one in profiles.exportable() if one.name in needed),
        "beyond": listed(one.label for one in beyond),
        "n_beyond": len(beyond),
        "risk": found,
        "is_own": export.requester_id == person.pk,
        "is_covered": found.n_cases == export.n_cases,
        "classes": class_words(fields),
        "has_case_number": "case_no" in export.fields,
        "earlier": _earlier(export),
    }


def _preview(cases: list[Case], fields: tuple[ExportField, ...]) -> list[list[str]]:
    visits = values.visits_of([case.pk for case in cases], fields)
    return [values.preview_of(case, fields, visits.get(case.pk, ())) for case in cases]


def contents(fields: Iterable[ExportField]) -> list[Contents]:
    """The columns made of several values, with the headings of these."""
    return [
        Contents(
            field.label,
            listed(field.parts),
            listed(one.label for one in profiles.every_field() if one.name in field.says),
        )
        for field in fields
        if field.parts
    ]


def history(export: Export) -> list[Step]:
    """What has happened, oldest first."""
    steps = [Step("pencil", _("Requested"), str(export.requester), _when(export.requested_at))]
    if export.decided_at is not None:
        declined = export.status == "rejected"
        verb, icon = (_("Declined"), "x-lg") if declined else (_("Approved"), "check-lg")
        steps.append(Step(icon, verb, str(export.approver), _when(export.decided_at)))
    if export.built_at is not None:
        steps.append(Step("lock", _("Built and encrypted"), "", _when(export.built_at)))
    if export.passphrase_shown_at is not None:
        steps.append(
            Step("key", _("Passphrase shown"), str(export.requester), _when(export.passphrase_shown_at))
        )
    if export.downloaded_at is not None:
        steps.append(Step("download", _("Downloaded"), str(export.requester), _when(export.downloaded_at)))
    elif export.is_ready:
        steps.append(
            Step("download", _("Waiting for the download"), str(export.requester), _when(export.expires_at))
        )
    return steps


def fields_of(export: Export) -> dict[str, Any]:
    """How many fields, of which classes, with their headings."""
    fields = profiles.chosen(export.fields)
    return {
        "n": len(fields),
        "classes": class_words(fields),
        "labels": listed(field.label for field in fields),
        "contents": contents(fields),
    }


def class_words(fields: tuple[ExportField, ...]) -> str:
    """The data classes that have to be opened, in words; "" when none has to."""
    return listed(profiles.CLASS_WORDS[one] for one in profiles.sealed_classes(fields))


def waiting(person: User) -> Count | None:
    """How many requests wait for the supervisor's answer; asked only while their role is worn."""
    if not person.is_supervisor or current().user_id != person.pk:
        return None
    number = Export.objects.visible_to(person).filter(status=Status.REQUESTED).count()
    return Count(str(number)) if number else None


def listed(words: Iterable[object]) -> str:
    """Words in a row, as the reader's language parts them."""
    return ("、" if (get_language() or "").startswith("zh") else ", ").join(str(word) for word in words)


def _earlier(export: Export) -> int:
    """How many exports the requester asked for in the 30 days before, as far as the reader may know."""
    since = export.requested_at - timedelta(days=30)
    asked = Export.objects.filter(
        requester=export.requester_id, requested_at__gte=since, requested_at__lt=export.requested_at
    )
    return asked.count()


def _when(moment: Any) -> str:
    return moment_words(moment) if moment else ""
