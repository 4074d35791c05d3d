"""Where the embedded servers live: one private state directory for each checkout, and who may own it."""

import os
import stat
from pathlib import Path

from epicase.config import Misconfigured

# sockaddr_un holds 108 bytes with the closing zero; the longest name below our directory is PostgreSQL's.
SOCKET_PATH_LIMIT = 107
LONGEST_SOCKET = "pgsock/.s.PGSQL.5432"


class EmbeddedError(Misconfigured):
    """The embedded servers cannot run; the message is one line that says what to do."""


def prepare_state_dir(state_dir: Path) -> Path:
    """Make the state directory if need be and give its full path; refuse one that others could steer."""
    state_dir = state_dir.absolute()
    _refuse_long_path(state_dir)
    state_dir.parent.mkdir(parents=True, exist_ok=True)
    private_dir(state_dir, mode=0o711 if os.geteuid() == 0 else 0o700)
    return state_dir


def private_dir(path: Path, mode: int = 0o700) -> Path:
    """A directory of ours with exactly this mode, made if it is not there."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        check_owner(path)
    path.chmod(mode)
    return path


def check_owner(path: Path) -> None:
    """Refuse a link, a file, another user's directory, or one that others may write."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise EmbeddedError(
            f"{path} is not a directory (a link is not followed): remove it or set EPICASE_STATE_DIR"
        )
    if found.st_uid != os.geteuid():
        raise EmbeddedError(f"{path} belongs to another user (uid {found.st_uid}): set EPICASE_STATE_DIR")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise EmbeddedError(
            f"{path} can be written by other users: run chmod 700 on it or set EPICASE_STATE_DIR"
        )


def last_lines(path: Path, count: int = 5) -> str:
    """The end of a log, for an error message."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return " | ".join(line.strip() for line in lines[-count:]) or "(empty log)"


def _refuse_long_path(state_dir: Path) -> None:
    room = SOCKET_PATH_LIMIT - len(os.fsencode(LONGEST_SOCKET)) - 1
    length = len(os.fsencode(state_dir))
    if length > room:
        raise EmbeddedError(
            f"the state directory's path has {length} bytes and sockets allow {room}: set EPICASE_STATE_DIR"
        )
