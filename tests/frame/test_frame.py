import re
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from django import forms
from django.template import Context, Template
from django.template.loader import get_template
from django.urls import NoReverseMatch
from django.utils import timezone, translation

from access import context_processors, navigation
from access.templatetags import frame as tags
from tests.frame import pages


class Shut:
    masked = "•••"
    is_open_to_me = False


class Open:
    masked = "100****4471"
    is_open_to_me = True


def _drawn(source: str, **context: object) -> str:
    with translation.override("en"):
        return Template(source).render(Context(context))


@pytest.fixture
def addresses(monkeypatch) -> set[str]:
    """The addresses that exist in this test: the navigation asks for them by name."""
    known = {"cases:work", "cases:list", "audit:mine", "audit:log"}

    def reverse(name: str) -> str:
        if name not in known:
            raise NoReverseMatch(name)
        return "/" if name == "cases:work" else f"/{name.replace(':', '/')}/"

    monkeypatch.setattr(navigation, "reverse", reverse)
    return known


def test_the_navigation_is_the_roles_and_leaves_out_what_does_not_exist(addresses: set[str]) -> None:
    groups = navigation.for_person(SimpleNamespace(role="investigator"), "/cases/list/")
    assert [link.url for group in groups for link in group.links] == ["/", "/cases/list/", "/audit/mine/"]
    assert [link.is_here for group in groups for link in group.links] == [False, True, False]


@pytest.mark.parametrize(
    ("path", "marked"), [("/access/bulk/", 1), ("/access/me/", 0), ("/access/notices/", 0)]
)
def test_pages_about_oneself_are_no_part_of_the_grants(path: str, marked: int) -> None:
    groups = navigation.for_person(SimpleNamespace(role="investigator", is_supervisor=False), path)
    assert sum(link.is_here for group in groups for link in group.links) == marked


def test_an_auditor_is_not_offered_cases(addresses: set[str]) -> None:
    groups = navigation.for_person(SimpleNamespace(role="auditor"), "/")
    assert "/cases/list/" not in [link.url for group in groups for link in group.links]
    assert "/audit/log/" in [link.url for group in groups for link in group.links]


def test_what_waits_stands_behind_its_entry(addresses: set[str], monkeypatch) -> None:
    monkeypatch.setattr(
        navigation, "_counters", {"cases:list": lambda person: navigation.Count("3 late", is_late=True)}
    )
    groups = navigation.for_person(SimpleNamespace(role="investigator"), "/")
    assert groups[0].links[1].count == navigation.Count("3 late", is_late=True)
    assert groups[0].links[0].count is None


def test_a_date_says_its_year_when_it_is_not_this_one(settings) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    year = timezone.localdate().year
    now = datetime(year, 6, 1, 18, 5, 9, tzinfo=UTC)  # 02:05 of the next day, local time
    drawn = _drawn(
        "{{ then|day }} {{ now|day }} {{ now|moment }} {{ past|moment }} {{ now|exact_moment }}{{ no|day }}",
        then=date(2015, 5, 20),
        now=now,
        past=now.replace(year=2015),
        no=None,
    )
    assert drawn == "2015-05-20 06-02 06-02 02:05 2015-06-02 02:05 06-02 02:05:09"


def test_the_sign_in_page_says_how_long_a_session_waits(settings) -> None:
    settings.SESSION_IDLE_SECONDS = 7200
    assert context_processors.Frame(pages.request()).idle_minutes == 120
    assert "frame.idle_minutes" in get_template("registration/login.html").template.source


def test_the_language_switch_never_leads_to_another_host() -> None:
    asked = pages.request("/cases/?state=new")
    assert context_processors.Frame(asked).here == "/cases/?state=new"
    for came_from, leads_to in [("http://evil.example/cases/", "/"), ("http://testserver/cases/", "/cases/")]:
        asked = pages.request("/cases/1/reveal/")
        asked.method = "POST"
        asked.META["HTTP_REFERER"] = came_from
        assert context_processors.Frame(asked).here == leads_to


def test_single_letters_can_be_switched_off() -> None:
    assert context_processors.Frame(pages.request(role="investigator")).keys_on
    assert not context_processors.Frame(
        pages.request(role="investigator", cookies={"epicase_keys": "off"})
    ).keys_on


def test_a_strange_theme_cookie_is_not_drawn() -> None:
    assert context_processors.Frame(pages.request(cookies={"epicase_theme": "dark"})).theme == "dark"
    assert context_processors.Frame(pages.request(cookies={"epicase_theme": '"><b>'})).theme == ""


