"""The vendored assets: takes them from npm tarballs, and checks that nobody changed them since.

    npm pack bootstrap@5.3.9 bootstrap-icons@1.13.2 axe-core@4.14.1
    python -m tools.vendor *.tgz      # unpack the files named in the lock, rewrite their hashes
    python -m tools.vendor            # check the committed files against the lock

A tarball is believed only when its sha512 is the `integrity` in static/vendor/vendor.lock.json.
Neither node nor the network is needed to run or to check epicase.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "static/vendor/vendor.lock.json"
SPRITE = ROOT / "static/icons.svg"
# Shapes of our own, drawn on the same 16 px grid.
OWN_ICONS = {
    "mark": '<path fill="none" stroke="currentColor" stroke-width="2" d="M6.5 2H2v12h4.5M9.5 2H14v12H9.5"/>'
    '<path d="M6.2 6.2h3.6v3.6H6.2z"/>',
    "ring": '<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="2.6"/>',
    "diamond-thick": '<path fill="none" stroke="currentColor" stroke-width="1.8" '
    'd="M8 1.8 14.2 8 8 14.2 1.8 8z"/>',
}


class NotAsLocked(Exception):
    """A tarball or a committed file does not have the hash that the lock gives."""


def integrity(content: bytes) -> str:
    """The hash of a tarball as npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def changed_files() -> list[str]:
    """Committed files that are missing or not as the lock says."""
    return [
        path
        for package in read_lock()["packages"].values()
        for path, wanted in package["files"].items()
        if _sha256(ROOT / path) != wanted["sha256"]
    ] + ([] if _sha256(SPRITE) == read_lock()["sprite_sha256"] else ["static/icons.svg"])


def read_lock() -> dict[str, Any]:
    """The lock as it stands in the repository."""
    lock: dict[str, Any] = json.loads(LOCK.read_text("utf-8"))
    return lock


def unpack(tarballs: list[Path]) -> None:
    """Take the files of the lock out of these tarballs and note their hashes."""
    lock = read_lock()
    for path in tarballs:
        name = next(n for n, p in lock["packages"].items() if integrity(path.read_bytes()) == p["integrity"])
        _take_files(lock["packages"][name], path)
        if name == "bootstrap-icons":
            SPRITE.write_text(_sprite(lock["icons"], path), "utf-8")
            lock["sprite_sha256"] = _sha256(SPRITE)
    LOCK.write_text(json.dumps(lock, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _take_files(package: dict[str, Any], tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        for target, entry in package["files"].items():
            content = _member(archive, entry["from"])
            (ROOT / target).parent.mkdir(parents=True, exist_ok=True)
            # A source map is not shipped: without the pointer browsers do not ask for it.
            content = re.sub(rb"\n(/\*|//)# sourceMappingURL=.*\s*$", b"\n", content)
            (ROOT / target).write_bytes(content)
            entry["sha256"] = _sha256(ROOT / target)


def _sprite(names: list[str], tarball: Path) -> str:
    with tarfile.open(tarball) as archive:
        drawn = {name: _inside(_member(archive, f"icons/{name}.svg").decode()) for name in names}
    symbols = "\n".join(
        f'<symbol id="{name}" viewBox="0 0 16 16" fill="currentColor">{body}</symbol>'
        for name, body in sorted((drawn | OWN_ICONS).items())
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'


def _inside(svg: str) -> str:
    return re.sub(r"\s*\n\s*", "", svg[svg.index(">") + 1 : svg.rindex("</svg>")])


def _member(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(f"package/{path}")
    if member is None:
        raise NotAsLocked(path)
    return member.read()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "missing"


def main(arguments: list[str]) -> int:
    """Unpack the tarballs given, then check everything."""
    if arguments:
        unpack([Path(argument) for argument in arguments])
    changed = changed_files()
    print("\n".join(f"not as locked: {path}" for path in changed) or "vendored files are as locked")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
