"""fsck and the command: whole bundles pass, and any change to one is found."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from epicase_verify import bundle, canonical, cli, fsck, journal, merkle, note, tiles
from epicase_verify.bundle import Bundle, BundleWriter, EventFile, Unusable
from epicase_verify.note import Checkpoint, NotSigned, SigningKey
from epicase_verify.proof import InclusionProof, format_hashes
from epicase_verify.text import Malformed

KEY = SigningKey("ledger.example/one", bytes(range(32)))
STRANGER = SigningKey("ledger.example/one", bytes(range(1, 33)))
SIZE = 600
EVENTS = [
    EventFile(sha256(b"%d" % n).digest()[:16], canonical.encode({"act": "case.view", "id": str(n)}))
    for n in range(SIZE)
]
LEAVES = [event.leaf for event in EVENTS]
NODE = merkle.node_from_leaves(LEAVES)


def signed(size: int, leaves: list[bytes] = LEAVES, key: SigningKey = KEY) -> str:
    return note.sign_checkpoint(Checkpoint(KEY.name, size, merkle.root_of(leaves[:size])), key)


def proof_of(index: int, size: int = SIZE) -> InclusionProof:
    return InclusionProof(index, tuple(merkle.prove_inclusion(index, size, NODE)), signed(size))


def whole_bundle(size: int = SIZE) -> dict[str, bytes]:
    files = {"checkpoint": signed(size).encode()}
    files["checkpoints"] = b"".join(journal.entry(signed(one)) for one in (1, 256, 300) if one <= size)
    reader = tiles.TileReader(
        size, lambda tile: b"".join(row(size, tile.level)[tile.index * 256 :][: tile.width])
    )
    for tile in tiles.tiles_of(size):
        level = 8 * tile.level
        hashes = [reader.node(level, tile.index * 256 + place) for place in range(tile.width)]
        files[tile.path] = b"".join(hashes)
        if tile.level == 0:
            part = EVENTS[tile.index * 256 :][: tile.width]
            entries = bundle.join_entries(event.salt + event.body for event in part)
            files[tiles.Tile(-1, tile.index, tile.width).path] = entries
    files["events/5.json"] = EVENTS[5].format()
    files["events/5.tlog-proof"] = proof_of(5, size).format().encode()
    return files


def row(size: int, level: int) -> list[bytes]:
    span = 256**level
    return [merkle.root_of(LEAVES[i * span : (i + 1) * span]) for i in range(size // span)]


WHOLE = whole_bundle()


def write(path: Path, files: dict[str, bytes]) -> Path:
    with BundleWriter(path) as tar:
        for name, content in files.items():
            tar.add(name, content)
    return path


def problems(path: Path) -> list[str]:
    with Bundle(path) as opened:
        return fsck.fsck(opened, [KEY.vkey]).problems


def test_a_whole_bundle_is_whole_as_tar_and_as_folder(tmp_path: Path) -> None:
    assert problems(write(tmp_path / "b.tar", WHOLE)) == []
    for name, content in WHOLE.items():
        place = tmp_path / "folder" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    assert problems(tmp_path / "folder") == []


def test_hashes_alone_entries_alone_and_events_alone_are_each_enough(tmp_path: Path) -> None:
    def only(start: str) -> dict[str, bytes]:
        return {name: raw for name, raw in WHOLE.items() if name.startswith((start, "checkpoint"))}

    for number, start in enumerate(("tile/", "tile/entries", "tile/0", "events/")):
        assert problems(write(tmp_path / f"{number}.tar", only(start))) == []


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_a_changed_byte_in_any_file_is_found(name: str, tmp_path: Path) -> None:
    raw = WHOLE[name]
    for place in sorted({0, len(raw) // 2, len(raw) - 2}):
        bad = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        assert problems(write(tmp_path / f"{place}.tar", {**WHOLE, name: bad}))


@pytest.mark.parametrize(
    "name", sorted(name for name in WHOLE if name.startswith("tile/0") or name.endswith("proof"))
)
def test_a_missing_file_is_found(name: str, tmp_path: Path) -> None:
    files = {one: raw for one, raw in WHOLE.items() if one != name and not one.startswith("tile/entries")}
    assert problems(write(tmp_path / "b.tar", files))


def test_entries_that_were_retired_are_not_missed(tmp_path: Path) -> None:
    files = {name: raw for name, raw in WHOLE.items() if name != "tile/entries/000"}
    assert problems(write(tmp_path / "b.tar", files)) == []


def test_an_older_checkpoint_of_another_history_is_found(tmp_path: Path) -> None:
    forked = signed(300, [LEAVES[1], LEAVES[0], *LEAVES[2:]])
    files = {**WHOLE, "checkpoints": journal.entry(forked)}
    assert "does not fit" in problems(write(tmp_path / "b.tar", files))[0]


def test_a_ledger_cut_short_is_found(tmp_path: Path) -> None:
    files = {**whole_bundle(400), "checkpoints": journal.entry(signed(500))}
    assert any("cut short" in one for one in problems(write(tmp_path / "b.tar", files)))


def test_a_tile_too_many_is_found(tmp_path: Path) -> None:
    assert problems(write(tmp_path / "b.tar", {**WHOLE, "tile/0/009": WHOLE["tile/0/000"]}))


def test_a_bundle_with_nothing_to_check_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="neither"):
        problems(write(tmp_path / "b.tar", {"checkpoint": WHOLE["checkpoint"]}))
    (tmp_path / "text").write_text("no tar")
    with pytest.raises(Unusable):
        problems(tmp_path / "text")


def test_no_byte_of_a_proof_can_be_changed() -> None:
    raw = proof_of(77).format().encode()
    proof = InclusionProof.parse(raw)
    assert proof.check(LEAVES[77], [KEY.vkey]).size == SIZE
    assert proof.format().encode() == raw
    for place in range(len(raw)):
        for change in (0x01, 0x02, 0x20, 0x80):
            bad = raw[:place] + bytes([raw[place] ^ change]) + raw[place + 1 :]
            with pytest.raises((Malformed, NotSigned, merkle.BadProof)):
                InclusionProof.parse(bad).check(LEAVES[77], [KEY.vkey])


def test_no_byte_of_an_event_file_can_be_changed() -> None:
    raw = EVENTS[77].format()
    for place in range(len(raw) - 1):
        bad = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises((Malformed, merkle.BadProof)):
            proof_of(77).check(EventFile.parse(bad).leaf, [KEY.vkey])


def test_extra_data_travels_with_a_proof() -> None:
    with_extra = InclusionProof(0, (), signed(1), b"more")
    assert InclusionProof.parse(with_extra.format()) == with_extra


def test_touched_records_must_be_the_ones_the_body_counted() -> None:
    touches = ([str(UUID(int=1)), ""], [str(UUID(int=2)), "ab" * 16])
    body = canonical.encode({"touch_sha256": bundle.touch_digest(touches)})
    assert EventFile(bytes(16), body, touches[::-1]).facts()
    with pytest.raises(Malformed, match="touched"):
        EventFile(bytes(16), body, touches[:1]).facts()


def test_a_journal_is_read_past_a_torn_write(tmp_path: Path) -> None:
    first, second = signed(10), signed(20)
    path = tmp_path / "journal"
    for cut in range(1, len(second.encode())):
        torn = second.encode()[:cut]
        path.write_bytes(journal.entry(first) + torn + journal.END_OF_TORN + journal.entry(second))
        with path.open("rb") as stream:
            found = [one for one in journal.read(stream) if one is not None]
        assert found[0][1] == first
        assert found[-1][1] == second


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with what the command reads."""
    contents = {
        "old": signed(300).encode(),
        "new": signed(SIZE).encode(),
        "hashes": format_hashes(merkle.prove_consistency(300, SIZE, NODE)).encode(),
        "event.json": EVENTS[5].format(),
        "other.json": EVENTS[6].format(),
        "proof": proof_of(5).format().encode(),
        "vkey": KEY.vkey.format().encode() + b"\n",
        "stranger": signed(SIZE, key=STRANGER).encode(),
        "torn": signed(SIZE).encode()[:40],
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    write(tmp_path / "good.tar", WHOLE)
    write(tmp_path / "bad.tar", {**WHOLE, "tile/1/000.p/2": bytes(64)})
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("note new", 0, "600 events"),
        ("note stranger", 1, "none of the keys"),
        ("note torn", 2, "unusable"),
        ("note absent", 2, "cannot be read"),
        ("inclusion event.json proof", 0, "event 5 of the 600"),
        ("inclusion other.json proof", 1, "does not lead"),
        ("inclusion proof event.json", 2, "unusable"),
        ("consistency old new --proof hashes", 0, "begin with the same 300"),
        ("consistency new new", 0, "consistent"),
        ("consistency new old --proof hashes", 1, "nothing can be shown"),
        ("consistency old new", 2, "need a proof"),
        ("fsck good.tar", 0, "nothing was changed"),
        ("fsck bad.tar", 1, "does not fit the tiles"),
        ("fsck old", 2, "neither a folder nor a tar"),
    ],
)
def test_the_command_says_what_it_found(
    files: Path, capsys: pytest.CaptureFixture[str], words: str, code: int, said: str
) -> None:
    what, *rest = words.split()
    paths = [one if one.startswith("--") else str(files / one) for one in rest]
    assert cli.main([what, "--vkey-file", str(files / "vkey"), *paths]) == code
    out, err = capsys.readouterr()
    assert said in out + err


def test_the_command_wants_to_know_whom_to_trust(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["note", str(files / "new")]) == 2
    assert "--vkey" in capsys.readouterr().err


def test_the_verifier_imports_no_django() -> None:
    script = (
        "import pkgutil, sys, importlib, epicase_verify\n"
        "for one in pkgutil.iter_modules(epicase_verify.__path__):\n"
        "    if one.name != '__main__': importlib.import_module('epicase_verify.' + one.name)\n"
        "tops = {name.split('.')[0] for name in sys.modules}\n"
        "ours = {'epicase_verify', 'cryptography', '_cffi_backend'}\n"
        "print(sorted(top for top in tops - ours if top not in sys.stdlib_module_names and not top.startswith('_')))\n"
    )
    # -S leaves out start-up files of the environment, which import what they like.
    paths = [str(Path(bundle.__file__).parents[1]), *(one for one in sys.path if "site-packages" in one)]
    script = f"import sys; sys.path[:0] = {paths!r}\n" + script
    found = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
