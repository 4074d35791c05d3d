"""Nobody is shown a value before they have read what the law says and what is logged: once a year, by version."""

from __future__ import annotations

from django.conf import settings

from access import actor
from access.models import Pledge


class PledgeMissing(Exception):
    """The person who acts has not accepted the present words within the last year: show nothing."""


def demand() -> None:
    """Raise PledgeMissing for a person without a live pledge. Jobs that act for nobody are not asked."""
    person_id = actor.current().user_id
    if not settings.EPICASE_PLEDGE or person_id is None:
        return
    if Pledge.live_of(person_id) is None:
        raise PledgeMissing
