"""Who may do what with accounts, sessions, decisions, grants and the tables of the libraries below them."""

from __future__ import annotations

from access.rls import allow, protect
from access.security import (
    accounts,
    emergency,
    grants,
    notices,
    organisations,
    people,
    requests,
    revocation,
    sign_in,
    teams,
    tokens,
)
from audit.security import RIGHTS


def declare() -> None:
    """Hand the declarations to :mod:`access.rls`; called once, when the apps are ready."""
    accounts.declare()
    grants.declare()
    notices.declare()
    requests.declare()
    revocation.declare()
    people.declare()
    emergency.declare()
    sign_in.declare()
    organisations.declare()
    tokens.declare()
    teams.declare()
    for table, right, roles in RIGHTS:
        protect(table, allow(roles, right.lower()), row_security=False)
