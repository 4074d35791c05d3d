"""Key providers: they hold the root keys, one per purpose, and wrap the epoch keys under them.

A provider is named by a URL in EPICASE_KEYRING. Today there is `file:/path/keyring.json`; another kind is a
class that fulfils `KeyProvider` and an entry in `SCHEMES`. All calls take batches, so that a remote
provider costs one round trip.
"""

import base64
import hashlib
import hmac
import json
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from vault.classes import DataClass
from vault.errors import KeyFileMissing, KeyFileTooOpen, ProviderError, WeakKeyFile, WrongRootKey

__all__ = [
    "PURPOSES",
    "FileProvider",
    "Health",
    "KeyFileMissing",
    "KeyFileTooOpen",
    "KeyProvider",
    "KeyRef",
    "ProviderError",
    "WeakKeyFile",
    "WrongRootKey",
    "configured",
    "provider_from_url",
]

INDEX = "index"
PURPOSES = (*(str(data_class) for data_class in DataClass), INDEX)
FORMAT = "epicase-keyring/1"
KEY_BYTES = 32


class KeyRef(NamedTuple):
    """A root key by purpose and version; never the key itself."""

    purpose: str
    version: int


@dataclass(frozen=True)
class Health:
    """Whether the provider answers, and one line about it."""

    ok: bool
    message: str


class KeyProvider(Protocol):
    """What the vault asks of whoever holds the root keys."""

    def current(self, purpose: str) -> KeyRef: ...
    def wrap(self, ref: KeyRef, keys: Sequence[bytes], aads: Sequence[bytes]) -> list[bytes]: ...
    def unwrap(self, ref: KeyRef, blobs: Sequence[bytes], aads: Sequence[bytes]) -> list[bytes]: ...
    def mac(self, ref: KeyRef, info: bytes, messages: Sequence[bytes]) -> list[bytes]: ...
    def destroy(self, ref: KeyRef) -> None: ...
    def health(self) -> Health: ...


class FileProvider:
    """Root keys in a JSON file that only its owner can read.

    Wrapped key: nonce[12] ciphertext tag[16] under AES-256-GCM with the caller's associated data.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        _refuse_in_checkout(self.path)
        self._current, self._keys = _parse(self.path, _read_private(self.path))
        self._macs: dict[tuple[KeyRef, bytes], hmac.HMAC] = {}

    @classmethod
    def create(cls, path: str | Path) -> "FileProvider":
        """Write a new key file with one random key per purpose, mode 0600; never overwrites."""
        keys = {
            p: {"current": 1, "versions": {"1": base64.b64encode(os.urandom(KEY_BYTES)).decode()}}
            for p in PURPOSES
        }
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({"format": FORMAT, "keys": keys}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        return cls(path)

    def current(self, purpose: str) -> KeyRef:
        """The root key new wraps of this purpose use."""
        return self._current[purpose]

    def wrap(self, ref: KeyRef, keys: Sequence[bytes], aads: Sequence[bytes]) -> list[bytes]:
        """Each key wrapped under the root key, bound to its associated data."""
        cipher, wrapped = AESGCM(self._key(ref)), []
        for key, aad in zip(keys, aads, strict=True):
            nonce = os.urandom(12)
            wrapped.append(nonce + cipher.encrypt(nonce, key, aad))
        return wrapped

    def unwrap(self, ref: KeyRef, blobs: Sequence[bytes], aads: Sequence[bytes]) -> list[bytes]:
        """Each key unwrapped; raises WrongRootKey when one does not open."""
        cipher = AESGCM(self._key(ref))
        try:
            return [cipher.decrypt(b[:12], b[12:], a) for b, a in zip(blobs, aads, strict=True)]
        except (InvalidTag, ValueError):
            raise WrongRootKey(
                f"Key file {self.path} does not open this database's {ref.purpose} keys: "
                "point EPICASE_KEYRING at the key file the database was set up with."
            ) from None

    def mac(self, ref: KeyRef, info: bytes, messages: Sequence[bytes]) -> list[bytes]:
        """HMAC-SHA256 of each message under a key derived from the root key for `info`."""
        keyed = self._macs.get((ref, info))
        if keyed is None:
            # HKDF-Expand (RFC 5869, 2.3) for one block of output: the root key is uniformly random already.
            derived = hmac.digest(self._key(ref), info + b"\x01", "sha256")
            keyed = self._macs[ref, info] = hmac.new(derived, digestmod="sha256")
        return [_mac(keyed, message) for message in messages]

    def destroy(self, ref: KeyRef) -> NoReturn:
        """A file cannot prove that no copy is left, so this provider destroys nothing by itself."""
        raise ProviderError(
            f"Remove version {ref.version} of {ref.purpose} from {self.path} and its copies by hand."
        )

    def health(self) -> Health:
        """Whether the file is still there, private and the same."""
        try:
            current, keys = _parse(self.path, _read_private(self.path))
        except ProviderError as error:
            return Health(ok=False, message=str(error))
        same = current == self._current and keys == self._keys
        return Health(
            same, "key file in order" if same else f"Key file {self.path} changed: restart to use it."
        )

    def _key(self, ref: KeyRef) -> bytes:
        try:
            return self._keys[ref]
        except KeyError:
            raise WrongRootKey(
                f"Key file {self.path} has no {ref.purpose} key of version {ref.version}: "
                "restore the file that has it."
            ) from None

    def __repr__(self) -> str:
        return f"<FileProvider {self.path}>"

    def __reduce__(self) -> NoReturn:
        raise ProviderError("a key provider is neither copied nor pickled")


def _mac(keyed: hmac.HMAC, message: bytes) -> bytes:
    mac = keyed.copy()
    mac.update(message)
    return mac.digest()


SCHEMES: dict[str, Callable[[str], KeyProvider]] = {"file": FileProvider}


def provider_from_url(url: str) -> KeyProvider:
    """The provider a URL such as `file:/etc/epicase/keyring.json` names."""
    scheme, _, rest = url.partition(":")
    if scheme not in SCHEMES or not rest:
        known = ", ".join(f"{name}:…" for name in SCHEMES)
        raise ProviderError(f"EPICASE_KEYRING names no known key provider: set it to one of {known}")
    return SCHEMES[scheme](rest.removeprefix("//"))


def configured() -> KeyProvider:
    """The provider of this process (setting EPICASE_KEYRING); read once."""
    url = getattr(settings, "EPICASE_KEYRING", "")
    if not url:
        raise KeyFileMissing("EPICASE_KEYRING is not set: set it to file:/path/to/keyring.json.")
    return _configured(str(url))


@lru_cache(maxsize=4)
def _configured(url: str) -> KeyProvider:
    return provider_from_url(url)


def _read_private(path: Path) -> bytes:
    """The file's bytes, after making sure on the open file that only we can read it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeyFileMissing(
            f"Key file {path} is missing: restore it from its backup (a new one opens nothing sealed before)."
        ) from None
    except OSError as error:
        raise KeyFileMissing(
            f"Key file {path} cannot be read ({error.strerror}): give it to the service's user."
        ) from None
    try:
        _refuse_open_to_others(path, os.fstat(handle))
        with os.fdopen(os.dup(handle), "rb") as file:
            return file.read()
    finally:
        os.close(handle)


