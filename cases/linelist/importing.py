"""Imports a line list: a dry run that writes nothing, and a run in batches that can be resumed.

Each batch is one transaction with its own event, so a run that is killed goes on where it stopped, and the
same file twice makes no duplicates. The trail learns counts and which records were touched, never a value.
"""

import hashlib
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, models, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from access.actions import ledger_actor
from access.actor import acting_as
from access.models import Organisation, User
from audit import trail
from audit.acts import Act, Outcome
from cases.linelist import filing, reading
from cases.linelist.comparing import Compared, Known, State, cell_tokens, compare, known_rows, source_tokens
from cases.linelist.kinds import Target, Writer, kind
from cases.linelist.problems import Problem, Refused, Unusable
from cases.linelist.profiles import Profile, Record, columns_left_out, understand
from cases.models import ImportedRow, ImportRowIssue, ImportRun, Outbreak

log = logging.getLogger("epicase.cases")
BATCH = 500
PERMISSION = "cases.import_linelist"
STALE_SECONDS = 60


@dataclass(frozen=True)
class Plan:
    """What an import would do: the difference table, the refused rows and the columns left out."""

    profile: Profile
    encoding: str
    rows: tuple[Compared, ...]
    problems: tuple[Problem, ...]
    left_out: dict[str, str] = field(default_factory=dict)

    def of(self, state: State) -> list[Compared]:
        """The rows in this state."""
        return [row for row in self.rows if row.state is state]

    @property
    def refused_rows(self) -> int:
        """How many rows would not be taken in."""
        return len({problem.row for problem in self.problems})

    @property
    def counts(self) -> dict[str, int]:
        """Rows by what would happen to them."""
        return {**{str(state): len(self.of(state)) for state in State}, "refused": self.refused_rows}


Item = Record | list[Problem]


def plan(
    content: bytes,
    profile: str,
    outbreak: Outbreak,
    *,
    by: User,
    district: Organisation | None = None,
    expected: Collection[str] = (),
) -> Plan:
    """The difference between the file and what is known; writes nothing. Raises Unusable, PermissionDenied.

    `expected` are identifiers that an import planned before this one would bring.
    """
    target = _target(profile, outbreak, by, district)
    writer = _writer(target)
    table = reading.read(content)
    records, problems = understand(target.profile, table)
    writer.prepare(target, expected)
    compared = _compare(target, records)
    problems = problems + writer.refusals(target, compared)
    refused = {problem.row for problem in problems}
    kept = tuple(row for row in compared if row.record.number not in refused)
    ordered = tuple(sorted(problems, key=lambda problem: problem.row))
    return Plan(target.profile, table.encoding, kept, ordered, columns_left_out(target.profile, table))


def preview(
    content: bytes,
    profile: str,
    outbreak: Outbreak,
    *,
    by: User,
    district: Organisation | None = None,
    expected: Collection[str] = (),
) -> Plan:
    """The plan, recorded as an act of the person who asked."""
    result = plan(content, profile, outbreak, by=by, district=district, expected=expected)
    trail.record(Act.IMPORT_PREVIEW, outbreak, counts=result.counts, extra={"profile": profile})
    return result


def start_import(
    content: bytes,
    profile: str,
    outbreak: Outbreak,
    by: User,
    *,
    district: Organisation | None = None,
    in_background: bool = True,
) -> ImportRun:
    """Begin a run: the file is kept sealed until the run is over, the worker is told after COMMIT.

    Raises Unusable when nothing of the file can be taken in, PermissionDenied.
    """
    run = file_run(content, profile, outbreak, by, district, ImportRun.Status.WAITING)
    begin(run, in_background=in_background)
    return run


def file_run(  # noqa: PLR0917 (the facts of a run)
    content: bytes,
    profile: str,
    outbreak: Outbreak,
    by: User,
    district: Organisation | None,
    status: ImportRun.Status,
) -> ImportRun:
    """A run in this state with its file kept sealed. Raises Unusable, PermissionDenied."""
    target = _target(profile, outbreak, by, district)
    run = ImportRun(
        outbreak=outbreak,
        profile=profile,
        file_digest=hashlib.sha256(content).hexdigest(),
        by=by,
        status=status,
        total_rows=len(_items(target.profile, content)),
    )
    run.save(force_insert=True)
    filing.keep(run, content, target.district)
    return run


