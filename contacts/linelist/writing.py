"""Takes the links of a line list into transmission links between the cases imported from the same source."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID, uuid4

from django.db import models

from audit.capture import audited_bulk
from cases.linelist.comparing import Compared, source_tokens
from cases.linelist.kinds import Target
from cases.linelist.problems import Problem, Refused
from cases.models import Case
from contacts.models import TransmissionLink


class _End(NamedTuple):
    pk: UUID
    onset_date: date | None


class LinkWriter:
    """Links from rows. The whole chain is known beforehand, so that no batch can close a circle."""

    def __init__(self) -> None:
        self._infectees: dict[UUID, set[UUID]] = {}
        self._ends: dict[str, _End] = {}

    def prepare(self, target: Target, expected: Collection[str] = ()) -> None:
        """Load the links there are."""
        self._ends = {name: _End(uuid4(), None) for name in expected}
        links = TransmissionLink.objects.filter(infector__outbreak=target.outbreak)
        for infector, infectee in links.values_list("infector_id", "infectee_id"):
            self._infectees.setdefault(infector, set()).add(infectee)

    def refusals(self, target: Target, rows: Sequence[Compared]) -> list[Problem]:
        """Rows whose cases are not here, or whose link is impossible."""
        self._find(target, rows)
        latest = timedelta(days=float(target.outbreak.disease.incubation_max_days))
        problems = []
        for row in rows:
            column, code = self._refusal(row, latest)
            if code:
                problems.append(Problem(row.record.number, self._column(target, column), code))
        return problems

    def create(self, target: Target, rows: Sequence[Compared]) -> list[models.Model]:
        """Make one link for each row."""
        links = [
            TransmissionLink(
                infector_id=self._end(row, "infector_id").pk,
                infectee_id=self._end(row, "infectee_id").pk,
                created_by=target.by,
                **_values(row),
            )
            for row in rows
        ]
        with audited_bulk("import_linelist"):
            return [*TransmissionLink.objects.bulk_create(links, batch_size=500)]

    def change(self, target: Target, row: Compared, record_id: UUID) -> models.Model:
        """Write setting, certainty and evidence again. Raises Refused."""
        infector, infectee = self._end(row, "infector_id"), self._end(row, "infectee_id")
        link = TransmissionLink.objects.filter(infector_id=infector.pk, infectee_id=infectee.pk).first()
        if link is None:
            raise Refused("not_yours")
        for name, value in _values(row).items():
            setattr(link, name, value)
        link.save(update_fields=["setting", "certainty", "evidence"])
        return cast("models.Model", link)

    def record_id(self, record: models.Model) -> UUID:
        """A link is guarded by the infected case."""
        return cast("TransmissionLink", record).infectee_id

    def _find(self, target: Target, rows: Sequence[Compared]) -> None:
        names = {str(row.record.values[end]) for row in rows for end in ("infector_id", "infectee_id")}
        wanted = sorted(names - self._ends.keys())
        tokens = source_tokens(target.profile.family, target.outbreak, wanted)
        cases = Case.objects.filter(outbreak=target.outbreak, source_token__in=tokens)
        found = {
            bytes(token or b""): _End(pk, onset)
            for token, pk, onset in cases.values_list("source_token", "pk", "onset_date")
        }
        self._ends |= {
            name: found[token] for name, token in zip(wanted, tokens, strict=True) if token in found
        }

    def _refusal(self, row: Compared, latest: timedelta) -> tuple[str, str]:
        infector = self._ends.get(str(row.record.values["infector_id"]))
        infectee = self._ends.get(str(row.record.values["infectee_id"]))
        if infector is None:
            return "infector_id", "unknown_case"
        if infectee is None:
            return "infectee_id", "unknown_case"
        if infector.onset_date and infectee.onset_date and infector.onset_date - infectee.onset_date > latest:
            return "infectee_id", "too_early"
        if self._leads_to(infectee.pk, infector.pk):
            return "infectee_id", "would_make_cycle"
        self._infectees.setdefault(infector.pk, set()).add(infectee.pk)
        return "", ""

    def _leads_to(self, start: UUID, end: UUID) -> bool:
        waiting, seen = [start], {start}
        while waiting:
            here = waiting.pop()
            if here == end:
                return True
            fresh = self._infectees.get(here, set()) - seen
            seen |= fresh
            waiting += fresh
        return False

    def _end(self, row: Compared, name: str) -> _End:
        return self._ends[str(row.record.values[name])]

    @staticmethod
    def _column(target: Target, field: str) -> str:
        return next((column.name for column in target.profile.columns if column.field == field), "")


def _values(row: Compared) -> dict[str, Any]:
    values = row.record.values
    evidence = [values["evidence"]] if values.get("evidence") else []
    return {
        "setting": values.get("setting") or "unknown",
        "certainty": values.get("certainty") or "2",
        "evidence": evidence,
    }
