"""The commands of docker-compose.yml, on an empty server, without the containers around them."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from access.postgresql import bootstrap
from epicase import probe
from epicase.config import BASE_DIR
from tests import production
from tests.conftest import DATABASE
from tests.deploy import compose

HOST = "cases.example.org"
LOGINS = ("owner", "app", "worker", "sealer")
BIN = Path(sys.executable).parent

pytestmark = [pytest.mark.database]


@dataclass(frozen=True)
class Installation:
    """The secrets of an installation where the compose file wants them, and its database."""

    folder: Path
    common: dict[str, str]

    def environment(self, service: str) -> dict[str, str]:
        """What the compose file gives the service, with this folder in place of the mounted secrets."""
        given = compose.services()[service]["environment"]
        moved = {key: value.replace("/run/secrets", str(self.folder)) for key, value in given.items()}
        places = {
            "EPICASE_EXPORT_DIR": str(self.folder / "exports"),
            "EPICASE_CHECKPOINT_FILE": str(self.folder / "checkpoints.txt"),
        }
        return {**self.common, **moved, **places}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Installation]:
    """Set up as the service "setup" does it: roles and logins, tables and rights, partitions."""
    folder = tmp_path_factory.mktemp("secrets")
    given = production.environment(folder, DATABASE)
    (folder / "keyring.json").rename(folder / "keyring")
    (folder / "audit_signing.key").rename(folder / "audit_signing_key")
    (folder / "audit_signing.key.pub").rename(folder / "audit_vkey")
    admin, mark = production.administrator(), secrets.token_hex(4)
    production.write(folder / "admin_database_url", admin)
    for login in LOGINS:
        url = bootstrap.address(admin, f"epi_{login}_{mark}", secrets.token_hex(16), f"epicase_run_{mark}")
        production.write(folder / f"{login}_database_url", url)
    common = {
        name: value for name, value in given.items() if not name.endswith(("_FILE", "KEYRING", "HOSTS"))
    }
    made = Installation(folder, common)
    try:
        for line in compose.command("setup"):
            ended = production.run(shlex.split(line)[1:], made.environment("setup"))
            assert (ended.returncode, ended.stderr) == (0, ""), line
        yield made
    finally:
        _drop(admin, mark)


def _drop(admin: str, mark: str) -> None:
    with psycopg.connect(admin, autocommit=True) as connection:
        # Installations that are prepared meanwhile let every login connect to their databases, too.
        connection.execute("select pg_advisory_lock(%s)", [bootstrap._LOCK])
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(f"epicase_run_{mark}"))
        )
        for login in LOGINS:
            connection.execute(
                sql.SQL("drop role if exists {}").format(sql.Identifier(f"epi_{login}_{mark}"))
            )


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [str(BIN / command[0]), *command[1:]],
        env=environment,
        cwd=BASE_DIR,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def free_port() -> int:
    with socket.socket() as probing:
        probing.bind(("127.0.0.1", 0))
        return int(probing.getsockname()[1])


@pytest.fixture(scope="module")
def port(installed: Installation) -> Iterator[int]:
    chosen = free_port()
    command = [word.replace("0.0.0.0:8000", f"127.0.0.1:{chosen}") for word in compose.command("web")]
    with running(command, installed.environment("web")) as process:
        deadline = time.monotonic() + 60
        while probe.ask("/healthz", port=chosen, host=HOST) != 200:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield chosen


def test_the_web_process_is_ready(port: int) -> None:
    assert probe.ask("/healthz", port=port, host=HOST) == 200
    assert probe.ask("/readyz", port=port, host=HOST) == 200


def test_pages_are_given_over_tls_only(port: int) -> None:
    assert probe.ask("/", port=port, host=HOST) == 301


def test_another_host_name_is_refused(port: int) -> None:
    assert probe.ask("/readyz", port=port, host="evil.example.org") == 400


def test_the_probe_of_the_container_says_the_same(
    port: int, installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPICASE_ALLOWED_HOSTS", installed.environment("web")["EPICASE_ALLOWED_HOSTS"])
    assert probe.ask("/healthz", port=port) == 200


def test_the_doctor_of_the_web_process_finds_nothing(installed: Installation) -> None:
    ended = production.run(("manage.py", "doctor"), installed.environment("web"))
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


TABLE = """code,level,parent,name_zh,name_en,area_zh,area_en
990000,province,,甲省疾控中心,Jia CDC,甲省,Jia
990100,city,990000,乙市疾控中心,Yi CDC,乙市,Yi
"""
ACCOUNT = ("manage.py", "add_account", "--name", "林原", "--role", "supervisor", "--organisation")


def test_the_first_accounts_are_made_by_command(installed: Installation) -> None:
    table = production.write(installed.folder / "organisations.csv", TABLE)
    given = installed.environment("setup")
    ended = production.run(("manage.py", "add_organisations", str(table)), given)
    assert (ended.stdout, ended.stderr) == ("2 organisations made, 0 were there.\n", "")
    ended = production.run((*ACCOUNT, "990100", "lin"), given, "correct horse battery staple\n")
    assert (ended.stdout, ended.stderr) == ("lin may sign in.\n", "")
    ended = production.run((*ACCOUNT, "990100", "lin"), given, "correct horse battery staple\n")
    assert ended.returncode != 0
    ended = production.run((*ACCOUNT, "990100", "second"), given, "short\n")
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    ended = production.run((*ACCOUNT, "110000", "third"), given, "correct horse battery staple\n")
    assert "no organisation has the code 110000" in ended.stderr


@pytest.mark.tasks
@pytest.mark.parametrize("service", ["worker", "sealer"])
def test_a_celery_process_starts_with_what_it_holds(installed: Installation, service: str) -> None:
    command = [word.replace("WARNING", "INFO") for word in compose.command(service)]
    # A name of its own: other tests' workers may listen on the same broker.
    command[command.index("-n") + 1] = f"{service}@{installed.folder.name}-{os.getpid()}"
    environment = {**installed.environment(service), "PYTHONWARNINGS": "ignore"}
    with running(command, environment) as process:
        assert process.stderr is not None
        patience = threading.Timer(60, process.kill)
        patience.start()
        told = []
        for line in process.stderr:
            told.append(line)
            if " ready." in line:
                break
        patience.cancel()
        assert " ready." in (told[-1] if told else ""), told
