"""The catalogue of acts: every kind of thing that leaves an event behind."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType


class Outcome(IntEnum):
    """How an act ended."""

    OK = 0
    REFUSED = 1
    FAILED = 2


class Act(StrEnum):
    """What a person, or a job in somebody's name, did."""

    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in.failed"
    SIGN_IN_LOCKED = "sign_in.locked"
    SIGN_OUT = "sign_out"
    STEP_UP = "sign_in.step_up"
    PASSWORD_CHANGE = "account.password"  # noqa: S105 (the name of an act)
    SECOND_FACTOR_CHANGE = "account.second_factor"
    SECOND_FACTOR_RESET = "account.second_factor_reset"
    SIGN_ON_BIND = "account.single_sign_on"
    OWN_SIGN_IN_VIEW = "account.sign_in_view"
    SESSION_END = "account.session_end"
    PLEDGE_ACCEPT = "account.pledge"

    PAGE_VIEW = "page.view"
    CASE_LIST = "case.list"
    CASE_VIEW = "case.view"
    CASE_CREATE = "case.create"
    CASE_CHANGE = "case.change"
    CASE_SEARCH = "case.search"
    REVEAL = "reveal"
    VISIT_ADD = "visit.add"
    VISIT_CHANGE = "visit.change"
    CONTACT_LIST = "contact.list"
    CONTACT_VIEW = "contact.view"
    CONTACT_ADD = "contact.add"
    CONTACT_CHANGE = "contact.change"
    FOLLOW_UP_ADD = "follow_up.add"
    OUTBREAK_VIEW = "outbreak.view"
    OUTBREAK_OPEN = "outbreak.open"
    OUTBREAK_CHANGE = "outbreak.change"

    GRANT_ISSUE = "grant.issue"
    GRANT_REVOKE = "grant.revoke"
    GRANT_VIEW = "grant.view"
    GRANT_USE = "grant.use"
    WORK_HAND_OVER = "work.hand_over"
    TEAM_CHANGE = "team.change"
    TEAM_VIEW = "team.view"
    GRANT_REQUEST = "grant.request"
    GRANT_REJECT = "grant.reject"
    GRANT_PROPOSE = "grant.propose"
    GRANT_WITHDRAW = "grant.withdraw"
    GRANT_LAPSE = "grant.lapse"
    GRANT_EXPLAIN = "grant.explain"
    EMERGENCY_OPEN = "emergency.open"
    EMERGENCY_REVIEW = "emergency.review"
    QUOTA_REVIEW = "quota.review"
    REVIEW_VIEW = "review.view"
    NOTICE_VIEW = "notice.view"
    NOTICE_READ = "notice.read"

    TOKEN_MAKE = "token.make"  # noqa: S105 (the name of an act)
    TOKEN_REVOKE = "token.revoke"  # noqa: S105 (the name of an act)
    TOKEN_VIEW = "token.view"  # noqa: S105 (the name of an act)
    ACCESS_REFUSED = "access.refused"
    BAD_INPUT = "input.refused"
    REQUEST_FAILED = "request.failed"

    EXPORT_REQUEST = "export.request"
    EXPORT_VIEW = "export.view"
    EXPORT_APPROVE = "export.approve"
    EXPORT_REJECT = "export.reject"
    EXPORT_CANCEL = "export.cancel"
    EXPORT_BUILD = "export.build"
    EXPORT_ROWS = "export.rows"
    EXPORT_BUILT = "export.built"
    EXPORT_FAILED = "export.failed"
    EXPORT_PASSPHRASE = "export.passphrase"  # noqa: S105 (the name of an act)
    EXPORT_DOWNLOAD = "export.download"
    EXPORT_EXPIRE = "export.expire"
    PRINT = "print"

    IMPORT_PREVIEW = "import.preview"
    IMPORT_RUN = "import.run"
    IMPORT_ROWS = "import.rows"

    AUDIT_VIEW = "audit.view"
    AUDIT_VERIFY = "audit.verify"
    AUDIT_EXPORT = "audit.export"
    OWN_LOG_VIEW = "audit.own_log"

    ROLE_CHANGE = "role.change"
    ACCOUNT_CREATE = "account.create"
    ACCOUNT_CHANGE = "account.change"
    ACCOUNT_VIEW = "account.view"
    ACCOUNT_ASK = "account.ask"
    ACCOUNT_REJECT = "account.reject"
    INVITATION_MAKE = "invitation.make"
    INVITATION_CONFIRM = "invitation.confirm"
    INVITATION_WITHDRAW = "invitation.withdraw"
    INVITATION_REFUSED = "invitation.refused"
    ORGANISATION_VIEW = "organisation.view"
    ORGANISATION_MOVE = "organisation.move"
    ORGANISATION_MERGE = "organisation.merge"
    SETTINGS_CHANGE = "settings.change"
    KEY_CREATE = "key.create"
    KEY_ROTATE = "key.rotate"
    SHRED = "shred"
    SEAL = "seal"
    JOB = "job"
    DEMO_SEED = "demo.seed"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the catalogue says about an act; `icon` is a name in the product's icon set."""

    icon: str = "text-left"
    discloses: bool = False
    changes: bool = False


