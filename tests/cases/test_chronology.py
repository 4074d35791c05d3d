"""Dates that can or cannot be true together."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cases.chronology import (
    CaseFacts,
    Stay,
    case_findings,
    contact_findings,
    exposure_findings,
    gaps,
    stay_findings,
)

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def day(number: int) -> date:
    return date(2026, 11, number)


def at(number: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, number, hour, minute, tzinfo=UTC)


def codes(findings: list) -> set[tuple[str, str]]:
    return {(finding.field, finding.code) for finding in findings}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"onset_date": day(17), "first_visit_date": day(18), "diagnosed_at": at(19, 2)}, set()),
        ({"onset_date": day(23)}, {("onset_date", "future")}),
        ({"onset_date": day(17), "first_visit_date": day(16)}, {("first_visit_date", "before_onset_date")}),
        ({"onset_date": day(17), "outcome_date": day(16)}, {("outcome_date", "before_onset_date")}),
        (
            {"onset_date": day(17), "first_positive_date": day(19), "diagnosed_at": at(18, 2)},
            {("diagnosed_at", "before_first_positive_date")},
        ),
        (
            {"onset_date": day(17), "admitted_date": day(19), "icu_date": day(18)},
            {("icu_date", "before_admitted_date")},
        ),
        ({"onset_date": day(17), "isolated_date": day(2)}, {("isolated_date", "long_before_onset")}),
        ({"onset_date": day(17), "isolated_date": day(3)}, set()),
        (
            {"onset_date": day(17), "severity": "mild", "classification": "suspected"},
            {("severity", "not_confirmed")},
        ),
        ({"onset_date": day(17), "severity": "mild", "classification": "confirmed"}, set()),
        (
            {"is_asymptomatic": True, "onset_date": day(17), "first_positive_date": day(17)},
            {("onset_date", "asymptomatic")},
        ),
        ({"is_asymptomatic": True}, {("first_positive_date", "missing")}),
        ({}, {("onset_date", "missing")}),
        ({"onset_date": day(17), "age_years": 8}, {("guardian_name", "minor")}),
        ({"onset_date": day(17), "age_years": 8, "has_guardian": True}, set()),
        ({"onset_date": day(17), "age_years": 14}, set()),
        ({"onset_date": day(17), "birth_date": day(18)}, {("onset_date", "before_birth_date")}),
        (
            {"first_positive_date": day(17), "birth_date": day(18), "is_asymptomatic": True},
            {("first_positive_date", "before_birth_date")},
        ),
        (
            {"onset_date": date(2025, 11, 16), "reported_at": at(17, 2)},
            set(),
        ),
        (
            {"onset_date": date(2025, 11, 15), "reported_at": at(17, 2)},
            {("onset_date", "long_before_report")},
        ),
        (
            {
                "onset_date": day(17),
                "diagnosed_at": datetime(1926, 11, 18, tzinfo=UTC),
                "reported_at": at(18, 2),
            },
            {("diagnosed_at", "long_before_report"), ("diagnosed_at", "before_onset_date")},
        ),
        (
            {"onset_date": date(1926, 1, 1), "outbreak_started": day(1)},
            {("onset_date", "before_outbreak")},
        ),
        ({"onset_date": date(2026, 1, 1), "outbreak_started": day(1)}, set()),
        (
            {"onset_date": day(22), "first_positive_date": date(2026, 10, 25), "longest_incubation_days": 14},
            set(),
        ),
        (
            {"onset_date": day(22), "first_positive_date": date(2026, 10, 24), "longest_incubation_days": 14},
            {("first_positive_date", "long_before_onset")},
        ),
        ({"onset_date": day(17), "isolated_date": date.min}, {("isolated_date", "long_before_onset")}),
    ],
)
def test_cases(facts: dict, expected: set) -> None:
    assert codes(case_findings(CaseFacts(**facts), now=NOW)) == expected


def test_a_contact_diagnosed_before_falling_ill_is_a_remark() -> None:
    found = case_findings(CaseFacts(onset_date=day(19), diagnosed_at=at(18, 2)), now=NOW)
    assert [finding.is_error for finding in found] == [False]


def test_today_is_not_the_future() -> None:
    assert not case_findings(CaseFacts(onset_date=day(22)), now=NOW)


@pytest.mark.parametrize(
    ("start", "end", "onset", "expected"),
    [
        (day(10), day(12), day(17), set()),
        (day(12), day(10), None, {("end", "order")}),
        (day(20), day(23), None, {("end", "future")}),
        (day(10), day(18), day(17), {("end", "after_onset")}),
        (day(1), day(2), day(17), {("end", "incubation")}),
        (day(15), day(16), day(17), {("end", "incubation")}),
    ],
)
def test_exposures(start: date, end: date, onset: date | None, expected: set) -> None:
    found = exposure_findings(start, end, onset_date=onset, incubation_days=(2, 14), now=NOW)
    assert codes(found) == expected


@pytest.mark.parametrize(
    ("last", "first", "expected"),
    [
        (day(16), None, set()),
        (day(16), day(17), {("first_contact_date", "order")}),
        (day(23), None, {("last_contact_date", "future"), ("last_contact_date", "outside_window")}),
        (day(14), None, {("last_contact_date", "outside_window")}),
    ],
)
def test_contacts(last: date, first: date | None, expected: set) -> None:
    window = (day(15), day(20))
    assert (
        codes(contact_findings(last, first_contact_date=first, infectious=window, today=day(22))) == expected
    )


@pytest.mark.parametrize(
    ("last", "first", "expected"),
    [
        (day(1), None, set()),
        (date(2026, 10, 1), None, set()),
        (date(2026, 9, 30), None, {("last_contact_date", "too_early")}),
        (date(1926, 1, 1), None, {("last_contact_date", "too_early")}),
        (date.min, None, {("last_contact_date", "too_early")}),
        (day(16), date(2025, 12, 1), set()),
        (day(16), date(1926, 1, 1), {("first_contact_date", "too_early")}),
    ],
)
def test_nobody_met_the_case_long_before_it_was_infected(
    last: date, first: date | None, expected: set
) -> None:
    found = contact_findings(last, first_contact_date=first, exposed_from=day(1), today=day(22))
    assert codes(found) == expected
    assert all(finding.is_error for finding in found)


@pytest.mark.parametrize(
    ("stays", "expected"),
    [
        ([Stay(at(18, 1), at(18, 4), "A"), Stay(at(18, 4), at(18, 5), "B")], [[], []]),
        ([Stay(at(18, 1), at(18, 4), "A"), Stay(at(18, 3), at(18, 5), "B")], [[], [("overlap", False)]]),
        ([Stay(at(18, 1), at(18, 5), "A"), Stay(at(18, 2), at(18, 6), "B")], [[], [("overlap", True)]]),
        ([Stay(at(18, 3), at(18, 5), "B"), Stay(at(18, 1), at(18, 4), "A")], [[("overlap", False)], []]),
        ([Stay(at(18, 1), at(18, 5), "A"), Stay(at(18, 2), at(18, 6), "A")], [[], []]),
        ([Stay(at(18, 5), at(18, 1), "A")], [[("order", True)]]),
        ([Stay(at(23, 5), None, "A")], [[("future", True)]]),
        (
            [
                Stay(at(18, 1), at(18, 9), "A"),
                Stay(at(18, 2), at(18, 3), "A"),
                Stay(at(18, 4), at(18, 5), "B"),
            ],
            [[], [], [("overlap", False)]],
        ),
        (
            [Stay(at(18, 1), at(18, 2), "A", 31.2, 121.5), Stay(at(18, 3), at(18, 4), "B", 39.9, 116.4)],
            [[], [("speed", True)]],
        ),
        (
            [Stay(at(18, 1), at(18, 2), "A", 31.2, 121.5), Stay(at(18, 4), at(18, 5), "B", 39.9, 116.4)],
            [[], []],
        ),
    ],
)
def test_movements(stays: list[Stay], expected: list) -> None:
    found = [[(one.code, one.is_error) for one in findings] for findings in stay_findings(stays, now=NOW)]
    assert found == expected


def test_gaps_longer_than_six_hours() -> None:
    stays = [Stay(at(18, 1), at(18, 4)), Stay(at(18, 2), at(18, 3)), Stay(at(18, 10)), Stay(at(18, 16, 1))]
    assert gaps(stays) == [(at(18, 10), at(18, 16, 1))]


def test_ten_thousand_stays_are_checked_in_one_sweep() -> None:
    stays = [
        Stay(at(1, 0) + timedelta(minutes=10 * n), at(1, 0) + timedelta(minutes=10 * n + 9), str(n))
        for n in range(2000)
    ]
    assert not any(stay_findings(stays, now=NOW))
