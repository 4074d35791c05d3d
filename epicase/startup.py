"""What must be true before a process of epicase may serve anyone."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured

from epicase import config
from epicase.config import Misconfigured

DEMO_MARKER = "demo"
ORIGIN = "epicase.local/ledger"


def adopt_demo(command: str) -> None:
    """Let a command typed beside a running demo work on that demo, and say so.

    Only where nothing else was configured: one given address or secret means that the caller knows better.
    """
    if command == "demo":
        os.environ["EPICASE_DEMO"] = "1"
        return
    told = any(
        os.environ.get(name) for name in ("DATABASE_URL", "EPICASE_SECRET_KEY", "EPICASE_SECRET_KEY_FILE")
    )
    if told or config.may_improvise() or not (config.state_dir() / DEMO_MARKER).exists():
        return
    os.environ["EPICASE_DEMO"] = "1"
    print(f"epicase: working on the demo in {config.state_dir()}", file=sys.stderr)


def prepare_servers() -> None:
    """Start or join the embedded servers, or prepare the given ones, where improvising is permitted."""
    if not config.may_improvise() or os.environ.get("EPICASE_SERVERS_READY"):
        return
    from access.postgresql import bootstrap

    state = make_state_dir()
    admin, redis = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    if not admin or not redis:
        from epicase import embedded

        servers = embedded.ensure_running(state)
        admin, redis = admin or servers.admin_url, redis or servers.redis_url
    make_secret_key(state)
    if bootstrap.is_administrator(admin):
        notes = bootstrap.prepare_installation(admin, state=state, with_test_login=config.is_test())
        if config.is_test():
            # Tests make and drop databases of their own.
            notes["admin"] = admin
    else:
        notes = {"app": admin, "worker": admin, "owner": os.environ.get("EPICASE_OWNER_DATABASE_URL", admin)}
        notes["sealer"] = os.environ.get("EPICASE_SEALER_DATABASE_URL", admin)
    _write_private(state / "urls.json", json.dumps({**notes, "redis": redis}))
    make_keys(state)
    os.environ["EPICASE_SERVERS_READY"] = "1"


def make_state_dir() -> Path:
    """The state folder, made for this user alone; a folder or link of someone else is refused."""
    state = config.state_dir()
    state.mkdir(mode=0o711 if os.getuid() == 0 else 0o700, parents=True, exist_ok=True)
    found = state.lstat()
    if state.is_symlink() or found.st_uid != os.getuid():
        raise Misconfigured(
            f"{state} belongs to someone else: remove it, or name another folder in EPICASE_STATE_DIR."
        )
    (state / "static").mkdir(exist_ok=True)
    return state


def make_secret_key(state: Path) -> None:
    """Make Django's secret key of a demo, test or development installation, once."""
    folder = state / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    if not (folder / "secret_key").exists():
        _write_private(folder / "secret_key", secrets.token_urlsafe(48))


def make_keys(state: Path) -> None:
    """Make the keyring and the ledger's signing key of such an installation, once; reads the settings."""
    from audit import signer
    from vault.providers import FileProvider

    folder = state / "secrets"
    if not (folder / "keyring.json").exists():
        FileProvider.create(folder / "keyring.json")
    if not (folder / "audit.key").exists():
        signer.create(folder / "audit.key", ORIGIN)


def _write_private(path: Path, content: str) -> None:
    new = path.with_name(path.name + ".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
    new.replace(path)


def refuse_unsafe_start() -> None:
    """Raise Misconfigured when the login, the keys or the server would undermine what epicase promises."""
    from access.postgresql import logins

    # A key is read from a file: told before the database is asked, which may take seconds.
    if config.login() == "sealer":
        _refuse_unusable_signing_key()
    elif config.login() not in config.WITHOUT_KEYRING:
        refuse_unusable_keyring()
    if config.login() != "beat":
        logins.refuse_unsafe_login(config.login())


def refuse_unusable_keyring() -> None:
    """Raise Misconfigured when the root keys cannot be had, are weak, or could be read by others."""
    from vault.providers import ProviderError, configured

    try:
        health = configured().health()
    except ProviderError as error:
        raise Misconfigured(str(error)) from error
    if not health.ok:
        raise Misconfigured(health.message)


def _refuse_unusable_signing_key() -> None:
    from audit import signer

    try:
        signer.configured()
    except signer.SigningKeyUnusable as error:
        raise Misconfigured(f"{error}.") from error


def refuse_or_leave(code: int = 3) -> None:
    """End this process with one line on the error stream, unless it may serve. 3 also stops gunicorn's restarts."""
    try:
        refuse_unsafe_start()
    except ImproperlyConfigured as error:
        leave(error, code)


def in_one_line(error: Exception) -> Misconfigured | None:
    """What an operator can mend without reading a traceback, a silent database; else None."""
    from django.db import OperationalError

    # Without a code of PostgreSQL, no connection was made.
    if isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) is None:
        first_line = (str(error).strip().splitlines() or ["no reason given"])[0]
        return Misconfigured(
            f"the database does not answer ({first_line}): check DATABASE_URL and that it runs."
        )
    return None


def leave(error: Exception, code: int = 3) -> NoReturn:
    """End this process with the error's first line: what is wrong, and what to do."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    print(f"epicase: {lines[0]}", file=sys.stderr, flush=True)
    sys.exit(code)
