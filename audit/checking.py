"""A check of the whole ledger from its page: the tree at once, the bodies in stretches of less than a second.

Between the stretches the check lies in the auditor's own session, as numbers and leaf positions; nobody else can
move it on or change what it found.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from django.contrib.sessions.backends.base import SessionBase

from audit import verification
from audit.verification import Problem, VerifyReport

KEY = "audit.check"
SECONDS_AT_ONCE = 0.6


@dataclass
class Check:
    """A check under way or just ended: what was found, and the leaf up to which bodies were read."""

    report: VerifyReport = field(default_factory=VerifyReport)
    reached: int = 0

    @property
    def is_over(self) -> bool:
        """Whether every body was read."""
        return self.reached >= self.report.size

    @classmethod
    def begin(cls) -> Self:
        """Check the tree, its checkpoints and the queue; no body yet."""
        return cls(verification.verify(bodies=0))

    def go_on(self) -> None:
        """Read bodies for a moment."""
        self.reached = verification.read_on(self.report, self.reached, seconds=SECONDS_AT_ONCE)

    def keep(self, session: SessionBase) -> None:
        """Put the check away until the next request."""
        told = asdict(self.report) | {"root": self.report.root.hex(), "counts": dict(self.report.counts)}
        session[KEY] = {"reached": self.reached, "report": told}


def under_way(session: SessionBase) -> Check | None:
    """The check that was put away, if there is one."""
    kept = session.get(KEY)
    return None if kept is None else Check(_report(kept["report"]), kept["reached"])


def forget(session: SessionBase) -> None:
    """Drop the check that was put away."""
    session.pop(KEY, None)


def _report(told: dict[str, Any]) -> VerifyReport:
    problems = [Problem(**one) for one in told["problems"]]
    told = told | {
        "root": bytes.fromhex(told["root"]),
        "problems": problems,
        "counts": Counter(told["counts"]),
    }
    return VerifyReport(**told)
