"""Masks: what may be shown of a value without revealing it. Text in, text out; the length tells nothing."""

import re
from collections.abc import Callable

REDACTED = "***"

# Surnames of two characters: The Hundred Family Surnames, those still in use.
# fmt: off
_COMPOUND_SURNAMES = frozenset(
    [
        "欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "东方", "東方", "皇甫", "尉迟",
        "尉遲", "公羊", "赫连", "赫連", "澹台", "澹臺", "公冶", "宗政", "濮阳", "濮陽", "淳于",
        "单于", "單于", "太叔", "申屠", "公孙", "公孫", "仲孙", "仲孫", "轩辕", "軒轅", "令狐",
        "钟离", "鍾離", "宇文", "长孙", "長孫", "慕容", "鲜于", "鮮于", "闾丘", "閭丘", "司徒",
        "司空", "亓官", "司寇", "南宫", "南宮", "夏侯", "闻人", "聞人", "端木", "百里", "呼延",
        "东郭", "東郭", "西门", "西門", "南门", "南門", "第五", "拓跋", "独孤", "獨孤", "万俟",
        "萬俟", "左丘", "梁丘", "東野", "东野", "微生", "羊舌",
    ]
)
# fmt: on
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_STREET_END = re.compile(r"(?:街道|大街|大道|胡同|[路街巷弄镇鎮乡鄉道])")


def name(text: str) -> str:
    """张** or 欧阳** or J*** S***: the surname, or the initials of a Latin name."""
    text = text.strip()
    if _HAN.match(text):
        surname = 2 if len(text) > 2 and text[:2] in _COMPOUND_SURNAMES else 1
        return text[:surname] + "**"
    # First and last word only: how many words a name has is telling.
    words = text.split()
    return (
        " ".join(word[0] + REDACTED for word in dict.fromkeys((words[0], words[-1]))) if words else REDACTED
    )


def phone(text: str) -> str:
    """138****1234 for a mobile number, ****1234 for any other that is long enough."""
    digits = re.sub(r"\D", "", text)
    if len(digits) > 11 and digits.removeprefix("00").startswith("86"):
        digits = digits.removeprefix("00").removeprefix("86")
    if len(digits) == 11 and digits.startswith("1"):
        return f"{digits[:3]}****{digits[-4:]}"
    return f"****{digits[-4:]}" if len(digits) >= 7 else "****"


def id_last2(text: str) -> str:
    """Sixteen stars and the last two characters."""
    text = re.sub(r"[\s-]", "", text).upper()
    return "*" * 16 + (text[-2:] if len(text) >= 6 else "**")


def address_street(text: str) -> str:
    """The address down to its street or town, house and flat starred; nothing if no street is found."""
    text = text.strip()
    if _HAN.search(text):
        found = list(_STREET_END.finditer(text))
        return text[: found[-1].end()] + REDACTED if found else REDACTED
    # Latin addresses put the house first: "12b Rose Lane, Leeds" keeps "Rose Lane".
    street = re.sub(r"^[\W\d]*\d\w*\W*", "", text.split(",")[0]).strip()
    return f"{REDACTED} {street}" if street and not re.search(r"\d", street) else REDACTED


def year_only(text: str) -> str:
    """1984-**-** for an ISO date or moment."""
    return f"{text[:4]}-**-**" if re.match(r"\d{4}-\d\d", text) else REDACTED


def redact(text: str) -> str:
    """Nothing at all."""
    return REDACTED


def text_hidden(text: str) -> str:
    """Says that there is a text, not how long it is."""
    return "******"


def place_kind(text: str) -> str:
    """Says that there is a place, not which."""
    return REDACTED


MASKS: dict[str, Callable[[str], str]] = {
    mask.__name__: mask
    for mask in (name, phone, id_last2, address_street, year_only, redact, text_hidden, place_kind)
}
