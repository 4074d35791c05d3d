"""A process that could not keep epicase's promises does not start; one line says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from epicase.config import BASE_DIR
from tests import production, servers
from tests.conftest import DATABASE

WEB = ("-c", "import epicase.wsgi")
# Celery warns of a worker run by root, as tests are at times.
WORKER = (
    "-W",
    "ignore",
    "-m",
    "celery",
    "-A",
    "epicase",
    "worker",
    "-Q",
    "work",
    "--pool=solo",
    "--without-mingle",
)
DOCTOR = ("manage.py", "doctor")
CHECK = ("manage.py", "check")
MIGRATE = ("manage.py", "migrate", "--plan")
Environment = dict[str, str]

pytestmark = [pytest.mark.database]


@pytest.fixture
def given(tmp_path: Path, django_db_setup: None) -> Environment:
    return production.environment(tmp_path, DATABASE)


def refused(command: tuple[str, ...], given: Environment) -> str:
    """The one line on the error stream of a process that did not start."""
    ended = production.run(command, given)
    lines = ended.stderr.strip().splitlines()
    assert ended.returncode != 0, ended.stdout
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("epicase: ")
    return lines[0]


def without(given: Environment, *names: str) -> Environment:
    return {name: value for name, value in given.items() if name not in names}


# The control: the same environment, nothing wrong with it.


def test_a_web_process_starts_when_all_is_given(given: Environment) -> None:
    ended = production.run(WEB, given)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_doctor_finds_nothing_wrong_when_all_is_given(given: Environment) -> None:
    ended = production.run(DOCTOR, given)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert "ok     partitions" in ended.stdout


# What is missing.


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("EPICASE_SECRET_KEY_FILE", "EPICASE_SECRET_KEY is missing: set it, or EPICASE_SECRET_KEY_FILE"),
        ("DATABASE_URL_FILE", "DATABASE_URL is missing: give"),
        ("REDIS_URL_FILE", "REDIS_URL is missing: give"),
        ("EPICASE_KEYRING", "EPICASE_KEYRING is missing: give"),
        ("EPICASE_ALLOWED_HOSTS", "EPICASE_ALLOWED_HOSTS is missing: name"),
    ],
)
def test_what_is_missing_is_named(given: Environment, missing: str, named: str) -> None:
    assert named in refused(WEB, without(given, missing))


@pytest.mark.parametrize("command", [WORKER, DOCTOR, CHECK], ids=["worker", "doctor", "check"])
def test_every_process_names_what_is_missing(given: Environment, command: tuple[str, ...]) -> None:
    assert "EPICASE_SECRET_KEY is missing" in refused(command, without(given, "EPICASE_SECRET_KEY_FILE"))


SINGLE_SIGN_ON = {
    "EPICASE_OIDC_ISSUER": "https://id.example.org/realms/cdc",
    "EPICASE_OIDC_CLIENT_ID": "epicase",
    "EPICASE_OIDC_CLIENT_SECRET": "only a test",
}


def test_single_sign_on_that_is_whole_starts(given: Environment) -> None:
    ended = production.run(WEB, {**given, **SINGLE_SIGN_ON})
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"EPICASE_OIDC_CLIENT_ID": ""}, "EPICASE_OIDC_CLIENT_ID is missing: single sign-on needs"),
        ({"EPICASE_OIDC_CLIENT_SECRET": ""}, "EPICASE_OIDC_CLIENT_SECRET is missing: single sign-on needs"),
        ({"EPICASE_OIDC_ISSUER": ""}, "EPICASE_OIDC_ISSUER is missing: single sign-on needs"),
        ({"EPICASE_OIDC_ISSUER": "http://id.example.org"}, "EPICASE_OIDC_ISSUER is no https address"),
        ({"EPICASE_OIDC_ISSUER": "http://127.0.0.1:9000"}, "EPICASE_OIDC_ISSUER is no https address"),
        ({"EPICASE_OIDC_ISSUER": "id.example.org"}, "EPICASE_OIDC_ISSUER is no https address"),
        ({"EPICASE_OIDC_ISSUER": "https://id.example.org/?x=1"}, "EPICASE_OIDC_ISSUER is no issuer"),
        ({"EPICASE_OIDC_ISSUER": "https://who@id.example.org"}, "EPICASE_OIDC_ISSUER is no issuer"),
    ],
)
def test_single_sign_on_that_is_half_configured_is_refused(
    given: Environment, changed: Environment, named: str
) -> None:
    assert named in refused(WEB, {**given, **SINGLE_SIGN_ON, **changed})


def test_a_secret_file_that_is_not_there_is_named(given: Environment) -> None:
    given["EPICASE_SECRET_KEY_FILE"] = "/nonexistent/secret_key"
    assert "EPICASE_SECRET_KEY_FILE=/nonexistent/secret_key cannot be read" in refused(WEB, given)


def test_an_unknown_login_is_named(given: Environment) -> None:
    given["EPICASE_LOGIN"] = "root"
    assert "EPICASE_LOGIN=root is unknown: use one of app" in refused(WEB, given)


# The keyring.


def _absent(keyring: Path) -> Path:
    keyring.unlink()
    return keyring


def _open_to_others(keyring: Path) -> Path:
    keyring.chmod(0o640)
    return keyring


def _damaged(keyring: Path) -> Path:
    keyring.write_text("{}")
    return keyring


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (_absent, "is missing: restore it"),
        (_open_to_others, "is open to others: run chmod 600"),
        (_damaged, "is not a complete epicase-keyring/1 file: restore it"),
    ],
    ids=["absent", "open", "damaged"],
)
def test_an_unusable_keyring_is_refused(
    given: Environment, tmp_path: Path, harm: Callable[[Path], Path], named: str
) -> None:
    harm(tmp_path / "keyring.json")
    assert named in refused(WEB, given)


@pytest.mark.parametrize("command", [WORKER, DOCTOR], ids=["worker", "doctor"])
def test_every_process_refuses_an_open_keyring(
    given: Environment, tmp_path: Path, command: tuple[str, ...]
) -> None:
    _open_to_others(tmp_path / "keyring.json")
    assert "is open to others: run chmod 600" in refused(command, given)


@pytest.fixture
def keyring_in_checkout(tmp_path: Path) -> Iterator[Path]:
    # Named so that the repository ignores it, should this test be killed.
    inside = BASE_DIR / f"keyring-{tmp_path.name}.json"
    inside.touch(mode=0o600)
    inside.write_bytes((tmp_path / "keyring.json").read_bytes())
    yield inside
    inside.unlink()


def test_a_keyring_beside_the_source_is_refused(given: Environment, keyring_in_checkout: Path) -> None:
    given["EPICASE_KEYRING"] = f"file:{keyring_in_checkout}"
    assert "lies inside the source directory: move it out" in refused(WEB, given)


def test_the_deployment_check_finds_an_open_keyring(given: Environment, tmp_path: Path) -> None:
    _open_to_others(tmp_path / "keyring.json")
    ended = production.run((*CHECK, "--deploy"), given)
    assert ended.returncode != 0
    assert "chmod 600" in ended.stderr


# The database and its login.


@pytest.mark.parametrize("command", [WEB, WORKER], ids=["web", "worker"])
def test_a_superuser_is_refused(given: Environment, command: tuple[str, ...]) -> None:
    given = without(given, "DATABASE_URL_FILE")
    given["DATABASE_URL"] = production.administrator()
    assert "is a superuser: give DATABASE_URL a login made by bootstrap_database" in refused(command, given)


def test_the_owner_of_the_tables_is_refused(given: Environment) -> None:
    given = without(given, "DATABASE_URL_FILE")
    given["DATABASE_URL"] = servers.url_of(DATABASE, "owner")
    assert "owns epicase's tables: give this process its own login" in refused(WEB, given)


def test_the_web_process_may_not_run_jobs(given: Environment) -> None:
    given = without(given, "DATABASE_URL_FILE")
    given["DATABASE_URL"] = servers.url_of(DATABASE, "worker")
    assert "may seal or run jobs: the web process needs the login epi_app" in refused(WEB, given)


@pytest.mark.parametrize("command", [WEB, DOCTOR, MIGRATE], ids=["web", "doctor", "migrate"])
def test_a_silent_database_is_told(given: Environment, command: tuple[str, ...]) -> None:
    given = without(given, "DATABASE_URL_FILE")
    given["DATABASE_URL"] = "postgresql://epi_app:guess-me@127.0.0.1:9/epicase"
    line = refused(command, given)
    assert "the database does not answer" in line
    assert "check DATABASE_URL" in line
    assert "guess-me" not in line


# The sealer and beat hold less, and are asked for less.


SEALER = (
    "-c",
    "from epicase.startup import refuse_or_leave; import django; django.setup(); refuse_or_leave()",
)


@pytest.fixture
def sealer(given: Environment, tmp_path: Path) -> Environment:
    fewer = without(given, "DATABASE_URL_FILE", "EPICASE_KEYRING")
    url = production.write(tmp_path / "sealer_url", servers.url_of(DATABASE, "sealer"))
    return {
        **fewer,
        "EPICASE_LOGIN": "sealer",
        "EPICASE_SEALER_DATABASE_URL_FILE": str(url),
        "EPICASE_AUDIT_KEY": f"file:{tmp_path / 'audit_signing.key'}",
        "DJANGO_SETTINGS_MODULE": "epicase.settings",
    }


def test_the_sealer_needs_no_keyring(sealer: Environment) -> None:
    ended = production.run(SEALER, sealer)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_sealer_needs_its_signing_key(sealer: Environment, tmp_path: Path) -> None:
    assert "Set EPICASE_AUDIT_KEY" in refused(SEALER, without(sealer, "EPICASE_AUDIT_KEY"))
    (tmp_path / "audit_signing.key").chmod(0o644)
    assert "is open to others: chmod 600" in refused(SEALER, sealer)


def test_the_sealer_needs_its_own_login(sealer: Environment, given: Environment) -> None:
    sealer["EPICASE_SEALER_DATABASE_URL_FILE"] = given["DATABASE_URL_FILE"]
    assert "may not act as ep_sealer: run manage.py bootstrap_database" in refused(SEALER, sealer)


def test_beat_needs_neither_database_nor_secret(given: Environment) -> None:
    fewer = without(given, "DATABASE_URL_FILE", "EPICASE_KEYRING", "EPICASE_SECRET_KEY_FILE")
    ended = production.run(
        ("-c", "from epicase.celery import app; print(len(app.conf.beat_schedule))"),
        {**fewer, "EPICASE_LOGIN": "beat"},
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert int(ended.stdout) >= 3
