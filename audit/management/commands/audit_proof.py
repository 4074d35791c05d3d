"""manage.py audit_proof: evidence for epicase-verify, about one event or about two checkpoints.

    audit_proof EVENT_ID              the event, its inclusion proof and the checkpoint, as a bundle
    audit_proof --consistency FROM TO both checkpoints and the proof that the later tree begins with the earlier

Taking evidence is an act and is recorded. Exit code 2: there is nothing to give, or no place to put it.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from epicase_verify.bundle import BundleWriter

from audit import evidence, trail
from audit.acts import Act


class Command(BaseCommand):
    help = "Write a proof that epicase-verify checks: for one event, or for the step between two checkpoints."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("event", nargs="?", type=UUID, help="the event's id")
        what.add_argument(
            "--consistency", nargs=2, type=int, metavar=("FROM", "TO"), help="sizes of two signed checkpoints"
        )
        parser.add_argument(
            "--out", type=Path, default=Path(), help="folder for the files (default: the present one)"
        )

    def handle(self, *, event: UUID | None, consistency: list[int] | None, out: Path, **options: Any) -> None:
        with trail.audit_job("audit_proof"):
            try:
                written = (
                    _consistency(consistency[0], consistency[1], out) if consistency else _event(event, out)
                )
            except evidence.NotSealedYet as error:
                raise CommandError(
                    f"not sealed: {error}. Look again in some seconds.", returncode=2
                ) from None
            except evidence.NoSuchCheckpoint as error:
                words = f"no checkpoint of {error} events was signed; the integrity page lists the sizes"
                raise CommandError(words, returncode=2) from None
            except OSError as error:
                raise CommandError(f"{out} cannot be written: {error.strerror}", returncode=2) from None
        for line in written:
            self.stdout.write(line)


def _event(event_id: UUID | None, out: Path) -> list[str]:
    if event_id is None:
        raise CommandError("name an event, or --consistency FROM TO", returncode=2)
    content = evidence.event_file(event_id)
    if content is None:
        raise CommandError(f"there is no event {event_id}", returncode=2)
    proof, newest = evidence.inclusion_proof(event_id), evidence.newest_checkpoint()
    trail.record(Act.AUDIT_EXPORT, counts={"events": 1}, extra={"event": event_id, "form": "bundle"})
    path = out / f"{event_id}.tar"
    with BundleWriter(path) as bundle:
        bundle.add("checkpoint", newest.note.encode() if newest else b"")
        bundle.add("events/0.json", content)
        bundle.add("events/0.tlog-proof", proof.encode())
    return [f"written     {path}", f"check it    epicase-verify fsck --vkey KEY {path}"]


def _consistency(old: int, new: int, out: Path) -> list[str]:
    if not 0 < old <= new:
        raise CommandError("FROM is the smaller size and at least 1", returncode=2)
    notes = [evidence.checkpoint_of(size).note for size in (old, new)]
    proof = evidence.consistency_proof(old, new)
    trail.record(
        Act.AUDIT_EXPORT, counts={"size": new}, extra={"form": "consistency", "from": old, "to": new}
    )
    paths = [out / f"checkpoint-{old}.note", out / f"checkpoint-{new}.note"]
    hashes = out / f"consistency-{old}-{new}.txt"
    for path, text in zip([*paths, hashes], [*notes, proof], strict=True):
        path.write_text(text, encoding="utf-8")
    told = f"epicase-verify consistency --vkey KEY {paths[0]} {paths[1]} --proof {hashes}"
    return [*(f"written     {path}" for path in (*paths, hashes)), f"check it    {told}"]
