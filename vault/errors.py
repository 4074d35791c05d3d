"""What can go wrong in the vault. No message ever holds a value; labels and record ids are all they say."""

from uuid import UUID

from django.core.exceptions import FieldError, ImproperlyConfigured


class VaultError(Exception):
    """Base of everything the vault raises."""


class CiphertextError(VaultError):
    """A stored value does not open. Says which field of which record, and nothing else."""

    reason = "does not open"

    def __init__(self, label: str, row_id: UUID | None = None) -> None:
        super().__init__(f"sealed value {label} of {row_id}: {self.reason}")
        self.label = label
        self.row_id = row_id


class MalformedCiphertext(CiphertextError):
    reason = "these are not the bytes of a sealed value"


class UnknownVersion(CiphertextError):
    reason = "unknown format version"


class UnknownSuite(CiphertextError):
    reason = "unknown cipher suite"


class UnknownGeneration(CiphertextError):
    reason = "sealed under a key generation that is not at hand"


class NotAuthentic(CiphertextError):
    reason = "not authentic: it was altered, or belongs to another row, field, class or case"


class Locked(VaultError):
    """The keyring gave no key for this record and class: no grant, or no such key."""

    def __init__(self, scope_id: UUID, data_class: str) -> None:
        super().__init__(f"no key of class {data_class} for scope {scope_id}")
        self.scope_id = scope_id
        self.data_class = data_class


class Shredded(Locked):
    """The key was destroyed on purpose; the value can never be opened again."""


class KeyConflict(Locked):
    """A key of this scope and class exists, was not given out, and no other may be made. Roll back."""


class NoWitness(VaultError):
    """A value was to be revealed and nobody is there to record it."""


class PlainTextRefused(VaultError):
    """Something tried to store, copy or transport plain text where only a sealed value may go."""


class RecordGone(VaultError):
    """The row to be updated is not there any more, or is no longer yours to change."""


class ScopeMoved(VaultError):
    """A record's scope was changed by assignment; `rescope()` moves a record to another case."""


class EncryptedLookupError(FieldError, VaultError):
    """A query asked something of an encrypted column that only find() can answer."""


class ProviderError(VaultError, ImproperlyConfigured):
    """The key provider cannot be used; one line says what to do."""


class KeyFileMissing(ProviderError):
    """There is no key file where EPICASE_KEYRING points."""


class KeyFileTooOpen(ProviderError):
    """Somebody else could read the key file, or owns it."""


class WeakKeyFile(ProviderError):
    """The key file holds something that is not a set of good keys."""


class WrongRootKey(ProviderError):
    """The root key does not open what this database was sealed with."""
