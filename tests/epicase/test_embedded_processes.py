"""The demo's supervisor starts again what dies, and leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from epicase.config import BASE_DIR, Misconfigured
from epicase.demo import processes
from epicase.demo.processes import Role, Supervisor
from epicase.embedded import leftovers
from epicase.management.commands import demo

# The product's supervisor has one thread; these tests watch it from a second one.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
SLEEP = Role("sleeper", "app", ["sleep", "60"])
PARENT = """
    import sys, time
    from pathlib import Path
    from epicase.demo.processes import start
    child = start(["sleep", "60"], {"PATH": "/usr/bin:/bin"}, Path(sys.argv[1]) / "log")
    print(child.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    monkeypatch.setattr(processes, "FIRST_PAUSE", 0.1)
    return Supervisor(tmp_path, said.append)


def test_what_dies_is_started_again(supervisor: Supervisor, said: list[str]) -> None:
    child = supervisor.add(SLEEP)
    child.pause = 0.1
    first = child.process
    first.kill()
    _watch_until(supervisor, lambda: child.process is not first and child.process.poll() is None)
    supervisor.stop()
    assert said == ["sleeper ended (SIGKILL); starting it again in 0 s"]
    assert child.process.poll() is not None


def test_pauses_grow_for_what_cannot_run(supervisor: Supervisor, said: list[str]) -> None:
    child = supervisor.add(Role("broken", "app", ["false"]))
    child.pause = 0.1
    _watch_until(supervisor, lambda: len(said) >= 3)
    supervisor.stop()
    assert child.pause == pytest.approx(0.8)


def test_what_does_not_listen_is_ended_by_force(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.5)
    deaf = supervisor.add(
        Role("deaf", "app", ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"])
    )
    _wait(lambda: "deaf" in supervisor.log("deaf").read_text())
    supervisor.stop()
    assert deaf.process.returncode == -signal.SIGKILL


def test_a_step_ends_when_the_demo_is_told_to_stop(supervisor: Supervisor) -> None:
    threading.Timer(0.3, supervisor.stopping.set).start()
    before = time.monotonic()
    assert not supervisor.run_once("step", ["sleep", "60"], "app")
    assert time.monotonic() - before < 10


def test_each_process_gets_its_own_login(supervisor: Supervisor) -> None:
    assert supervisor.run_once(
        "step", [sys.executable, "-c", "import os; print(os.environ['EPICASE_LOGIN'])"], "sealer"
    )
    assert supervisor.log("step").read_text() == "sealer\n"


def test_logs_are_closed_to_others(supervisor: Supervisor) -> None:
    assert supervisor.run_once("step", ["true"], "app")
    assert supervisor.log("step").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_a_killed_supervisor_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=BASE_DIR) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert leftovers.is_alive(child)
        parent.kill()
    assert leftovers.wait_until_gone(child, 10)


def test_a_taken_port_is_named_with_a_free_one(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "PORT_PATIENCE", 0.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            Misconfigured, match=rf"^port {port} is taken: choose another one with make demo PORT=\d+$"
        ):
            demo._check_port(port, supervisor)
    demo._check_port(port, supervisor)


def test_a_second_demo_on_the_same_data_is_refused(tmp_path: Path) -> None:
    first = demo._only_demo(tmp_path)
    os.pwrite(first, b"http://127.0.0.1:8000\n", 0)
    with pytest.raises(Misconfigured, match=r"already running at http://127\.0\.0\.1:8000"):
        demo._only_demo(tmp_path)
    os.close(first)
    os.close(demo._only_demo(tmp_path))


def _watch_until(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    watching = threading.Thread(target=supervisor.watch, args=[lambda: None])
    watching.start()
    _wait(condition)
    supervisor.stopping.set()
    watching.join()


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
