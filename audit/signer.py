"""Who signs for the ledger: an Ed25519 key in a file that only the sealing process may read."""

import os
import stat
from pathlib import Path
from typing import Protocol

from django.conf import settings
from epicase_verify.note import Checkpoint, SigningKey, VerificationKey, sign_checkpoint
from epicase_verify.text import Malformed

from audit.errors import AuditError

_MAKE_ONE = "make one with: manage.py audit_keygen"


class SigningKeyUnusable(AuditError):
    """The signing key is missing, open to others, or no key. One line, which says what to do."""


class Signer(Protocol):
    """Signs checkpoints; a file now, a hardware module or another algorithm later."""

    @property
    def name(self) -> str:
        """The ledger's name, which is the origin line of its checkpoints."""

    @property
    def vkeys(self) -> list[VerificationKey]:
        """The public keys, the ledger's own first."""

    def sign(self, checkpoint: Checkpoint) -> str:
        """The checkpoint as a signed note."""


class FileSigner:
    """Signs with the keys of one file, one a line: a second line is a key that takes over."""

    def __init__(self, path: Path) -> None:
        lines = [line for line in _read_private(path).splitlines() if line.strip()]
        try:
            self._keys = [SigningKey.parse(line) for line in lines]
        except Malformed as error:
            raise SigningKeyUnusable(f"The signing key {path} is damaged ({error}); {_MAKE_ONE}") from None
        if not self._keys:
            raise SigningKeyUnusable(f"The signing key {path} is empty; {_MAKE_ONE}")

    @property
    def name(self) -> str:
        """The ledger's name."""
        return self._keys[0].name

    @property
    def vkeys(self) -> list[VerificationKey]:
        """The public keys, the ledger's own first."""
        return [key.vkey for key in self._keys]

    def sign(self, checkpoint: Checkpoint) -> str:
        """The checkpoint as a signed note."""
        return sign_checkpoint(checkpoint, *self._keys)


def configured() -> Signer:
    """The signer that EPICASE_AUDIT_KEY names. Raises SigningKeyUnusable."""
    return FileSigner(key_path())


def key_path() -> Path:
    """Where the signing key lies. Raises SigningKeyUnusable when EPICASE_AUDIT_KEY does not say."""
    url = str(getattr(settings, "EPICASE_AUDIT_KEY", "") or "")
    if not url.startswith("file:") or not url.removeprefix("file:"):
        raise SigningKeyUnusable(f"Set EPICASE_AUDIT_KEY to file:/path/of/the/key; {_MAKE_ONE}")
    return Path(url.removeprefix("file:"))


def public_path(path: Path) -> Path:
    """Where the public half lies: beside the key, readable by all."""
    return path.with_name(path.name + ".pub")


def create(path: Path, name: str) -> VerificationKey:
    """Make a signing key and the file of its public half; never replaces one. Raises FileExistsError."""
    key = SigningKey.generate(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_new(path, key.format(), 0o600)
    public_path(path).unlink(missing_ok=True)
    _write_new(public_path(path), key.vkey.format(), 0o644)
    return key.vkey


def verification_keys() -> list[VerificationKey]:
    """Public keys to check checkpoints with; empty when this process knows none.

    From EPICASE_AUDIT_VKEY (keys parted by spaces), else the file beside the signing key, else the key
    itself.
    """
    try:
        given = str(getattr(settings, "EPICASE_AUDIT_VKEY", "") or "").split()
        if given:
            return [VerificationKey.parse(text) for text in given]
        path = key_path()
        try:
            return [VerificationKey.parse(line) for line in public_path(path).read_text().split()]
        except OSError:
            return FileSigner(path).vkeys
    except (Malformed, SigningKeyUnusable):
        return []


def _read_private(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise SigningKeyUnusable(f"The signing key {path} is missing; {_MAKE_ONE}") from None
    except OSError as error:
        raise SigningKeyUnusable(f"The signing key {path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise SigningKeyUnusable(f"The signing key {path} is not a plain file")
        if about.st_uid != os.geteuid():
            raise SigningKeyUnusable(
                f"The signing key {path} belongs to another user: chown it to the sealer's"
            )
        if about.st_mode & 0o077:
            raise SigningKeyUnusable(f"The signing key {path} is open to others: chmod 600 {path}")
        return file.read()


def _write_new(path: Path, content: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content + "\n")
        file.flush()
        os.fsync(file.fileno())
