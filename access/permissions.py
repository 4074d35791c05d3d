"""What a grant can permit on one case."""

from __future__ import annotations

from enum import StrEnum


class CasePermission(StrEnum):
    """What a grant can permit on one case."""

    VIEW = "view_case"
    CHANGE = "change_case"
    EXPORT = "export_case"
    IDENTITY = "reveal_identity"
    REACH = "reveal_reach"
    HEALTH = "reveal_health"
    TRAJECTORY = "reveal_trajectory"
