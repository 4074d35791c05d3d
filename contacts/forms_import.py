"""The words of an import: which file, read how, into which outbreak and district."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from access.models import Organisation, User
from cases.linelist import kinds
from cases.models import Outbreak
from vault.forms import ClearChoices

MOST_MEGABYTES = settings.FILE_UPLOAD_MAX_MEMORY_SIZE // 1024**2
NO_FILE = _("Choose a CSV or XLSX file of at most {most} MB.")


class ImportForm(ClearChoices, forms.Form):
    """A line list file and where it belongs."""

    file = forms.FileField(
        label=_("File"),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        help_text=_(
            "CSV (UTF-8 or GB18030) or XLSX. It is kept encrypted until the import is over, never on disk."
        ),
        error_messages={
            code: format_lazy(NO_FILE, most=MOST_MEGABYTES)
            for code in ("required", "missing", "invalid", "empty")
        },
    )
    profile = forms.ChoiceField(
        label=_("Profile"), help_text=_("Says which column of the source becomes which field.")
    )
    outbreak = forms.ModelChoiceField(
        label=_("Outbreak"), queryset=Outbreak.objects.none(), empty_label=_("Choose")
    )
    district = forms.ModelChoiceField(
        label=_("District of the cases"), queryset=Organisation.objects.none(), empty_label=None
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        titles = [("", _("Choose"))] + [(profile.name, _now(profile.title)) for profile in kinds.profiles()]
        self.fields["profile"].choices = titles  # type: ignore[attr-defined]
        self.fields["outbreak"].queryset = Outbreak.objects.filter(  # type: ignore[attr-defined]
            ended_on__isnull=True
        ).select_related("disease")
        self.fields["district"].queryset = districts_of(by)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        profile, outbreak = given.get("profile"), given.get("outbreak")
        if profile and outbreak and not kinds.fits(kinds.kind(profile).profile, outbreak):
            self.add_error("outbreak", _now("The profile is of another disease than this outbreak."))
        return given


def districts_of(person: User) -> QuerySet[Organisation]:
    """The districts of the person's area."""
    mine = person.organisation_id
    inside = Q(pk=mine) | Q(parent=mine) | Q(parent__parent=mine)
    found: QuerySet[Organisation] = Organisation.objects.filter(
        inside, level=Organisation.Level.DISTRICT, closed_at__isnull=True
    )
    return found.order_by("code")
