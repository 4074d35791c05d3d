"""What an investigation still lacks: the fields that are needed now, given what is known already."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from cases.models import Case
from cases.policy import ADMINISTRATIVE, Need, is_encrypted, policy_of
from cases.sections import SECTIONS, Section

# Population groups that go to a nursery, a school or a university.
LEARNERS = ("01", "03")
OPEN_ENDED = ("", "treating", "unknown", "lost")

CONDITIONS: dict[str, Callable[[Case], bool]] = {
    "onset_date": lambda case: not case.is_asymptomatic and case.first_positive_date is None,
    "first_positive_date": lambda case: case.is_asymptomatic or case.classification == "confirmed",
    "severity": lambda case: case.classification == "confirmed",
    "diagnosed_at": lambda case: case.classification != "suspected",
    "isolated_date": lambda case: case.is_asymptomatic or case.classification == "confirmed",
    "symptoms": lambda case: not case.is_asymptomatic,
    "outcome_date": lambda case: case.outcome not in OPEN_ENDED,
    "birth_date": lambda case: case.age_value is None,
    "age_unit": lambda case: case.age_value is not None,
    "id_kind": lambda case: case.id_number is not None,
    "guardian_name": lambda case: case.is_minor,
    "guardian_relation": lambda case: case.is_minor,
    "school_name": lambda case: case.occupation_group in LEARNERS,
}


@dataclass(frozen=True)
class Filling:
    """How far the fields of a section, or of a whole case, are filled."""

    filled: int
    missing: tuple[str, ...]

    @property
    def total(self) -> int:
        return self.filled + len(self.missing)

    @property
    def percent(self) -> int:
        """Whole per cent, rounded down: 100 means complete."""
        return 100 * self.filled // self.total if self.total else 100

    @property
    def is_complete(self) -> bool:
        return not self.missing


def is_wanted(case: Case, name: str) -> bool:
    """Does this case need the field now?"""
    condition = CONDITIONS.get(name)
    if condition is not None:
        return condition(case)
    policy = policy_of(Case._meta.get_field(name))
    return policy is not None and policy.need in (Need.OPEN, Need.SUBMIT)


def filling(case: Case, open_classes: Collection[str], section: Section | None = None) -> Filling:
    """What is filled and what is missing, as far as the reader's classes go: others are not even counted."""
    names = [name for one in ([section] if section else SECTIONS) for name in one.fields]
    wanted = [name for name in names if is_told(name, open_classes) and is_wanted(case, name)]
    missing = tuple(name for name in wanted if not is_filled(case, name))
    return Filling(len(wanted) - len(missing), missing)


def is_told(name: str, open_classes: Collection[str]) -> bool:
    """May the reader know whether the field is filled? Plain columns are told with the case."""
    field = Case._meta.get_field(name)
    policy = policy_of(field)
    if policy is None or policy.data_class == ADMINISTRATIVE or not is_encrypted(field):
        return not (name == "id_kind" and "identity" not in open_classes)
    return policy.data_class in open_classes


def is_filled(case: Case, name: str) -> bool:
    """Does the field hold anything? Sealed values are not opened for this."""
    return getattr(case, getattr(Case._meta.get_field(name), "attname", name)) not in (None, "")
