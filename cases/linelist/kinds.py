"""The kinds of line list that can be imported; rooms above register theirs, one page and task serve all."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.db import models

from access.models import Organisation, User
from cases.linelist.comparing import Compared
from cases.linelist.problems import Problem, Refused
from cases.linelist.profiles import CASE_PROFILES, Profile
from cases.models import Outbreak


@dataclass(frozen=True)
class Target:
    """Into what, where and in whose name rows are taken in."""

    profile: Profile
    outbreak: Outbreak
    district: Organisation
    by: User


class Writer(Protocol):
    """Takes compared rows into the records of one kind."""

    def prepare(self, target: Target, expected: Collection[str] = ()) -> None:
        """Load what all batches need; `expected` are identifiers that another file is about to bring."""

    def refusals(self, target: Target, rows: Sequence[Compared]) -> list[Problem]:
        """What is wrong with rows in the light of the database; nothing is written."""

    def create(self, target: Target, rows: Sequence[Compared]) -> list[models.Model]:
        """Make the records of new rows, in the same order."""

    def change(self, target: Target, row: Compared, record_id: UUID) -> models.Model:
        """Bring one record up to date with its row; raises Refused."""

    def record_id(self, record: models.Model) -> UUID:
        """The case by which a row's tokens are guarded."""


@dataclass(frozen=True)
class Kind:
    """A profile and what writes its rows."""

    profile: Profile
    writer: type[Writer]


class UnknownProfile(LookupError):
    """No kind of line list has this name."""


_kinds: dict[str, Kind] = {}


def register(profiles: Iterable[Profile], writer: type[Writer]) -> None:
    """Make these profiles importable through this writer."""
    _kinds.update({profile.name: Kind(profile, writer) for profile in profiles})


def kind(name: str) -> Kind:
    """The kind with this profile name; raises UnknownProfile."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownProfile(name) from None


def fits(profile: Profile, outbreak: Outbreak) -> bool:
    """Is the profile's disease the outbreak's?"""
    return profile.disease == outbreak.disease.code


def profiles() -> list[Profile]:
    """All importable profiles, for a form's choices."""
    return [one.profile for one in _kinds.values()]


__all__ = [
    "CASE_PROFILES",
    "Kind",
    "Refused",
    "Target",
    "UnknownProfile",
    "Writer",
    "fits",
    "kind",
    "profiles",
    "register",
]