def begin(run: ImportRun, *, in_background: bool) -> None:
    """Record that the run begins, and tell the worker after COMMIT."""
    trail.record(
        Act.IMPORT_RUN,
        run.outbreak,
        subjects=[run],
        counts={"rows": run.total_rows},
        extra={"profile": run.profile},
    )
    if in_background:
        transaction.on_commit(lambda: _send(run.pk))


def _send(run_id: UUID) -> None:
    """Tell the worker; when nobody can be told the run stays waiting and the sweep finds it."""
    from cases.tasks import import_linelist

    try:
        import_linelist.delay(str(run_id))
    except (OperationalError, OSError) as error:
        log.warning("import %s waits: %s", run_id, type(error).__name__)


def run_import(run_id: UUID, by: User) -> ImportRun:
    """Take in what is left of the run's file, batch by batch, in the name of the person who began it."""
    source = _Source()
    try:
        while _run_batch(run_id, by, source):
            pass
    except (Unusable, PermissionDenied, filing.FileGone) as error:
        _fail(run_id, by, error)
    return _finished(run_id, by)


@dataclass
class _Source:
    """The rows of a run's file, understood once for all batches of one process."""

    target: Target | None = None
    items: Sequence[Item] = ()

    def open(self, run: ImportRun, by: User) -> Target:
        if self.target is None:
            content, district = filing.open_file(run)
            outbreak = Outbreak.objects.select_related("organisation", "disease").get(pk=run.outbreak_id)
            self.target = _target(run.profile, outbreak, by, district)
            self.items = _items(self.target.profile, content)
        return self.target


def _run_batch(run_id: UUID, by: User, source: _Source) -> bool:
    """One batch in one transaction; False when the run is over. A run somebody else holds is left alone."""
    with acting_as(by), trail.audit_job("import_linelist", ledger_actor(by)):
        run = ImportRun.objects.select_for_update(skip_locked=True).filter(pk=run_id).first()
        if run is None or run.is_over:
            return False
        target = source.open(run, by)
        batch = source.items[run.next_row : run.next_row + BATCH]
        if batch:
            _take_in(run, target, batch)
        run.next_row += len(batch)
        run.started_at = run.started_at or timezone.now()
        run.heartbeat_at = timezone.now()
        run.status = ImportRun.Status.RUNNING
        if run.next_row >= len(source.items):
            _finish(run)
        run.save()
        return not run.is_over


def _finish(run: ImportRun) -> None:
    run.status, run.finished_at = ImportRun.Status.DONE, timezone.now()
    filing.erase(run)
    trail.record(Act.IMPORT_RUN, run.outbreak, subjects=[run], counts=counts_of(run), reason="done")


def _fail(run_id: UUID, by: User, error: Exception) -> None:
    code = error.problem.code if isinstance(error, Unusable) else type(error).__name__
    with acting_as(by), trail.audit_job("import_linelist", ledger_actor(by)):
        run = ImportRun.objects.select_for_update().get(pk=run_id)
        run.status, run.failure, run.finished_at = ImportRun.Status.FAILED, code[:40], timezone.now()
        run.save()
        filing.erase(run)
        failed, counts = Outcome.FAILED, counts_of(run)
        trail.record(
            Act.IMPORT_RUN, run.outbreak, subjects=[run], outcome=failed, counts=counts, reason=code[:40]
        )


def _finished(run_id: UUID, by: User) -> ImportRun:
    with acting_as(by), transaction.atomic():
        return ImportRun.objects.select_related("outbreak").get(pk=run_id)


def counts_of(run: ImportRun) -> dict[str, int]:
    """The run's rows by what became of them."""
    return {
        "new": run.created_count,
        "changed": run.changed_count,
        "same": run.unchanged_count,
        "refused": run.refused_count,
    }


def _take_in(run: ImportRun, target: Target, batch: Sequence[Item]) -> None:
    """One batch of rows into records; what is refused is noted with its row, column and reason."""
    writer = _writer(target)
    writer.prepare(target)
    problems = [problem for item in batch if isinstance(item, list) for problem in item]
    compared = _compare(target, [item for item in batch if isinstance(item, Record)])
    problems += writer.refusals(target, compared)
    refused = {problem.row for problem in problems}
    rows = [row for row in compared if row.record.number not in refused]
    new = [row for row in rows if row.state is State.NEW]
    made, more = _create(target, writer, new)
    touched, changed, yet_more = _change(target, writer, [row for row in rows if row.state is State.CHANGED])
    problems += more + yet_more
    _note(run, problems)
    run.created_count += len(made)
    run.changed_count += changed
    run.unchanged_count += sum(row.state is State.SAME for row in rows)
    run.refused_count += len({problem.row for problem in problems})
    trail.record(
        Act.IMPORT_ROWS,
        run.outbreak,
        subjects=[run, *made, *touched],
        counts={"new": len(made), "changed": changed, "refused": len({problem.row for problem in problems})},
        extra={"profile": run.profile},
    )


