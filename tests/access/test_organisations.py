"""The tree of organisations: a district that moves takes the sight of its cases along, at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from access import actions
from access.models import CaseGrant, Organisation, User
from cases.models import Case
from contacts.models import Contact
from tests import factories
from tests.security import raw

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def places(world: Any) -> dict[str, Any]:
    """A second city in a second province, and supervisors of both cities and provinces."""
    with factories.as_owner():
        province = factories.organisation("980000", "province", None, "邻省")
        city = factories.organisation("980100", "city", province, "邻市")
        return {
            "province": province,
            "city": city,
            "old_boss": factories.user("old_boss", "supervisor", world.city),
            "new_boss": factories.user("new_boss", "supervisor", city),
            "old_chief": factories.user("old_chief", "supervisor", world.province),
            "new_chief": factories.user("new_chief", "supervisor", province),
        }


def sees(client: Any, case: Case) -> int:
    return int(client.get(reverse("cases:detail", args=[case.pk])).status_code)


def change(client: Any, kind: str, place: Organisation, to: Organisation, **given: Any) -> Any:
    address = reverse(f"access:{kind}", args=[place.pk])
    return client.post(address, {"target": to.pk, "confirmed": "on", **given})


def now_of(place: Organisation) -> Organisation:
    with factories.as_owner():
        return Organisation.objects.get(pk=place.pk)


def test_the_tree_shows_people_and_no_number_of_cases(world: Any, signed_in: Any, events: Any) -> None:
    text = signed_in(world.secadmin).get(reverse("access:organisations")).content.decode()
    assert text.index("示例省") < text.index("示例市") < text.index("东区") < text.index("西区")
    assert events("organisation.view")[0]["counts"] == {"organisations": 4}


def test_a_moved_districts_cases_are_seen_from_the_new_city_at_once(
    world: Any, signed_in: Any, events: Any, places: dict[str, Any]
) -> None:
    old, new = signed_in(places["old_boss"]), signed_in(places["new_boss"])
    far_old, far_new = signed_in(places["old_chief"]), signed_in(places["new_chief"])
    own, grantee = signed_in(world.supervisor), signed_in(world.investigator)
    before = [sees(client, world.case) for client in (old, new, far_old, far_new, own, grantee)]
    assert before == [200, 404, 200, 404, 200, 200]
    assert change(signed_in(world.secadmin), "move", world.district, places["city"]).status_code == 302
    after = [sees(client, world.case) for client in (old, new, far_old, far_new, own, grantee)]
    assert after == [404, 200, 404, 200, 200, 200]
    assert raw.count(raw.person(places["old_boss"]), "cases_case") == 0
    assert raw.count(raw.person(places["new_boss"]), "cases_case") == 1
    (event,) = events("organisation.move")
    assert event["counts"] == {"people": 3, "cases": 1}
    assert event["extra"] == {"old_parent": world.city.pk, "new_parent": places["city"].pk}


def test_a_moved_city_takes_the_districts_below_it_along(
    world: Any, signed_in: Any, places: dict[str, Any]
) -> None:
    change(signed_in(world.secadmin), "move", world.city, places["province"])
    with factories.as_owner():
        case = Case.objects.get(pk=world.case.pk)
    assert (case.city_id, case.province_id) == (world.city.pk, places["province"].pk)
    assert sees(signed_in(places["old_chief"]), world.case) == 404
    assert sees(signed_in(places["new_chief"]), world.case) == 200


def test_grants_stay_and_the_new_supervisor_can_take_them_back(
    world: Any, signed_in: Any, places: dict[str, Any]
) -> None:
    factories.grant(world.case, world.outsider, world.supervisor)
    change(signed_in(world.secadmin), "move", world.district, places["city"])
    theirs = signed_in(world.outsider)
    assert sees(theirs, world.case) == 200
    assert raw.count(raw.person(places["new_boss"]), "access_casegrant") > 0
    address = reverse("access:revoke", args=[world.case.pk, world.outsider.pk])
    assert signed_in(places["old_boss"]).post(address).status_code == 404
    assert signed_in(places["new_boss"]).post(address).status_code == 302
    assert sees(theirs, world.case) == 404


def test_merged_districts_share_cases_contacts_and_people(world: Any, signed_in: Any, events: Any) -> None:
    contact = factories.contact(world.case, world.investigator)
    theirs = signed_in(world.investigator)
    held = raw.owner_rows("select count(*) from access_casegrant")[0][0]
    answer = change(signed_in(world.secadmin), "merge", world.district, world.other_district)
    assert answer.status_code == 302
    closed = now_of(world.district)
    assert closed.merged_into == world.other_district
    assert closed.closed_at
    with factories.as_owner():
        assert Case.objects.get(pk=world.case.pk).district == world.other_district
        assert Contact.objects.get(pk=contact.pk).responsible_org == world.other_district
        assert User.objects.get(pk=world.investigator.pk).organisation == world.other_district
        assert not User.objects.filter(organisation=world.district).exists()
        assert CaseGrant.objects.count() == held
    assert sees(theirs, world.case) == 200
    assert sees(signed_in(world.other_supervisor), world.case) == 200
    assert sees(signed_in(world.supervisor), world.case) == 200
    (event,) = events("organisation.merge")
    assert event["counts"] == {"people": 3, "cases": 1}
    assert event["extra"] == {"into": world.other_district.pk}


def test_teams_of_one_name_both_survive_a_merger(world: Any, signed_in: Any) -> None:
    for boss in (world.supervisor, world.other_supervisor):
        with factories.as_person(boss):
            actions.make_team("一组", by=boss)
    answer = change(signed_in(world.secadmin), "merge", world.district, world.other_district)
    assert answer.status_code == 302
    names = raw.owner_rows(
        "select name from access_team where organisation_id = %s order by name", [world.other_district.pk]
    )
    assert names == [("一组",), (f"一组 ({world.district.code})",)]


@pytest.mark.parametrize("kind", ["move", "merge"])
def test_first_the_figures_then_the_act(
    world: Any, signed_in: Any, places: dict[str, Any], kind: str
) -> None:
    to = places["city"] if kind == "move" else world.other_district
    answer = change(signed_in(world.secadmin), kind, world.district, to, confirmed="")
    assert answer.status_code == 200
    assert answer.context["weight"].people == 3
    assert answer.context["weight"].cases == 1
    place = now_of(world.district)
    assert (place.parent_id, place.closed_at) == (world.city.pk, None)


def test_wrong_targets_change_nothing(world: Any, signed_in: Any, places: dict[str, Any]) -> None:
    admin = signed_in(world.secadmin)
    wrong = [
        ("move", world.district, world.province),
        ("move", world.district, world.other_district),
        ("move", world.district, world.city),
        ("move", world.city, world.district),
        ("move", world.province, places["province"]),
        ("merge", world.district, world.district),
        ("merge", world.district, world.city),
        ("merge", world.city, places["city"]),
    ]
    for kind, place, to in wrong:
        assert change(admin, kind, place, to).status_code == 422, (kind, place, to)
        assert now_of(place).parent_id == place.parent_id
        assert now_of(place).closed_at is None


def test_a_closed_district_is_not_there_any_more(world: Any, signed_in: Any, places: dict[str, Any]) -> None:
    admin = signed_in(world.secadmin)
    change(admin, "merge", world.district, world.other_district)
    assert change(admin, "move", world.district, places["city"]).status_code == 404
    assert change(admin, "merge", world.other_district, world.district).status_code == 422


@pytest.mark.parametrize("role", ["investigator", "supervisor", "auditor", "privacy", "sysadmin", "partner"])
def test_no_other_role_moves_organisations(
    world: Any, signed_in: Any, places: dict[str, Any], role: str
) -> None:
    client = signed_in(world.people[role])
    assert client.get(reverse("access:organisations")).status_code == 403
    assert change(client, "move", world.district, places["city"]).status_code == 403
    statement = "update access_organisation set parent_id = parent_id"
    assert raw.run(raw.person(world.people[role]), statement) == raw.DENIED
    assert raw.run(raw.person(world.people[role]), f"select 1 from sec.weight({world.district.pk})") == 0


MOVE = "update access_organisation set parent_id = %s where id = %s"
MERGE = "update access_organisation set merged_into_id = %s, closed_at = now() where id = %s"


def test_the_database_refuses_circles_and_wrong_levels(world: Any, places: dict[str, Any]) -> None:
    me = raw.person(world.secadmin)
    district, city, province = world.district.pk, world.city.pk, world.province.pk
    for statement, to, place in (
        (MOVE, province, district),
        (MOVE, district, district),
        (MOVE, district, city),
        (MOVE, city, city),
        (MOVE, city, province),
        (MOVE, None, district),
        (MERGE, district, district),
        (MERGE, city, district),
        (MERGE, places["city"].pk, city),
    ):
        assert raw.run(me, statement, [to, place]) == raw.REFUSED, (statement, to, place)
    assert raw.run(raw.role("ep_secadmin"), MOVE, [places["city"].pk, district]) == raw.REFUSED
    assert raw.run(me, MOVE, [places["city"].pk, district]) == 1
    assert raw.run(me, MERGE, [world.other_district.pk, district]) == 1


def test_the_database_keeps_a_closed_district_closed(world: Any, signed_in: Any) -> None:
    change(signed_in(world.secadmin), "merge", world.district, world.other_district)
    me = raw.person(world.secadmin)
    opened = "update access_organisation set merged_into_id = null, closed_at = null where id = %s"
    assert raw.run(me, opened, [world.district.pk]) == raw.REFUSED
    back = "update access_user set organisation_id = %s where username = 'colleague'"
    assert raw.run(me, back, [world.district.pk]) == raw.REFUSED
    assert raw.run(me, back, [world.city.pk]) == 1


def test_an_invitation_into_a_merged_district_leads_to_the_survivor(world: Any, signed_in: Any) -> None:
    from tests.access.test_invitations import code_in, invite, use

    admin = signed_in(world.secadmin)
    code = code_in(invite(admin, world))
    change(admin, "merge", world.district, world.other_district)
    assert use(code).status_code == 302
    with factories.as_owner():
        assert User.objects.get(username="newcomer").organisation == world.other_district


def test_exports_that_wait_are_seen_from_the_new_city(
    world: Any, signed_in: Any, places: dict[str, Any], settings: Any, tmp_path: Any
) -> None:
    from disclosure import actions as export_actions

    with factories.as_person(world.investigator):
        export_actions.request_export(
            Case.objects.filter(pk=world.case.pk),
            ["case_no"],
            purpose="P8",
            recipient="x",
            use_until=timezone.localdate() + timedelta(days=7),
            by=world.investigator,
        )
    table = "disclosure_export"
    assert raw.count(raw.person(places["old_boss"]), table) == 1
    change(signed_in(world.secadmin), "move", world.district, places["city"])
    assert raw.count(raw.person(places["old_boss"]), table) == 0
    assert raw.count(raw.person(places["new_boss"]), table) == 1
