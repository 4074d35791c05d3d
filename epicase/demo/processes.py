"""Runs web, worker, sealer and beat of the demo: started again when they die, gone when their parent is."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from epicase.config import BASE_DIR

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
# A process that lived this long had started well: the next pause is short again.
LIVED_WELL = 30.0
STOP_SECONDS = 6.0
LOG_LIMIT = 5_000_000
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Role:
    """One kind of process: its name, the database login it uses, and its command."""

    name: str
    login: str
    command: Sequence[str]


def web(port: int) -> Role:
    """The web server, on this machine's own address only."""
    options = ["--worker-class=gthread", "--workers=2", "--threads=4", "--timeout=60", "--graceful-timeout=3"]
    # The control socket would be made in the home directory.
    options += ["--no-control-socket", f"--bind=127.0.0.1:{port}", "--log-level=warning"]
    return Role("web", "app", [sys.executable, "-m", "gunicorn", *options, "epicase.wsgi:application"])


def background(state_dir: Path) -> list[Role]:
    """Worker, sealer and beat."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
    celery = [sys.executable, "-m", "celery", "--app=epicase.celery:app"]
    schedule = [f"--schedule={state_dir / 'beat-schedule'}", f"--pidfile={state_dir / 'beat.pid'}"]
    return [
        Role(
            "worker",
            "worker",
            [*celery, "worker", "-Q", "work", "-n", "work@demo", "--pool=threads", "-c", "2", *quiet],
        ),
        Role(
            "sealer", "sealer", [*celery, "worker", "-Q", "audit", "-n", "sealer@demo", "--pool=solo", *quiet]
        ),
        Role("beat", "app", [*celery, "beat", *schedule, "--loglevel=WARNING"]),
    ]


def end_with_parent() -> None:
    """Ask the kernel to end this process when the one that started it dies, however that one dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _ended_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        end_with_parent()
        # The parent may have died between the fork and the request.
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a process away from the terminal's Ctrl-C, with its words in a log that only we can read."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            cwd=BASE_DIR,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=_ended_with(os.getpid()),  # noqa: PLW1509 -- this process has one thread.
        )
    finally:
        os.close(descriptor)


@dataclass
class Child:
    """A running process, or one that waits to be started again."""

    role: Role
    process: subprocess.Popen[bytes]
    started: float
    pause: float = FIRST_PAUSE
    start_at: float | None = None


@dataclass
class Supervisor:
    """Keeps the demo's processes running until it is told to stop."""

    state_dir: Path
    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def listen(self) -> None:
        """Stop on Ctrl-C, on a request to end, and when the terminal closes; at once when asked twice."""
        signal.signal(signal.SIGINT, self._stop_asked)
        signal.signal(signal.SIGTERM, self._stop_asked)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._stop_asked)

    def log(self, name: str) -> Path:
        """The log of one process; begun anew when it has grown long."""
        folder = self.state_dir / "log"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.old"))
        return path

    def run_once(self, name: str, command: Sequence[str], login: str) -> bool:
        """Run a command to its end; False when it failed or the demo was told to stop meanwhile."""
        process = start(command, self._environment(login), self.log(name))
        while process.poll() is None:
            if self.stopping.wait(0.05):
                _end([process])
                return False
        return process.returncode == 0

    def add(self, role: Role) -> Child:
        """Start a process and look after it from now on."""
        process = start(role.command, self._environment(role.login), self.log(role.name))
        child = Child(role, process, time.monotonic())
        self.children.append(child)
        return child

    def wait_for_web(self, child: Child, port: int, seconds: float = 60) -> bool:
        """Whether the web server answers before it dies, the time is over or the demo is told to stop."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and child.process.poll() is None and not self.stopping.wait(0.1):
            if _answers(f"http://127.0.0.1:{port}/healthz"):
                return True
        return False

    def watch(self, every_few_seconds: Callable[[], None]) -> None:
        """Start again what dies, with growing pauses, until the demo is told to stop."""
        next_look = time.monotonic()
        while not self.stopping.wait(0.3):
            for child in self.children:
                self._look_at(child)
            if time.monotonic() >= next_look:
                every_few_seconds()
                next_look = time.monotonic() + 5

    def stop(self) -> None:
        """End all processes, by force where a few seconds were not enough."""
        self.stopping.set()
        _end([child.process for child in self.children])

    def _look_at(self, child: Child) -> None:
        now = time.monotonic()
        if child.start_at is None and child.process.poll() is not None:
            if now - child.started > LIVED_WELL:
                child.pause = FIRST_PAUSE
            child.start_at = now + child.pause
            how = _how_it_ended(child.process.returncode)
            self.say(f"{child.role.name} ended ({how}); starting it again in {child.pause:.0f} s")
            child.pause = min(child.pause * 2, LONGEST_PAUSE)
        elif child.start_at is not None and now >= child.start_at:
            role = child.role
            child.process = start(role.command, self._environment(role.login), self.log(role.name))
            child.started, child.start_at = now, None

    def _environment(self, login: str) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "epicase.settings",
            "EPICASE_DEMO": "1",
            "EPICASE_LOGIN": login,
            "EPICASE_STATE_DIR": str(self.state_dir),
            "PYTHONUNBUFFERED": "1",
        }

    def _stop_asked(self, _number: int, _frame: object) -> None:
        if self.stopping.is_set():
            for child in self.children:
                child.process.kill()
        self.stopping.set()


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _how_it_ended(code: int) -> str:
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310 -- our own address.
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
