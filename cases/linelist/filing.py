"""Keeps the file of a waiting import sealed for the person who brought it, until the run is over."""

from access.models import Organisation
from cases.models import ImportFile, ImportRun
from vault import ciphertext, keyring, new_keys
from vault.ciphertext import Context
from vault.classes import DataClass

LABEL = "import.file"


class FileGone(Exception):
    """The run's file has been erased already."""


def keep(run: ImportRun, content: bytes, district: Organisation) -> None:
    """Seal the file under a key of its own; nobody but the run's person is given that key."""
    new_keys.create(run.pk, run.by_id, [DataClass.SYSTEM])
    key = keyring.key_to_seal(run.pk, DataClass.SYSTEM)
    ImportFile(run=run, sealed=ciphertext.seal(key, content, _context(run)), district=district).save(
        force_insert=True
    )


def open_file(run: ImportRun) -> tuple[bytes, Organisation]:
    """The file's bytes and the district its cases go to; raises FileGone, Locked."""
    file = ImportFile.objects.select_related("district__parent__parent").get(run=run)
    if file.sealed is None:
        raise FileGone
    sealed = bytes(file.sealed)
    generation = ciphertext.generation_of(sealed, LABEL, run.pk)
    key = keyring.key_to_open(run.pk, DataClass.SYSTEM, generation)
    return ciphertext.open_(key, sealed, _context(run)), file.district


def erase(run: ImportRun) -> None:
    """Forget the file."""
    ImportFile.objects.filter(run=run).update(sealed=None)


def _context(run: ImportRun) -> Context:
    return Context(DataClass.SYSTEM, LABEL, run.pk, run.pk)
