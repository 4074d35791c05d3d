"""Contacts over the API, masked, by the cases that the person may see."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access import single_use
from audit import trail
from audit.acts import Act
from audit.api_paging import CURSOR, ByCursor, page_schema
from cases.api import Told, person
from cases.models import Case
from cases.serializers import tell
from contacts.models import Contact

LATEST_FIRST = ("-last_contact_date", "id")


class Contacts(APIView):
    """All contacts of the cases that the person may see."""

    required = {"GET": "contacts.list_contacts"}

    @extend_schema(
        operation_id="contacts_list", parameters=[CURSOR], responses=page_schema("ContactPage", Told)
    )
    def get(self, request: Request) -> Response:
        pages = ByCursor(*LATEST_FIRST)
        contacts = pages.page(Contact.objects.visible_to(person(request)), request)
        trail.record(Act.CONTACT_LIST, subjects=contacts, counts={"contacts": len(contacts)})
        return pages.answer(request, (tell(contact) for contact in contacts))


class CaseContacts(APIView):
    """The contacts of one case."""

    required = {"GET": "contacts.list_contacts"}

    @extend_schema(
        operation_id="cases_contacts", parameters=[CURSOR], responses=page_schema("CaseContactPage", Told)
    )
    def get(self, request: Request, case_id: UUID) -> Response:
        case: Case = get_object_or_404(Case.objects.visible_to(person(request)), pk=case_id)
        single_use.note_opening(case, person(request))
        pages = ByCursor(*LATEST_FIRST)
        contacts = pages.page(Contact.objects.filter(source_case=case), request)
        trail.record(Act.CONTACT_LIST, case, subjects=contacts, counts={"contacts": len(contacts)})
        return pages.answer(request, (tell(contact) for contact in contacts))
