import re
from pathlib import Path

from tools import vendor

TEMPLATES = vendor.ROOT / "templates"


def test_vendored_files_are_as_the_lock_says() -> None:
    assert vendor.changed_files() == []


def test_a_changed_file_is_noticed(monkeypatch, tmp_path: Path) -> None:
    changed = tmp_path / "icons.svg"
    changed.write_text("<svg/>")
    monkeypatch.setattr(vendor, "SPRITE", changed)
    assert vendor.changed_files() == ["static/icons.svg"]


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', vendor.SPRITE.read_text("utf-8")))
    named = {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r'{% (?:icon|badge) "([\w-]+)"', path.read_text("utf-8"))
    }
    assert named - drawn == set()


def test_every_icon_of_a_chip_and_of_the_navigation_is_in_the_sprite() -> None:
    from access import chips, navigation

    drawn = set(re.findall(r'<symbol id="([\w-]+)"', vendor.SPRITE.read_text("utf-8")))
    entries = [entry for groups in navigation.NAVIGATION.values() for _, lines in groups for entry in lines]
    named = {chip.icon for chip in (chips.CLASSIFICATIONS | chips.STATUSES).values()}
    assert (named | {entry.icon for entry in entries}) - drawn == set()


def test_no_page_of_ours_needs_another_host_or_inline_code() -> None:
    for path in TEMPLATES.rglob("*.html"):
        source = path.read_text("utf-8")
        assert not re.search(r"(?:src|href|action)=[\"'](?:https?:)?//", source), path
        assert not re.search(
            r"<style|\sstyle=|\son[a-z]+=|hx-on|<script(?![^>]*\ssrc=)|javascript:", source
        ), path
