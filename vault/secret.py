"""What reading an encrypted attribute gives: a Secret, which shows itself only when told to and seen.

Three states of a value in a record: `Sealed` bytes as stored, `Assigned` (given by code, not sealed yet)
and, in the hands of the reader, a `Secret` around either. None stays None.
"""

import hmac
import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar
from uuid import UUID

from django.conf import settings

from vault import sealing, witness
from vault.errors import CiphertextError, Locked, PlainTextRefused, VaultError

if TYPE_CHECKING:
    from vault.fields import EncryptedField
    from vault.models import EncryptedModel

T = TypeVar("T")
logger = logging.getLogger("vault")

LOCKED = "•••"
BROKEN = "⚠⚠⚠"
UNSEALED = "•??????"


class Sealed(bytes):
    """The bytes of a sealed value. Shows its fingerprint, never itself."""

    __slots__ = ()

    def __str__(self) -> str:
        return fingerprint(self)

    def __repr__(self) -> str:
        return f"<sealed {len(self)}B>"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class Assigned:
    """A value given to a record and not stored yet: its plain bytes, and what stood there before."""

    __slots__ = ("before", "place", "plain", "sealed")

    def __init__(self, plain: bytes, before: Sealed | None) -> None:
        self.plain = plain
        self.before = before
        self.sealed: Sealed | None = None
        self.place: tuple[UUID, UUID] | None = None

    def __repr__(self) -> str:
        return "<assigned, not sealed yet>"

    def __reduce__(self) -> NoReturn:
        raise PlainTextRefused("an unsaved secret is neither copied nor pickled: save the record first")


class Secret(Generic[T]):
    """A sealed value of one field of one record."""

    __slots__ = ("_field", "_held", "_record")
    __hash__ = None  # type: ignore[assignment]  # a hash that outlives a save would be by value

    def __init__(
        self, record: "EncryptedModel", field: "EncryptedField[Any, Any]", held: Sealed | Assigned
    ) -> None:
        self._record = record
        self._field = field
        self._held = held

    def reveal(self) -> T:
        """The value, once the witness has been told. Raises Locked, NoWitness or a CiphertextError."""
        field, record = self._field, self._record
        tell = witness.required()
        held = self._held
        plain = held.plain if type(held) is Assigned else sealing.open_sealed(record, field, held)  # type: ignore[arg-type]
        value: T = field.from_plain(plain)
        tell(record, field.name, field.data_class)
        return value

    @property
    def masked(self) -> str:
        """The field's mask of the value; `•••` when the class is not open to the bearer."""
        try:
            value = self._field.from_plain(self._plain())
        except Locked:
            return LOCKED
        except CiphertextError as error:
            logger.error("%s", error)  # noqa: TRY400  a trace back says nothing more and holds the key's frame
            return BROKEN
        return self._field.mask(self._field.as_text(value))

    @property
    def is_open_to_me(self) -> bool:
        """Whether reveal() would find a key."""
        return type(self._held) is Assigned or sealing.is_open(self._record, self._field)

    @property
    def fingerprint(self) -> str:
        """Six hexadecimal digits that change when the stored bytes change; needs no key."""
        sealed = self.sealed
        return UNSEALED if sealed is None else fingerprint(sealed)

    @property
    def sealed(self) -> Sealed | None:
        """The sealed bytes; None for a value just assigned whose key is not at hand."""
        held = self._held
        if not isinstance(held, Assigned):
            return held
        try:
            return sealing.seal_assigned(self._record, self._field, held)
        except VaultError:
            return None

    def _plain(self) -> bytes:
        held = self._held
        return (
            held.plain if isinstance(held, Assigned) else sealing.open_sealed(self._record, self._field, held)
        )

    def __str__(self) -> str:
        return self.fingerprint

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(self.fingerprint, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        if self._held is other._held:
            return True
        mine = self.sealed
        return mine is not None and mine == other.sealed

    def __copy__(self) -> "Secret[T]":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret[T]":
        return self

    def __reduce__(self) -> NoReturn:
        raise PlainTextRefused("a Secret is not pickled: pass the record's id and read it again")


def open_quietly(secret: Secret[T]) -> T:
    """The value without telling the witness. For copying between records, never for showing."""
    value: T = secret._field.from_plain(secret._plain())
    return value


def fingerprint(sealed: bytes) -> str:
    """`•` and six hexadecimal digits from the ciphertext, under a key of this installation."""
    return "•" + hmac.digest(_fingerprint_key(settings.SECRET_KEY), sealed, "sha256").hex()[:6]


@lru_cache(maxsize=4)
def _fingerprint_key(secret_key: str) -> bytes:
    """HKDF-SHA256 (RFC 5869) of SECRET_KEY for "fingerprint", without salt, one block."""
    extracted = hmac.digest(bytes(32), secret_key.encode(), "sha256")
    return hmac.digest(extracted, b"fingerprint\x01", "sha256")
