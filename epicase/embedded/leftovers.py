"""What a killed server leaves behind, and how to tell it from a living one."""

import os
import time
from pathlib import Path

PROC = Path("/proc")


def pid_in(path: Path) -> int | None:
    """The process id on the first line of a pid file, if there is one."""
    try:
        return abs(int(path.read_text().split("\n", 1)[0]))
    except (OSError, ValueError):
        return None


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) not in {"Z", "X"}


def works_in(folder: Path) -> list[int]:
    """Living processes whose working directory is this folder: a database server and its children.

    Root without the right to look into other processes sees only the owner and the name. That is enough: the
    owner of the folder then runs nothing else.
    """
    owner = folder.stat().st_uid
    return [int(entry.name) for entry in PROC.glob("[0-9]*") if _belongs(entry, folder, owner)]


def wait_until_gone(pid: int, seconds: float) -> bool:
    """Wait for the process to end; False when it still runs after so many seconds."""
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _belongs(entry: Path, folder: Path, owner: int) -> bool:
    try:
        if entry.stat().st_uid != owner or not is_alive(int(entry.name)):
            return False
        return (entry / "cwd").readlink() == folder
    except PermissionError:
        return _name(entry) == "postgres"
    except OSError:
        return False


def _name(entry: Path) -> str:
    try:
        return (entry / "comm").read_text().strip()
    except OSError:
        return ""


def _state(pid: int) -> str:
    try:
        # The name in brackets may hold anything; the state is the first word after it.
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return "?"
