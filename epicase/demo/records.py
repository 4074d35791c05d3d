"""The synthetic outbreak as records: places, cases, visits, contacts, links; each kind in one statement."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from access.models import Organisation, User
from audit.capture import audited_bulk
from cases.models import Case, CaseCounter, Outbreak, Place, Visit
from contacts.models import Contact, TransmissionLink
from epicase.demo import facts
from epicase.demo.city import DISTRICTS
from epicase.demo.diary import HOME, TRANSIT, Stay
from epicase.demo.facts import DemoCase, DemoContact
from epicase.demo.people import Person

BATCH = 1_000
# The newest cases of the first district were opened by its investigator, who may work on them by that.
OPENED = 4
INVESTIGATORS = {0: "investigator", 1: "investigator2"}


class Store:
    """Turns the facts of one outbreak into stored records, in the order in which they need each other."""

    def __init__(
        self,
        made: facts.Outbreak,
        outbreak: Outbreak,
        people: dict[str, User],
        areas: dict[str, Organisation],
    ) -> None:
        self._made, self.outbreak, self._people = made, outbreak, people
        self._districts = [areas[district.code] for district in DISTRICTS]
        self._by = people["supervisor"]
        own = [case.number for case in made.cases if case.person.district == 0]
        self._opened_by_investigator = frozenset(own[-OPENED:])
        self.places: list[Place] = []
        self.cases: list[Case] = []

    def write(self) -> None:
        """Everything, inside the caller's transaction and audit context."""
        with audited_bulk("demo_seed"):
            self._write_places()
            self._write_cases()
            self._write_visits()
            self._write_contacts()
            self._write_links()
            counter = CaseCounter.objects.filter(outbreak=self.outbreak)
            counter.update(last_case=len(self.cases), last_contact=len(self._made.contacts))

    def _write_places(self) -> None:
        self.places = [
            Place(
                name=one.name,
                kind=one.kind,
                access=one.access,
                district=self._districts[one.district],
                address=one.address,
                ventilation=one.ventilation,
            )
            for one in self._made.places
        ]
        Place.objects.bulk_create(self.places, batch_size=BATCH)

    def _write_cases(self) -> None:
        self.cases = [self._case(one) for one in self._made.cases]
        Case.objects.bulk_create(self.cases, batch_size=BATCH)

    def _case(self, one: DemoCase) -> Case:
        infection, district = one.infection, self._districts[one.person.district]
        reported_at = _aware(one.reported_at)
        case = Case(
            case_no=f"{self.outbreak.code}-{one.number + 1:04d}",
            outbreak=self.outbreak,
            district=district,
            status=one.status,
            classification="asymptomatic" if infection.is_asymptomatic else self._classification(one),
            classified_at=reported_at,
            severity="asymptomatic" if infection.is_asymptomatic else "mild",
            origin="local" if infection.infector is not None else "imported_domestic",
            detection_route="contact_tracing" if one.number % 3 else "care",
            is_asymptomatic=infection.is_asymptomatic,
            onset_date=one.onset_date,
            onset_precision="day" if one.onset_date else "",
            first_positive_date=one.first_positive_date,
            diagnosed_at=reported_at,
            reported_at=reported_at,
            report_org=district,
            isolated_date=one.isolated_at.date() if one.isolated_at else None,
            outcome=one.outcome,
            outcome_date=one.outcome_date,
            notice_given="full",
            interviewed_at=None if one.status in ("new", "assigned") else reported_at + timedelta(hours=5),
            investigator=self._people.get(INVESTIGATORS.get(one.person.district, "")),
            interviewee_relation="self",
            symptoms=list(one.symptoms) or None,
            underlying=list(one.underlying),
            summary_note=None if one.status in ("new", "assigned") else "演练数据。",
            hospital="云汀市第三人民医院（演练）",
            created_by=self._people["investigator"]
            if one.number in self._opened_by_investigator
            else self._by,
            created_at=reported_at,
            **_personal(one.person),
            **self._daily(one),
        )
        case.settle()
        return case

    def _classification(self, one: DemoCase) -> str:
        """The newest are not all confirmed yet."""
        if (self._made.today - one.reported_at.date()).days < 3 and one.number % 5 == 0:
            return "suspected"
        return "clinical" if one.number % 23 == 0 else "confirmed"

    def _daily(self, one: DemoCase) -> dict[str, str]:
        if one.daily_place is None:
            return {}
        field = "school_name" if one.person.learns else "workplace_name"
        return {field: self._made.places[one.daily_place].name}

    def _write_visits(self) -> None:
        visits = [
            self._visit(one, case, order, stay)
            for one, case in zip(self._made.cases, self.cases, strict=True)
            for order, stay in enumerate(self._made.visits[one.number], start=1)
        ]
        Visit.objects.bulk_create(visits, batch_size=BATCH)

    def _visit(self, one: DemoCase, case: Case, order: int, stay: Stay) -> Visit:
        return Visit(
            case=case,
            order=order,
            time_precision="minute",
            info_source="venue_code" if stay.place >= 0 and order % 4 == 0 else "self",
            start_at=_aware(stay.start),
            end_at=_aware(stay.end),
            transport=stay.transport or None,
            service_no=stay.service_no or None,
            carriage=stay.carriage or None,
            created_by=case.investigator or self._by,
            created_at=case.reported_at,
            **self._whereabouts(one, stay),
        )

    def _whereabouts(self, one: DemoCase, stay: Stay) -> dict[str, Any]:
        if stay.place == TRANSIT:
            return {}
        if stay.place == HOME:
            return {"place_kind": "home", "place_name": "住处", "address": one.person.address}
        place = self._made.places[stay.place]
        return {
            "place_kind": place.kind,
            "place_name": place.name,
            "place_id": str(self.places[stay.place].pk),
            "address": place.address,
        }

    def _write_contacts(self) -> None:
        contacts: list[Contact] = []
        for position, one in enumerate(self._made.contacts):
            parent = contacts[one.parent] if one.parent is not None else None
            contacts.append(self._contact(position, one, parent))
        Contact.objects.bulk_create(contacts, batch_size=BATCH)

    def _contact(self, position: int, one: DemoContact, parent: Contact | None) -> Contact:
        case = self.cases[one.case]
        contact = Contact(
            contact_no=f"C-{position + 1:04d}",
            source_case=case,
            level=one.level,
            status=one.status,
            first_contact_date=one.first_contact,
            last_contact_date=one.last_contact,
            relation=one.relation,
            mode=list(one.modes),
            frequency="daily" if "live" in one.modes else "once",
            protection="none",
            parent_contact=parent,
            responsible_org=self._districts[one.person.district],
            became_case=None if one.became_case is None else self.cases[one.became_case],
            created_by=case.investigator or self._by,
            created_at=case.reported_at,
            **_personal(one.person),
        )
        contact.settle()
        return contact

    def _write_links(self) -> None:
        TransmissionLink.objects.bulk_create(
            [
                TransmissionLink(
                    infector=self.cases[one.infector],
                    infectee=self.cases[one.infectee],
                    setting=one.setting if one.setting in KNOWN_SETTINGS else "community",
                    certainty=one.certainty,
                    evidence=["named", "timing"] if one.certainty != "1" else ["timing"],
                    created_by=self._by,
                )
                for one in self._made.links
            ],
            batch_size=BATCH,
        )

    def truth(self) -> dict[str, Any]:
        """What really happened, by case numbers and place ids instead of positions."""
        numbers: list[str] = [case.case_no for case in self.cases]
        links = [
            link
            | {
                "infector": numbers[link["infector"]],
                "infectee": numbers[link["infectee"]],
                "place": link["place"] if link["place"] == "home" else str(self._place_id(link["place"])),
            }
            for link in self._made.truth["links"]
        ]
        return self._made.truth | {"links": links}

    def _place_id(self, number: int) -> UUID:
        return self.places[number].pk


KNOWN_SETTINGS = frozenset(
    ("household", "work", "school", "health", "meal", "transport", "entertainment", "market", "community")
)


def _personal(person: Person) -> dict[str, Any]:
    return {
        "full_name": person.full_name,
        "id_kind": "01",
        "id_number": person.id_number,
        "sex": person.sex,
        "birth_date": person.birth_date,
        "age_value": person.age,
        "age_unit": "Y",
        "occupation_group": person.occupation,
        "is_health_worker": "Y" if person.occupation == "08" else "N",
        "phone": person.phone,
        "town": person.town,
        "street": person.street,
        "address_detail": person.detail,
    }


def _aware(moment: datetime) -> datetime:
    return timezone.make_aware(moment)
