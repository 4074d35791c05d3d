"""Runs the whole application on this machine, with a synthetic outbreak."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand
from psycopg.conninfo import conninfo_to_dict

from epicase import config, embedded, startup
from epicase.config import Misconfigured
from epicase.demo import processes
from epicase.demo.processes import Supervisor
from epicase.demo.published import ACCOUNTS, PASSWORD
from epicase.embedded.places import last_lines

SEED = "import django; django.setup(); from epicase.demo.seed import seed; seed()"
# A demo that was killed frees its port only when its web server has noticed.
PORT_PATIENCE = 6.0


class Command(BaseCommand):
    help = "Runs the demo: database, broker, web server, worker, sealer and beat. Ctrl-C stops it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=int(os.environ.get("PORT") or 8000), help="default: 8000"
        )
        parser.add_argument("--reset", action="store_true", help="clear the demo's data and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if os.environ.get("EPICASE_ENDS_WITH_PARENT"):
            processes.end_with_parent()
        if options["reset"]:
            self._reset()
        elif not self._run(options["port"]):
            sys.exit(1)

    def _say(self, line: str) -> None:
        self.stdout.write(f"epicase: {line}")
        self.stdout.flush()

    def _reset(self) -> None:
        state_dir = config.state_dir()
        if (state_dir / startup.DEMO_MARKER).exists():
            os.close(_only_demo(state_dir))
        cleared = embedded.reset(state_dir)
        self._say(f"cleared {state_dir}" if cleared else "there was nothing to clear")
        if os.environ.get("DATABASE_URL"):
            self._say("what the demo wrote to the server of DATABASE_URL is still there: drop it there")

    def _run(self, port: int) -> bool:
        supervisor = Supervisor(startup.make_state_dir(), self._say)
        supervisor.listen()
        marker = _only_demo(supervisor.state_dir)
        try:
            _check_port(port, supervisor)
            os.pwrite(marker, f"http://127.0.0.1:{port}\n".ljust(40).encode(), 0)
            done = self._prepare(supervisor) and self._serve(supervisor, port)
            return done or supervisor.stopping.is_set()
        finally:
            supervisor.stop()
            embedded.release()
            os.close(marker)

    def _prepare(self, supervisor: Supervisor) -> bool:
        """Servers, tables and, once, the synthetic outbreak."""
        self._say("starting the database and the broker")
        startup.prepare_servers()
        (supervisor.state_dir / "static").mkdir(mode=0o700, exist_ok=True)
        if not self._migrate(supervisor):
            return self._failed(supervisor, "migrate", "the tables could not be made")
        seeded, wanted = supervisor.state_dir / "seeded", _database(supervisor.state_dir)
        if seeded.exists() and seeded.read_text() == wanted:
            return True
        self._say("making the synthetic outbreak (once)")
        if not supervisor.run_once("seed", [sys.executable, "-c", SEED], "owner"):
            return self._failed(supervisor, "seed", "the synthetic outbreak could not be made")
        seeded.write_text(wanted)
        return True

    def _migrate(self, supervisor: Supervisor) -> bool:
        """Make or change the tables and their rights, unless this code did it before on this database."""
        migrated = supervisor.state_dir / "migrated"
        if migrated.exists() and migrated.read_text() == _migration_mark(supervisor.state_dir):
            return True
        command = [
            sys.executable,
            str(config.BASE_DIR / "manage.py"),
            "migrate",
            "--no-input",
            "--verbosity=0",
        ]
        if not supervisor.run_once("migrate", command, "owner"):
            return False
        migrated.write_text(_migration_mark(supervisor.state_dir))
        return True

    def _serve(self, supervisor: Supervisor, port: int) -> bool:
        web = supervisor.add(processes.web(port))
        if not supervisor.wait_for_web(web, port):
            return self._failed(supervisor, "web", "the web server does not answer")
        for role in processes.background(supervisor.state_dir):
            supervisor.add(role)
        self._welcome(supervisor.state_dir, port)
        supervisor.watch(_revive_servers)
        self._say("stopping")
        return True

    def _failed(self, supervisor: Supervisor, name: str, what: str) -> bool:
        """False, with the reason on the screen; being told to stop needs none."""
        told = supervisor.stopping.is_set()
        self._say("stopping" if told else f"{what}: {last_lines(supervisor.log(name))}")
        return False

    def _welcome(self, state_dir: Path, port: int) -> None:
        width = max(map(len, ACCOUNTS))
        accounts = "\n".join(f"    {name:<{width}}  {what}" for name, what in ACCOUNTS.items())
        self.stdout.write(
            f"\nepicase runs at http://127.0.0.1:{port}\n\n"
            f"  accounts (password {PASSWORD}; all people in it are made up):\n{accounts}\n\n"
            f"  logs and data: {state_dir}\n  Ctrl-C stops it, make demo-reset clears the data.\n"
        )
        self.stdout.flush()


def _only_demo(state_dir: Path) -> int:
    """The locked marker of the running demo; a second demo on the same data is refused."""
    marker = os.open(state_dir / startup.DEMO_MARKER, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        where = os.pread(marker, 100, 0).decode().strip()
        os.close(marker)
        raise Misconfigured(f"a demo of this checkout is already running at {where}: stop it first") from None
    return marker


def _check_port(port: int, supervisor: Supervisor) -> None:
    """Raise Misconfigured when the port cannot be used."""
    deadline = time.monotonic() + PORT_PATIENCE
    while not _is_free(port):
        if time.monotonic() > deadline or supervisor.stopping.wait(0.2):
            raise Misconfigured(f"port {port} is taken: choose another one with make demo PORT={_near(port)}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def _near(port: int) -> int:
    """A free port near this one, to propose."""
    return next((near for near in range(port + 1, port + 50) if near < 65536 and _is_free(near)), 8000)


def _revive_servers() -> None:
    """Start an embedded server again that was killed under the demo."""
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        embedded.ensure_running(config.state_dir())


def _database(state_dir: Path) -> str:
    """Which database the demo works on: another one needs its own outbreak."""
    address = conninfo_to_dict(_owner_url(state_dir))
    return " ".join(str(address.get(key, "")) for key in ("host", "port", "dbname"))


def _owner_url(state_dir: Path) -> str:
    url: str = json.loads((state_dir / "urls.json").read_text())["owner"]
    return url


def _migration_mark(state_dir: Path) -> str:
    """Changes with the code of the rooms, with the database, and with what was applied to it.

    Rights and policies are laid down after every migrate from declarations in the code: so any code counts.
    """
    code = hashlib.sha256()
    for room in ("vault", "audit", "access", "cases", "contacts", "disclosure", "epicase"):
        for path in sorted((config.BASE_DIR / room).rglob("*.py")):
            found = path.stat()
            code.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return f"{code.hexdigest()} {_database(state_dir)} {_applied(state_dir)}"


def _applied(state_dir: Path) -> int:
    """How many migrations the database has; -1 when it is empty."""
    with psycopg.connect(_owner_url(state_dir), autocommit=True) as connection:
        try:
            connection.execute("set role epi_owner")
            row = connection.execute("select count(*) from django_migrations").fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
            return -1
    return int(row[0]) if row else -1
