"""The one door to the ledger: an act is written in the transaction of what it did, or nothing is."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model

from audit import context as contexts
from audit import trace_codes, writing
from audit.acts import Act, Outcome
from audit.context import Actor, Context
from audit.drafts import EventDraft, ObjectRef, Opening, code
from audit.errors import AuditOutsideTransaction, UnnamedChange, UnnamedOpening


def record(
    act: Act,
    subject: Model | None = None,
    *,
    subjects: Iterable[Model] = (),
    fields: Iterable[str] = (),
    data_classes: Iterable[str] = (),
    purpose: str = "",
    grant_id: UUID | None = None,
    decision_id: UUID | None = None,
    outcome: Outcome = Outcome.OK,
    reason: str = "",
    counts: Mapping[str, int] | None = None,
    extra: Mapping[str, Any] | None = None,
    person_token: bytes | None = None,
    claims: Iterable[Model] | None = None,
    by: Actor | None = None,
    toward: Actor | None = None,
) -> EventDraft:
    """Name an act. It is written at the end of the request or job, before COMMIT.

    `subject` is the record it is about; `subjects` are further ones. `fields` are names, `purpose` and
    `reason` are codes, `counts` and `extra` hold whole numbers, codes and ids. Opened secrets and changed
    rows go to the last act recorded, unless an act `claims` their records. `by` stands in where the context
    has no actor yet (sign-in); `toward` is the colleague it was done for. Raises AuditOutsideContext,
    AuditOutsideTransaction, NotACode.
    """
    context = contexts.current()
    _require_transaction()
    draft = EventDraft(Act(act), ObjectRef.of(subject), [ObjectRef.of(one) for one in subjects])
    draft.grant_id, draft.decision_id, draft.person_token = grant_id, decision_id, person_token
    draft.actor, draft.toward, draft.outcome = by, toward, outcome
    draft.name_fields(fields, data_classes)
    draft.give_reasons(purpose, reason)
    draft.add_numbers(counts, extra)
    draft.claim_records(claims)
    context.drafts.append(draft)
    context.acts.append(draft.act)
    return draft


def trace_code() -> str:
    """This request's trace code, made when first asked for and stored with every event of the request."""
    context = contexts.current()
    if not context.trace:
        context.trace = trace_codes.new()
    return context.trace


def has_trace() -> bool:
    """Whether this request has a trace code."""
    return contexts.is_open() and bool(contexts.current().trace)


def acts_so_far() -> list[str]:
    """The acts this request has recorded, for the status line of the page."""
    return list(contexts.current().acts) if contexts.is_open() else []


def saw(record: Any, field_name: str, data_class: Any) -> None:
    """The vault's witness: a secret of a record was opened."""
    context = contexts.current()
    _require_transaction()
    reference = ObjectRef.of(record)
    opening = Opening(reference, str(field_name), str(data_class))
    if opening not in context.openings[-8:]:
        context.openings.append(opening)


def flush() -> int:
    """Write what has gathered; gives the number of events. Raises UnnamedChange, UnnamedOpening."""
    context = contexts.current()
    if context.trace and not context.trace_stored and not context.drafts:
        record(Act.PAGE_VIEW)
    if not context.drafts:
        _refuse_unnamed(context)
        return 0
    _require_transaction()
    _attach(context)
    drafts, context.drafts = context.drafts, []
    writing.write(drafts, context)
    context.trace_stored = bool(context.trace)
    return len(drafts)


@contextmanager
def audit_job(reason: str, actor: Actor | None = None) -> Iterator[Context]:
    """A command or task: a context and a transaction of its own; events are written before its COMMIT.

    What it opens or changes without naming an act is written under the act JOB with the reason. When it
    fails, its changes are undone, and a JOB event with the outcome FAILED tells what had been opened until
    then.
    """
    job = Context(kind="job", reason=code(reason, "reason"), actor=actor or Actor(role="job"))
    with contexts.opened(job), writing.key_session():
        try:
            with transaction.atomic():
                yield job
                if (job.changes or job.openings) and not job.drafts:
                    record(Act.JOB, reason=reason)
                flush()
        except Exception as error:
            _record_failure(job, error)
            raise


def end_undone(outcome: Outcome) -> None:
    """After `context.forget_undone`: the acts that would have changed something end as refused or failed."""
    for draft in contexts.current().drafts:
        draft.changes.clear()
        if draft.outcome is Outcome.OK and writing.changes_something(draft.act):
            draft.outcome = outcome


def _record_failure(job: Context, error: Exception) -> None:
    if not (job.drafts or job.openings or job.changes) or connection.needs_rollback:
        return
    contexts.forget_undone()
    end_undone(Outcome.FAILED)
    with transaction.atomic():
        record(Act.JOB, reason=job.reason, outcome=Outcome.FAILED, extra={"error": type(error).__name__})
        flush()


def _attach(context: Context) -> None:
    """Give each opened value and changed row to the act that claims it, else to the last."""
    for opening in context.openings:
        _owner(context, opening.object).openings.append(opening)
    for change in context.changes:
        _owner(context, change.object).changes.append(change)
    context.openings, context.changes = [], []


def _owner(context: Context, reference: ObjectRef) -> EventDraft:
    claimed = (draft for draft in reversed(context.drafts) if draft.claim(reference))
    return next(claimed, context.drafts[-1])


def _refuse_unnamed(context: Context) -> None:
    if context.changes:
        raise UnnamedChange(", ".join(sorted({change.object.type for change in context.changes})))
    if context.openings:
        raise UnnamedOpening(", ".join(sorted({opening.field for opening in context.openings})))


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise AuditOutsideTransaction("the act and its event must share one COMMIT")
