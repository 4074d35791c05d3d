"""What docker-compose.yml promises. No Docker engine is needed, and none of this proves that one starts it."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.core.management import get_commands

from epicase.config import BASE_DIR
from epicase.demo import processes
from tests.deploy import compose

SCHEMA = BASE_DIR / "tests/vendor/compose-spec/compose-spec.json"
SERVICES = sorted(compose.services())
RUNNING = [name for name in SERVICES if name != "setup"]


def test_it_fits_the_compose_specification() -> None:
    schema = json.loads(SCHEMA.read_text())
    found = jsonschema.Draft202012Validator(schema).iter_errors(compose.content())
    assert [(list(error.path), error.message) for error in found] == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_holds_no_power(name: str) -> None:
    service = compose.services()[name]
    assert service["user"] == "12345:12345"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
    assert not {"privileged", "network_mode", "pid", "ipc", "devices", "env_file"} & set(service)
    assert not [mount for mount in service.get("volumes", []) if "docker.sock" in mount]


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_is_a_file_and_is_used(name: str) -> None:
    service = compose.services()[name]
    environment: dict[str, str] = service.get("environment", {})
    named = set(re.findall(r"/run/secrets/(\w+)", " ".join([*environment.values(), *_words(service)])))
    assert named == set(service.get("secrets", []))
    for key, value in environment.items():
        if re.search(r"SECRET|PASSWORD|URL|KEYRING|_KEY", key):
            assert value.removeprefix("file:").startswith("/run/secrets/"), key


def test_nothing_secret_stands_in_the_file() -> None:
    assert not re.search(r"://[^/\s]*:[^/\s]*@", compose.FILE.read_text())


HOLDERS = {
    "keyring": {"web", "worker", "setup"},
    "audit_signing_key": {"sealer"},
    "app_database_url": {"web", "setup"},
    "worker_database_url": {"worker", "setup"},
    "sealer_database_url": {"sealer", "setup"},
    "owner_database_url": {"setup"},
    "admin_database_url": {"setup"},
    "postgres_password": {"postgres"},
    "valkey_conf": {"valkey"},
    "secret_key": {"web", "worker", "sealer", "setup"},
    "audit_vkey": {"web", "sealer"},
    "redis_url": {"web", "worker", "sealer", "beat", "setup"},
}


def test_who_holds_which_secret() -> None:
    held: dict[str, set[str]] = {name: set() for name in compose.content()["secrets"]}
    for name, service in compose.services().items():
        for secret in service.get("secrets", []):
            held[secret].add(name)
    assert held == HOLDERS


def test_each_process_has_its_own_login() -> None:
    logins = {name: compose.services()[name]["environment"]["EPICASE_LOGIN"] for name in compose.OURS}
    assert logins == {"web": "app", "worker": "worker", "sealer": "sealer", "beat": "beat", "setup": "owner"}


def test_only_caddy_is_reached_from_outside() -> None:
    networks = compose.content()["networks"]
    outside = {name for name, about in networks.items() if not about.get("internal")}
    assert outside == {"edge"}
    assert [name for name in SERVICES if "edge" in compose.services()[name]["networks"]] == ["caddy"]
    assert [name for name in SERVICES if "ports" in compose.services()[name]] == ["caddy"]


@pytest.mark.parametrize("name", RUNNING)
def test_a_running_service_is_asked_for_its_health(name: str) -> None:
    assert compose.services()[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


# The commands are those of the demo, which the other tests run.


def test_the_web_server_is_the_demos() -> None:
    ours = [word for word in compose.command("web") if not word.startswith("--bind")]
    demo = processes.web(8000).command[2:]
    assert ours[:2] == ["gunicorn", "epicase.wsgi:application"]
    assert {"gunicorn", "epicase.wsgi:application", "--worker-class=gthread", "--no-control-socket"} <= set(
        demo
    )


@pytest.mark.parametrize(("name", "queue"), [("worker", "work"), ("sealer", "audit")])
def test_a_celery_worker_is_the_demos(name: str, queue: str, tmp_path: Path) -> None:
    ours = compose.command(name)
    demo = {role.name: list(role.command) for role in processes.background(tmp_path)}[name]
    assert ours[:6] == ["celery", "-A", "epicase", "worker", "-Q", queue]
    assert demo[demo.index("worker") :][:3] == ["worker", "-Q", queue]
    pool = next(word for word in ours if word.startswith("--pool"))
    assert pool in demo


def test_the_set_up_runs_commands_that_exist() -> None:
    lines = [line.split()[:3] for line in compose.command("setup")]
    assert [line[:2] for line in lines] == [["python", "manage.py"]] * 3
    assert [line[2] for line in lines] == ["bootstrap_database", "migrate", "audit_partitions"]
    assert {line[2] for line in lines} <= set(get_commands())


def test_every_program_comes_with_the_locked_packages() -> None:
    programs = {script.name for script in entry_points(group="console_scripts")}
    assert {compose.command(name)[0] for name in ("web", "worker", "sealer", "beat")} <= programs


def test_every_variable_is_one_that_the_code_reads() -> None:
    code = "".join(
        path.read_text() for room in ("epicase", "audit") for path in (BASE_DIR / room).rglob("*.py")
    )
    for name in compose.OURS:
        for variable in compose.services()[name]["environment"]:
            assert f'"{variable.removesuffix("_FILE")}"' in code, variable


# The image.


def test_the_image_does_not_run_as_root() -> None:
    lines = (BASE_DIR / "Dockerfile").read_text().splitlines()
    final = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert [line for line in final if line.startswith("USER ")] == ["USER 10001:10001"]


def test_the_image_leaves_the_embedded_servers_out() -> None:
    text = (BASE_DIR / "Dockerfile").read_text()
    assert "uv sync --locked --no-default-groups" in text
    assert f"ARG PYTHON_VERSION={sys.version_info[0]}.{sys.version_info[1]}" in text or sys.version_info[
        :2
    ] != (
        3,
        11,
    )


def test_only_what_runs_goes_into_the_image() -> None:
    rules = [
        line
        for line in (BASE_DIR / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert {path for path in let_in if not (BASE_DIR / path).exists()} == set()
    assert not let_in & {"tests", "benchmarks", "deploy", ".git", ".env", "docs"}


def _words(service: dict[str, Any]) -> list[str]:
    return [str(word) for word in service.get("command", [])]
