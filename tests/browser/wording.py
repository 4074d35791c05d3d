"""Finds English left over on a Chinese page."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Every piece of text that is drawn, and whether it stands where only the interface speaks.
PIECES = """() => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = []
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const inside = node.parentElement, words = node.textContent.replace(/\\s+/g, " ").trim()
        if (!words || inside.closest(".watermark, #watermark, script, template, .code, [lang=en]:not(html)")) continue
        found.push([words, !!inside.closest("h2, h3, th[scope=col], dt, label, legend, button, summary, nav, .sub")])
    }
    return found
}"""
LATIN, CHINESE = re.compile(r"[A-Za-z]{3,}"), re.compile(r"[\u4e00-\u9fff]")
# Names that are written so in every language.
SAME = re.compile(
    r"^English$|Staff sign-on|epicase|CSV|XLSX|AES-256|sha256|COVID-19|OB-[\w-]+|outbreak \d+|Enter|Esc|Ctrl|Alt|Tab"
    r"|SARS-CoV-2|HIPAA[ \d.()b]*"
)


@cache
def english() -> frozenset[str]:
    """Every text of the interface that has a Chinese one."""
    found: set[str] = set()
    for path in ROOT.glob("*/locale/zh_Hans/LC_MESSAGES/django.po"):
        for entry in path.read_text("utf-8").split("\n\n"):
            match = re.search(r'^msgid((?:\s*"(?:[^"\\]|\\.)*")+)', entry, re.MULTILINE)
            if match and CHINESE.search(entry):
                found.add("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match[1])).replace('\\"', '"'))
    return frozenset(found)


def left_over(page: Any) -> list[str]:
    """Texts that have a Chinese wording and are shown in English, and Latin words among the interface's own."""
    pieces = page.evaluate(PIECES)
    known = [words for words, _ in pieces if LATIN.search(SAME.sub("", words)) and words in english()]
    unknown = [
        words
        for words, is_ours in pieces
        if is_ours and LATIN.search(SAME.sub("", words)) and not CHINESE.search(words)
    ]
    return sorted({*known, *unknown})
