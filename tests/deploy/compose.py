"""The compose file as the tests read it: variables filled in, anchors resolved."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml

from epicase.config import BASE_DIR

FILE = BASE_DIR / "docker-compose.yml"
GIVEN = {
    "EPICASE_UID": "12345",
    "EPICASE_GID": "12345",
    "EPICASE_HOST": "cases.example.org",
    "EPICASE_HOME": "/srv/epicase",
}
OURS = ("web", "worker", "sealer", "beat", "setup")
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


@lru_cache
def content() -> dict[str, Any]:
    filled = _VARIABLE.sub(_value, FILE.read_text())
    read: dict[str, Any] = yaml.safe_load(filled)
    return read


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = content()["services"]
    return found


def command(service: str) -> list[str]:
    """The service's command; of a shell script, its lines."""
    words: list[str] = services()[service]["command"]
    return words[2].splitlines() if words[:2] == ["sh", "-ec"] else words


def _value(match: re.Match[str]) -> str:
    name, kind, default = match.groups()
    if name in GIVEN:
        return GIVEN[name]
    assert kind == "-", f"{name} has no default and deploy/make_secrets.sh does not write it"
    return str(default)
