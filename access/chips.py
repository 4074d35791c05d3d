"""The silhouette and word of each state; colour comes third."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Chip:
    """Word, shape and tone of one state."""

    label: str | Promise
    icon: str
    tone: str = ""


CLASSIFICATIONS = {
    "confirmed": Chip(_("Confirmed"), "circle-fill", "inf"),
    "clinical": Chip(_("Clinically diagnosed"), "circle-half"),
    "probable": Chip(_("Probable"), "circle-half"),
    "suspected": Chip(_("Suspected"), "diamond-thick"),
    "asymptomatic": Chip(_("Asymptomatic"), "ring", "exp"),
    "carrier": Chip(_("Carrier"), "ring", "exp"),
    "positive_test": Chip(_("Positive, under review"), "diamond-thick"),
    "excluded": Chip(_("Excluded"), "slash-circle"),
}
_CASES = {
    "draft": Chip(_("Draft"), "pencil"),
    "new": Chip(_("New"), "plus-lg"),
    "assigned": Chip(_("Assigned"), "person"),
    "investigating": Chip(_("Investigating"), "pencil", "ac"),
    "review": Chip(_("Waiting for review"), "clock"),
    "reviewed": Chip(_("Reviewed"), "check-lg", "ok"),
    "returned": Chip(_("Returned"), "arrow-return-left", "bad"),
    "closed": Chip(_("Closed"), "lock"),
    "archived": Chip(_("De-identified"), "lock"),
}
_CONTACTS = {
    "to_notify": Chip(_("To notify"), "telephone"),
    "referred": Chip(_("Referred"), "send"),
    "under_observation": Chip(_("Under observation"), "eye", "ac"),
    "home_monitoring": Chip(_("Home monitoring"), "house", "ac"),
    "released": Chip(_("Released"), "check-lg", "ok"),
    "case": Chip(_("Became a case"), "circle-fill", "inf"),
    "lost": Chip(_("Lost to follow-up"), "exclamation-triangle", "bad"),
    "cancelled": Chip(_("Cancelled"), "slash-circle"),
}
_EXPORTS = {
    "requested": Chip(_("Waiting for approval"), "clock"),
    "approved": Chip(_("Approved"), "check-lg", "ok"),
    "rejected": Chip(_("Declined"), "x-lg", "bad"),
    "building": Chip(_("Being built"), "hourglass", "ac"),
    "ready": Chip(_("Ready"), "download", "ac"),
    "built": Chip(_("Ready"), "download", "ac"),
    "downloaded": Chip(_("Downloaded"), "check-lg", "ok"),
    "expired": Chip(_("Expired"), "lock"),
    "failed": Chip(_("Failed"), "exclamation-triangle", "bad"),
}
_REQUESTS = {
    "wish_open": Chip(_("Waiting for an answer"), "clock"),
    "wish_approved": Chip(_("Approved"), "check-lg", "ok"),
    "wish_refused": Chip(_("Declined"), "x-lg", "bad"),
    "wish_withdrawn": Chip(_("Withdrawn"), "arrow-return-left"),
    "wish_expired": Chip(_("Not answered in 7 days"), "lock"),
}
STATUSES = _CASES | _CONTACTS | _EXPORTS | _REQUESTS


def choices(chips: Mapping[str, Chip], codes: Iterable[str]) -> list[tuple[str, str | Promise]]:
    """Choices with the words of the chips: a filter names a state as its list does."""
    return [(code, chips[code].label) for code in codes]
