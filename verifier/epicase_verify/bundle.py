"""A bundle: a piece of the ledger in a tar file or folder, laid out as a tiled log.

checkpoint                      the newest checkpoint note
checkpoints                     earlier ones, as a journal (optional)
tile/<level>/<index>            tiles of hashes (optional)
tile/entries/<index>            entries: 16 bytes of salt, then the event's canonical body (optional)
events/<n>.json + .tlog-proof   single events with their proofs (optional)
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from epicase_verify import canonical
from epicase_verify.merkle import leaf_hash
from epicase_verify.text import Malformed

SALT_BYTES = 16
LARGEST_MEMBER = 64 * 2**20


class Unusable(Exception):
    """The input cannot be read at all, so nothing can be said about it."""


@dataclass(frozen=True)
class EventFile:
    """One event as it is given away: salt and body, and what is kept beside the body."""

    salt: bytes
    body: bytes
    touches: tuple[Any, ...] | None = None

    @classmethod
    def parse(cls, raw: bytes) -> EventFile:
        """Read an event file; raises Malformed."""
        value = canonical.decode(raw.removesuffix(b"\n"))
        if not isinstance(value, dict) or not {"body", "salt"} <= value.keys() <= {"body", "salt", "touches"}:
            raise Malformed("an event file has a salt, a body and perhaps touches")
        salt, body, touches = value["salt"], value["body"], value.get("touches")
        if not isinstance(salt, str) or not isinstance(body, str) or not isinstance(touches, list | None):
            raise Malformed("salt and body are text, touches a list")
        try:
            salt_bytes = bytes.fromhex(salt)
        except ValueError as error:
            raise Malformed("the salt is not hexadecimal") from error
        if len(salt_bytes) != SALT_BYTES or salt_bytes.hex() != salt:
            raise Malformed("the salt is not 16 bytes in lower-case hexadecimal")
        return cls(salt_bytes, body.encode(), None if touches is None else tuple(touches))

    def format(self) -> bytes:
        """The event file."""
        value: dict[str, Any] = {"body": self.body.decode(), "salt": self.salt.hex()}
        if self.touches is not None:
            value["touches"] = list(self.touches)
        return canonical.encode(value) + b"\n"

    @property
    def leaf(self) -> bytes:
        """The event's hash as a leaf of the ledger."""
        return leaf_hash(self.salt + self.body)

    def facts(self) -> dict[str, Any]:
        """What the body says; raises Malformed when that, or the touches, cannot be right."""
        said = canonical.decode(self.body)
        if not isinstance(said, dict):
            raise Malformed("the body is not an object")
        if self.touches is not None and said.get("touch_sha256") != touch_digest(self.touches):
            raise Malformed("the records touched are not the ones the body counted")
        return said


def touch_digest(touches: Iterable[Any]) -> str:
    """Hex SHA-256 over the records touched, by id: 16 bytes of id, then the subject's token after its length.

    Each is a pair of texts, an id and a token in hexadecimal, which is empty where no person was meant.
    """
    digest = sha256()
    try:
        rows = sorted((UUID(record).bytes, bytes.fromhex(subject)) for record, subject in touches)
    except (ValueError, TypeError, AttributeError) as error:
        raise Malformed("a touched record is a pair of id and token") from error
    for record, subject in rows:
        digest.update(record + len(subject).to_bytes(1, "big") + subject)
    return digest.hexdigest()


def join_entries(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry after its length in two bytes."""
    return b"".join(len(one).to_bytes(2, "big") + one for one in entries)


def split_entries(raw: bytes) -> Iterator[bytes]:
    """Entries of an entry bundle; raises Malformed."""
    place = 0
    while place < len(raw):
        end = place + 2 + int.from_bytes(raw[place : place + 2], "big")
        if end > len(raw) or end - place < 2 + SALT_BYTES:
            raise Malformed("an entry is cut short")
        yield raw[place + 2 : end]
        place = end


class Bundle:
    """Reads the files of a bundle without ever unpacking it. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tar: tarfile.TarFile | None = None
        try:
            if not path.is_dir():
                self._tar = tarfile.open(path)  # noqa: SIM115  closed on exit
            self.names = sorted(self._found())
        except (OSError, tarfile.TarError) as error:
            raise Unusable(f"{path} is neither a folder nor a tar file that can be read") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tar is not None:
            self._tar.close()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def read(self, name: str) -> bytes:
        """Content of one file; raises Unusable."""
        size = self._members.get(name)
        if size is None:
            raise Unusable(f"the bundle has no {name}")
        if size > LARGEST_MEMBER:
            raise Unusable(f"{name} is larger than anything in a bundle can be")
        try:
            return self._content(name)
        except (OSError, tarfile.TarError, EOFError) as error:
            raise Unusable(f"{name} cannot be read") from error

    def _content(self, name: str) -> bytes:
        if self._tar is None:
            return (self._path / name).read_bytes()
        stream = self._tar.extractfile(name)
        return b"" if stream is None else stream.read()

    def _found(self) -> Iterable[str]:
        if self._tar is not None:
            self._members = {one.name: one.size for one in self._tar.getmembers() if one.isfile()}
        else:
            self._members = {
                one.relative_to(self._path).as_posix(): one.stat().st_size
                for one in self._path.rglob("*")
                if one.is_file() and not one.is_symlink()
            }
        return self._members


class BundleWriter:
    """Writes a bundle as a tar file, file after file, with no times or owners in it."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115  closed on exit

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tar.close()

    def add(self, name: str, content: bytes) -> None:
        """Add one file."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o644
        self._tar.addfile(member, io.BytesIO(content))