def _refuse_open_to_others(path: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise KeyFileMissing(f"Key file {path} is no regular file: point EPICASE_KEYRING at the file itself.")
    if facts.st_uid != os.geteuid():
        raise KeyFileTooOpen(
            f"Key file {path} belongs to another user: chown it to the user that runs epicase."
        )
    if facts.st_mode & 0o077:
        raise KeyFileTooOpen(f"Key file {path} is open to others: run chmod 600 on it.")


def _parse(path: Path, text: bytes) -> tuple[dict[str, KeyRef], dict[KeyRef, bytes]]:
    """The current version per purpose and all keys, each checked to be a good one."""
    try:
        content: dict[str, Any] = json.loads(text)
        entries: dict[str, Any] = {FORMAT: content["keys"]}[content["format"]]
        keys = {
            KeyRef(purpose, int(version)): base64.b64decode(key, validate=True)
            for purpose in PURPOSES
            for version, key in entries[purpose]["versions"].items()
        }
        current = {purpose: KeyRef(purpose, int(entries[purpose]["current"])) for purpose in PURPOSES}
        if missing := set(current.values()) - set(keys):
            raise KeyError(missing.pop().purpose)  # noqa: TRY301  told as an incomplete file below
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WeakKeyFile(
            f"Key file {path} is not a complete {FORMAT} file: restore it from its backup."
        ) from None
    _refuse_weak(path, keys)
    return current, keys


def _refuse_weak(path: Path, keys: dict[KeyRef, bytes]) -> None:
    secret_key = _secret_key()
    forbidden = {secret_key, hashlib.sha256(secret_key).digest(), secret_key[:KEY_BYTES]}
    for ref, key in keys.items():
        name = f"{ref.purpose} key {ref.version} in {path}"
        if len(key) < KEY_BYTES:
            raise WeakKeyFile(f"The {name} has fewer than 256 bits: make a new key file.")
        # 32 random bytes have fewer than 16 different ones about once in 10^11 files.
        if len(key) > KEY_BYTES or len(set(key)) < KEY_BYTES // 2:
            raise WeakKeyFile(f"The {name} is not 32 random bytes: make a new key file.")
        written = {key, base64.b64encode(key), base64.urlsafe_b64encode(key), key.hex().encode()}
        if written & forbidden or base64.b64encode(key).rstrip(b"=") in forbidden:
            raise WeakKeyFile(f"The {name} equals EPICASE_SECRET_KEY: make a new key file.")
    if len(set(keys.values())) != len(keys):
        raise WeakKeyFile(f"Key file {path} uses one key for two purposes: make a new key file.")


def _secret_key() -> bytes:
    """The installation's secret key; empty while the settings are still being read, as when tests make their keys."""
    try:
        return str(getattr(settings, "SECRET_KEY", "") or "").encode()
    except ImproperlyConfigured:
        return b""


def _refuse_in_checkout(path: Path) -> None:
    """Keys beside the source end up in images, archives and repositories."""
    if any(
        getattr(settings, name, False) for name in ("DEBUG", "EPICASE_DEMO", "EPICASE_DEV", "EPICASE_TEST")
    ):
        return
    if path.resolve().is_relative_to(Path(__file__).resolve().parent.parent):
        raise WeakKeyFile(
            f"Key file {path} lies inside the source directory: move it out and set EPICASE_KEYRING."
        )


def _forget(*, setting: str, **_: object) -> None:
    if setting in ("EPICASE_KEYRING", "SECRET_KEY"):
        _configured.cache_clear()


setting_changed.connect(_forget)
