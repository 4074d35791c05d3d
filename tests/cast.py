"""The people of the tests, where they work, and one outbreak with one case."""

from __future__ import annotations

from dataclasses import dataclass

from access.models import Organisation, User
from cases.models import Case, Outbreak
from tests import factories


@dataclass(frozen=True)
class World:
    """Two districts of a city, people of every role, an outbreak, and a case of the first investigator."""

    province: Organisation
    city: Organisation
    district: Organisation
    other_district: Organisation
    investigator: User
    colleague: User
    outsider: User
    supervisor: User
    other_supervisor: User
    auditor: User
    privacy: User
    secadmin: User
    sysadmin: User
    partner: User
    outbreak: Outbreak
    case: Case

    @property
    def people(self) -> dict[str, User]:
        """One person of each role, by role."""
        roles = ("investigator", "supervisor", "auditor", "privacy", "secadmin", "sysadmin", "partner")
        return {role: getattr(self, role) for role in roles}


def build() -> World:
    """Make the world: accounts as the owner, the outbreak and the case the way people make them."""
    with factories.as_owner():
        province = factories.organisation("990000", "province", None, "示例省")
        city = factories.organisation("990100", "city", province, "示例市")
        district = factories.organisation("990101", "district", city, "东区")
        other = factories.organisation("990102", "district", city, "西区")
        people = {
            name: factories.user(name, role, place)
            for name, role, place in (
                ("investigator", "investigator", district),
                ("colleague", "investigator", district),
                ("outsider", "investigator", other),
                ("supervisor", "supervisor", district),
                ("other_supervisor", "supervisor", other),
                ("auditor", "auditor", province),
                ("privacy", "privacy", city),
                ("secadmin", "secadmin", province),
                ("sysadmin", "sysadmin", province),
                ("partner", "partner", other),
            )
        }
    with factories.as_person(people["supervisor"]):
        event = factories.outbreak(people["supervisor"])
    case = factories.case(people["investigator"], event)
    return World(province, city, district, other, **people, outbreak=event, case=case)
