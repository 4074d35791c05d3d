"""Lists of contacts, one contact, adding, correcting, follow-up's state and showing a value, as people use them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from access.purposes import Purpose
from access.visibility import CasePermission
from contacts.models import Contact
from tests import factories
from tests.cast import World

pytestmark = [pytest.mark.django_db, pytest.mark.database]
NAME, PHONE = "接触者种植", "10000004472"


@pytest.fixture
def contact(world: World) -> Contact:
    return factories.contact(world.case, world.investigator)


@pytest.fixture
def browser(world: World, signed_in: Any) -> Any:
    return signed_in(world.investigator)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def url(name: str, *args: Any) -> str:
    return reverse(f"contacts:{name}", args=args)


def words(world: World, **changed: Any) -> dict[str, Any]:
    return {
        "full_name": "司马新来",
        "phone": "100-0000-4499",
        "level": "close",
        "relation": "colleague",
        "mode": ["meal", "room"],
        "last_contact_date": (timezone.localdate() - timedelta(days=1)).isoformat(),
        "responsible_org": world.district.pk,
        **changed,
    }


def how_many() -> int:
    with factories.as_owner():
        return Contact.objects.count()


def values(world: World, contact: Contact, *names: str) -> dict[str, Any]:
    with factories.as_person(world.investigator):
        again = Contact.objects.get(pk=contact.pk)
        found = {name: getattr(again, name) for name in names}
        return {name: getattr(one, "reveal", lambda one=one: one)() for name, one in found.items()}


# Lists


def test_the_list_is_masked_and_logged(browser: Any, contact: Contact, events: Any) -> None:
    page = text(browser.get(url("list")))
    assert contact.contact_no in page
    assert "接**" in page
    assert NAME not in page
    assert PHONE not in page
    [event] = events("contact.list")
    assert event["counts"] == {"contacts": 1}


def test_what_is_overdue_leads_and_is_said_in_words(world: World, browser: Any, contact: Contact) -> None:
    late = factories.contact(
        world.case, world.investigator, last_contact_date=timezone.localdate() - timedelta(days=60)
    )
    page = text(browser.get(url("list")))
    assert page.index(late.contact_no) < page.index(contact.contact_no)
    assert "Overdue since" in page
    assert "1 late" in page


def test_ended_contacts_have_their_own_view_and_filters_narrow(world: World, browser: Any) -> None:
    lost = factories.contact(world.case, world.investigator, level="general")
    with factories.as_person(world.investigator):
        from contacts import actions

        actions.set_status(Contact.objects.get(pk=lost.pk), "lost", by=world.investigator)
    assert lost.contact_no not in text(browser.get(url("list")))
    assert lost.contact_no in text(browser.get(url("list") + "?view=ended"))
    assert lost.contact_no in text(browser.get(url("list") + "?status=lost"))
    assert lost.contact_no not in text(browser.get(url("list") + "?view=ended&level=close"))


def test_a_page_of_fifty_costs_as_many_queries_as_a_page_of_two(world: World, browser: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert browser.get(url("list")).status_code == 200
        return len(asked)

    for _n in range(2):
        factories.contact(world.case, world.investigator)
    browser.get(url("list"))
    few = queries()
    for _n in range(54):
        factories.contact(world.case, world.investigator)
    assert queries() == few


def test_counting_what_is_late_looks_at_open_contacts_only(world: World) -> None:
    with factories.as_owner(), connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        late = Contact.objects.all().overdue(timezone.localdate())  # type: ignore[attr-defined]
        assert "contact_open_follow_up" in late.values("pk").explain()


def test_pages_follow_each_other_by_key(world: World, browser: Any) -> None:
    for n in range(53):
        day = timezone.localdate() - timedelta(days=n % 9)
        factories.contact(world.case, world.investigator, last_contact_date=day)
    first = browser.get(url("list"))
    second = browser.get(url("list") + first.context["after"])
    assert [len(one.context["page"].rows) for one in (first, second)] == [50, 3]
    back = browser.get(url("list") + second.context["before"])
    assert [c.pk for c in back.context["page"].contacts] == [c.pk for c in first.context["page"].contacts]
    seen = {c.pk for one in (first, second) for c in one.context["page"].contacts}
    assert len(seen) == 53
    assert browser.get(url("list") + "?at=nonsense").status_code == 404


def test_the_list_holds_only_contacts_of_my_cases(world: World, contact: Contact, signed_in: Any) -> None:
    for person in (world.outsider, world.other_supervisor):
        assert contact.contact_no not in text(signed_in(person).get(url("list")))
        assert signed_in(person).get(url("of_case", world.case.pk)).status_code == 404
    assert contact.contact_no in text(signed_in(world.supervisor).get(url("of_case", world.case.pk)))


@pytest.mark.parametrize("role", ["auditor", "privacy", "secadmin", "sysadmin", "partner"])
def test_other_roles_see_no_contacts(world: World, contact: Contact, signed_in: Any, role: str) -> None:
    client = signed_in(world.people[role])
    for address in (
        url("list"),
        url("of_case", world.case.pk),
        url("add", world.case.pk),
        url("detail", contact.pk),
        url("edit", contact.pk),
    ):
        assert client.get(address).status_code == 403
    for address in (url("status", contact.pk), url("reveal", contact.pk, "phone"), url("add", world.case.pk)):
        assert client.post(address).status_code == 403


# Adding


@pytest.mark.parametrize("typed", ["0001-01-01", "1926-01-01", "+1", "-60"])
def test_a_day_that_cannot_be_is_refused_beside_the_field(world: World, browser: Any, typed: str) -> None:
    if typed[0] in "+-":
        typed = (timezone.localdate() + timedelta(days=int(typed))).isoformat()
    answer = browser.post(url("add", world.case.pk), words(world, last_contact_date=typed))
    assert list(answer.context["form"].errors) == ["last_contact_date"]
    assert how_many() == 0


def test_eight_facts_add_a_contact(world: World, browser: Any, events: Any) -> None:
    assert browser.get(url("add", world.case.pk)).status_code == 200
    answer = browser.post(url("add", world.case.pk), words(world))
    assert answer.status_code == 302, text(answer)
    assert answer["Location"] == url("of_case", world.case.pk)
    with factories.as_person(world.investigator):
        made = Contact.objects.get()
    assert values(world, made, "full_name", "phone", "relation", "mode") == {
        "full_name": "司马新来",
        "phone": "10000004499",
        "relation": "colleague",
        "mode": ["meal", "room"],
    }
    [event] = events("contact.add")
    assert "司马新来" not in str(event)


def test_saving_and_adding_another_returns_to_the_form(world: World, browser: Any) -> None:
    answer = browser.post(url("add", world.case.pk), words(world, another="1"))
    assert answer["Location"] == url("add", world.case.pk)


def test_a_day_outside_the_infectious_window_is_said_but_saved(world: World, browser: Any) -> None:
    day = timezone.localdate() - timedelta(days=25)
    answer = browser.post(
        url("add", world.case.pk), words(world, last_contact_date=day.isoformat()), follow=True
    )
    assert "not infectious on this day" in text(answer)
    assert how_many() == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"full_name": ""},
        {"phone": "12"},
        {"level": "friend"},
        {"relation": "nobody"},
        {"mode": []},
        {"mode": ["telepathy"]},
        {"last_contact_date": "2099-01-01"},
        {"last_contact_date": "31/31"},
        {"responsible_org": 0},
        {"level": "secondary"},
    ],
)
def test_bad_words_add_nothing_and_are_kept(world: World, browser: Any, changed: dict[str, Any]) -> None:
    answer = browser.post(url("add", world.case.pk), words(world, **changed))
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in text(answer)
    if "full_name" not in changed:
        assert "司马新来" in text(answer)
    assert how_many() == 0


def test_a_contact_of_a_contact_names_the_one_in_between(
    world: World, browser: Any, contact: Contact
) -> None:
    answer = browser.post(
        url("add", world.case.pk), words(world, level="secondary", parent_contact=contact.pk)
    )
    assert answer.status_code == 302
    other = factories.case(world.investigator, world.outbreak)
    stranger = factories.contact(other, world.investigator)
    answer = browser.post(
        url("add", world.case.pk), words(world, level="secondary", parent_contact=stranger.pk)
    )
    assert answer.status_code == 422


def test_nobody_adds_to_a_case_of_others(world: World, signed_in: Any) -> None:
    for person in (world.outsider, world.other_supervisor):
        assert signed_in(person).post(url("add", world.case.pk), words(world)).status_code == 404
    factories.grant(world.case, world.colleague, world.supervisor, CasePermission.VIEW)
    assert signed_in(world.colleague).post(url("add", world.case.pk), words(world)).status_code == 404
    assert how_many() == 0


# One contact, and showing a value


def test_a_contact_is_shown_masked_and_logged(browser: Any, contact: Contact, events: Any) -> None:
    page = text(browser.get(url("detail", contact.pk)))
    assert "接**" in page
    assert "100****4472" in page
    assert NAME not in page
    assert PHONE not in page
    assert events("contact.view")[0]["object"]["label"] == contact.contact_no


def test_outsiders_find_no_contact(world: World, contact: Contact, signed_in: Any) -> None:
    for person in (world.outsider, world.other_supervisor):
        client = signed_in(person)
        assert client.get(url("detail", contact.pk)).status_code == 404
        assert client.get(url("edit", contact.pk)).status_code == 404
        assert client.post(url("status", contact.pk), {"status": "lost"}).status_code == 404
        reveal = client.post(url("reveal", contact.pk, "phone"), {"purpose": "P2"})
        assert reveal.status_code == 404
        assert PHONE not in text(reveal)


def test_a_value_is_shown_after_the_purpose_and_then_at_once(
    browser: Any, contact: Contact, events: Any
) -> None:
    asked = text(browser.post(url("reveal", contact.pk, "phone")))
    assert PHONE not in asked
    assert 'name="purpose"' in asked
    assert not events("reveal")
    shown = text(browser.post(url("reveal", contact.pk, "phone"), {"purpose": "P2"}))
    assert PHONE in shown
    assert "Reach the person" in shown
    assert NAME not in shown
    assert NAME in text(browser.post(url("reveal", contact.pk, "full_name")))
    name, phone = events("reveal")
    assert (phone["purpose"], phone["fields"]) == ("P2", ["phone"])
    assert (name["purpose"], name["fields"]) == ("P2", ["full_name"])


def test_codes_are_shown_as_words(world: World, browser: Any) -> None:
    contact = factories.contact(world.case, world.investigator, mode=["meal"], relation="friend")
    browser.post(url("reveal", contact.pk, "phone"), {"purpose": "P4"})
    assert "Shared meal" in text(browser.post(url("reveal", contact.pk, "mode")))
    assert "Friend" in text(browser.post(url("reveal", contact.pk, "relation")))


def test_an_unknown_purpose_or_field_opens_nothing(browser: Any, contact: Contact, events: Any) -> None:
    answer = text(browser.post(url("reveal", contact.pk, "phone"), {"purpose": "P8"}))
    assert "Choose one of the purposes" in answer
    assert PHONE not in answer
    assert browser.post(url("reveal", contact.pk, "level"), {"purpose": "P2"}).status_code == 404
    assert browser.get(url("reveal", contact.pk, "phone")).status_code == 405
    assert not events("reveal")


def test_the_purpose_can_be_changed(browser: Any, contact: Contact) -> None:
    browser.post(url("reveal", contact.pk, "phone"), {"purpose": "P2"})
    browser.post(url("ask_again", contact.pk))
    assert PHONE not in text(browser.post(url("reveal", contact.pk, "phone")))


def test_a_closed_class_stays_closed(world: World, contact: Contact, signed_in: Any) -> None:
    factories.grant(world.case, world.colleague, world.supervisor, CasePermission.REACH)
    client = signed_in(world.colleague)
    assert PHONE in text(client.post(url("reveal", contact.pk, "phone"), {"purpose": "P2"}))
    answer = client.post(url("reveal", contact.pk, "full_name"))
    assert answer.status_code == 200
    assert "Not in your grant" in text(answer)
    assert NAME not in text(answer)


# Correcting


def edit_form(client: Any, contact: Contact) -> dict[str, Any]:
    """What the page would send if it were saved as it is."""
    page = client.get(url("edit", contact.pk))
    form = page.context["form"]
    sent = {name: form[name].value() for name in form.fields}
    sent |= dict(page.context["tokens"]) | {"save": "1"}
    sent |= {"opened": "1"} if page.context["is_opened"] else {}
    return {name: value for name, value in sent.items() if value is not None}


def opened(client: Any, contact: Contact) -> dict[str, Any]:
    client.post(url("edit", contact.pk), {"purpose": "P4"})
    return edit_form(client, contact)


def test_without_a_purpose_only_plain_fields_are_corrected(
    world: World, browser: Any, contact: Contact, events: Any
) -> None:
    page = text(browser.get(url("edit", contact.pk)))
    assert NAME not in page
    assert not events("reveal")
    answer = browser.post(url("edit", contact.pk), edit_form(browser, contact) | {"frequency": "daily"})
    assert answer.status_code == 302
    assert values(world, contact, "frequency", "full_name") == {"frequency": "daily", "full_name": NAME}
    [event] = events("contact.change")
    assert event["fields"] == ["frequency"]


def test_opening_to_correct_asks_why_and_is_logged(browser: Any, contact: Contact, events: Any) -> None:
    asked = text(browser.post(url("edit", contact.pk), {"open": "1"}))
    assert 'name="purpose"' in asked
    assert NAME not in asked
    assert text(browser.post(url("edit", contact.pk), {"purpose": "P99"})).count(NAME) == 0
    page = text(browser.post(url("edit", contact.pk), {"purpose": "P4"}, follow=True))
    assert NAME in page
    assert "data-lit-until" in page
    assert events("reveal")[0]["purpose"] == "P4"


def test_only_changed_fields_are_saved(world: World, browser: Any, contact: Contact, events: Any) -> None:
    sent = opened(browser, contact) | {"phone": "100-0000-4498"}
    assert browser.post(url("edit", contact.pk), sent).status_code == 302
    assert values(world, contact, "phone", "full_name") == {"phone": "10000004498", "full_name": NAME}
    assert events("contact.change")[0]["fields"] == ["phone"]
    assert browser.post(url("edit", contact.pk), opened(browser, contact)).status_code == 302
    assert len(events("contact.change")) == 1


def test_others_changes_to_other_fields_stay(
    world: World, browser: Any, contact: Contact, signed_in: Any
) -> None:
    mine = opened(browser, contact)
    other = signed_in(world.supervisor)
    assert (
        other.post(url("edit", contact.pk), opened(other, contact) | {"full_name": "别人改的"}).status_code
        == 302
    )
    assert browser.post(url("edit", contact.pk), mine | {"phone": "10000004497"}).status_code == 302
    assert values(world, contact, "phone", "full_name") == {"phone": "10000004497", "full_name": "别人改的"}


def test_the_same_field_changed_twice_is_asked_about(
    world: World, browser: Any, contact: Contact, signed_in: Any
) -> None:
    mine = opened(browser, contact) | {"phone": "10000004497", "frequency": "once"}
    other = signed_in(world.supervisor)
    theirs = opened(other, contact) | {"phone": "10000004496", "protection": "mask"}
    assert other.post(url("edit", contact.pk), theirs).status_code == 302
    answer = browser.post(url("edit", contact.pk), mine)
    assert answer.status_code == 422
    assert "100****4496" in text(answer)
    assert "10000004497" in text(answer)
    assert values(world, contact, "phone", "frequency") == {"phone": "10000004496", "frequency": ""}
    again = mine | dict(answer.context["tokens"])
    assert browser.post(url("edit", contact.pk), again).status_code == 302
    assert values(world, contact, "phone", "frequency", "protection") == {
        "phone": "10000004497",
        "frequency": "once",
        "protection": "mask",
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"phone": "12"},
        {"full_name": ""},
        {"age_value": "200"},
        {"id_kind": "01", "id_number": "990101198805152138"},
        {"id_kind": "", "id_number": "990101198805152137"},
        {"first_contact_date": "2099-01-01"},
        {"level": "secondary"},
    ],
)
def test_bad_corrections_change_nothing(
    world: World, browser: Any, contact: Contact, changed: dict[str, str], events: Any
) -> None:
    answer = browser.post(url("edit", contact.pk), opened(browser, contact) | changed | {"town": "新镇"})
    assert answer.status_code == 422
    assert "新镇" in text(answer)
    assert not events("contact.change")
    assert values(world, contact, "phone", "full_name") == {"phone": PHONE, "full_name": NAME}


def test_fields_of_a_closed_class_are_not_in_the_form(world: World, contact: Contact, signed_in: Any) -> None:
    factories.grant(
        world.case,
        world.colleague,
        world.supervisor,
        CasePermission.CHANGE,
        CasePermission.REACH,
        purpose=Purpose.CONTACTS,
    )
    client = signed_in(world.colleague)
    sent = opened(client, contact)
    assert "phone" in sent
    assert "full_name" not in sent
    assert (
        client.post(url("edit", contact.pk), sent | {"full_name": "偷改", "town": "新镇"}).status_code == 302
    )
    assert values(world, contact, "full_name", "town") == {"full_name": NAME, "town": "新镇"}


def test_who_may_only_see_corrects_nothing(world: World, contact: Contact, signed_in: Any) -> None:
    factories.grant(world.case, world.colleague, world.supervisor, CasePermission.VIEW)
    client = signed_in(world.colleague)
    assert url("edit", contact.pk) not in text(client.get(url("detail", contact.pk)))
    assert client.post(url("edit", contact.pk), {"save": "1"}).status_code == 404
    assert client.post(url("status", contact.pk), {"status": "lost"}).status_code == 404


# The state of follow-up


def test_the_state_is_changed_and_logged(world: World, browser: Any, contact: Contact, events: Any) -> None:
    answer = browser.post(url("status", contact.pk), {"status": "under_observation"})
    assert answer.status_code == 302
    assert values(world, contact, "status") == {"status": "under_observation"}
    assert events("contact.change")[0]["fields"] == ["status"]


def test_an_ended_follow_up_is_not_changed_any_more(world: World, browser: Any, contact: Contact) -> None:
    browser.post(url("status", contact.pk), {"status": "released"})
    answer = browser.post(url("status", contact.pk), {"status": "under_observation"})
    assert answer.status_code == 422
    assert "has ended" in text(answer)
    assert values(world, contact, "status") == {"status": "released"}


def test_a_contact_becomes_a_case_that_the_person_sees(world: World, browser: Any, contact: Contact) -> None:
    for number in ("", "NO-SUCH-1", world.case.case_no):
        answer = browser.post(url("status", contact.pk), {"status": "case", "case_no": number})
        assert answer.status_code == 422
    case = factories.case(world.investigator, world.outbreak)
    assert (
        browser.post(url("status", contact.pk), {"status": "case", "case_no": case.case_no}).status_code
        == 302
    )
    assert values(world, contact, "status", "became_case_id") == {"status": "case", "became_case_id": case.pk}


def test_an_unknown_state_changes_nothing(world: World, browser: Any, contact: Contact) -> None:
    assert browser.post(url("status", contact.pk), {"status": "vanished"}).status_code == 422
    assert values(world, contact, "status") == {"status": "to_notify"}
