"""The smallest group is found whatever the order of the rows."""

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from disclosure.grouping import Grouping, age_band, group
from disclosure.risk import MOST_SHOWN, Risk

ROWS = st.lists(st.tuples(st.sampled_from("fm"), st.sampled_from(["0-9", "80+"])), max_size=60)


@given(ROWS)
def test_groups_hold_everybody_once_and_stand_in_order(rows: list[tuple[str, str]]) -> None:
    grouping = group(rows)
    sizes = [found.size for found in grouping.groups]
    assert sum(sizes) == len(rows)
    assert sizes == sorted(sizes)
    assert grouping.smallest == min(sizes, default=0)


@given(ROWS, st.randoms())
def test_order_of_rows_does_not_matter(rows: list[tuple[str, str]], chance: object) -> None:
    assert group(rows) == group(sorted(rows))


def test_groups_below_five_are_small() -> None:
    grouping = group([("f",)] * 5 + [("m",)] * 4)
    assert [found.traits for found in grouping.small] == [("m",)]


@pytest.mark.parametrize(
    ("years", "band"), [(0, "0-9"), (9, "0-9"), (10, "10-19"), (79, "70-79"), (80, "80+"), (130, "80+")]
)
def test_bands_of_ten_years(years: int, band: str) -> None:
    assert age_band(years) == band


@pytest.mark.parametrize(("language", "words"), [("en", "and 6 more groups"), ("zh-hans", "另有 6 组")])
def test_the_card_says_how_many_small_groups_it_leaves_out(language: str, words: str) -> None:
    found = group([(str(n),) for n in range(MOST_SHOWN + 6)])
    few = Grouping(found.groups[:MOST_SHOWN])
    with translation.override(language):
        assert words in card(found)
        assert words not in card(few)
        assert "more" not in card(few)


def card(found: Grouping) -> str:
    shown = tuple((str(one.traits[0]), one.size) for one in found.small[:MOST_SHOWN])
    return render_to_string(
        "disclosure/_risk.html", {"risk": Risk(len(found.groups), ("sex",), found, shown)}
    )
