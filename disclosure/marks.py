"""What a file carries so that a leaked copy leads back to one event of the log."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import IO, BinaryIO
from xml.etree import ElementTree

PROPERTY = "epicase_trace"
HIDDEN_NAME = "epicase_trace"
_PARTS_WITH_MARKS = ("docProps/custom.xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml")
_FOOTER_LIMIT = 255


@dataclass(frozen=True)
class Mark:
    """Whose copy it is: the event's trace code, the export's number, the person and the moment."""

    trace_code: str
    number: str
    person: str
    made_at: str

    def footer(self, page_of_pages: str) -> str:
        """The footer of every page, in Excel's control codes; `page_of_pages` holds {page} and {pages}."""
        paging = _plain(page_of_pages).replace("{page}", "&P").replace("{pages}", "&N")
        # A code letter followed by a figure would be read as a font size, so a space parts them.
        middle = f"{_plain(self.person)} {_plain(self.made_at)}"
        left = f"{_plain(self.trace_code)} {_plain(self.number)}"
        room = _FOOTER_LIMIT - len("&L &C &R ") - len(left) - len(paging)
        return f"&L {left}&C {middle[: max(room, 0)].rstrip('&')}&R {paging}"


def _plain(text: str) -> str:
    """The text with Excel's own footer codes made harmless."""
    return " ".join(text.replace("&", "&&").split())


def marks_in(workbook: BinaryIO) -> dict[str, str]:
    """The trace marks found in a decrypted workbook: footer, property and hidden name, where present."""
    found: dict[str, str] = {}
    with zipfile.ZipFile(workbook) as parts:
        names = set(parts.namelist())
        for part in _PARTS_WITH_MARKS:
            if part in names:
                with parts.open(part) as stream:
                    found.update(_marks_of(stream))
    return found


def _marks_of(stream: IO[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    for _event, node in ElementTree.iterparse(stream):  # noqa: S314 -- opened with our own passphrase
        tag = node.tag.rpartition("}")[2]
        if tag == "oddFooter":
            found["footer"] = node.text or ""
        elif tag == "property" and node.get("name") == PROPERTY:
            found["property"] = "".join(node.itertext())
        elif tag == "definedName" and node.get("name") == HIDDEN_NAME:
            found["hidden_name"] = (node.text or "").strip('="')
        elif tag == "row":
            node.clear()
    return found