def _entries() -> dict[Act, Entry]:
    look, write, leave = Entry("eye"), Entry("pencil", changes=True), Entry("download", discloses=True)
    new, key, sign = Entry("plus-lg", changes=True), Entry("key", changes=True), Entry("person")
    warn, refuse, system = Entry("exclamation-triangle"), Entry("x-lg"), Entry("arrow-repeat")
    decide, send, search = Entry("check-lg", changes=True), Entry("send", changes=True), Entry("search")
    return {
        Act.SIGN_IN: sign, Act.SIGN_OUT: sign, Act.STEP_UP: sign,
        Act.SIGN_IN_FAILED: refuse, Act.SIGN_IN_LOCKED: warn,
        Act.PASSWORD_CHANGE: key, Act.SECOND_FACTOR_CHANGE: key, Act.SECOND_FACTOR_RESET: key,
        Act.SIGN_ON_BIND: key,
        Act.OWN_SIGN_IN_VIEW: look, Act.SESSION_END: write, Act.PLEDGE_ACCEPT: decide,
        Act.PAGE_VIEW: look, Act.CASE_LIST: Entry("text-left"), Act.CASE_VIEW: look,
        Act.CASE_CREATE: new, Act.CASE_CHANGE: write, Act.CASE_SEARCH: search,
        Act.REVEAL: Entry("eye", discloses=True),
        Act.VISIT_ADD: new, Act.VISIT_CHANGE: write,
        Act.CONTACT_LIST: Entry("text-left"), Act.CONTACT_VIEW: look, Act.CONTACT_ADD: new,
        Act.CONTACT_CHANGE: write, Act.FOLLOW_UP_ADD: new,
        Act.OUTBREAK_VIEW: look, Act.OUTBREAK_OPEN: new, Act.OUTBREAK_CHANGE: write,
        Act.GRANT_ISSUE: key, Act.GRANT_VIEW: look, Act.GRANT_USE: key, Act.TEAM_CHANGE: write, Act.TEAM_VIEW: look,
        Act.WORK_HAND_OVER: send,
        Act.GRANT_REVOKE: Entry("arrow-return-left", changes=True),
        Act.GRANT_REQUEST: send, Act.GRANT_REJECT: Entry("x-lg", changes=True),
        Act.GRANT_PROPOSE: send, Act.GRANT_WITHDRAW: Entry("arrow-return-left", changes=True),
        Act.GRANT_LAPSE: system, Act.GRANT_EXPLAIN: Entry("question-circle"),
        Act.EMERGENCY_OPEN: Entry("exclamation-triangle", changes=True),
        Act.EMERGENCY_REVIEW: decide, Act.QUOTA_REVIEW: decide, Act.REVIEW_VIEW: look,
        Act.NOTICE_VIEW: Entry("bell"), Act.NOTICE_READ: Entry("bell", changes=True),
        Act.TOKEN_MAKE: key, Act.TOKEN_REVOKE: Entry("arrow-return-left", changes=True), Act.TOKEN_VIEW: look,
        Act.ACCESS_REFUSED: refuse, Act.BAD_INPUT: refuse, Act.REQUEST_FAILED: warn,
        Act.EXPORT_REQUEST: send, Act.EXPORT_VIEW: look, Act.EXPORT_APPROVE: decide,
        Act.EXPORT_REJECT: Entry("x-lg", changes=True), Act.EXPORT_BUILD: system,
        Act.EXPORT_CANCEL: Entry("arrow-return-left", changes=True),
        Act.EXPORT_ROWS: Entry("eye", discloses=True),
        Act.EXPORT_BUILT: Entry("arrow-repeat", discloses=True), Act.EXPORT_FAILED: warn,
        Act.EXPORT_PASSPHRASE: Entry("key", discloses=True), Act.EXPORT_DOWNLOAD: leave,
        Act.EXPORT_EXPIRE: system, Act.PRINT: Entry("printer", discloses=True),
        Act.IMPORT_PREVIEW: look, Act.IMPORT_RUN: new, Act.IMPORT_ROWS: new,
        Act.AUDIT_VIEW: look, Act.AUDIT_VERIFY: Entry("shield"), Act.AUDIT_EXPORT: Entry("download"),
        Act.OWN_LOG_VIEW: look,
        Act.ROLE_CHANGE: key, Act.ACCOUNT_CREATE: new, Act.ACCOUNT_CHANGE: write,
        Act.ACCOUNT_VIEW: look, Act.ACCOUNT_ASK: send, Act.ACCOUNT_REJECT: Entry("x-lg", changes=True),
        Act.INVITATION_MAKE: send, Act.INVITATION_CONFIRM: decide, Act.INVITATION_REFUSED: refuse,
        Act.INVITATION_WITHDRAW: Entry("arrow-return-left", changes=True),
        Act.ORGANISATION_VIEW: look, Act.ORGANISATION_MOVE: write, Act.ORGANISATION_MERGE: write,
        Act.SETTINGS_CHANGE: write, Act.KEY_CREATE: key, Act.KEY_ROTATE: key,
        Act.SHRED: Entry("lock", changes=True), Act.SEAL: Entry("shield"),
        Act.JOB: system, Act.DEMO_SEED: system,
    }  # fmt: skip


CATALOGUE = MappingProxyType(_entries())


def entry(act: str) -> Entry:
    """The catalogue's words on an act; an act this version does not know looks like a plain one."""
    try:
        return CATALOGUE[Act(act)]
    except ValueError:
        return Entry()
