"""Sessions of which the table tells a thief nothing: it holds the SHA-256 of the key that the cookie carries."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from access.models import Session, User
from audit import context

_STARTED, _SEEN, _ADDRESS, _AGENT = "started", "seen", "address", "agent"
_SAVE_SEEN_EVERY_SECONDS = 60
_LOAD = f"select session_data from {Session._meta.db_table} where session_key = %s and expire_date > %s"


def digest(session_key: str) -> str:
    """What the table keeps of the cookie's key (64 hex digits)."""
    return hashlib.sha256(b"epicase/session/1" + session_key.encode()).hexdigest()


class SessionStore(SessionBase):
    """Django's database sessions, keyed by digest."""

    def load(self) -> dict[str, Any]:
        if self.session_key is None:
            return {}
        # Every request begins here: plain SQL takes a third of the time that the ORM needs to write the same.
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, [digest(self.session_key), timezone.now()])
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        decoded: dict[str, Any] = self.decode(row[0])
        return decoded

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=digest(session_key)).exists()

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        row = Session(
            session_key=digest(self.session_key),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            user_id=data.get(SESSION_KEY),
            started_at=_moment(data.get(_STARTED)),
            seen_at=_moment(data.get(_SEEN)),
            address=data.get(_ADDRESS, ""),
            agent=data.get(_AGENT, ""),
        )
        try:
            with transaction.atomic():
                row.save(force_insert=must_create, force_update=not must_create)
        except IntegrityError as error:
            raise CreateError from error
        except DatabaseError as error:
            # "Forced update did not affect any rows": the session was ended elsewhere meanwhile.
            if must_create:
                raise
            raise UpdateError from error

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(session_key=digest(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        Session.objects.filter(expire_date__lt=timezone.now()).delete()


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def begins(session: SessionBase, address: str | None, agent: str) -> None:
    """Somebody has signed in: the clocks start, and the browser is noted as coarsely as its owner needs it."""
    session[_STARTED] = session[_SEEN] = time.time()
    session[_ADDRESS], session[_AGENT] = shortened(address), family(agent)


def shortened(address: str | None) -> str:
    """The network of an address, enough to tell the office from elsewhere: "192.0.2.x", "2001:db8:1::x"."""
    if not address:
        return ""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return address.rpartition(".")[0] + ".x"
    network = ipaddress.ip_network((parsed, 48), strict=False)
    return f"{network.network_address}x"


def family(agent: str) -> str:
    """The browser's and the system's name of a User-Agent header, without versions: "Firefox, Linux"."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return ", ".join(name for name in (browser, system) if name)


# The order matters: every browser claims to be those below it.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def of_person(user: User) -> list[Session]:
    """The person's signed-in browsers that have not ended yet, seen last first."""
    idle = timezone.now() - timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    rows = Session.objects.filter(user_id=user.pk, expire_date__gt=timezone.now(), seen_at__gt=idle)
    return list(rows.defer("session_data").order_by("-seen_at"))


def handle(row: Session) -> str:
    """What a form may call a session: neither its key nor the digest of it."""
    return salted_hmac("access.sessions.handle", row.session_key, algorithm="sha256").hexdigest()[:24]


def end(rows: Iterable[Session]) -> int:
    """End these sessions on their next click; gives how many were still there."""
    return Session.objects.filter(pk__in=[row.pk for row in rows]).delete()[0]


def is_here(row: Session, session: SessionBase) -> bool:
    """Whether the row is the session of this very browser."""
    return session.session_key is not None and row.session_key == digest(session.session_key)


def seconds_left(session: SessionBase) -> int:
    """How long the session lasts if nothing is done: the nearer of the idle and the absolute end."""
    now = time.time()
    idle = session.get(_SEEN, now) + settings.SESSION_IDLE_SECONDS - now
    absolute = session.get(_STARTED, now) + settings.SESSION_COOKIE_AGE - now
    return max(0, int(min(idle, absolute)))


class SessionMiddleware(DjangoSessionMiddleware):
    """Ends a session after idleness or after its full length, whichever comes first."""

    def process_request(self, request: HttpRequest) -> None:
        if not context.is_open():
            # Static files and the liveness probe stand outside the transaction: nobody is signed in there.
            request.session = SessionStore()
            return
        super().process_request(request)
        session = request.session
        if session.session_key is None or session.is_empty():
            return
        now = time.time()
        session.setdefault(_STARTED, now)
        if seconds_left(session) <= 0:
            session.flush()
        elif now - session.get(_SEEN, 0) > _SAVE_SEEN_EVERY_SECONDS:
            session[_SEEN] = now

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        return super().process_response(request, response) if context.is_open() else response
