"""Who is acting, in which request or job, and what has happened in it so far."""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.conf import settings
from django.http import HttpRequest

from audit.canonical import derived_key
from audit.errors import AuditOutsideContext

if TYPE_CHECKING:
    from audit.drafts import Change, EventDraft, Opening

SESSION_FINGERPRINT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Actor:
    """A person as the ledger keeps them: the id and the words of that moment, no foreign key."""

    actor_id: UUID | None = None
    name: str = ""
    role: str = ""
    organisation_id: int | None = None
    organisation_name: str = ""


NOBODY = Actor()


@dataclass(slots=True, eq=False)
class Context:
    """One request or job. Acts, opened values and changed rows gather here until the flush."""

    kind: str = "job"
    reason: str = ""
    request_id: UUID = field(default_factory=uuid4)
    actor: Actor = NOBODY
    session_h: bytes = b""
    ip: str | None = None
    view: str = ""
    method: str = ""
    trace: str = ""
    trace_stored: bool = False
    drafts: list["EventDraft"] = field(default_factory=list)
    openings: list["Opening"] = field(default_factory=list)
    changes: list["Change"] = field(default_factory=list)
    undone: bool = False
    token: UUID | None = None
    """The personal token of the API by which the request came."""
    acts: list[str] = field(default_factory=list)
    """Every act of this request, flushed or not: what the status line tells."""


_current: ContextVar[Context | None] = ContextVar("audit_context", default=None)


def current() -> Context:
    """The request or job we are in. Raises AuditOutsideContext when there is none."""
    context = _current.get()
    if context is None:
        raise AuditOutsideContext("outside a request and outside audit_job")
    return context


def is_open() -> bool:
    """Whether a request or a job is being recorded now."""
    return _current.get() is not None


@contextmanager
def opened(context: Context) -> Iterator[Context]:
    """Make this the current context; the one before comes back after, however it ends."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def for_request(request: HttpRequest) -> Context:
    """A fresh context for a request: its address and method; the actor follows when it is put on."""
    return Context(kind="request", method=request.method or "", ip=client_ip(request))


def set_actor(
    *,
    actor_id: UUID | None,
    name: str,
    role: str,
    organisation_id: int | None = None,
    organisation_name: str = "",
    session_key: str | None = None,
) -> None:
    """Copy the facts about the actor into the current context; it stays when the role is taken off again."""
    context = current()
    context.actor = Actor(actor_id, name, role, organisation_id, organisation_name)
    if session_key:
        context.session_h = session_fingerprint(session_key)


def forget_undone() -> None:
    """The view's savepoint was rolled back: its changes are gone, and the acts that made them did not happen.

    Opened values stay on record: they may stand on the page that refuses.
    """
    if is_open():
        context = current()
        context.changes.clear()
        context.undone = True


def session_fingerprint(session_key: str) -> bytes:
    """What the ledger keeps of a session key: ties events of one session, opens none."""
    whole = hmac.digest(derived_key("session"), session_key.encode(), hashlib.sha256)
    return whole[:SESSION_FINGERPRINT_BYTES]


def client_ip(request: HttpRequest) -> str | None:
    """The client's address: of X-Forwarded-For, the right-most entry not written by a trusted proxy.

    EPICASE_TRUSTED_PROXIES lists the proxies' networks; while it is empty the header is not looked at.
    """
    hops = [request.META.get("REMOTE_ADDR", "")]
    hops += reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(","))
    for hop in hops:
        address = _address(hop)
        if address is None:
            return None
        if not _is_trusted(address):
            return str(address)
    return None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None


def _is_trusted(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(
        address in network for network in _networks(tuple(getattr(settings, "EPICASE_TRUSTED_PROXIES", ())))
    )


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)
