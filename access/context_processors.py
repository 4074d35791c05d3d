"""What every page's frame shows: who, which way to go, how long the session lasts."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language

from access import actor, navigation, sessions
from access.models import Notice, User
from access.roles import Role, may

THEME_COOKIE = "epicase_theme"
KEYS_COOKIE = "epicase_keys"
THEMES = ("light", "dark")


def frame(request: HttpRequest) -> dict[str, Any]:
    """`frame`: the lazily filled facts that base.html draws."""
    return {"frame": Frame(request)}


class Frame:
    """The frame around one page; nothing is asked for until a template does."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def user(self) -> Any:
        """The signed-in person, or None."""
        user = getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @property
    def role(self) -> str:
        """The code of the person's role, "" for a visitor."""
        return str(getattr(self.user, "role", "") or "")

    @property
    def role_label(self) -> str:
        """The role in the reader's language."""
        return str(Role(self.role).label) if self.role in Role.values else ""

    @cached_property
    def groups(self) -> list[navigation.Group]:
        """The side navigation of this role, with the counts that wait."""
        return navigation.for_person(self.user, self.request.path) if self.user else []

    @cached_property
    def unread_notices(self) -> int:
        """How many notices wait; 0 for a visitor, and where the page is drawn without the person's role."""
        if not isinstance(self.user, User) or actor.current().user_id != self.user.pk:
            return 0
        return Notice.objects.filter(person=self.user, read_at__isnull=True).count()

    @property
    def home(self) -> str:
        """The first page of this role."""
        return next((link.url for group in self.groups for link in group.links), "/")

    @property
    def user_name(self) -> str:
        """The person's own name as colleagues write it."""
        return str(getattr(self.user, "display_name", "") or getattr(self.user, "username", ""))

    @property
    def organisation(self) -> str:
        """Where the person works."""
        return str(getattr(self.user, "organisation", None) or "")

    @property
    def last_sign_in(self) -> Any:
        """When the person signed in last."""
        return getattr(self.user, "last_login", None)

    @property
    def sees_cases(self) -> bool:
        """Whether going to a case by its number makes sense for this role."""
        return may(self.role, "cases.view_cases")

    @property
    def may_break_glass(self) -> bool:
        """Whether emergency access is the person's last way to a case."""
        return may(self.role, "access.break_glass")

    @property
    def scripts(self) -> list[str]:
        """Our own modules, in the order they load."""
        return [f"js/{name}.js" for name in ("keys", "lit", "dialogs", "session", "forms", "answers")]

    @property
    def is_demo(self) -> bool:
        """Whether the bar says that everything is invented."""
        return bool(settings.EPICASE_DEMO)

    @property
    def demo_accounts(self) -> list[dict[str, str]]:
        """The published accounts of the demo, one per role; none elsewhere."""
        password = getattr(settings, "EPICASE_DEMO_PASSWORD", "") if self.is_demo else ""
        names: list[str] = getattr(settings, "EPICASE_DEMO_ACCOUNTS", []) if password else []
        labels = {name: str(Role(name.rstrip("0123456789")).label) for name in names}
        return [{"username": name, "password": password, "role": labels[name]} for name in names]

    @property
    def sso_label(self) -> str:
        """The words on the button of single sign-on, "" where there is none."""
        return settings.EPICASE_OIDC.label if settings.EPICASE_OIDC else ""

    @property
    def theme(self) -> str:
        """ "light" or "dark" as chosen; "" follows the device."""
        chosen = self.request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else ""

    @property
    def keys_on(self) -> bool:
        """Whether single letters act (WCAG 2.1.4 lets people switch them off)."""
        switched_off = self.request.COOKIES.get(KEYS_COOKIE) == "off"
        return not switched_off and bool(getattr(self.user, "single_key_shortcuts", True))

    @property
    def is_chinese(self) -> bool:
        """Whether the page is in Chinese now."""
        return (get_language() or "").startswith("zh")

    @cached_property
    def seconds_left(self) -> int:
        """Seconds until the session ends by itself: idle time, or its whole life if that is nearer."""
        return sessions.seconds_left(self.request.session)

    @property
    def idle_minutes(self) -> int:
        """After how many minutes without action a session ends."""
        return int(settings.SESSION_IDLE_SECONDS) // 60

    @property
    def clock(self) -> str:
        """The session's time left as minutes and seconds."""
        minutes, seconds = divmod(self.seconds_left, 60)
        return f"{minutes:02d}:{seconds:02d}"

    @property
    def here(self) -> str:
        """Where the language switch returns to: this page, or the one its form was sent from."""
        if self.request.path == _address("access:sso_return"):
            # What the provider sent along is good for one return.
            return "/"
        if self.request.method == "GET":
            return self.request.get_full_path()
        came_from = urlsplit(self.request.headers.get("referer", ""))
        return came_from.path if came_from.netloc == self.request.get_host() else "/"

    def __getattr__(self, name: str) -> str:
        """`frame.url_go` and the like: the address, or "" where this installation has none."""
        if name not in _ADDRESSES:
            raise AttributeError(name)
        return next((url for url in map(_address, _ADDRESSES[name]) if url), "")


_ADDRESSES = {
    "url_go": ("cases:go",),
    "url_notices": ("access:notices",),
    "url_language": ("access:language", "set_language"),
    "url_sign_in": ("access:sign_in",),
    "url_sign_out": ("access:sign_out",),
    "url_own_account": ("access:own_account",),
}


def _address(url_name: str) -> str:
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""