@pytest.mark.parametrize(
    ("value", "says"),
    [(Open(), "100****4471"), (Shut(), "Not in your grant"), (None, "Not collected"), ("", "Not collected")],
)
def test_a_protected_value_says_its_state(value: object, says: str) -> None:
    drawn = _drawn('{% secret value "phone" "phone" "/reveal/" %}', value=value)
    assert says in drawn
    assert ("data-show" in drawn) is isinstance(value, Open)


def test_a_value_not_granted_shows_no_mask() -> None:
    assert "•" not in _drawn('{% secret value "phone" "phone" "/reveal/" %}', value=Shut())


def test_a_lit_value_keeps_its_mask_for_hiding() -> None:
    drawn = _drawn('{% secret value "phone" "phone" "/reveal/" lit="100-0000-4471" %}', value=Open())
    assert "100-0000-4471" in drawn
    assert 'data-lit="60"' in drawn
    assert drawn.index("<template data-masked>") < drawn.index("100****4471")


def test_what_people_typed_is_escaped() -> None:
    drawn = _drawn(
        '{% secret value "n" "name" "/r/" lit=typed %}{% empty typed typed %}',
        value=Open(),
        typed="<b>王</b>",
    )
    assert "<b>王" not in drawn


def test_a_visitors_page_has_no_mark() -> None:
    frame = pages.NobodysFrame(pages.request())
    assert "<svg" not in _drawn("{% watermark %}", frame=frame)


def test_the_mark_names_who_looks_and_the_trace_code_of_the_answer(monkeypatch) -> None:
    from audit import trail

    monkeypatch.setattr(trail, "trace_code", lambda: "7QK4-M2XD-9HTB-3WVE")
    frame = context_processors.Frame(pages.request(role="investigator"))
    drawn = _drawn("{% watermark %}", frame=frame)
    assert "沈知远" in drawn
    assert "7QK4-M2XD-9HTB-3WVE" in drawn
    assert "style=" not in drawn


def test_a_field_tells_its_hint_and_mistake_to_screen_readers() -> None:
    class Form(forms.Form):
        onset = forms.DateField(help_text="The first day.")

    form = Form({"onset": "x"})
    drawn = _drawn("{% error_summary form %}{{ form }}", form=form)
    assert 'aria-invalid="true"' in drawn
    assert 'aria-describedby="id_onset_helptext id_onset_error"' in drawn
    assert 'id="id_onset_helptext"' in drawn
    assert 'id="id_onset_error"' in drawn
    assert 'href="#id_onset"' in drawn


def test_days_count_today_as_under_way() -> None:
    assert tags.days(3, 7)["boxes"] == ["done"] * 3 + ["now"] + [""] * 3
    assert tags.days(7, 7)["number"] == 7


def test_not_found_and_not_granted_are_the_same_bytes() -> None:
    assert pages.draw("404.html", role="investigator") == pages.draw(
        "404.html", {"exception": "x"}, role="investigator"
    )
    assert "csrf" not in pages.draw("404.html", role="investigator")


@pytest.mark.parametrize("template", ["500.html", "503.html"])
def test_fault_pages_need_nothing_and_speak_both_languages(template: str) -> None:
    drawn = pages.draw(template)
    assert drawn == pages.draw(template, language="zh-hans", role="auditor")
    assert 'lang="zh-Hans"' in drawn
    assert 'lang="en"' in drawn
    assert "{" not in drawn


@pytest.mark.parametrize("template", ["400.html", "403.html", "403_csrf.html", "404.html", "429.html"])
def test_refusals_are_in_the_readers_language(template: str) -> None:
    assert pages.draw(template, language="en") != pages.draw(template, language="zh-hans")


def test_the_navigation_offers_nothing_that_the_role_may_not_open() -> None:
    from access.roles import may

    for role, groups in navigation.NAVIGATION.items():
        for entry in (entry for _, entries in groups for entry in entries):
            assert may(role, entry.permission), (role, entry.url_name)


def test_every_template_compiles() -> None:
    root = Path(__file__).resolve().parents[2] / "templates"
    for path in sorted(root.rglob("*.html")):
        get_template(str(path.relative_to(root)))


def test_no_template_names_a_class_that_no_sheet_has() -> None:
    root = Path(__file__).resolve().parents[2]
    sheets = [root / "static/epicase.css", *root.glob("static/vendor/bootstrap/*/bootstrap.min.css")]
    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", "".join(sheet.read_text("utf-8") for sheet in sheets)))
    for path in sorted((root / "templates").rglob("*.html")):
        for names in re.findall(r'class="([^"]*)"', path.read_text("utf-8")):
            plain = re.sub(r"\S*{{.*?}}\S*", " ", re.sub(r"{%.*?%}", " ", names))
            assert set(plain.split()) <= known, (path.name, set(plain.split()) - known)
