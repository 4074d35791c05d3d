"""When one supervisor is not enough to give access: docs/decisions/0014."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from access.permissions import CasePermission
from access.purposes import Purpose

ALONE_AT_MOST: Final = timedelta(days=30)
# Research works on cases, never on who the person is or how to reach them.
NEVER_FOR_RESEARCH: Final = frozenset({CasePermission.IDENTITY.value, CasePermission.REACH.value})


def needs_second(purpose: str, lasts: timedelta) -> bool:
    """Whether a second supervisor has to agree: for more than 30 days, and for statistics."""
    return lasts > ALONE_AT_MOST or purpose == Purpose.STATISTICS.value


def too_much_for_research(purpose: str, permissions: Iterable[str]) -> bool:
    """Whether the permissions open more than statistics may see."""
    wanted = {str(one) for one in permissions}
    return purpose == Purpose.STATISTICS.value and not NEVER_FOR_RESEARCH.isdisjoint(wanted)
