"""A file to which checkpoint notes are only ever appended, each followed by an empty line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from epicase_verify.note import Checkpoint, Note
from epicase_verify.text import Malformed

LONGEST_NOTE = 65_536
END_OF_TORN = b"\n\n\n"
"""Appended after a write that was cut short, so that the next note stands by itself."""


def entry(note: str) -> bytes:
    """What is appended for one note."""
    return note.encode() + b"\n"


def read(stream: IO[bytes]) -> Iterator[tuple[Checkpoint, str] | None]:
    """Checkpoints in the order they were appended; None for a stretch that is no whole checkpoint note.

    Signatures are not checked here. None is what a torn write leaves: the same note follows it whole.
    """
    for stretch in _stretches(stream):
        try:
            text = stretch.decode()
            yield Checkpoint.parse(Note.parse(text).text), text
        except (Malformed, UnicodeDecodeError):
            yield None


def _stretches(stream: IO[bytes]) -> Iterator[bytes]:
    """Pieces up to the empty line after signature lines, or to the empty lines that close a torn write."""
    piece: list[bytes] = []
    has_gap, length = False, 0
    for line in stream:
        if line == b"\n" and (has_gap or not piece):
            if piece:
                yield b"".join(piece)
            piece, has_gap, length = [], False, 0
            continue
        has_gap = has_gap or line == b"\n"
        piece.append(line)
        length += len(line)
        if length > LONGEST_NOTE:
            yield b"".join(piece)
            piece, has_gap, length = [], False, 0
    if piece:
        yield b"".join(piece)
