"""What a person is told, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from access.actions import notices as actions
from access.http import SignedInRequest
from access.models import Notice
from audit import trail
from audit.acts import Act

SHOWN = 200
Kind = Notice.Kind

SENTENCES = {
    Kind.EMERGENCY_OPENED: gettext_lazy("%(person)s used emergency access on %(case)s."),
    Kind.EMERGENCY_TO_REVIEW: gettext_lazy(
        "The emergency access of %(person)s to %(case)s waits for its review."
    ),
    Kind.EMERGENCY_REVIEWED: gettext_lazy("%(person)s reviewed your emergency access to %(case)s."),
    Kind.EMERGENCY_UNJUSTIFIED: gettext_lazy(
        "The emergency access of %(person)s to %(case)s was found not justified and has ended."
    ),
    Kind.REVIEW_OVERDUE: gettext_lazy(
        "The review of the emergency access of %(person)s to %(case)s is overdue."
    ),
    Kind.QUOTA_EXCEEDED: gettext_lazy("%(person)s asked for more values in an hour than allowed."),
    Kind.GRANT_ENDING: gettext_lazy("Your access to %(case)s ends soon."),
    Kind.GRANTS_UNUSED: gettext_lazy("Access in your area has not been used for 14 days."),
    Kind.GRANT_REVOKED: gettext_lazy("%(person)s revoked your access to %(case)s."),
    Kind.REQUEST_WAITING: gettext_lazy("%(person)s asks for access to %(case)s."),
    Kind.REQUEST_ANSWERED: gettext_lazy("%(person)s answered your request for access to %(case)s."),
    Kind.WORK_LEFT: gettext_lazy("The access of %(person)s has ended. Hand their work over."),
    Kind.WORK_HANDED_OVER: gettext_lazy("%(person)s handed a colleague's work over to you."),
    Kind.FACTORS_RESET: gettext_lazy(
        "%(person)s reset your second factor. If you did not ask for it, tell another security administrator."
    ),
    Kind.FACTORS_RESET_OF: gettext_lazy("The second factor of %(person)s was reset."),
}
# Where a notice leads, by address name: with the decision's identifier, or to a list.
LEADS = {
    Kind.EMERGENCY_OPENED: "access:review",
    Kind.EMERGENCY_TO_REVIEW: "access:review",
    Kind.EMERGENCY_UNJUSTIFIED: "access:review",
    Kind.REVIEW_OVERDUE: "access:review",
    Kind.QUOTA_EXCEEDED: "access:reviews",
    Kind.GRANT_ENDING: "access:grants",
    Kind.GRANTS_UNUSED: "access:unused",
    Kind.REQUEST_WAITING: "access:requests",
    Kind.REQUEST_ANSWERED: "access:requests",
    Kind.WORK_LEFT: "access:holders",
    Kind.WORK_HANDED_OVER: "access:grants",
    Kind.FACTORS_RESET: "access:own_account",
    Kind.FACTORS_RESET_OF: "access:accounts",
}
# Nothing of these is about a case: every role is led there.
_OF_ACCOUNTS = (Kind.FACTORS_RESET, Kind.FACTORS_RESET_OF)


@dataclass(frozen=True)
class Line:
    """A notice in words, and where it leads."""

    notice: Notice
    words: str
    url: str


@require_safe
@permission_required("access.view_own_notices", raise_exception=True)
def notices(request: SignedInRequest) -> HttpResponse:
    """One's own notices, newest first."""
    rows = list(Notice.objects.filter(person=request.user).select_related("about").defer("about__password")
                .order_by("-created_at", "-pk")[:SHOWN])  # fmt: skip
    numbers = _numbers() if any(row.case_id for row in rows) else {}
    lines = [_line(row, numbers.get(row.pk, ""), str(request.user.role)) for row in rows]
    trail.record(Act.NOTICE_VIEW, counts={"notices": len(lines)})
    return render(
        request, "access/notices.html", {"lines": lines, "unread": sum(not row.is_read for row in rows)}
    )


@require_POST
@permission_required("access.view_own_notices", raise_exception=True)
def read_notices(request: SignedInRequest) -> HttpResponse:
    """Mark all of one's own notices as read."""
    number = actions.mark_all_read(request.user)
    words = ngettext("%(n)d notice is marked as read.", "%(n)d notices are marked as read.", number)
    messages.success(request, words % {"n": number})
    return redirect("access:notices")


def _numbers() -> dict[UUID, str]:
    """The case numbers that this reader may be told, by notice; the database decides."""
    with connection.cursor() as cursor:
        cursor.execute("select notice_id, case_no from sec.notice_numbers()")
        return dict(cursor.fetchall())


def _line(notice: Notice, number: str, role: str) -> Line:
    person = notice.about.display_name if notice.about else _("The system")
    words = SENTENCES[Kind(notice.kind)] % {"person": person, "case": number or _("a case")}
    return Line(notice, words, _url(notice, role))


def _url(notice: Notice, role: str) -> str:
    if role not in ("investigator", "supervisor", "auditor") and Kind(notice.kind) not in _OF_ACCOUNTS:
        return ""
    name = LEADS.get(Kind(notice.kind), "")
    if name == "access:review":
        return _reverse(name, notice.decision_id) if role != "investigator" else ""
    return _reverse(name)


def _reverse(name: str, *arguments: object) -> str:
    try:
        return reverse(name, args=arguments) if name else ""
    except NoReverseMatch:
        return ""
