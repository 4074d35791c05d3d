"""What is recorded of a request refused or failed: the view's name and ids in its address, never a value."""

from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from audit import context as contexts
from audit import trail
from audit.acts import Act, Outcome
from audit.drafts import EventDraft, ObjectRef

_ACCESS = {401, 403, 404, 429}
# The readiness probe says 503 every few seconds while something is down.
_PROBES = {"/readyz"}


def is_refusal(status: int) -> bool:
    """Whether the status says that the request was refused or failed."""
    return status >= 400


def record_refusal(request: HttpRequest, response: HttpResponseBase) -> EventDraft | None:
    """Name the refusal of this request; None for addresses nobody signed in asked for and that do not exist.

    Those are the noise of the open network: they reach no record, and recording them would let strangers fill
    the log.
    """
    context, match = contexts.current(), request.resolver_match
    status = response.status_code
    outcome = Outcome.FAILED if status >= 500 else Outcome.REFUSED
    if context.undone:
        trail.end_undone(outcome)
    if request.path in _PROBES or (match is None and context.actor.actor_id is None):
        return None
    if any(draft.outcome is not Outcome.OK and draft.act in _OWN_WORDS for draft in context.drafts):
        return None
    return record(request, status)


def record(request: HttpRequest, status: int, reason: str = "") -> EventDraft:
    """Name a refusal or failure with the record that the address names; the reason is the status, or says more."""
    outcome = Outcome.FAILED if status >= 500 else Outcome.REFUSED
    draft = trail.record(_act(status), outcome=outcome, reason=reason or str(status))
    identifier = object_in_address(request)
    if identifier is not None:
        draft.subject = ObjectRef(type="", pk=str(identifier), id=identifier, touches=frozenset({identifier}))
    return draft


# Acts that say themselves that they were refused.
_OWN_WORDS = {
    Act.SIGN_IN_FAILED,
    Act.SIGN_IN_LOCKED,
    Act.ACCESS_REFUSED,
    Act.BAD_INPUT,
    Act.REQUEST_FAILED,
    Act.REVEAL,
    Act.EXPORT_DOWNLOAD,
    Act.EMERGENCY_OPEN,
}


def object_in_address(request: HttpRequest) -> UUID | None:
    """The first id that the address carries; other parts of it are not looked at."""
    match = request.resolver_match
    values = match.kwargs.values() if match is not None else ()
    return next((value for value in values if isinstance(value, UUID)), None)


def _act(status: int) -> Act:
    if status >= 500:
        return Act.REQUEST_FAILED
    return Act.ACCESS_REFUSED if status in _ACCESS else Act.BAD_INPUT
