"""What a second import of the same source finds: nothing to do; and after a change exactly that change."""

from datetime import date, timedelta
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from cases.linelist.comparing import Compared, Known, State, cell_tokens, compare
from cases.linelist.profiles import Record

ROW = UUID(int=1)
VALUES = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(0, 130),
    st.integers(0, 9000).map(lambda days: date(2000, 1, 1) + timedelta(days=days)),
)
CELLS = st.dictionaries(st.sampled_from(["sex", "age_value", "onset_date", "hospital", "outcome"]), VALUES)


def compared(cells: list[dict[str, object]], known: dict[bytes, Known]) -> list[Compared]:
    records = [Record(n + 2, f"S{n}", {"source_id": f"S{n}", **one}) for n, one in enumerate(cells)]  # type: ignore[dict-item]
    tokens = [record.source_id.encode().ljust(16, b"\0") for record in records]
    return compare(records, tokens, cell_tokens(records, tokens), known)


def remembered(rows: list[Compared]) -> dict[bytes, Known]:
    return {row.token: Known(row.cells, uuid4()) for row in rows}


@settings(max_examples=60, deadline=None)
@given(st.lists(CELLS, max_size=8))
def test_the_same_rows_again_are_all_the_same(cells: list[dict[str, object]]) -> None:
    first = compared(cells, {})
    assert all(row.state is State.NEW for row in first)
    again = compared(cells, remembered(first))
    assert all(row.state is State.SAME and not row.changed for row in again)
    assert remembered(again).keys() == remembered(first).keys()


@settings(max_examples=60, deadline=None)
@given(CELLS, CELLS)
def test_exactly_the_fields_that_differ_have_changed(
    before: dict[str, object], after: dict[str, object]
) -> None:
    (row,) = compared([after], remembered(compared([before], {})))
    differing = {
        name for name in before.keys() | after.keys() if spelled(before.get(name)) != spelled(after.get(name))
    }
    assert row.changed == differing
    assert row.state is (State.CHANGED if differing else State.SAME)


def spelled(value: object) -> str | None:
    return None if value is None else str(value)


def test_tokens_tell_nothing_of_the_value_and_differ_between_rows() -> None:
    first, second = compared([{"sex": "1"}, {"sex": "1"}], {})
    assert first.cells["sex"] != second.cells["sex"]
    assert len(first.cells["sex"]) == 16
