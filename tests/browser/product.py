"""The product running for the browser: web server, worker and sealer as processes, each under its own login."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from epicase.demo import processes
from tests import servers

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 4
QUIET = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]


@dataclass(frozen=True)
class Product:
    """A running installation: where it answers, its database, its folder."""

    url: str
    database: str
    back_to: str
    folder: Path
    blocker: Any
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Hold a process still, as if it were busy: web, worker or sealer."""
        self.processes[name].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.processes[name].send_signal(signal.SIGCONT)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Make records in the installation's database, with real commits."""
        with self.blocker.unblock():
            servers.use_database(self.database)
            try:
                yield
            finally:
                servers.use_database(self.back_to)

    def log(self, name: str) -> str:
        """What a process said: web, worker or sealer."""
        return (self.folder / f"{name}.log").read_text("utf-8")


@contextmanager
def running(
    database: str, back_to: str, folder: Path, blocker: Any, settings: dict[str, str]
) -> Iterator[Product]:
    """Start the processes, with these further settings, and stop them at the end."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        product = Product(url, database, back_to, folder, blocker)
        stack.callback(_stop, product.processes)
        for name, login, command in _commands(listening.fileno()):
            process = _start(
                name,
                login,
                command,
                database=database,
                folder=folder,
                listening=listening.fileno(),
                settings=settings,
            )
            product.processes[name] = process
        _wait_until_it_answers(product)
        yield product


def _commands(listening: int) -> list[tuple[str, str, list[str]]]:
    """Each process: its name, the database login it uses, and its command."""
    web = ["--worker-class=gthread", "--workers=1", "--threads=8", "--no-control-socket"]
    web += [f"--bind=fd://{listening}", "--graceful-timeout=1", "--log-level=warning"]
    worker = ["worker", "-Q", "work", "-n", "work@browser", "--pool=threads", "-c", "2", *QUIET]
    return [
        ("web", "app", ["-m", "gunicorn", *web, "epicase.wsgi:application"]),
        ("worker", "worker", ["-m", "celery", "--app=epicase.celery:app", *worker]),
        ("sealer", "sealer", ["manage.py", "audit_seal", "--loop", "--every=0.5"]),
    ]


def _start(
    name: str,
    login: str,
    command: list[str],
    *,
    database: str,
    folder: Path,
    listening: int,
    settings: dict[str, str],
) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        **settings,
        "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
        "EPICASE_LOGIN": login,
        "EPICASE_BROWSER_DATABASE": database,
        "EPICASE_EXPORT_DIR": str(folder / "exports"),
        "EPICASE_CHECKPOINT_FILE": str(folder / "checkpoints.txt"),
    }
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[listening],
            start_new_session=True,
            preexec_fn=processes.end_with_parent,  # noqa: PLW1509 -- this process has one thread.
        )


def _stop(running: dict[str, subprocess.Popen[bytes]]) -> None:
    """End all of them at once, by force after a few seconds."""
    for process in running.values():
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running.values():
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(product: Product, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urlopen(f"{product.url}/healthz", timeout=seconds):  # noqa: S310 -- our own address.
                return
        except (URLError, OSError) as error:
            if time.monotonic() > deadline:
                raise AssertionError(f"no answer:\n{product.log('web')}") from error
            time.sleep(0.2)
