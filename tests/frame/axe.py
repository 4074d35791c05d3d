"""axe in a page: WCAG 2.0 to 2.2, levels A and AA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent / "vendor/axe-core/4.14.1/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Any) -> list[str]:
    """What axe finds, one line each; measured without the mark, and with the sticky bars in the flow."""
    page.evaluate("document.querySelectorAll('.watermark').forEach((mark) => mark.remove())")
    page.evaluate(
        "document.querySelectorAll('.top, .status-line').forEach((bar) => bar.classList.add('in-flow'))"
    )
    if not page.evaluate("'axe' in window"):
        page.evaluate(SOURCE.read_text("utf-8"))
    found = page.evaluate("(rules) => axe.run({ runOnly: rules, resultTypes: ['violations'] })", RULES)
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
