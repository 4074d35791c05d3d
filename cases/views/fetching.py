"""Fetching a case through the person, with what its pages need, in one query."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404

from access import single_use
from access.http import SignedInRequest
from access.visibility import CasePermission
from cases.models import Case

BESIDE = ("outbreak__disease", "district", "report_org", "investigator")


def visible(
    request: SignedInRequest, case_id: UUID, permission: CasePermission = CasePermission.VIEW
) -> Case:
    """The case, or the one answer for missing and not granted. To change it, ask with CHANGE: it is then locked."""
    cases = Case.objects.visible_to(request.user, permission)
    if permission is CasePermission.CHANGE and request.method == "POST":
        cases = cases.select_for_update(of=("self",))
    found: Case = get_object_or_404(cases.select_related(*BESIDE).defer("investigator__password"), pk=case_id)
    single_use.note_opening(found, request.user)
    return found
