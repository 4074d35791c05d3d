"""The invented province's organisations and the nine demo accounts, all with one published password."""

from dataclasses import dataclass

from access.models import Organisation, User
from access.roles import Role
from audit.capture import audited_bulk
from epicase.demo.city import CITY, CITY_CODE, DISTRICTS, PROVINCE, PROVINCE_CODE
from epicase.demo.published import PASSWORD


@dataclass(frozen=True)
class Account:
    """One person of the demo: what to type, the name shown, the role and the organisation's code."""

    username: str
    display_name: str
    role: Role
    organisation: str


ACCOUNTS = (
    Account("investigator", "沈知远", Role.INVESTIGATOR, "990101"),
    Account("investigator2", "顾明", Role.INVESTIGATOR, "990102"),
    Account("supervisor", "陆文清", Role.SUPERVISOR, CITY_CODE),
    Account("supervisor2", "宋知行", Role.SUPERVISOR, "990101"),
    Account("auditor", "周砚", Role.AUDITOR, CITY_CODE),
    Account("privacy", "江予安", Role.PRIVACY, CITY_CODE),
    Account("secadmin", "方守拙", Role.SECADMIN, CITY_CODE),
    Account("sysadmin", "苏行简", Role.SYSADMIN, CITY_CODE),
    Account("partner", "叶听澜", Role.PARTNER, "990101"),
)


def make_organisations() -> dict[str, Organisation]:
    """Province, city and districts, by division code."""
    made: dict[str, Organisation] = {}
    names = [(PROVINCE_CODE, *PROVINCE, "", Organisation.Level.PROVINCE)]
    names.append((CITY_CODE, *CITY, PROVINCE_CODE, Organisation.Level.CITY))
    names += [(one.code, one.name, one.name_en, CITY_CODE, Organisation.Level.DISTRICT) for one in DISTRICTS]
    for code, area_zh, area_en, parent, level in names:
        made[code] = Organisation(
            code=code,
            level=level.value,
            parent=made.get(parent),
            name_zh=f"{area_zh}疾控中心",
            name_en=f"{area_en} CDC",
            area_zh=area_zh,
            area_en=area_en,
        )
        made[code].save(force_insert=True)
    return made


def make_accounts(organisations: dict[str, Organisation]) -> dict[str, User]:
    """The accounts, by user name."""
    people = []
    for account in ACCOUNTS:
        person = User(
            username=account.username,
            display_name=account.display_name,
            role=account.role.value,
            organisation=organisations[account.organisation],
        )
        person.set_password(PASSWORD)
        people.append(person)
    with audited_bulk("demo_seed"):
        User.accounts.bulk_create(people)
    return {person.username: person for person in people}
