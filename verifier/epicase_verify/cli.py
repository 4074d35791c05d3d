"""The command epicase-verify. Exit codes: 0 it holds, 1 tampered, 2 unusable."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from epicase_verify import fsck as checks
from epicase_verify import merkle
from epicase_verify.bundle import Bundle, EventFile, Unusable
from epicase_verify.merkle import BadProof
from epicase_verify.note import Checkpoint, NotSigned, VerificationKey, open_checkpoint
from epicase_verify.proof import InclusionProof, parse_hashes
from epicase_verify.text import Malformed, write_base64

WHOLE, TAMPERED, UNUSABLE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    options = _parser().parse_args(argv)
    try:
        code: int = options.run(options, _keys(options))
    except (NotSigned, BadProof) as error:
        print(f"TAMPERED    {error}")
        return TAMPERED
    except (Malformed, Unusable) as error:
        print(f"unusable    {error}", file=sys.stderr)
        return UNUSABLE
    return code


def _note(options: argparse.Namespace, keys: list[VerificationKey]) -> int:
    checkpoint = _checkpoint(options.note, options, keys)
    print(f"signed      {checkpoint.origin}, {checkpoint.size} events, root {write_base64(checkpoint.root)}")
    return WHOLE


def _inclusion(options: argparse.Namespace, keys: list[VerificationKey]) -> int:
    event = EventFile.parse(_read(options.event))
    proof = InclusionProof.parse(_read(options.proof))
    checkpoint = proof.check(event.leaf, keys, origin=options.origin)
    try:
        facts = event.facts()
    except Malformed as error:
        raise BadProof(str(error)) from error
    print(f"included    event {proof.index} of the {checkpoint.size} that {checkpoint.origin} signed for")
    for name in ("id", "at", "act", "purpose", "trace"):
        if facts.get(name):
            print(f"{name:<12}{facts[name]}")
    return WHOLE


def _consistency(options: argparse.Namespace, keys: list[VerificationKey]) -> int:
    old, new = (_checkpoint(path, options, keys) for path in (options.old, options.new))
    if old.origin != new.origin:
        raise BadProof(f"two ledgers: {old.origin} and {new.origin}")
    if options.proof is None and old.size != new.size:
        raise Unusable("checkpoints of different sizes need a proof: --proof FILE")
    hashes = parse_hashes(_read(options.proof)) if options.proof else []
    merkle.check_consistency(old.size, new.size, old.root, new.root, hashes)
    print(f"consistent  the {new.size} events begin with the same {old.size} events")
    return WHOLE


def _fsck(options: argparse.Namespace, keys: list[VerificationKey]) -> int:
    with Bundle(options.bundle) as bundle:
        findings = checks.fsck(bundle, keys, origin=options.origin)
    for line in checks.describe(findings):
        print(line)
    return WHOLE if findings.is_whole else TAMPERED


def _checkpoint(path: Path, options: argparse.Namespace, keys: list[VerificationKey]) -> Checkpoint:
    return open_checkpoint(_read(path), keys, origin=options.origin)


def _keys(options: argparse.Namespace) -> list[VerificationKey]:
    keys = [VerificationKey.parse(text) for text in options.vkey]
    for path in options.vkey_file:
        lines = _read(path).decode("utf-8", errors="replace").splitlines()
        keys += [VerificationKey.parse(line) for line in lines if line.strip()]
    if not keys:
        raise Unusable("say whose signature you trust: --vkey KEY or --vkey-file FILE")
    return keys


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}") from error


def _parser() -> argparse.ArgumentParser:
    trust = argparse.ArgumentParser(add_help=False)
    trust.add_argument("--vkey", action="append", default=[], help="a verification key you trust")
    trust.add_argument(
        "--vkey-file", action="append", default=[], type=Path, help="a file of such keys, one a line"
    )
    trust.add_argument("--origin", help="the ledger's name, when it is not the name of the key")
    parser = argparse.ArgumentParser(
        prog="epicase-verify",
        description="Checks an epicase ledger. Exit code 0: it holds, 1: tampered, 2: the input is unusable.",
    )
    commands = parser.add_subparsers(required=True, metavar="what")
    note = commands.add_parser("note", parents=[trust], help="is this checkpoint signed by a key I trust?")
    note.add_argument("note", type=Path)
    note.set_defaults(run=_note)
    inclusion = commands.add_parser("inclusion", parents=[trust], help="is this event in the ledger?")
    inclusion.add_argument("event", type=Path)
    inclusion.add_argument("proof", type=Path)
    inclusion.set_defaults(run=_inclusion)
    consistency = commands.add_parser(
        "consistency", parents=[trust], help="does the new ledger begin with the old?"
    )
    consistency.add_argument("old", type=Path)
    consistency.add_argument("new", type=Path)
    consistency.add_argument("--proof", type=Path, help="file of hashes, one a line")
    consistency.set_defaults(run=_consistency)
    fsck = commands.add_parser("fsck", parents=[trust], help="does everything in this bundle hold?")
    fsck.add_argument("bundle", type=Path)
    fsck.set_defaults(run=_fsck)
    return parser


if __name__ == "__main__":
    sys.exit(main())
