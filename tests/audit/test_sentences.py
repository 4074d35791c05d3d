"""Every act reads as one sentence in both languages."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from audit.acts import CATALOGUE, Act
from audit.identifiers import uuid7
from audit.sentences import SENTENCES, act_label, tell
from tests.audit.ledger import facts

LANGUAGES = ("en", "zh-hans")


def body(act: Act, **changed: Any) -> dict[str, Any]:
    said = facts(uuid7(), datetime.now(UTC), [uuid.uuid4()])
    lists: dict[str, Any] = {
        "fields": [],
        "classes": [],
        "opened": [],
        "changes": [],
        "counts": {},
        "reason": "",
    }
    return said | lists | {"act": act.value, "toward": None} | changed


def test_the_catalogue_is_complete() -> None:
    assert set(CATALOGUE) == set(Act) == set(SENTENCES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("act", Act)
def test_an_act_is_a_sentence_with_or_without_its_details(act: Act, language: str) -> None:
    full = body(act, fields=["phone"], classes=["reach"], counts={"rows": 3}, reason="404", purpose="P2")
    with translation.override(language):
        for said in (
            body(act),
            full,
            body(act, outcome=2, object={"type": "", "pk": "", "id": None, "label": ""}),
        ):
            sentence = tell(said).text
            assert sentence
            assert not set("{}[]") & set(sentence)
        assert act_label(act)


def test_languages_differ() -> None:
    said = body(Act.REVEAL, fields=["phone"], purpose="P2")
    with translation.override("en"):
        assert tell(said).text.startswith("investigator showed the ")
    with translation.override("zh-hans"):
        assert "显示了 C-2026-0001 的" in tell(said).text


@pytest.mark.parametrize("act", Act)
def test_refusals_and_emergencies_stand_out(act: Act) -> None:
    assert tell(body(act, outcome=1)).is_alarm
    assert tell(body(act)).is_alarm == (act in {Act.EMERGENCY_OPEN, Act.SIGN_IN_LOCKED})


@pytest.mark.parametrize(
    ("act", "counts", "n"),
    [
        (Act.EXPORT_BUILT, {"bytes": 12800, "rows": 30}, "30"),
        (Act.EXPORT_ROWS, {"after": 0, "rows": 30}, "30"),
        (Act.IMPORT_ROWS, {"changed": 2, "new": 5, "refused": 1}, "7"),
        (Act.IMPORT_PREVIEW, {"changed": 0, "new": 0, "refused": 1, "same": 162}, "163"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_tells_the_rows_whatever_else_was_counted(
    act: Act, counts: dict[str, int], n: str, language: str
) -> None:
    with translation.override(language):
        said = tell(body(act, counts=counts)).text
    assert f"{n} row" in said or f"{n} 行" in said


def test_the_moment_of_a_change_is_no_changed_field() -> None:
    change = {"type": "cases.case", "fields": {"changed_at": None, "sex": ["1", "2"]}}
    with translation.override("en"):
        said = tell(body(Act.CASE_CHANGE, changes=[change])).text
    assert "Sex" in said
    assert "changed" not in said.removeprefix("investigator changed")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_act_in_a_list_of_choices_has_no_holes(language: str) -> None:
    with translation.override(language):
        assert not [label for label in map(act_label, Act) if "  " in label]


def test_refused_and_listed_read_as_such() -> None:
    nothing = {"type": "", "pk": "", "id": None, "label": ""}
    with translation.override("en"):
        assert "was refused the download" in tell(body(Act.EXPORT_DOWNLOAD, outcome=1)).text
        listed = tell(body(Act.OUTBREAK_VIEW, object=nothing, counts={"outbreaks": 2})).text
        assert listed.endswith("listed 2 outbreaks")


def test_a_page_is_named_by_its_title_in_the_readers_language() -> None:
    said = body(Act.PAGE_VIEW, view="disclosure:request")
    with translation.override("en"):
        assert tell(said).text == "investigator opened a page: Ask for an export"
        assert tell(body(Act.PAGE_VIEW, view="gone:away")).text == "investigator opened a page"
    with translation.override("zh-hans"):
        assert tell(said).text == "investigator 打开了页面：申请导出"
