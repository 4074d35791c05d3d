"""Building an approved export: batch by batch, in the requester's name.

Each batch is committed before its rows are used. A worker claims the export with a random mark and renews it
with every batch. If it dies, the claim falls silent, and another worker begins anew with a new file and a new
trace code; the old claim can no longer finish, so nothing is doubled.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from django.utils import timezone, translation
from django.utils.translation import gettext

from access.actions import ledger_actor
from access.actor import acting_as, acting_as_role
from access.models import User
from access.roles import PgRole
from access.visibility import CasePermission, class_permission, permissions_on
from audit.acts import Act, Outcome
from audit.context import Actor
from audit.trail import audit_job, record, trace_code
from cases.models import Case
from disclosure import actions, profiles, values
from disclosure.marks import Mark
from disclosure.models import LIFETIME, MOST_ATTEMPTS, Export, ExportCase, Failure, Status
from disclosure.passphrases import new_passphrase
from disclosure.profiles import ExportField
from disclosure.sealed_files import Cell, CellTooLong, Column, SealedFile, write_sealed
from vault.classes import DataClass
from vault.errors import Locked, Shredded

log = logging.getLogger("epicase.disclosure")
BATCH: Final = 500
REASON: Final = "export_build"


class LostClaim(Exception):
    """Another worker has taken over, or the export was withdrawn."""


class GrantEnded(Exception):
    """The requester may no longer export all the cases, or open all the classes."""


@dataclass(frozen=True)
class Plan:
    """All that one attempt to build needs, taken at the moment of the claim."""

    export_id: UUID
    claim: UUID
    requester: User
    fields: tuple[ExportField, ...]
    purpose: str
    language: str
    n_cases: int
    mark: Mark

    @property
    def actor(self) -> Actor:
        return ledger_actor(self.requester)

    @property
    def classes(self) -> list[DataClass]:
        return profiles.sealed_classes(self.fields)


def build(export_id: UUID) -> str:
    """Build the export when it is waiting for it; gives what came of it as a code."""
    plan = claim(export_id)
    if plan is None:
        return "not_waiting"
    sealed: SealedFile | None = None
    try:
        with translation.override(plan.language):
            passphrase = new_passphrase()
            sealed = write_sealed(
                rows(plan),
                [Column(str(field.label), field.width) for field in plan.fields],
                plan.mark,
                passphrase,
                actions.directory(),
                sheet_name=gettext("Cases"),
                page_of_pages=gettext("page {page} of {pages}"),
            )
        finish(plan, sealed, passphrase)
    except LostClaim:
        return _drop(sealed, "superseded")
    except (GrantEnded, Locked, Shredded, CellTooLong) as error:
        fail(plan, _failure_of(error))
        return _drop(sealed, "failed")
    except BaseException:
        _drop(sealed, "stopped")
        raise
    return "built"


def claim(export_id: UUID) -> Plan | None:
    """Take the export for this worker, or None when it is not waiting or somebody is building it."""
    with acting_as_role(PgRole.JOB), audit_job(REASON) as job:
        now = timezone.now()
        waiting = Export.objects.waiting_to_be_built(now).filter(pk=export_id)
        export = waiting.select_for_update(skip_locked=True).first()
        if export is None:
            return None
        requester = User.objects.select_related("organisation").get(pk=export.requester_id)
        job.actor = ledger_actor(requester)
        if export.attempts >= MOST_ATTEMPTS or not requester.is_present:
            _note_failure(export, Failure.GAVE_UP if requester.is_present else Failure.GRANT_ENDED)
            return None
        new_claim = _begin(export, now)
        fields = profiles.chosen(export.fields)
        mark = Mark(export.trace_code, export.number, requester.display_name, _stamp(now))
        record(Act.EXPORT_BUILD, export, purpose=export.purpose, counts={"attempt": export.attempts})
        return Plan(
            export.pk, new_claim, requester, fields, export.purpose, export.language, export.n_cases, mark
        )


def rows(plan: Plan) -> Iterator[list[Cell]]:
    """All rows of the file. A row is given only after the event that tells of its opening is committed."""
    position = 0
    while position < plan.n_cases:
        batch = _batch(plan, position)
        position += len(batch)
        yield from batch


def finish(plan: Plan, sealed: SealedFile, passphrase: str) -> None:
    """Put the built file on the export, with its passphrase sealed for the requester alone."""
    with acting_as(plan.requester), audit_job(REASON, actor=plan.actor) as job:
        job.trace = plan.mark.trace_code
        export = _claimed(plan)
        record(
            Act.EXPORT_BUILT,
            export,
            fields=[field.name for field in plan.fields],
            data_classes=[str(one) for one in plan.classes],
            purpose=plan.purpose,
            counts={"rows": sealed.n_rows, "bytes": sealed.size},
            extra={"digest": sealed.digest, "file_trace": plan.mark.trace_code},
        )
        export.passphrase = passphrase
        export.save(update_fields=["passphrase"])
        with acting_as_role(PgRole.JOB):
            now = timezone.now()
            export.status, export.built_at, export.expires_at = Status.BUILT, now, now + LIFETIME
            export.file_name, export.digest, export.size = sealed.name, sealed.digest, sealed.size
            export.n_done = sealed.n_rows
            export.claim = None
            export.save(
                update_fields=[
                    "status",
                    "built_at",
                    "expires_at",
                    "file_name",
                    "digest",
                    "size",
                    "n_done",
                    "claim",
                ]
            )


def fail(plan: Plan, failure: Failure) -> None:
    """Note why it cannot be built; nothing of it is kept."""
    with acting_as_role(PgRole.JOB), audit_job(REASON, actor=plan.actor):
        try:
            export = _claimed(plan)
        except LostClaim:
            return
        _note_failure(export, failure)


def _begin(export: Export, now: datetime) -> UUID:
    """Start from the beginning: a new claim, which is given back, a new trace code, no progress."""
    new_claim = uuid4()
    export.status, export.claim, export.claimed_at, export.started_at = Status.BUILDING, new_claim, now, now
    export.trace_code, export.n_done = trace_code(), 0
    export.attempts += 1
    export.save(
        update_fields=["status", "claim", "claimed_at", "started_at", "trace_code", "n_done", "attempts"]
    )
    return new_claim


def _batch(plan: Plan, after: int) -> list[list[Cell]]:
    """The next rows: grants asked again, values opened, progress noted, all in one committed transaction."""
    with (
        acting_as(plan.requester),
        audit_job(REASON, actor=plan.actor) as job,
        translation.override(plan.language),
    ):
        job.trace = plan.mark.trace_code
        links = ExportCase.objects.filter(export_id=plan.export_id, position__gt=after).order_by("position")[
            :BATCH
        ]
        ids = [link.case_id for link in links]
        cases = _still_granted(plan, ids)
        record(
            Act.EXPORT_ROWS,
            Export(pk=plan.export_id, number=plan.mark.number, requester=plan.requester),
            subjects=cases,
            fields=[field.name for field in plan.fields],
            data_classes=[str(one) for one in plan.classes],
            purpose=plan.purpose,
            counts={"rows": len(cases), "after": after},
        )
        visits = values.visits_of(ids, plan.fields)
        batch = [values.row_of(case, plan.fields, visits.get(case.pk, ())) for case in cases]
        with acting_as_role(PgRole.JOB):
            _note_progress(plan, after + len(batch))
    return batch


def _still_granted(plan: Plan, ids: Sequence[UUID]) -> list[Case]:
    """The cases in the file's order; raises GrantEnded unless every one may still be exported and opened.

    Grants are asked for by case: one look into their index for each, whatever else the person may see.
    """
    needed = {CasePermission.VIEW, CasePermission.EXPORT, *(class_permission(one) for one in plan.classes)}
    held = permissions_on(plan.requester, list(ids))
    if not ids or any(not needed <= held[case_id] for case_id in ids):
        raise GrantEnded
    beside = ("district", "outbreak", "report_org")
    cases = Case.objects.filter(pk__in=ids).select_related(*beside).prefetch_related("investigator")
    found = {case.pk: case for case in cases}
    if len(found) != len(ids):
        raise GrantEnded
    return [found[case_id] for case_id in ids]


def _note_progress(plan: Plan, done: int) -> None:
    export = _claimed(plan)
    export.n_done, export.claimed_at = done, timezone.now()
    export.save(update_fields=["n_done", "claimed_at"])


def _claimed(plan: Plan) -> Export:
    """The export, locked, while it is still ours to build; raises LostClaim."""
    export = (
        Export.objects.select_for_update()
        .filter(pk=plan.export_id, claim=plan.claim, status=Status.BUILDING)
        .first()
    )
    if export is None:
        raise LostClaim
    return export


def _note_failure(export: Export, failure: Failure) -> None:
    export.status, export.failure, export.claim = Status.FAILED, failure, None
    export.save(update_fields=["status", "failure", "claim"])
    record(Act.EXPORT_FAILED, export, purpose=export.purpose, reason=failure.value, outcome=Outcome.FAILED)


def _failure_of(error: Exception) -> Failure:
    match error:
        case GrantEnded():
            return Failure.GRANT_ENDED
        case CellTooLong():
            return Failure.TOO_LONG
        case _:
            return Failure.CLOSED


def _drop(sealed: SealedFile | None, outcome: str) -> str:
    """Remove a file that no export will point to."""
    if sealed is not None:
        actions.remove_file(sealed.name)
    return outcome


def _stamp(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")
