"""Invented people. No number can be a living person's: IDs start with 99, phones with 100-0000."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from faker import Faker

from epicase.demo.city import CITY, DISTRICTS, ROADS, STEMS

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
WORKERS = ("06", "07", "08", "09", "10", "14", "98")


@dataclass(frozen=True, slots=True)
class Person:
    """Everything about one invented person that a case or a contact asks for."""

    number: int
    full_name: str
    sex: str
    birth_date: date
    age: int
    id_number: str
    phone: str
    district: int
    town: str
    street: str
    detail: str
    occupation: str
    home: int

    @property
    def address(self) -> str:
        """The home's full address."""
        return f"{CITY[0]}{DISTRICTS[self.district].name}{self.town}{self.street}{self.detail}"

    @property
    def works(self) -> bool:
        return self.occupation in WORKERS

    @property
    def learns(self) -> bool:
        return self.occupation in ("01", "03")


class People:
    """Makes people one after another; the same seed makes the same people."""

    def __init__(self, seed: int, today: date) -> None:
        self._random = Random(seed)  # noqa: S311 (repeatable on purpose)
        self._chinese, self._latin = Faker("zh_CN"), Faker("en_GB")
        self._chinese.seed_instance(seed)
        self._latin.seed_instance(seed)
        self._today = today
        self._phones = self._random.sample(range(10_000), 10_000)
        self.made: list[Person] = []

    def stranger(self, district: int | None = None, occupation: str = "") -> Person:
        """Somebody with a home of their own."""
        choose = self._random
        if district is None:
            district = choose.choices(range(len(DISTRICTS)), [d.weight for d in DISTRICTS])[0]
        where = DISTRICTS[district]
        street = f"{choose.choice(ROADS)}{choose.randrange(1, 300)}号{choose.choice(STEMS)}小区"
        room = choose.randrange(1, 19) * 100 + choose.randrange(1, 5)
        detail = f"{choose.randrange(1, 20)}栋{choose.randrange(1, 5)}单元{room}室"
        return self._make(
            district, choose.choice(where.towns), street, detail, occupation, home=len(self.made)
        )

    def housemate(self, other: Person) -> Person:
        """Somebody who lives with the other."""
        return self._make(other.district, other.town, other.street, other.detail, "", home=other.home)

    def _make(
        self, district: int, town: str, street: str, detail: str, occupation: str, *, home: int
    ) -> Person:
        choose = self._random
        occupation = (
            occupation
            or choose.choices(
                ("01", "03", "06", "07", "08", "09", "10", "14", "15", "16", "98"),
                (3, 14, 8, 16, 4, 12, 5, 14, 15, 6, 3),
            )[0]
        )
        lowest, highest = {"01": (3, 6), "03": (7, 22), "15": (60, 88)}.get(occupation, (21, 62))
        age = choose.randint(lowest, highest)
        birth = self._today - timedelta(days=int((age + choose.random() * 0.98) * 365.2425) + 1)
        sex = choose.choice("12")
        number = len(self.made)
        if choose.random() < 0.01:
            name = self._latin.name_male() if sex == "1" else self._latin.name_female()
        else:
            name = self._chinese.name_male() if sex == "1" else self._chinese.name_female()
        sequence = (number % 499) * 2 + (1 if sex == "1" else 2)
        identity = identity_number(DISTRICTS[district].code, birth, sequence)
        phone = f"1000000{self._phones[number]:04d}"
        person = Person(
            number, name, sex, birth, age, identity, phone, district, town, street, detail, occupation, home
        )
        self.made.append(person)
        return person


def identity_number(area: str, birth: date, sequence: int) -> str:
    """An 18-character number with a valid check digit (GB 11643-1999)."""
    digits = f"{area}{birth:%Y%m%d}{sequence:03d}"
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, digits, strict=True))
    return digits + CHECK_DIGITS[total % 11]


def with_wrong_check_digit(person: Person) -> Person:
    """The same person with the last character of the identity number mistyped."""
    right = person.id_number[-1]
    wrong = CHECK_DIGITS[(CHECK_DIGITS.index(right) + 3) % 11]
    return replace(person, id_number=person.id_number[:-1] + wrong)


def with_full_width_phone(person: Person) -> Person:
    """The same person with the phone typed in full-width digits."""
    return replace(person, phone=person.phone.translate(FULL_WIDTH))
