"""Under which user id an embedded server runs: the caller's, or a private one when the caller is root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zlib import crc32

from epicase.embedded.binaries import Program
from epicase.embedded.places import EmbeddedError

# The range systemd keeps for users that exist only while a service runs; no system account is made.
FIRST_UID, LAST_UID = 61184, 65519
SERVERS_PER_STATE = 2
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


@dataclass(frozen=True)
class Identity:
    """The user and group a server is given; None means the caller's own."""

    uid: int | None = None
    gid: int | None = None

    @property
    def is_dropped(self) -> bool:
        return self.uid is not None

    def own(self, path: Path) -> None:
        """Make this identity the owner of one path."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def own_tree(self, top: Path) -> None:
        """Make this identity the owner of a directory and all below it; links are not followed."""
        self.own(top)
        for folder, names, files in os.walk(top):
            for name in names + files:
                self.own(Path(folder, name))

    def run(
        self,
        command: Sequence[str | Path],
        *,
        output: IO[bytes] | int | None = subprocess.PIPE,
        environment: Mapping[str, str] = ENVIRONMENT,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end as this identity, not in the caller's terminal, folder and environment."""
        return subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=dict(environment),
            user=self.uid,
            group=self.gid,
            extra_groups=[] if self.is_dropped else None,
            umask=0o077,
            start_new_session=True,
            timeout=timeout,
            check=False,
        )


def nobody() -> Identity:
    """The account that has a passwd entry and no rights: initdb asks for the entry."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "initdb needs the system account 'nobody', and there is none: do not run as root"
        ) from None
    return Identity(entry.pw_uid, entry.pw_gid)


def server_identity(state_dir: Path, kept_in: Path, place: int) -> Identity:
    """The identity of server number `place`: the owner of what it kept before, or else a free one."""
    if os.geteuid() != 0:
        return Identity()
    if kept_in.exists() and (found := kept_in.lstat()).st_uid != 0:
        return Identity(found.st_uid, found.st_gid)
    pairs = (LAST_UID - FIRST_UID + 1) // SERVERS_PER_STATE
    start = crc32(os.fsencode(state_dir)) % pairs
    for step in range(pairs):
        uid = FIRST_UID + (start + step) % pairs * SERVERS_PER_STATE + place
        if not _is_known(uid):
            return Identity(uid, uid)
    raise EmbeddedError("every user id from 61184 to 65519 is taken: set DATABASE_URL and REDIS_URL")


def reachable(program: Program, copies: Path, identity: Identity) -> Path:
    """The binary, where this identity can run it: in place, or in a copy below the state directory."""
    if not identity.is_dropped or _can_run(program.binary, identity):
        return program.binary
    top = program.trees[0]
    target = copies / f"{top.name}-{_fingerprint(program.binary)}"
    if not target.exists():
        _copy_trees(program, target)
    copied = target / top.name / program.binary.relative_to(top)
    if not _can_run(copied, identity):
        raise EmbeddedError(
            f"uid {identity.uid} cannot run {copied}: set EPICASE_STATE_DIR to a folder others may enter"
        )
    return copied


def _copy_trees(program: Program, target: Path) -> None:
    """Copy what running needs, readable by all; a half copy never carries the final name."""
    half = target.with_name(target.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    unneeded = shutil.ignore_patterns(
        "include", "pkgconfig", "pgxs", "*.a", "*.py", "__pycache__", "pginstall"
    )
    for tree in program.trees:
        if tree.is_dir():
            shutil.copytree(tree, half / tree.name, symlinks=True, ignore=unneeded)
    for folder, _names, files in os.walk(half):
        Path(folder).chmod(0o755)
        for path in (Path(folder, name) for name in files):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    half.rename(target)


def _fingerprint(binary: Path) -> str:
    """Changes when another version of the binary is installed."""
    found = binary.stat()
    return f"{crc32(f'{found.st_size} {found.st_mtime_ns}'.encode()):08x}"


def _can_run(binary: Path, identity: Identity) -> bool:
    try:
        return identity.run([binary, "--version"]).returncode == 0
    except PermissionError:
        return False


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
