"""Organisations, users, requests, decisions, grants, and the acts that end them."""

from access.models.bindings import Binding
from access.models.emergency import DecisionReview, EmergencyAccess, Verdict
from access.models.grants import AccessDecision, CaseGrant, GrantHistory
from access.models.notices import Notice
from access.models.organisations import Organisation
from access.models.people import AccountChange, Invitation
from access.models.pledges import Pledge
from access.models.quotas import QuotaBreach, RevealTally
from access.models.requests import AccessRequest
from access.models.revocations import EndedAccess, Revocation
from access.models.teams import Team, TeamMember
from access.models.tokens import ApiToken
from access.models.users import Session, User, UserManager, UserQuerySet

__all__ = [
    "AccessDecision",
    "AccessRequest",
    "AccountChange",
    "ApiToken",
    "Binding",
    "CaseGrant",
    "DecisionReview",
    "EmergencyAccess",
    "EndedAccess",
    "GrantHistory",
    "Invitation",
    "Notice",
    "Organisation",
    "Pledge",
    "QuotaBreach",
    "RevealTally",
    "Revocation",
    "Session",
    "Team",
    "TeamMember",
    "User",
    "UserManager",
    "UserQuerySet",
    "Verdict",
]
