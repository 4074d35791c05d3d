# ruff: noqa: E501  (a sentence stays on its line)
"""An event as one sentence: who did what to which record, for what purpose, on what basis.

Word order differs between the languages, so each act has a whole sentence in each. Square brackets hold what
is left out when a word in it is missing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from audit import words
from audit.acts import Act, Outcome, entry

# When a record was last changed is kept beside each change; it is no field that anybody changed.
BOOKKEEPING = "changed_at"

SENTENCES: dict[str, tuple[str, str]] = {
    Act.SIGN_IN: ("{who} signed in", "{who} 登录"),
    Act.SIGN_IN_FAILED: ("Sign-in failed[ for {object}]", "登录失败[：{object}]"),
    Act.SIGN_IN_LOCKED: ("Sign-in was locked[ for {object}]", "登录被锁定[：{object}]"),
    Act.SIGN_OUT: ("{who} signed out", "{who} 退出"),
    Act.STEP_UP: ("{who} confirmed who they are", "{who} 再次验证身份"),
    Act.PASSWORD_CHANGE: ("{who} changed the password[ of {object}]", "{who} 更改了密码[（{object}）]"),
    Act.PAGE_VIEW: ("{who} opened a page[: {page}]", "{who} 打开了页面[：{page}]"),
    Act.SECOND_FACTOR_CHANGE: ("{who} changed the second factor[: {reason}]", "{who} 更改了二次验证[：{reason}]"),
    Act.SECOND_FACTOR_RESET: ("{who} reset the second factor of {object}[: {reason}]", "{who} 重置了 {object} 的二次验证[：{reason}]"),
    Act.SIGN_ON_BIND: ("{who} changed single sign-on[: {reason}]", "{who} 更改了单点登录[：{reason}]"),
    Act.OWN_SIGN_IN_VIEW: ("{who} looked at their own ways of signing in", "{who} 查看了自己的登录方式"),
    Act.SESSION_END: ("{who} signed other browsers out", "{who} 退出了其他浏览器"),
    Act.PLEDGE_ACCEPT: ("{who} accepted the pledge", "{who} 签署了保密承诺"),
    Act.CASE_LIST: ("{who} listed {n} cases[, opened {opened}]", "{who} 列出 {n} 个病例[，打开了{opened}]"),
    Act.CASE_VIEW: ("{who} opened {object}[: {fields}]", "{who} 打开了 {object}[：{fields}]"),
    Act.CASE_CREATE: ("{who} opened the new case {object}", "{who} 新建病例 {object}"),
    Act.CASE_CHANGE: ("{who} changed {object}[: {fields}]", "{who} 更改了 {object}[：{fields}]"),
    Act.CASE_SEARCH: ("{who} searched for a person[ by {fields}], {n} found", "{who} [按{fields}]查找人员，找到 {n} 个"),
    Act.REVEAL: ("{who} showed [the {fields} of ]{object}", "{who} 显示了 {object}[ 的{fields}]"),
    Act.VISIT_ADD: ("{who} added movements to {object}", "{who} 为 {object} 添加行动轨迹"),
    Act.VISIT_CHANGE: ("{who} changed movements of {object}[: {fields}]", "{who} 更改了 {object} 的行动轨迹[：{fields}]"),
    Act.CONTACT_LIST: ("{who} listed {n} contacts[, opened {opened}]", "{who} 列出 {n} 个密接[，打开了{opened}]"),
    Act.CONTACT_VIEW: ("{who} opened the contact {object}[: {fields}]", "{who} 打开了密接 {object}[：{fields}]"),
    Act.CONTACT_ADD: ("{who} added the contact {object}", "{who} 添加了密接 {object}"),
    Act.CONTACT_CHANGE: ("{who} changed the contact {object}[: {fields}]", "{who} 更改了密接 {object}[：{fields}]"),
    Act.FOLLOW_UP_ADD: ("{who} recorded a follow-up of {object}", "{who} 记录了 {object} 的随访"),
    Act.OUTBREAK_VIEW: ("{who} opened the outbreak {object}", "{who} 打开了疫情 {object}"),
    Act.OUTBREAK_OPEN: ("{who} opened the new outbreak {object}", "{who} 新建疫情 {object}"),
    Act.OUTBREAK_CHANGE: ("{who} changed the outbreak {object}[: {fields}]", "{who} 更改了疫情 {object}[：{fields}]"),
    Act.GRANT_ISSUE: ("{who} gave [{toward} ]access to {object}[: {classes}]", "{who} 把 {object} 授权[给{toward}][：{classes}]"),
    Act.GRANT_REVOKE: ("{who} revoked [{toward}'s ]access to {object}", "{who} 收回了[{toward}]对 {object} 的授权"),
    Act.GRANT_USE: ("{who} used single-use access to {object}", "{who} 使用了对 {object} 的一次性授权"),
    Act.WORK_HAND_OVER: ("{who} handed {object}'s work over to {toward}, {n} cases", "{who} 把 {object} 的工作移交给{toward}，共 {n} 个病例"),
    Act.TEAM_CHANGE: ("{who} changed the team {object}[: {toward}]", "{who} 更改了小组 {object}[：{toward}]"),
    Act.TEAM_VIEW: ("{who} looked at teams[: {object}]", "{who} 查看了小组[：{object}]"),
    Act.GRANT_VIEW: ("{who} looked at grants[ of {object}]", "{who} 查看了[ {object} 的]授权"),
    Act.GRANT_REQUEST: ("{who} asked for access[ to {object}]", "{who} 申请授权[：{object}]"),
    Act.GRANT_REJECT: ("{who} declined access[ to {object}]", "{who} 拒绝了授权申请[：{object}]"),
    Act.GRANT_PROPOSE: ("{who} proposed access to {object}[ for {toward}], to be confirmed by a second supervisor[: {classes}]", "{who} 提议[为{toward}]授权 {object}，待第二人批准[：{classes}]"),
    Act.GRANT_WITHDRAW: ("{who} withdrew {object}", "{who} 撤回了 {object}"),
    Act.GRANT_LAPSE: ("Nobody answered {object} in time", "{object} 逾期未答复，已失效"),
    Act.GRANT_EXPLAIN: ("{who} asked who may see {object}", "{who} 查询了 {object} 的可见原因"),
    Act.EMERGENCY_OPEN: ("{who} used emergency access on {object}", "{who} 对 {object} 使用了紧急访问"),
    Act.EMERGENCY_REVIEW: ("{who} reviewed [{toward}'s ]emergency access to {object}: {reason}", "{who} 复核了[{toward}]对 {object} 的紧急访问：{reason}"),
    Act.QUOTA_REVIEW: ("{who} reviewed that [{toward} ]asked for more values than allowed: {reason}", "{who} 复核了[{toward}]超过显示限额：{reason}"),
    Act.REVIEW_VIEW: ("{who} looked at the review[ of {object}]", "{who} 查看了复核[：{object}]"),
    Act.NOTICE_VIEW: ("{who} read their notices", "{who} 查看了自己的通知"),
    Act.NOTICE_READ: ("{who} marked {n} notices as read", "{who} 把 {n} 条通知标为已读"),
    Act.ACCESS_REFUSED: ("{who} was refused[ {object}][: {reason}]", "{who} 被拒绝[：{object}][（{reason}）]"),
    Act.BAD_INPUT: ("{who} sent something that was not accepted[: {reason}]", "{who} 提交的内容未被接受[（{reason}）]"),
    Act.REQUEST_FAILED: ("A request of {who} failed[: {reason}]", "{who} 的请求失败[（{reason}）]"),
    Act.EXPORT_REQUEST: ("{who} asked for the export {object}", "{who} 申请导出 {object}"),
    Act.EXPORT_VIEW: ("{who} looked at the export {object}", "{who} 查看了导出 {object}"),
    Act.EXPORT_APPROVE: ("{who} approved the export {object}", "{who} 批准了导出 {object}"),
    Act.EXPORT_REJECT: ("{who} declined the export {object}", "{who} 拒绝了导出 {object}"),
    Act.EXPORT_BUILD: ("Building of the export {object} began", "开始生成导出 {object}"),
    Act.EXPORT_CANCEL: ("{who} withdrew the export {object}", "{who} 撤回了导出 {object}"),
    Act.EXPORT_ROWS: ("{n} rows were opened for {who}'s export {object}[: {classes}]", "为 {who} 的导出 {object} 取出 {n} 行[：{classes}]"),
    Act.EXPORT_BUILT: ("The export {object} was built, {n} rows", "导出 {object} 已生成，{n} 行"),
    Act.EXPORT_FAILED: ("The export {object} failed[: {reason}]", "导出 {object} 失败[（{reason}）]"),
    Act.EXPORT_PASSPHRASE: ("{who} was shown the passphrase of the export {object}", "{who} 查看了导出 {object} 的口令"),
    Act.EXPORT_DOWNLOAD: ("{who} downloaded the export {object}", "{who} 下载了导出 {object}"),
    Act.EXPORT_EXPIRE: ("The export {object} expired", "导出 {object} 已到期"),
    Act.PRINT: ("{who} printed {object}", "{who} 打印了 {object}"),
    Act.IMPORT_PREVIEW: ("{who} tried a line list[ for {object}], {n} rows", "{who} [为 {object} ]预览了一览表，{n} 行"),
    Act.IMPORT_RUN: ("{who} imported a line list into {object}", "{who} 把一览表导入 {object}"),
    Act.IMPORT_ROWS: ("{n} rows were imported[ into {object}] for {who}", "为 {who} [向 {object} ]导入了 {n} 行"),
    Act.AUDIT_VIEW: ("{who} read the log[: {object}]", "{who} 查看了日志[：{object}]"),
    Act.AUDIT_VERIFY: ("{who} verified the log", "{who} 核验了日志"),
    Act.AUDIT_EXPORT: ("{who} took evidence from the log", "{who} 从日志取证"),
    Act.OWN_LOG_VIEW: ("{who} read their own log", "{who} 查看了自己的访问记录"),
    Act.ROLE_CHANGE: ("{who} changed the role of {object}", "{who} 更改了 {object} 的角色"),
    Act.ACCOUNT_CREATE: ("{who} made the account {object}", "{who} 新建账号 {object}"),
    Act.ACCOUNT_CHANGE: ("{who} changed the account {object}[: {fields}]", "{who} 更改了账号 {object}[：{fields}]"),
    Act.ACCOUNT_VIEW: ("{who} looked at the account {object}", "{who} 查看了账号 {object}"),
    Act.ACCOUNT_ASK: ("{who} asked a second person to change the account {object}[: {reason}]", "{who} 申请由第二人更改账号 {object}[（{reason}）]"),
    Act.ACCOUNT_REJECT: ("{who} declined a change of the account {object}", "{who} 否决了对账号 {object} 的更改"),
    Act.INVITATION_MAKE: ("{who} made the invitation {object}[ for {toward}]", "{who} 创建了邀请 {object}[（{toward}）]"),
    Act.INVITATION_CONFIRM: ("{who} confirmed the invitation {object}", "{who} 确认了邀请 {object}"),
    Act.INVITATION_WITHDRAW: ("{who} withdrew the invitation {object}", "{who} 撤回了邀请 {object}"),
    Act.INVITATION_REFUSED: ("An invitation code was not accepted", "邀请码未被接受"),
    Act.ORGANISATION_VIEW: ("{who} looked at the organisation {object}", "{who} 查看了机构 {object}"),
    Act.ORGANISATION_MOVE: ("{who} moved the organisation {object}", "{who} 调整了机构 {object} 的上级"),
    Act.ORGANISATION_MERGE: ("{who} merged the organisation {object} into another", "{who} 合并了机构 {object}"),
    Act.TOKEN_MAKE: ("{who} made a token of the API", "{who} 创建了接口令牌"),
    Act.TOKEN_REVOKE: ("{who} revoked a token of the API", "{who} 收回了接口令牌"),
    Act.TOKEN_VIEW: ("{who} looked at their tokens of the API", "{who} 查看了自己的接口令牌"),
    Act.SETTINGS_CHANGE: ("{who} changed settings[: {fields}]", "{who} 更改了设置[：{fields}]"),
    Act.KEY_CREATE: ("{who} made keys[ for {object}]", "{who} 创建了密钥[：{object}]"),
    Act.KEY_ROTATE: ("{who} renewed keys", "{who} 更换了密钥"),
    Act.SHRED: ("{who} destroyed {object}[: {classes}]", "{who} 销毁了 {object}[：{classes}]"),
    Act.SEAL: ("The log was sealed", "日志已封存"),
    Act.JOB: ("{who} ran a job[: {reason}]", "{who} 运行了任务[：{reason}]"),
    Act.DEMO_SEED: ("The demo data were laid out", "已生成演示数据"),
}  # fmt: skip
# Where an act that was refused, or one about no single record, reads otherwise.
REFUSED: dict[str, tuple[str, str]] = {
    Act.REVEAL: (
        "{who} was refused [the {fields} of ]{object}",
        "{who} 要求显示 {object}[ 的{fields}]，被拒绝",
    ),
    Act.EMERGENCY_OPEN: (
        "{who} was refused emergency access[ to {object}]",
        "{who} 申请紧急访问[ {object}]，被拒绝",
    ),
    Act.EXPORT_DOWNLOAD: (
        "{who} was refused the download of the export {object}",
        "{who} 下载导出 {object} 被拒绝",
    ),
}
LISTED: dict[str, tuple[str, str]] = {
    Act.GRANT_EXPLAIN: ("{who} asked why a case can or cannot be seen", "{who} 查询了病例能否查看的原因"),
    Act.OUTBREAK_VIEW: ("{who} listed {n} outbreaks", "{who} 列出 {n} 起疫情"),
    Act.ORGANISATION_VIEW: ("{who} listed {n} organisations", "{who} 列出 {n} 个机构"),
    Act.ACCOUNT_VIEW: ("{who} listed {n} accounts", "{who} 列出 {n} 个账号"),
    Act.REVIEW_VIEW: ("{who} opened the review queue, {n} waiting", "{who} 打开了复核队列，{n} 条待复核"),
    Act.EXPORT_VIEW: ("{who} listed {n} exports", "{who} 列出 {n} 份导出"),
}
# Where an act had a scope wider than one record, by the code of that scope.
SCOPED: dict[str, dict[str, tuple[str, str]]] = {
    "person": {
        Act.GRANT_REVOKE: ("{who} revoked all of {toward}'s access, {n} grants", "{who} 收回了{toward}的全部授权，共 {n} 项")
    },
    "case": {
        Act.GRANT_REVOKE: ("{who} revoked all access to {object}, {n} grants", "{who} 收回了对 {object} 的全部授权，共 {n} 项")
    },
    "organisation": {
        Act.GRANT_REVOKE: ("{who} revoked all access of {object}'s people, {n} grants", "{who} 收回了{object}人员的全部授权，共 {n} 项")
    },
    "bulk": {
        Act.GRANT_ISSUE: ("{who} gave access to {n} cases at once[ to {toward}]", "{who} 一次授权 {n} 个病例[，给{toward}]")
    },
    "team": {
        Act.GRANT_ISSUE: ("{who} gave the team {object} access to {n} cases", "{who} 把 {n} 个病例授权给小组 {object}"),
        Act.GRANT_REVOKE: ("{who} ended {n} grants that came with a team[, of {toward}]", "{who} 结束了[{toward}]随小组而来的 {n} 项授权"),
    },
    "stand_in": {
        Act.GRANT_ISSUE: ("{who} let {toward} stand in for {object} in {n} cases", "{who} 让{toward}代替 {object}，涉及 {n} 个病例"),
        Act.GRANT_REVOKE: ("{who} ended {n} grants that {toward} held as a stand-in", "{who} 结束了{toward}代班的 {n} 项授权"),
    },
    "handover": {
        Act.GRANT_ISSUE: ("{who} gave {toward} access to {n} cases taken over from {object}", "{who} 授权{toward}接手 {object} 的 {n} 个病例"),
        Act.GRANT_REVOKE: ("{who} ended {n} grants of {toward}: the work was handed over", "{who} 结束了{toward}的 {n} 项授权：工作已移交"),
    },
    "chosen": {Act.GRANT_REVOKE: ("{who} revoked {n} chosen grants", "{who} 收回了选定的 {n} 项授权")},
}  # fmt: skip
_UNKNOWN = ("{who}: {act}[ {object}]", "{who}：{act}[ {object}]")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_PLACE = re.compile(r"\{(\w+)\}")
_STRONG = {"who", "fields", "toward", "opened", "classes", "page"}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence: `kind` is "text", "strong" or "object" (then `id` names the record)."""

    kind: str
    text: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An event in words: the sentence in its parts, the notes behind it, and its picture."""

    parts: list[Part]
    notes: list[str]
    icon: str
    is_alarm: bool

    @property
    def text(self) -> str:
        """The sentence without markup."""
        return "".join(part.text for part in self.parts)


def tell(body: Mapping[str, Any]) -> Told:
    """An event's body as a sentence in the reader's language."""
    found = _words(body)
    template = _template(body["act"], _words_of(body))
    whole = _OPTIONAL.sub(lambda match: match[1] if _has_all(match[1], found) else "", template)
    alarm = body["outcome"] != Outcome.OK or body["act"] in (Act.EMERGENCY_OPEN, Act.SIGN_IN_LOCKED)
    picture = "x-lg" if body["outcome"] == Outcome.REFUSED else entry(body["act"]).icon
    return Told(_parts(whole, found, body), _notes(body), picture, alarm)


def act_label(act: str) -> str:
    """An act in a word or two, for filters."""
    template = _OPTIONAL.sub("", _template(act))
    text = _PLACE.sub("…", template).strip(" …：:,，")
    return text[:1].upper() + text[1:]


def fields_of(body: Mapping[str, Any]) -> list[str]:
    """The fields an event is about, in words: opened, changed, or named."""
    named: dict[str, str] = {}
    for group in (*body.get("opened", ()), *body.get("changes", ())):
        names = (
            [group["field"]]
            if "field" in group
            else [name for name in group["fields"] if name != BOOKKEEPING]
        )
        named.update({name: words.field(group["type"], name) for name in names})
    for name in body.get("fields", ()):
        named.setdefault(name, words.field(body["object"]["type"], name))
    return list(dict.fromkeys(named.values()))


def _words_of(body: Mapping[str, Any]) -> Mapping[str, tuple[str, str]]:
    """The sentences that fit how the act ended and what it was about, before the usual ones."""
    if body["outcome"] == Outcome.REFUSED:
        return REFUSED
    scoped = SCOPED.get(str((body.get("extra") or {}).get("scope", "")))
    return scoped or ({} if body["object"]["pk"] else LISTED)


def _template(act: str, instead: Mapping[str, tuple[str, str]] | None = None) -> str:
    english, chinese = (instead or {}).get(act) or SENTENCES.get(act, _UNKNOWN)
    return chinese if (get_language() or "").startswith("zh") else english


def _words(body: Mapping[str, Any]) -> dict[str, str]:
    counts, toward = body.get("counts") or {}, body.get("toward") or {}
    return {
        "who": who(body["actor"]),
        "act": str(body["act"]),
        "object": object_label(body["object"]),
        "fields": _list(fields_of(body)),
        "opened": _list(
            list(dict.fromkeys(words.field(o["type"], o["field"]) for o in body.get("opened", ())))
        ),
        "classes": _list([words.data_class(code) for code in body.get("classes", ())]),
        "toward": toward.get("name", ""),
        "reason": words.reason(body.get("reason", "")),
        "page": words.page(body.get("view", "")),
        "n": str(_number(str(body["act"]), counts, body.get("touches", 0))),
    }


def _number(act: str, counts: Mapping[str, Any], touches: int) -> int:
    """How many the sentence speaks of: rows where rows are counted, else what an import did, else the one count."""
    if "rows" in counts:
        return int(counts["rows"])
    numbers = {name: value for name, value in counts.items() if isinstance(value, int)}
    if act == Act.IMPORT_PREVIEW:
        return sum(numbers.values())
    if act == Act.IMPORT_ROWS:
        return numbers.get("new", 0) + numbers.get("changed", 0)
    return next(iter(numbers.values()), touches)


def who(actor: Mapping[str, Any]) -> str:
    """The actor's name of that moment, or what stands in for one."""
    if actor["name"]:
        return str(actor["name"])
    return _("The system") if actor["role"] == "job" else _("Somebody not signed in")


