"""What people do with exports: ask, answer, withdraw, read the passphrase, download. Each leaves an event."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import get_language

from access.visibility import CasePermission, class_permission, granted_case_ids
from audit.acts import Act
from audit.trail import record
from cases.models import Case
from disclosure import profiles
from disclosure.models import Export, ExportCase, Status, next_number
from vault.classes import DataClass

if TYPE_CHECKING:
    from access.actions import Ended
    from access.models import Organisation, User
    from cases.models import CaseQuerySet

MOST_CASES: Final = 200_000
_INSERT_AT_ONCE = 5_000


class ExportError(Exception):
    """A step that cannot be taken; the message is a code for the log, the page has its own words."""


class NothingToExport(ExportError):
    """No case is left that the person may export."""


class TooManyCases(ExportError):
    """More cases than one file may hold."""


class ClassesNotGranted(ExportError):
    """Fields were chosen whose class the person may not open in every case."""

    def __init__(self, missing: dict[DataClass, int]) -> None:
        super().__init__("classes_not_granted")
        self.missing = missing


class OwnRequest(ExportError):
    """Nobody answers the own request."""


class OutsideJurisdiction(ExportError):
    """The export holds cases that the supervisor is not responsible for."""


class WrongMoment(ExportError):
    """The export is not in the state that this step needs."""


class AlreadyDownloaded(WrongMoment):
    """The one download has been used."""


class PassphraseGone(WrongMoment):
    """The passphrase was shown before, or there is none."""


class AccessEnded(WrongMoment):
    """The requester may no longer export every case of it."""


class FileLost(ExportError):
    """The built file is not in its place."""


@transaction.atomic
def request_export(
    cases: CaseQuerySet,
    fields: Collection[str],
    *,
    purpose: str,
    recipient: str,
    use_until: date,
    by: User,
    reason: str = "",
) -> Export:
    """Ask for the fields of those cases that the person may export; another person has to agree.

    Raises NothingToExport, TooManyCases, UnknownField, ClassesNotGranted.
    """
    chosen = profiles.chosen(fields)
    granted = cases.visible_to(by, CasePermission.EXPORT)
    ids = list(granted.order_by("case_no").values_list("pk", flat=True)[: MOST_CASES + 1])
    if not ids or not chosen:
        raise NothingToExport
    if len(ids) > MOST_CASES:
        raise TooManyCases
    _require_classes(granted, len(ids), profiles.sealed_classes(chosen), by)
    export = Export(
        number=next_number(),
        requester=by,
        purpose=purpose,
        recipient=recipient,
        reason=reason,
        use_until=use_until,
        language=get_language() or "zh-hans",
        fields=[field.name for field in chosen],
        n_cases=len(ids),
        **_places_of(by.organisation),
    )
    export.save()
    ExportCase.objects.bulk_create(_links(export, ids), batch_size=_INSERT_AT_ONCE)
    _record(Act.EXPORT_REQUEST, export)
    return export


@transaction.atomic
def approve(export: Export, *, by: User, answer: str = "") -> Export:
    """Let the export be built. Raises OwnRequest, OutsideJurisdiction, WrongMoment."""
    locked = _locked(export, Status.REQUESTED)
    _require_other_person(locked, by)
    if not covers(by, locked):
        raise OutsideJurisdiction
    return _answer(locked, Status.APPROVED, Act.EXPORT_APPROVE, by, answer)


@transaction.atomic
def reject(export: Export, *, by: User, answer: str = "") -> Export:
    """Decline the export. Raises OwnRequest, WrongMoment."""
    locked = _locked(export, Status.REQUESTED)
    _require_other_person(locked, by)
    return _answer(locked, Status.REJECTED, Act.EXPORT_REJECT, by, answer)


@transaction.atomic
def withdraw(export: Export, *, by: User) -> Export:
    """Take the own request back before the download; a built file is removed. Raises WrongMoment."""
    locked = _locked(export, *(status for status in Status if Export(status=status).can_be_withdrawn))
    if locked.requester_id != by.pk:
        raise WrongMoment("not_the_requester")
    locked.status = Status.CANCELLED
    locked.save(update_fields=["status"])
    _record(Act.EXPORT_CANCEL, locked)
    if locked.file_name:
        transaction.on_commit(lambda: remove_file(locked.file_name))
    return locked


@transaction.atomic
def show_passphrase(export: Export, *, by: User) -> str:
    """The passphrase, once; afterwards it is nowhere. Raises PassphraseGone, WrongMoment."""
    locked = _locked(export, Status.BUILT, Status.DOWNLOADED)
    secret = locked.passphrase
    if locked.requester_id != by.pk or secret is None or locked.passphrase_shown_at is not None:
        raise PassphraseGone
    _record(Act.EXPORT_PASSPHRASE, locked, fields=["passphrase"], data_classes=[DataClass.SYSTEM])
    words = str(secret.reveal())
    locked.passphrase = None
    locked.passphrase_shown_at = timezone.now()
    locked.save(update_fields=["passphrase", "passphrase_shown_at"])
    return words


@transaction.atomic
def download_once(export: Export, *, by: User) -> tuple[Export, IO[bytes]]:
    """Use up the one download and hand over the open file; the event names every case in it.

    The caller sends no byte before this is committed. Raises AlreadyDownloaded, AccessEnded, WrongMoment, FileLost.
    """
    locked = Export.objects.select_for_update().get(pk=export.pk)
    if locked.status == Status.DOWNLOADED:
        raise AlreadyDownloaded
    if not locked.is_ready or locked.requester_id != by.pk:
        raise WrongMoment(locked.status)
    if not _is_still_granted(locked, by):
        raise AccessEnded("access_ended")
    try:
        file = path_of(locked.file_name).open("rb")
    except FileNotFoundError:
        raise FileLost from None
    locked.status = Status.DOWNLOADED
    locked.downloaded_at = timezone.now()
    locked.save(update_fields=["status", "downloaded_at"])
    taken = [
        Case(pk=case_id)
        for case_id in ExportCase.objects.filter(export=locked).values_list("case_id", flat=True)
    ]
    _record(Act.EXPORT_DOWNLOAD, locked, subjects=taken, digest=locked.digest, file_trace=locked.trace_code)
    return locked, file


def end_without_access(ended: Sequence[Ended]) -> int:
    """Cancel the unfinished exports that rested on access which has just ended; their files are destroyed.

    Gives how many. A worker that is building one of them finds its claim gone with its next batch.
    """
    people, case_ids = {one.user_id for one in ended}, {one.case_id for one in ended}
    with connection.cursor() as cursor:
        cursor.execute(
            "select id, number, requester_id, purpose, file_name from sec.end_exports(%s, %s)",
            [list(people), list(case_ids)],
        )
        found = cursor.fetchall()
    for pk, number, requester_id, purpose, file_name in found:
        export = Export(pk=pk, number=number, requester_id=requester_id)
        record(Act.EXPORT_CANCEL, export, purpose=purpose, reason="access_ended")
        if file_name:
            transaction.on_commit(partial(remove_file, file_name))
    return len(found)


def covers(supervisor: User, export: Export) -> bool:
    """Whether every case of the export lies in the supervisor's jurisdiction, and is as many as asked for."""
    mine = Case.objects.visible_to(supervisor).filter(
        pk__in=ExportCase.objects.filter(export=export).values("case_id")
    )
    return mine.count() == export.n_cases


