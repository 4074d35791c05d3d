"""Signed notes and checkpoints: c2sp.org/signed-note with Ed25519, and c2sp.org/tlog-checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from epicase_verify.text import Malformed, read_base64, read_hash, read_number, read_utf8, write_base64

ED25519 = b"\x01"
MOST_SIGNATURES = 64
_DASH = "— "
_SIGNING = "PRIVATE+KEY"


class NotSigned(Exception):
    """No known key signed the note, or a known key's signature is wrong."""


@dataclass(frozen=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """The line as it stands in the note."""
        return f"{_DASH}{self.name} {write_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True)
class Note:
    """A text, which ends in a newline, and the signatures below it. Not yet checked."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, raw: bytes | str) -> Note:
        """Read a note; raises Malformed."""
        whole = read_utf8(raw.encode() if isinstance(raw, str) else raw)
        text, separator, below = whole.rpartition("\n\n")
        if not separator or not below.endswith("\n"):
            raise Malformed("a note is a text, an empty line and signature lines")
        lines = below[:-1].split("\n")
        if len(lines) > MOST_SIGNATURES:
            raise Malformed("too many signatures")
        return cls(text + "\n", tuple(_signature(line) for line in lines))

    def format(self) -> str:
        """The note as it is stored and sent."""
        return self.text + "\n" + "".join(signature.line() for signature in self.signatures)


@dataclass(frozen=True)
class VerificationKey:
    """Name and public key of someone whose notes are believed."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        _require_name(self.name)
        if len(self.public) != 32:
            raise Malformed("an Ed25519 public key is 32 bytes")

    @classmethod
    def parse(cls, vkey: str) -> VerificationKey:
        """Read `name+hex key id+base64 key`; raises Malformed."""
        name, id_hex, encoded = _three_parts(vkey.strip(), "a verification key")
        key = read_base64(encoded)
        if key[:1] != ED25519:
            raise Malformed("only Ed25519 verification keys are known")
        found = cls(name, key[1:])
        if found.key_id.hex() != id_hex:
            raise Malformed("the verification key's id does not fit its name and key")
        return found

    def format(self) -> str:
        """The key as `name+hex key id+base64 key`."""
        return f"{self.name}+{self.key_id.hex()}+{write_base64(ED25519 + self.public)}"

    @property
    def key_id(self) -> bytes:
        """The four bytes that name the key in signature lines."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether this key made the signature over the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, repr=False)
class SigningKey:
    """A name and the Ed25519 seed that signs for it. Its repr shows the name only."""

    name: str
    seed: bytes

    @classmethod
    def generate(cls, name: str) -> SigningKey:
        """A new key for this name."""
        _require_name(name)
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, secret: str) -> SigningKey:
        """Read `PRIVATE+KEY+name+hex key id+base64 seed`; raises Malformed."""
        stripped = secret.strip()
        if not stripped.startswith(_SIGNING + "+"):
            raise Malformed("not a signing key")
        name, id_hex, encoded = _three_parts(stripped[len(_SIGNING) + 1 :], "a signing key")
        seed = read_base64(encoded)
        if seed[:1] != ED25519 or len(seed) != 33:
            raise Malformed("only Ed25519 signing keys are known")
        found = cls(name, seed[1:])
        if found.vkey.key_id.hex() != id_hex:
            raise Malformed("the signing key's id does not fit its name and key")
        return found

    def format(self) -> str:
        """The key as it is kept in its file."""
        return f"{_SIGNING}+{self.name}+{self.vkey.key_id.hex()}+{write_base64(ED25519 + self.seed)}"

    @property
    def vkey(self) -> VerificationKey:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return VerificationKey(self.name, public)

    def sign(self, text: str) -> Signature:
        """This key's signature line for the text."""
        value = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return Signature(self.name, self.vkey.key_id, value)

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"


def verify(note: Note, keys: Iterable[VerificationKey]) -> list[VerificationKey]:
    """Keys that signed the note, at least one; raises NotSigned.

    Signatures of unknown keys are passed over; a wrong signature of a known key refuses the whole note.
    """
    known = {(key.name, key.key_id): key for key in keys}
    signed: list[VerificationKey] = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not key.accepts(note.text, signature.value):
            raise NotSigned(f"the signature of {key.name} is wrong")
        signed.append(key)
    if not signed:
        raise NotSigned("none of the keys you trust signed this note")
    return signed


@dataclass(frozen=True)
class Checkpoint:
    """Size and root of a log at one moment."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a checkpoint note; extension lines are refused. Raises Malformed."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise Malformed("a checkpoint is three lines: origin, size and root")
        return cls(lines[0], read_number(lines[1]), read_hash(lines[2]))

    def format(self) -> str:
        """The text to sign."""
        return f"{self.origin}\n{self.size}\n{write_base64(self.root)}\n"


def open_checkpoint(
    raw: bytes | str, keys: Sequence[VerificationKey], *, origin: str | None = None
) -> Checkpoint:
    """The checkpoint in a note signed by one of the keys.

    The origin must be `origin` or, when none is given, the name of a key that signed it.
    Raises Malformed and NotSigned.
    """
    note = Note.parse(raw)
    signers = verify(note, keys)
    checkpoint = Checkpoint.parse(note.text)
    expected = {origin} if origin else {key.name for key in signers}
    if checkpoint.origin not in expected:
        raise NotSigned(f"the checkpoint is of {checkpoint.origin}, not of {' or '.join(sorted(expected))}")
    return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, *keys: SigningKey) -> str:
    """A checkpoint note signed by each key."""
    text = checkpoint.format()
    return Note(text, tuple(key.sign(text) for key in keys)).format()


def _signature(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise Malformed("a signature line starts with an em dash and a space")
    name, separator, encoded = line[len(_DASH) :].partition(" ")
    _require_name(name)
    value = read_base64(encoded) if separator else b""
    if len(value) < 5:
        raise Malformed("a signature is a key id of four bytes and more")
    return Signature(name, value[:4], value[4:])


def _require_name(name: str) -> None:
    if not name or "+" in name or any(character.isspace() for character in name):
        raise Malformed("a key name is not empty and has no space or plus")


def _three_parts(text: str, what: str) -> tuple[str, str, str]:
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise Malformed(f"{what} has three parts joined by plus signs")
    return parts[0], parts[1], parts[2]
