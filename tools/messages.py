"""Compile the Chinese translations, or check that they are complete and compiled.

    python -m tools.messages            # every <app>/locale/zh_Hans/LC_MESSAGES/django.po to its .mo
    python -m tools.messages --check    # exit 1 when a .mo is old or a msgid has no Chinese

English is what the source says, so only Chinese has catalogues. A msgid may be translated in any app's
catalogue: Django merges them. Only ours are looked at; Django brings its own words.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
APPS = ("vault", "audit", "access", "cases", "contacts", "disclosure", "epicase")
GETTEXT = {
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "_",
    "N_",
}
_NO_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_TAG = re.compile(r"""{%\s*(?:translate|trans)\s+(?P<q>["'])(?P<text>.*?)(?<!\\)(?P=q)""")
_ARGUMENT = re.compile(r"""_\((?P<q>["'])(?P<text>.*?)(?<!\\)(?P=q)\)""")
_BLOCK = re.compile(
    r"{%\s*blocktrans(?:late)?\b(?P<options>[^%]*)%}(?P<body>.*?){%\s*endblocktrans(?:late)?\s*%}", re.DOTALL
)
_PLURAL = re.compile(r"{%\s*plural\s*%}")
_VARIABLE = re.compile(r"{{\s*(\w+)\s*}}")


def po_files() -> list[Path]:
    """The Chinese catalogues of all apps."""
    return sorted(
        path for app in APPS for path in (ROOT / app / "locale").glob("zh_Hans/LC_MESSAGES/django.po")
    )


def compile_all() -> None:
    """Write each .mo beside its .po."""
    for path in po_files():
        path.with_suffix(".mo").write_bytes(_compiled(path))


def stale() -> list[Path]:
    """Catalogues whose .mo does not say what the .po says."""
    return [path for path in po_files() if not _is_compiled(path)]


def untranslated() -> list[tuple[str, str]]:
    """(where, msgid) of each English text without a Chinese one."""
    known = {first for path in po_files() for first in _translated(_read(path))}
    return [(where, text) for where, text in found() if text not in known]


def found() -> Iterator[tuple[str, str]]:
    """(where, msgid) of every text marked for translation in templates and Python."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        yield from ((_name(path), text) for text in in_template(path.read_text("utf-8")))
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            yield from ((_name(path), text) for text in in_python(path.read_text("utf-8")))


def in_template(source: str) -> Iterator[str]:
    """The msgids of one template."""
    for pattern in (_TAG, _ARGUMENT):
        yield from (
            match["text"].replace(f"\\{match['q']}", match["q"]) for match in pattern.finditer(source)
        )
    for match in _BLOCK.finditer(source):
        first = _PLURAL.split(match["body"])[0]
        if "trimmed" in match["options"]:
            first = " ".join(line.strip() for line in first.strip().splitlines())
        yield _VARIABLE.sub(r"%(\1)s", first.replace("%", "%%"))


def in_python(source: str) -> Iterator[str]:
    """The msgids of one module: the first plain text given to a gettext function."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if name in GETTEXT and texts:
            yield texts[1] if name.startswith("pgettext") and len(texts) > 1 else texts[0]


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def _translated(catalog: Catalog) -> Iterator[str]:
    for message in catalog:
        texts = message.string if isinstance(message.string, (list, tuple)) else [message.string]
        if message.id and all(texts) and not message.fuzzy:
            yield message.id[0] if isinstance(message.id, (list, tuple)) else message.id


def _compiled(path: Path) -> bytes:
    catalog, buffer = _read(path), io.BytesIO()
    # Babel would write the present moment into it: the same words are to give the same bytes.
    catalog.creation_date = catalog.revision_date = _NO_MOMENT
    write_mo(buffer, catalog)
    return buffer.getvalue()


def _is_compiled(path: Path) -> bool:
    mo = path.with_suffix(".mo")
    if not mo.exists():
        return False
    with mo.open("rb") as file:
        return _pairs(read_mo(file)) == _pairs(read_mo(io.BytesIO(_compiled(path))))


def _pairs(catalog: Catalog) -> set[str]:
    return {f"{message.context}|{message.id}|{message.string}" for message in catalog if message.id}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def main(arguments: list[str]) -> int:
    """Compile, or with --check tell what is missing."""
    if "--check" not in arguments:
        compile_all()
    problems = [f"not compiled: {_name(path)}" for path in stale()]
    problems += [f"no Chinese: {where}: {text!r}" for where, text in untranslated()]
    print("\n".join(problems) or "translations are complete and compiled")
    return 1 if problems and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
