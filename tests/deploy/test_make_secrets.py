"""deploy/make_secrets.sh makes what docker-compose.yml mounts, closed to others, and never replaces it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from epicase.config import BASE_DIR
from tests.deploy import compose

UID = os.getuid() or 12345
HOST = "cases.example.org"


def make(home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    given = {
        "PATH": os.environ["PATH"],
        "EPICASE_UID": str(UID),
        "EPICASE_PYTHON": sys.executable,
        "EPICASE_ENV_FILE": str(home.parent / "env"),
        **more,
    }
    return subprocess.run(
        ["sh", "deploy/make_secrets.sh", str(home), HOST],
        env=given,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def contents(home: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (home / "secrets").iterdir()}


def test_it_makes_every_file_that_compose_mounts(tmp_path: Path) -> None:
    ended = make(tmp_path / "home")
    assert ended.returncode == 0, ended.stderr
    mounted = {Path(secret["file"]).name for secret in compose.content()["secrets"].values()}
    assert set(contents(tmp_path / "home")) == mounted
    for path in (tmp_path / "home" / "secrets").iterdir():
        assert path.stat().st_uid == UID
        assert path.stat().st_mode & 0o777 == (0o644 if path.suffix == ".pub" else 0o600), path.name
    written = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert written == {
        "EPICASE_HOST": HOST,
        "EPICASE_HOME": str(tmp_path / "home"),
        "EPICASE_UID": str(UID),
        "EPICASE_GID": written["EPICASE_GID"],
    }
    assert set(written) == set(compose.GIVEN)


def test_every_login_has_its_own_password(tmp_path: Path) -> None:
    make(tmp_path / "home")
    urls = [text for name, text in contents(tmp_path / "home").items() if name.endswith("_url")]
    passwords = {url.split("@")[0].rsplit(":", 1)[1] for url in urls}
    assert len(passwords) == len(urls) == 6
    assert min(map(len, passwords)) == 64


def test_it_replaces_nothing(tmp_path: Path) -> None:
    make(tmp_path / "home")
    before = contents(tmp_path / "home")
    assert make(tmp_path / "home").returncode == 0
    assert contents(tmp_path / "home") == before


def test_a_folder_inside_the_checkout_is_refused() -> None:
    inside = BASE_DIR / "secrets-refused"
    try:
        ended = make(inside, EPICASE_ENV_FILE="/nonexistent/env")
        assert ended.returncode == 1
        assert "lies inside the checkout" in ended.stderr
        assert list(inside.iterdir()) == []
    finally:
        shutil.rmtree(inside, ignore_errors=True)


def test_containers_as_root_are_refused(tmp_path: Path) -> None:
    ended = make(tmp_path / "home", EPICASE_UID="0")
    assert ended.returncode == 1
    assert "do not run as root" in ended.stderr


@pytest.mark.parametrize("bad", ["cases.example.org; id", ""])
def test_a_host_that_is_none_is_refused(tmp_path: Path, bad: str) -> None:
    ended = subprocess.run(
        ["sh", "deploy/make_secrets.sh", str(tmp_path / "home"), bad],
        env={"PATH": os.environ["PATH"], "EPICASE_UID": "12345"},
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
