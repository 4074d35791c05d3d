"""Pages of signing in, of access, and of refusals."""

from access.views.accounts import (
    account,
    accounts,
    decide_change,
    decide_invitation,
    invite,
    reset,
    reset_factors,
)
from access.views.bulk import (
    bulk,
    catch_up,
    close_team,
    end_stand_in,
    leave_team,
    stand_ins,
    team,
    teams,
    unused,
)
from access.views.emergency import emergency
from access.views.explaining import why
from access.views.grants import case_access, grants
from access.views.handover import hand_over
from access.views.invited import invited
from access.views.notices import notices, read_notices
from access.views.organisations import merge, move, organisations
from access.views.own_account import end_session, own_account, password, pledge, recovery_codes, remove_factor
from access.views.refusals import bad_request, csrf_failed, failed, not_found, refused
from access.views.requests import approve, ask, extend, refuse, request_, requests, withdraw
from access.views.reviews import judge, review, review_breach, reviews
from access.views.revocation import (
    holders,
    revocation,
    revoke,
    revoke_case,
    revoke_organisation,
    revoke_person,
)
from access.views.second_factor import confirm, second_factor, set_up
from access.views.signing_in import language, sign_in, sign_out
from access.views.single_sign_on import sso, sso_bind, sso_confirm, sso_invited, sso_return, sso_unbind
from access.views.tokens import revoke_token, tokens

__all__ = [
    "account",
    "accounts",
    "approve",
    "ask",
    "bad_request",
    "bulk",
    "case_access",
    "catch_up",
    "close_team",
    "confirm",
    "csrf_failed",
    "decide_change",
    "decide_invitation",
    "emergency",
    "end_session",
    "end_stand_in",
    "extend",
    "failed",
    "grants",
    "hand_over",
    "holders",
    "invite",
    "invited",
    "judge",
    "language",
    "leave_team",
    "merge",
    "move",
    "not_found",
    "notices",
    "organisations",
    "own_account",
    "password",
    "pledge",
    "read_notices",
    "recovery_codes",
    "refuse",
    "refused",
    "remove_factor",
    "request_",
    "requests",
    "reset",
    "reset_factors",
    "review",
    "review_breach",
    "reviews",
    "revocation",
    "revoke",
    "revoke_case",
    "revoke_organisation",
    "revoke_person",
    "revoke_token",
    "second_factor",
    "set_up",
    "sign_in",
    "sign_out",
    "sso",
    "sso_bind",
    "sso_confirm",
    "sso_invited",
    "sso_return",
    "sso_unbind",
    "stand_ins",
    "team",
    "teams",
    "tokens",
    "unused",
    "why",
    "withdraw",
]
