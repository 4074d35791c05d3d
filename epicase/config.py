"""Reads what the environment says, and refuses to guess a secret."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from access.single_sign_on.configured import Configured


BASE_DIR: Final = Path(__file__).resolve().parent.parent
LOGINS: Final = ("app", "worker", "owner", "sealer", "beat", "test")
# Where the address of each login stands; beat only wakes others up and talks to no database.
ADDRESSES: Final = {
    "worker": "EPICASE_WORKER_DATABASE_URL",
    "owner": "EPICASE_OWNER_DATABASE_URL",
    "sealer": "EPICASE_SEALER_DATABASE_URL",
}
# Processes that seal no value and open none: they hold no keyring.
WITHOUT_KEYRING: Final = ("sealer", "beat")
LONGEST_ISSUER: Final = 200
TRUE: Final = {"1", "true", "yes", "on"}


class Misconfigured(ImproperlyConfigured):
    """One line for the person who starts epicase: what is wrong, and what to do."""


def text(name: str, default: str | None = None) -> str | None:
    """The value of NAME, or the content of the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name) or default
    try:
        return Path(path).read_text(encoding="utf-8").strip() or default
    except OSError as error:
        raise Misconfigured(
            f"{name}_FILE={path} cannot be read ({error.strerror}): create it or correct the path."
        ) from error


def flag(name: str) -> bool:
    return (text(name) or "").lower() in TRUE


def is_demo() -> bool:
    return flag("EPICASE_DEMO")


def is_test() -> bool:
    return flag("EPICASE_TEST")


def may_improvise() -> bool:
    """Whether embedded servers and generated secrets are permitted here: demo, tests, development."""
    return is_demo() or is_test() or flag("EPICASE_DEV")


def login() -> str:
    """Which of the database logins this process uses: app, worker, owner, sealer or test; beat uses none."""
    name = text("EPICASE_LOGIN", "app") or "app"
    if name not in LOGINS:
        raise Misconfigured(f"EPICASE_LOGIN={name} is unknown: use one of {', '.join(LOGINS)}.")
    return name


def state_dir() -> Path:
    """Where demo, tests and development keep servers, secrets and files: outside the source tree.

    One folder per checkout and user, below the system's folder for persistent temporary files, because a
    checkout below a closed home directory could not be read by the database server's own uid.
    """
    given = text("EPICASE_STATE_DIR")
    if given:
        return Path(given).expanduser().resolve()
    checkout = hashlib.sha256(str(BASE_DIR).encode()).hexdigest()[:12]
    lasting = Path("/var/tmp")  # noqa: S108  # the folder inside is checked for its owner and closed to others
    base = lasting if lasting.is_dir() else Path(tempfile.gettempdir())
    name = f"epicase-{os.getuid()}-{checkout}"
    return base / (f"{name}-test" if is_test() else name)


@dataclass(frozen=True)
class Urls:
    """The servers this process talks to."""

    database: str
    redis: str


def remembered() -> dict[str, str]:
    path = state_dir() / "urls.json"
    if not may_improvise() or not path.is_file():
        return {}
    remembered: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return remembered


def urls() -> Urls:
    """Database and broker of this process, from the environment or from the embedded servers' notes."""
    who = login()
    notes = remembered()
    given = text(ADDRESSES[who]) if who in ADDRESSES else None
    database = given or notes.get(who) or text("DATABASE_URL")
    redis = text("REDIS_URL") or notes.get("redis")
    if not may_improvise():
        database = given or text("DATABASE_URL")
        if not database and who != "beat":
            raise Misconfigured(
                "DATABASE_URL is missing: give the database login of this process (or DATABASE_URL_FILE)."
            )
        if not redis:
            raise Misconfigured("REDIS_URL is missing: give the broker's address (or REDIS_URL_FILE).")
    nowhere = state_dir() / "not-started"
    return Urls(
        database or f"postgresql:///epicase?host={nowhere}", redis or f"redis+socket://{nowhere}/valkey.sock"
    )


def secret(name: str, *, improvised: str) -> str:
    """A secret from the environment; in demo, tests and development the one kept in the state folder."""
    given = text(name)
    if given:
        return given
    kept = state_dir() / "secrets" / improvised
    if may_improvise():
        return (
            kept.read_text(encoding="utf-8").strip() if kept.is_file() else "improvised-" + str(state_dir())
        )
    if login() == "beat":
        return ""
    raise Misconfigured(
        f"{name} is missing: set it, or {name}_FILE with the path of a file that only this user can read."
    )


def key_url(name: str, *, improvised: str) -> str:
    """The address of a key (``file:/path``); in demo, tests and development below the state folder."""
    given = text(name)
    if given:
        return given
    if may_improvise():
        return f"file:{state_dir() / 'secrets' / improvised}"
    if login() in WITHOUT_KEYRING:
        return ""
    raise Misconfigured(
        f"{name} is missing: give the key's address, e.g. {name}=file:/run/secrets/{improvised}."
    )


def single_sign_on() -> Configured | None:
    """The provider of single sign-on; None where nothing of it was configured, and in processes that sign nobody in."""
    names = ("EPICASE_OIDC_ISSUER", "EPICASE_OIDC_CLIENT_ID", "EPICASE_OIDC_CLIENT_SECRET")
    others = ("EPICASE_OIDC_LABEL", "EPICASE_OIDC_SECOND_FACTOR_VALUES")
    given = {name: text(name) or "" for name in (*names, *others)}
    if login() not in ("app", "test") or not any(given.values()):
        return None
    for name in names:
        if not given[name]:
            raise Misconfigured(
                f"{name} is missing: single sign-on needs {', '.join(names)}_FILE, or none of EPICASE_OIDC_*."
            )
    # Late: the embedded servers read this module where the other rooms are not at hand.
    from access.single_sign_on.configured import Configured

    issuer, client_id, secret, label, factors = given.values()
    _check_issuer(issuer)
    values = frozenset(value.strip() for value in factors.split(",") if value.strip())
    return Configured(issuer, client_id, secret, label or "SSO", values)


def _check_issuer(issuer: str) -> None:
    parts = urlsplit(issuer)
    is_local_test = is_test() and parts.scheme == "http" and parts.hostname == "127.0.0.1"
    if parts.scheme != "https" and not is_local_test:
        raise Misconfigured("EPICASE_OIDC_ISSUER is no https address: single sign-on needs TLS.")
    if not parts.hostname or parts.username or parts.query or parts.fragment or len(issuer) > LONGEST_ISSUER:
        raise Misconfigured(
            "EPICASE_OIDC_ISSUER is no issuer: give the address exactly as the provider's description names it."
        )


BASE_ROLES: Final = {"owner": "epi_owner", "sealer": "ep_sealer"}


def database(url: str) -> dict[str, object]:
    """Django's entry for the database at URL, worn by this process's login.

    A login with a base role (migrations, sealing) wears it all the time; the others wear a person's role inside
    a transaction only, and have no right outside one.
    """
    from psycopg.conninfo import conninfo_to_dict

    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    return {
        "ENGINE": "access.postgresql",
        "NAME": parts.pop("dbname", "epicase"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 0 if is_test() else 300,
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {"application_name": f"epicase {login()}", "connect_timeout": 5, **parts},
        "BASE_ROLE": BASE_ROLES.get(login()),
    }