def object_label(subject: Mapping[str, Any]) -> str:
    """A record's number, or what kind it is with the first of its id."""
    if subject["label"]:
        return str(subject["label"])
    if not subject["pk"]:
        return ""
    return f"{words.kind(subject['type'])} {subject['pk'][:8]}".strip()


def _notes(body: Mapping[str, Any]) -> list[str]:
    notes = [words.purpose(body["purpose"])] if body["purpose"] else []
    if body["grant"] or body["decision"]:
        notes.append(_("grant %(number)s") % {"number": (body["grant"] or body["decision"])[:8]})
    if (
        body["outcome"] == Outcome.REFUSED
        and body["act"] in SENTENCES
        and "{reason}" not in SENTENCES[body["act"]][0]
    ):
        why = words.reason(body.get("reason", ""))
        notes.append(_("refused: %(reason)s") % {"reason": why} if why else _("refused"))
    if body["outcome"] == Outcome.FAILED:
        notes.append(_("failed"))
    if body["touches"] > 1:
        notes.append(ngettext("%(n)s record", "%(n)s records", body["touches"]) % {"n": body["touches"]})
    return notes


def _parts(text: str, found: Mapping[str, str], body: Mapping[str, Any]) -> list[Part]:
    parts, end = [], 0
    for match in _PLACE.finditer(text):
        parts.append(Part("text", text[end : match.start()]))
        parts.append(_part(match[1], found.get(match[1], ""), body))
        end = match.end()
    parts.append(Part("text", text[end:]))
    return [part for part in parts if part.text]


def _part(name: str, text: str, body: Mapping[str, Any]) -> Part:
    if name == "object":
        return Part("object", text, body["object"]["id"] or "")
    return Part("strong" if name in _STRONG else "text", text)


def _has_all(text: str, found: Mapping[str, str]) -> bool:
    return all(found.get(name) for name in _PLACE.findall(text))


def _list(names: list[str]) -> str:
    most = 4
    joiner = "、" if (get_language() or "").startswith("zh") else ", "
    if len(names) <= most:
        return joiner.join(names)
    return joiner.join(names[:most]) + " " + _("and %(n)s more") % {"n": len(names) - most}
