"""The side navigation: one table, role by role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from access.roles import may

Label = str | Promise  # drawn in the language of the reader


@dataclass(frozen=True)
class Count:
    """What waits behind an entry: a number, or words when something is late ("3 late")."""

    text: Label
    is_late: bool = False


@dataclass(frozen=True)
class Entry:
    """One line of the navigation."""

    url_name: str
    label: Label
    icon: str
    permission: str


@dataclass(frozen=True)
class Link:
    """An entry as drawn for one person on one page."""

    url: str
    label: Label
    icon: str
    is_here: bool = False
    count: Count | None = None


@dataclass(frozen=True)
class Group:
    """Links under one small heading ("" for the first)."""

    label: Label
    links: list[Link]


WORK = Entry("cases:work", _("Today"), "house", "cases.list_cases")
CASES = Entry("cases:list", _("Cases"), "text-left", "cases.list_cases")
AREA_CASES = Entry("cases:list", _("Cases in my area"), "text-left", "cases.list_cases")
CONTACTS = Entry("contacts:list", pgettext_lazy("navigation", "Contacts"), "people", "contacts.list_contacts")
OUTBREAKS = Entry("cases:outbreaks", _("Outbreaks"), "share", "cases.view_outbreaks")
IMPORT = Entry("contacts:import", _("Import line list"), "box-arrow-in-down", "cases.import_linelist")
MY_ACCESS = Entry("access:grants", _("My access"), "key", "access.view_own_grants")
GRANTS = Entry("access:grants", _("Grants"), "key", "access.view_grants")
TEAMS = Entry("access:teams", _("Teams"), "people", "access.keep_teams")
STAND_INS = Entry("access:stand_ins", _("Stand-ins"), "person", "access.name_stand_in")
HOLDERS = Entry("access:holders", _("Who holds access"), "people", "access.revoke_all")
ACCOUNTS = Entry("access:accounts", _("Accounts"), "people", "access.view_accounts")
REVIEWS = Entry("access:reviews", _("Reviews"), "check-lg", "access.view_reviews")
REQUESTS = Entry("access:requests", _("Requests"), "send", "access.decide_request")
MY_REQUESTS = Entry("access:requests", _("My requests"), "send", "access.request_access")
ORGANISATIONS = Entry("access:organisations", _("Organisations"), "share", "access.view_organisations")
EXPORTS = Entry("disclosure:exports", _("Exports"), "file-earmark", "disclosure.list_exports")
LOG = Entry("audit:log", _("Log"), "text-left", "audit.view_ledger")
INTEGRITY = Entry("audit:integrity", _("Integrity"), "lock", "audit.verify_ledger")
DICTIONARY = Entry("cases:dictionary", _("Data dictionary"), "book", "cases.view_dictionary")
TOKENS = Entry("access:tokens", _("Tokens of the API"), "key", "access.use_tokens")
OWN_LOG = Entry("audit:mine", _("My own log"), "eye", "audit.view_own_events")

_ME: tuple[Label, list[Entry]] = (_("Me"), [OWN_LOG])
_ME_AND_MY_PROGRAMS: tuple[Label, list[Entry]] = (_("Me"), [OWN_LOG, TOKENS])
_FALLBACK: list[tuple[Label, list[Entry]]] = [_ME]
NAVIGATION: dict[str, list[tuple[Label, list[Entry]]]] = {
    "investigator": [
        ("", [WORK, CASES, CONTACTS, OUTBREAKS]),
        (_("Data and access"), [MY_ACCESS, MY_REQUESTS, EXPORTS, DICTIONARY]),
        _ME_AND_MY_PROGRAMS,
    ],
    "supervisor": [
        ("", [WORK, AREA_CASES, CONTACTS, OUTBREAKS, IMPORT]),
        (_("Decisions"), [GRANTS, REQUESTS, HOLDERS, TEAMS, STAND_INS, REVIEWS, EXPORTS, DICTIONARY]),
        _ME_AND_MY_PROGRAMS,
    ],
    "auditor": [("", [LOG, REVIEWS, INTEGRITY]), (_("Reference"), [DICTIONARY]), _ME_AND_MY_PROGRAMS],
    "privacy": [("", [DICTIONARY]), _ME],
    "secadmin": [("", [ACCOUNTS, ORGANISATIONS, HOLDERS]), (_("Reference"), [DICTIONARY]), _ME],
    "sysadmin": _FALLBACK,
    "partner": _FALLBACK,
}
_ABOUT_ONESELF = ("/access/me/", "/access/notices/")
_counters: dict[str, Callable[[Any], Count | None]] = {}


def count_with(url_name: str, counter: Callable[[Any], Count | None]) -> None:
    """Let a room to the left say what waits behind one of its entries; None shows nothing."""
    _counters[url_name] = counter


def for_person(person: Any, path: str) -> list[Group]:
    """The groups this person may walk; entries without an address or the role's permission are left out."""
    table = NAVIGATION.get(str(person.role), _FALLBACK)
    drawn = [Group(label, _links(entries, person)) for label, entries in table]
    return [_mark_here(group, _nearest(drawn, path)) for group in drawn if group.links]


def _links(entries: list[Entry], person: Any) -> list[Link]:
    links = []
    for entry in entries:
        if not may(str(person.role), entry.permission):
            continue
        try:
            url = reverse(entry.url_name)
        except NoReverseMatch:
            continue
        counter = _counters.get(entry.url_name)
        links.append(Link(url, entry.label, entry.icon, count=counter(person) if counter else None))
    return links


def _nearest(groups: list[Group], path: str) -> str:
    """The longest address that the page's path starts with; none on pages about oneself, which have no entry."""
    if path.startswith(_ABOUT_ONESELF):
        return ""
    urls = [link.url for group in groups for link in group.links if path.startswith(link.url)]
    return max((url for url in urls if url != "/" or path == "/"), key=len, default="")


def _mark_here(group: Group, here: str) -> Group:
    return Group(group.label, [replace(link, is_here=link.url == here) for link in group.links])
