"""Proofs one can carry away: c2sp.org/tlog-proof@v1 for inclusion, hash lines for consistency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from epicase_verify import merkle
from epicase_verify.note import Checkpoint, Note, VerificationKey, open_checkpoint
from epicase_verify.text import Malformed, read_base64, read_hash, read_number, read_utf8, write_base64

HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True)
class InclusionProof:
    """Says that one entry stands at `index` in the checkpoint's tree. Nothing vouches for `extra`."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    @classmethod
    def parse(cls, raw: bytes | str) -> InclusionProof:
        """Read a .tlog-proof file; raises Malformed."""
        whole = read_utf8(raw.encode() if isinstance(raw, str) else raw)
        head, separator, checkpoint = whole.partition("\n\n")
        lines = head.split("\n")
        if not separator or lines.pop(0) != HEADER:
            raise Malformed(f"an inclusion proof starts with the line {HEADER}")
        extra = read_base64(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
        if not lines or not lines[0].startswith("index "):
            raise Malformed("the proof has no index line")
        index = read_number(lines.pop(0)[6:])
        Note.parse(checkpoint)
        return cls(index, tuple(read_hash(line) for line in lines), checkpoint, extra)

    def format(self) -> str:
        """The proof as a .tlog-proof file."""
        extra = [] if self.extra is None else [f"extra {write_base64(self.extra)}"]
        lines = [HEADER, *extra, f"index {self.index}", *(write_base64(one) for one in self.hashes)]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    def check(self, leaf: bytes, keys: Sequence[VerificationKey], *, origin: str | None = None) -> Checkpoint:
        """The checkpoint that contains this leaf hash; raises NotSigned, BadProof, Malformed."""
        checkpoint = open_checkpoint(self.checkpoint, keys, origin=origin)
        merkle.check_inclusion(self.index, checkpoint.size, leaf, self.hashes, checkpoint.root)
        return checkpoint


def format_hashes(hashes: Sequence[bytes]) -> str:
    """A consistency proof as text: one base64 hash on each line."""
    return "".join(write_base64(one) + "\n" for one in hashes)


def parse_hashes(raw: bytes | str) -> list[bytes]:
    """Hashes of a consistency proof in text; raises Malformed."""
    text = read_utf8(raw.encode() if isinstance(raw, str) else raw)
    if text and not text.endswith("\n"):
        raise Malformed("the last line of the proof is not complete")
    return [read_hash(line) for line in text.split("\n")[:-1]]
