"""Database and broker for demo, tests and development: the first user starts them, the last stops them."""

import atexit
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from epicase import config
from epicase.embedded.places import EmbeddedError, prepare_state_dir
from epicase.embedded.postgres import Postgres
from epicase.embedded.valkey import Valkey

__all__ = ["EmbeddedError", "Servers", "ensure_running", "release", "reset"]


@dataclass(frozen=True)
class Servers:
    """Where the running servers are found."""

    admin_url: str
    redis_url: str
    state_dir: Path


@dataclass(frozen=True)
class _Use:
    """This process's mark that it uses the servers: a shared lock that no kind of death leaves behind."""

    descriptor: int
    pid: int


_uses: dict[Path, _Use] = {}


def ensure_running(state_dir: Path) -> Servers:
    """Start the servers of this state directory, or join them, and keep them running until `release` or exit.

    Safe in any number of processes at once. Cures what a killed server or run left behind.
    """
    if not config.may_improvise():
        raise EmbeddedError(
            "embedded servers are for demo, tests and development: set DATABASE_URL and REDIS_URL"
        )
    state_dir = prepare_state_dir(state_dir)
    postgres, valkey = Postgres(state_dir), Valkey(state_dir)
    with _alone(state_dir):
        _mark_use(state_dir)
        try:
            for server in (postgres, valkey):
                if not server.is_ready():
                    server.start()
        except BaseException:
            _leave(state_dir)
            raise
        return Servers(postgres.admin_url, valkey.url, state_dir)


def release() -> None:
    """Give up this process's use; the last user stops the servers."""
    for state_dir in list(_uses):
        if _uses[state_dir].pid == os.getpid() and state_dir.exists():
            with _alone(state_dir):
                _leave(state_dir)
        _uses.pop(state_dir, None)


def reset(state_dir: Path) -> bool:
    """Stop the servers and remove the state directory with all its data; False when there was none."""
    if not state_dir.exists():
        return False
    state_dir = prepare_state_dir(state_dir)
    with _alone(state_dir):
        users = _open(state_dir / "users")
        try:
            if not _try_exclusive(users):
                raise EmbeddedError(f"{state_dir} is in use: stop the demo or the tests first")
            _stop(state_dir)
            shutil.rmtree(state_dir)
        finally:
            os.close(users)
    return True


@contextmanager
def _alone(state_dir: Path) -> Iterator[None]:
    """Only one process at a time starts or stops the servers of a state directory."""
    descriptor = _lock(state_dir)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(state_dir: Path) -> int:
    """The lock of the state directory that exists now: a reset may remove it while we wait."""
    while True:
        prepare_state_dir(state_dir)
        descriptor = _open(state_dir / "lock")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if os.path.samestat(os.fstat(descriptor), (state_dir / "lock").stat()):
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)


def _mark_use(state_dir: Path) -> None:
    known = _uses.get(state_dir)
    if known is not None and known.pid == os.getpid():
        return
    descriptor = _open(state_dir / "users")
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    _uses[state_dir] = _Use(descriptor, os.getpid())


def _leave(state_dir: Path) -> None:
    """Drop this process's mark, and stop the servers when nobody else has one; called alone."""
    use = _uses.pop(state_dir)
    try:
        if _try_exclusive(use.descriptor):
            _stop(state_dir)
    finally:
        # A forked child may hold the same open file: unlocking ends the mark for both, as closing would not.
        fcntl.flock(use.descriptor, fcntl.LOCK_UN)
        os.close(use.descriptor)


def _stop(state_dir: Path) -> None:
    Valkey(state_dir).stop()
    Postgres(state_dir).stop()


def _try_exclusive(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


atexit.register(release)