def _create(
    target: Target, writer: Writer, rows: Sequence[Compared]
) -> tuple[list[models.Model], list[Problem]]:
    """All rows at once; when the database refuses, one by one, so that the good ones go in."""
    if not rows:
        return [], []
    try:
        with transaction.atomic():
            records = writer.create(target, rows)
            _remember(target, writer, zip(rows, records, strict=True))
            return records, []
    except (IntegrityError, DatabaseError):
        if len(rows) == 1:
            return [], [Problem(rows[0].record.number, "", "invalid")]
    made: list[models.Model] = []
    problems: list[Problem] = []
    for row in rows:
        records, found = _create(target, writer, [row])
        made += records
        problems += found
    return made, problems


def _change(
    target: Target, writer: Writer, rows: Sequence[Compared]
) -> tuple[list[models.Model], int, list[Problem]]:
    known = known_rows(target.outbreak, [row.token for row in rows])
    touched: list[models.Model] = []
    problems: list[Problem] = []
    for row in rows:
        try:
            with transaction.atomic():
                touched.append(writer.change(target, row, known[row.token].record_id))
                _renew(target, row)
        except Refused as refusal:
            problems.append(Problem(row.record.number, "", refusal.code))
        except DatabaseError:
            problems.append(Problem(row.record.number, "", "invalid"))
    return touched, len(touched), problems


def _remember(target: Target, writer: Writer, made: Iterable[tuple[Compared, models.Model]]) -> None:
    ImportedRow.objects.bulk_create(
        [
            ImportedRow(
                outbreak=target.outbreak,
                source_token=row.token,
                cells=row.cells,
                record_id=writer.record_id(record),
            )
            for row, record in made
        ],
        batch_size=500,
    )


def _renew(target: Target, row: Compared) -> None:
    rows = ImportedRow.objects.filter(outbreak=target.outbreak, source_token=row.token)
    rows.update(cells=row.cells, updated_at=timezone.now())


def _note(run: ImportRun, problems: Iterable[Problem]) -> None:
    ImportRowIssue.objects.bulk_create(
        [
            ImportRowIssue(run=run, row_number=one.row, column=one.column[:60], reason=one.code)
            for one in problems
        ],
        batch_size=500,
    )


def _items(profile: Profile, content: bytes) -> list[Item]:
    """The file's rows in their order: a record, or the problems that refuse it."""
    records, problems = understand(profile, reading.read(content))
    by_row: dict[int, Item] = {record.number: record for record in records}
    refused: dict[int, list[Problem]] = {}
    for problem in problems:
        refused.setdefault(problem.row, []).append(problem)
    by_row.update(refused)
    return [by_row[number] for number in sorted(by_row)]


def _compare(target: Target, records: list[Record]) -> list[Compared]:
    ids = [record.source_id for record in records]
    tokens = source_tokens(target.profile.family, target.outbreak, ids)
    known: dict[bytes, Known] = known_rows(target.outbreak, tokens)
    return compare(records, tokens, cell_tokens(records, tokens), known)


def _writer(target: Target) -> Writer:
    return kind(target.profile.name).writer()


def _target(profile: str, outbreak: Outbreak, by: User, district: Organisation | None) -> Target:
    """Checks that this person may import into this outbreak and district."""
    if not by.may(PERMISSION):
        raise PermissionDenied
    place = district or default_district(outbreak, by)
    if not _lies_in(place, by.organisation):
        raise PermissionDenied
    return Target(kind(profile).profile, outbreak, place, by)


def default_district(outbreak: Outbreak, by: User) -> Organisation:
    """Where cases go when nobody says: the person's district, else the first one of the outbreak's area.

    Raises Unusable when there is none.
    """
    within = _lies_in(by.organisation, outbreak.organisation)
    organisation = by.organisation if within else outbreak.organisation
    while organisation.level != Organisation.Level.DISTRICT:
        first = organisation.children.order_by("code").first()
        if first is None:
            raise Unusable("no_district")
        organisation = first
    return organisation


def _lies_in(place: Organisation, area: Organisation) -> bool:
    above: Organisation | None = place
    while above is not None and above.pk != area.pk:
        above = above.parent
    return above is not None