def directory() -> Path:
    """Where sealed files wait for their one download."""
    return Path(settings.EPICASE_EXPORT_DIR)


def path_of(file_name: str) -> Path:
    """The place of a sealed file; raises ValueError for anything but a plain name."""
    if not file_name or Path(file_name).name != file_name:
        raise ValueError("not the name of a sealed file")
    return directory() / file_name


def remove_file(file_name: str) -> None:
    """Remove a sealed file; it is no error when it is gone already."""
    path_of(file_name).unlink(missing_ok=True)


def _locked(export: Export, *states: Status) -> Export:
    """The export as it is now, locked until the end of the transaction."""
    locked: Export = Export.objects.select_for_update().get(pk=export.pk)
    if locked.status not in states:
        raise WrongMoment(locked.status)
    return locked


def _is_still_granted(export: Export, by: User) -> bool:
    """Whether the person may, at this moment, export every case of it."""
    links = ExportCase.objects.filter(export=export)
    granted = granted_case_ids(by, CasePermission.EXPORT)
    return not links.exclude(case_id__in=granted).exists()


def _require_other_person(export: Export, by: User) -> None:
    if export.requester_id == by.pk:
        raise OwnRequest


def _answer(export: Export, status: Status, act: Act, by: User, answer: str) -> Export:
    export.status, export.approver, export.answer, export.decided_at = status, by, answer, timezone.now()
    export.save(update_fields=["status", "approver", "answer", "decided_at"])
    _record(act, export)
    return export


def _require_classes(granted: CaseQuerySet, n_cases: int, classes: Collection[DataClass], by: User) -> None:
    """Every chosen class must be granted in every case: a file with holes would mislead its reader."""
    missing = {}
    for data_class in classes:
        n_open = granted.visible_to(by, class_permission(data_class)).count()
        if n_open < n_cases:
            missing[data_class] = n_cases - n_open
    if missing:
        raise ClassesNotGranted(missing)


def _links(export: Export, ids: Collection[UUID]) -> Iterator[ExportCase]:
    for position, case_id in enumerate(ids, start=1):
        yield ExportCase(export=export, case_id=case_id, position=position)


def _places_of(organisation: Organisation | None) -> dict[str, Organisation]:
    """The organisation and those above it, by level."""
    places: dict[str, Organisation] = {}
    while organisation is not None:
        places[organisation.level] = organisation
        organisation = organisation.parent
    return places


def _record(
    act: Act,
    export: Export,
    *,
    subjects: Collection[Case] = (),
    fields: Collection[str] | None = None,
    data_classes: Collection[str] | None = None,
    **extra: str,
) -> None:
    """Name the act with what every event of an export tells: fields, classes, purpose, number of rows."""
    chosen = profiles.chosen(export.fields)
    record(
        act,
        export,
        subjects=subjects,
        fields=export.fields if fields is None else fields,
        data_classes=[str(one) for one in profiles.sealed_classes(chosen)]
        if data_classes is None
        else data_classes,
        purpose=export.purpose,
        counts={"rows": export.n_cases},
        extra=extra,
    )
