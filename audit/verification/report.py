"""What a check of the ledger found, in words."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

MOST_OF_A_KIND = 20
WHOLE, TAMPERED, UNUSABLE = 0, 1, 2


WORDS = {
    "leaf_missing": _("the leaf is missing"),
    "event_missing": _("the event is missing"),
    "body_changed": _("the event is not the one that was sealed"),
    "mac": _("the event's row does not carry its writer's mark"),
    "altered": _("the event was altered before it was sealed"),
    "columns": _("the event's searchable columns do not say what its body says"),
    "touches": _("the list of records touched is not the one that was sealed"),
    "tile": _("the stored tile does not fit the leaves"),
    "root": _("the checkpoint does not fit the leaves before it"),
    "signature": _("the checkpoint's signature does not hold"),
    "cut_short": _("more was signed or published than the ledger holds"),
    "state": _("the tree's state is not the one that was signed last"),
    "vanished": _("events vanished between writing and sealing"),
    "unqueued": _("events are neither sealed nor waiting"),
    "unreadable": _("published notes that cannot be read"),
}


@dataclass(frozen=True)
class Problem:
    """One thing found wrong: what kind, and at which leaf or tree size."""

    kind: str
    at: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        what = str(WORDS[self.kind])
        if self.at is not None:
            what = gettext("%(what)s at %(place)d") % {"what": what, "place": self.at}
        return what + (f" ({self.detail})" if self.detail else "")


@dataclass
class VerifyReport:
    """What a check of the ledger found, and how far it looked."""

    size: int = 0
    root: bytes = b""
    bodies: int = 0
    checkpoints: int = 0
    published: int = 0
    pending: int = 0
    oldest_pending_seconds: float = 0.0
    seconds: float = 0.0
    signatures_checked: bool = False
    unusable: str = ""
    remarks: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, at: int | None = None, detail: str = "") -> None:
        """Note a problem; beyond the first twenty of a kind they are only counted."""
        self.counts[kind] += 1
        if self.counts[kind] <= MOST_OF_A_KIND:
            self.problems.append(Problem(kind, at, detail))

    @property
    def is_whole(self) -> bool:
        """Whether everything was checked and nothing found wrong."""
        return self.exit_code == WHOLE

    @property
    def exit_code(self) -> int:
        """0 whole, 1 tampered, 2 unusable."""
        if self.counts:
            return TAMPERED
        return UNUSABLE if self.unusable else WHOLE

    def lines(self) -> list[str]:
        """The report for whoever runs the command: commands speak English."""
        with translation.override("en"):
            return list(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"ledger      {self.size} sealed events, {self.pending} waiting"
        yield f"looked at   {self.bodies} bodies, {self.checkpoints} checkpoints, {self.published} published"
        yield from (f"remark      {remark}" for remark in self.remarks)
        yield from (f"problem     {problem}" for problem in self.problems)
        for kind, count in self.counts.items():
            if count > MOST_OF_A_KIND:
                yield f"problem     {WORDS[kind]}: {count} in all"
        words = {WHOLE: "whole       nothing was changed", TAMPERED: "TAMPERED    the ledger was changed"}
        yield words.get(self.exit_code, f"unusable    {self.unusable}")
        yield f"time        {self.seconds:.1f} s"
