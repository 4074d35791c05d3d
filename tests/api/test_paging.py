"""Every list of the API pages by cursor in the same words, with whole addresses that lead on and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit import search
from audit.api_paging import ByCursor
from cases import lists
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LISTS = ("cases", "cases/{case}/visits", "cases/{case}/contacts", "contacts", "grants")


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of two rows."""
    monkeypatch.setattr(ByCursor, "page_size", 2)
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)


@pytest.fixture
def several(world: Any, short_pages: None) -> Any:
    """Five records of each kind that a list shows."""
    for n in range(1, 5):
        factories.case(world.supervisor, world.outbreak, full_name=f"甲{n}", investigator=world.investigator)
    for n in range(5):
        start = timezone.now() - timedelta(days=2, hours=n)
        factories.visit(world.case, world.investigator, start_at=start, end_at=start + timedelta(minutes=30))
        factories.contact(world.case, world.investigator, full_name=f"乙{n}", phone=f"1000000450{n}")
    return world


def keys(page: dict[str, Any]) -> list[Any]:
    return [row["id"] for row in page["results"]]


def walk(get: Callable[[str], Any], address: str) -> list[dict[str, Any]]:
    """All pages from this one on, following `next` as it is given."""
    pages = []
    following: str | None = address
    while following:
        answer = get(following)
        assert answer.status_code == 200
        pages.append(answer.json())
        following = pages[-1]["next"]
        assert following is None or following.startswith("http://testserver/api/v1/")
    return pages


@pytest.mark.parametrize("name", LISTS)
def test_a_list_leads_on_and_back(several: Any, signed_in: Any, name: str) -> None:
    client = signed_in(several.supervisor)
    pages = walk(client.get, f"/api/v1/{name.format(case=several.case.pk)}")
    assert len(pages) >= 3
    assert all(set(page) == {"next", "previous", "results"} for page in pages)
    met = [key for page in pages for key in keys(page)]
    assert len(met) == len(set(met))
    assert pages[0]["previous"] is None
    back = client.get(pages[1]["previous"]).json()
    assert keys(back) == keys(pages[0])


def test_the_log_leads_on_and_back(several: Any, signed_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search.events, "__kwdefaults__", {**search.events.__kwdefaults__, "size": 2})
    client = signed_in(several.auditor)
    first = client.get("/api/v1/audit/events", {"act": "visit.add"}).json()
    second = client.get(first["next"]).json()
    assert first["previous"] is None
    assert not set(keys(first)) & set(keys(second))
    assert "act=visit.add" in second["previous"]
    assert keys(client.get(second["previous"]).json()) == keys(first)


def test_a_search_leads_on(several: Any, signed_in: Any) -> None:
    client, wanted = signed_in(several.supervisor), {"case_no": several.outbreak.code}

    def ask(address: str) -> Any:
        return client.post(address, wanted, content_type="application/json")

    pages = walk(ask, "/api/v1/cases/search")
    assert len({key for page in pages for key in keys(page)}) == 5


@pytest.mark.parametrize("name", LISTS)
def test_what_is_no_cursor_is_refused_beside_its_name(several: Any, signed_in: Any, name: str) -> None:
    path = f"/api/v1/{name.format(case=several.case.pk)}"
    answer = signed_in(several.supervisor).get(path, {"cursor": "x"})
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) == {"cursor"}


def test_behind_the_proxy_addresses_are_those_of_the_browser(
    several: Any, signed_in: Any, settings: Any
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.ALLOWED_HOSTS = ["cases.example.org", "testserver"]
    client = signed_in(several.supervisor)
    seen = {"HTTP_HOST": "cases.example.org", "HTTP_X_FORWARDED_PROTO": "https"}
    for name in LISTS:
        page = client.get(f"/api/v1/{name.format(case=several.case.pk)}", **seen).json()
        assert page["next"].startswith("https://cases.example.org/api/v1/"), name
