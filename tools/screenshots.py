"""Takes pictures of the main pages, as each role sees them, in both languages and three widths.

    make screenshots                                   # a fresh demo; pictures below ./screenshots
    make screenshots ARGS="FOLDER --only case --languages zh --widths 1440"
    make screenshots ARGS="FOLDER --url http://127.0.0.1:8000"     # a demo that runs already

Names say role, page, language, width: investigator-case-zh-1440.png. On a fresh demo a few acts come first, so that the
pages have something to show: two exports, a team, an emergency access, and access that is taken back.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page

from epicase import config
from epicase.config import BASE_DIR
from epicase.demo.published import PASSWORD
from tools import chromium

WIDTHS = {"1440": (1440, 900), "768": (768, 1024), "390": (390, 844)}
LANGUAGES = {"zh": "zh-hans", "en": "en"}
UUID = r"[0-9a-f]{8}-[0-9a-f-]{27}"
# What a place in an address stands for: whose list it is on, which list, and how its links look.
FOUND_ON = {
    "case": ("investigator", "/cases/", rf"/cases/({UUID})/$"),
    "contact": ("investigator", "/contacts/", rf"/contacts/({UUID})/$"),
    "outbreak": ("investigator", "/outbreaks/", rf"/outbreaks/({UUID})/$"),
    "built": ("investigator", "/disclosure/", rf"/disclosure/({UUID})/$"),
    "waiting": ("supervisor", "/disclosure/", rf"/disclosure/({UUID})/$"),
    "event": ("auditor", "/audit/", rf"event=({UUID})"),
    "request": ("supervisor", "/access/requests/", rf"/access/requests/({UUID})/$"),
    "team": ("supervisor", "/access/teams/", rf"/access/teams/({UUID})/$"),
    "review": ("supervisor", "/access/reviews/", rf"/access/reviews/({UUID})/$"),
    "account": ("secadmin", "/access/accounts/", rf"/access/accounts/({UUID})/$"),
    "district": ("secadmin", "/access/organisations/", r"/access/organisations/(\d+)/merge/$"),
}


@dataclass(frozen=True)
class Shot:
    """One page of one role; `then` brings it into the state to be shown."""

    role: str
    name: str
    path: str
    then: Callable[[Page], None] | None = None
    is_dark: bool = False


def _ask_purpose(page: Page) -> None:
    page.locator("[data-show]:visible").first.click()
    page.wait_for_selector("dialog:modal")


def _light(page: Page) -> None:
    """Show a value; the purpose is asked only once for each case."""
    page.locator("[data-show]:visible").first.click()
    page.wait_for_selector("dialog:modal, .lit")
    if page.locator("dialog:modal").count():
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        page.wait_for_selector(".lit")


def _send_empty(page: Page) -> None:
    page.locator("main form button.btn-primary, .page-head button.btn-primary").first.click()
    page.wait_for_selector("[data-error-summary]")


def _ask_why(page: Page) -> None:
    """Through the page that asks why, to the section opened for editing."""
    if page.locator("input[name=purpose]").count():
        page.locator("input[name=purpose]:not([disabled])").first.check()
        page.locator("main button[type=submit].btn-primary").first.click()
        page.wait_for_selector("main form")


def _key_help(page: Page) -> None:
    page.locator(".status-line [data-opens]").click()


def _preview_bulk(page: Page) -> None:
    """What access to three cases for a team would come to."""
    boxes = page.locator("input[name=case]")
    for position in range(3):
        boxes.nth(position).check()
    page.locator("form#pick button").click()
    page.wait_for_selector("#id_team")
    page.select_option("#id_team", index=1)
    page.select_option("#id_purpose", "P4")
    page.check("input[name=classes][value=reveal_reach]")
    page.check("input[name=lasts][value='7']")
    _look_ahead(page)


def _preview_stand_in(page: Page) -> None:
    page.select_option("#id_absent", index=1)
    page.select_option("#id_stand_in", index=2)
    page.fill("#id_last_day", f"{datetime.now(UTC) + timedelta(days=5):%Y-%m-%d}")
    _look_ahead(page)


def _look_ahead(page: Page) -> None:
    page.locator("main form .card-foot button").first.click()
    page.wait_for_selector("#preview")


SHOTS = (
    Shot("visitor", "sign-in", "/access/sign-in/"),
    Shot("visitor", "sign-in-dark", "/access/sign-in/", is_dark=True),
    Shot("investigator", "work", "/"),
    Shot("investigator", "cases", "/cases/"),
    Shot("investigator", "case", "/cases/{case}/"),
    Shot("investigator", "case-dark", "/cases/{case}/", is_dark=True),
    Shot("investigator", "case-purpose", "/cases/{case}/", _ask_purpose),
    Shot("investigator", "case-lit", "/cases/{case}/", _light),
    Shot("investigator", "case-lit-dark", "/cases/{case}/", _light, is_dark=True),
    Shot("investigator", "case-open", "/cases/open/"),
    Shot("investigator", "case-open-mistakes", "/cases/open/", _send_empty),
    Shot("investigator", "case-edit-why", "/cases/{case}/edit/identity/"),
    Shot("investigator", "case-edit", "/cases/{case}/edit/identity/", _ask_why),
    Shot("investigator", "movements", "/cases/{case}/movements/"),
    Shot("investigator", "contacts", "/contacts/"),
    Shot("investigator", "contacts-of-case", "/contacts/case/{case}/"),
    Shot("investigator", "contact", "/contacts/{contact}/"),
    Shot("investigator", "contact-add", "/contacts/case/{case}/add/"),
    Shot("investigator", "outbreaks", "/outbreaks/"),
    Shot("investigator", "outbreak", "/outbreaks/{outbreak}/"),
    Shot("investigator", "access", "/access/"),
    Shot("investigator", "exports", "/disclosure/"),
    Shot("investigator", "export-new", "/disclosure/new/"),
    Shot("investigator", "export-built", "/disclosure/{built}/"),
    Shot("investigator", "export-passphrase", "/disclosure/{built}/passphrase/"),
    Shot("investigator", "dictionary", "/dictionary/"),
    Shot("investigator", "mine", "/audit/mine/"),
    Shot("investigator", "keys", "/cases/", _key_help),
    Shot("investigator", "ask", "/access/ask/"),
    Shot("investigator", "requests", "/access/requests/"),
    Shot("investigator", "why", "/access/why/?case={case}"),
    Shot("investigator", "emergency", "/access/emergency/"),
    Shot("investigator", "tokens", "/access/tokens/"),
    Shot("investigator", "own-account", "/access/me/"),
    Shot("investigator", "password", "/access/me/password/"),
    Shot("investigator", "set-up", "/access/second-factor/set-up/"),
    Shot("investigator", "confirm", "/access/confirm/"),
    Shot("investigator", "pledge", "/access/me/pledge/"),
    Shot("investigator", "not-found", "/cases/00000000-0000-4000-8000-000000000000/"),
    Shot("supervisor", "work", "/"),
    Shot("supervisor", "cases", "/cases/"),
    Shot("supervisor", "case", "/cases/{case}/"),
    Shot("supervisor", "case-access", "/access/cases/{case}/"),
    Shot("supervisor", "grant", "/access/cases/{case}/?preset=interview"),
    Shot("supervisor", "grants", "/access/"),
    Shot("supervisor", "inbox", "/access/requests/"),
    Shot("supervisor", "request", "/access/requests/{request}/"),
    Shot("supervisor", "holders", "/access/holders/"),
    Shot("supervisor", "revocation", "/access/revocations/{revocation}/"),
    Shot("supervisor", "bulk", "/access/bulk/"),
    Shot("supervisor", "bulk-preview", "/cases/", _preview_bulk),
    Shot("supervisor", "teams", "/access/teams/"),
    Shot("supervisor", "team", "/access/teams/{team}/"),
    Shot("supervisor", "stand-ins", "/access/stand-ins/", _preview_stand_in),
    Shot("supervisor", "reviews", "/access/reviews/"),
    Shot("supervisor", "review", "/access/reviews/{review}/"),
    Shot("supervisor", "unused", "/access/unused/"),
    Shot("supervisor", "notices", "/access/notices/"),
    Shot("supervisor", "exports", "/disclosure/"),
    Shot("supervisor", "export-approval", "/disclosure/{waiting}/"),
    Shot("supervisor", "import", "/contacts/import/"),
    Shot("supervisor", "open-outbreak", "/outbreaks/open/"),
    Shot("auditor", "log", "/audit/"),
    Shot("auditor", "log-dark", "/audit/", is_dark=True),
    Shot("auditor", "event", "/audit/events/{event}/"),
    Shot("auditor", "case-trail", "/audit/case/{case}/"),
    Shot("auditor", "integrity", "/audit/integrity/"),
    Shot("auditor", "mine", "/audit/mine/"),
    Shot("auditor", "reviews", "/access/reviews/"),
    Shot("secadmin", "accounts", "/access/accounts/"),
    Shot("secadmin", "account", "/access/accounts/{account}/"),
    Shot("secadmin", "invite", "/access/accounts/invite/"),
    Shot("secadmin", "organisations", "/access/organisations/"),
    Shot("secadmin", "merge", "/access/organisations/{district}/merge/"),
    Shot("secadmin", "holders", "/access/holders/"),
    Shot("privacy", "start", "/audit/mine/"),
    Shot("partner", "start", "/audit/mine/"),
)


@dataclass
class Studio:
    """A browser in front of a demo: who is signed in in which language, and which record stands for which place."""

    browser: Browser
    url: str
    sessions: dict[tuple[str, str], BrowserContext] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)

    def person(self, role: str, language: str = "zh") -> BrowserContext:
        """The role's session in this language, signed in at first use."""
        if (role, language) not in self.sessions:
            context = self.browser.new_context(locale="zh-CN" if language == "zh" else "en-GB")
            context.set_default_timeout(10_000)
            page = context.new_page()
            page.goto(f"{self.url}/access/sign-in/")
            if role != "visitor":
                page.fill("#id_username", role)
                page.fill("#id_password", PASSWORD)
                page.keyboard.press("Enter")
                page.wait_for_url(lambda address: "/sign-in/" not in address)
            page.locator(f"button[name=language][value={LANGUAGES[language]}]:visible").first.click()
            page.wait_for_selector(f"html[lang={'zh-hans' if language == 'zh' else 'en'} i]")
            page.close()
            self.sessions[role, language] = context
        return self.sessions[role, language]

    def address(self, path: str) -> str:
        """The path with the places filled in; raises LookupError when the demo has no such record."""
        for place in re.findall(r"{(\w+)}", path):
            if place not in self.found:
                self.found[place] = self._find(place)
            path = path.replace(f"{{{place}}}", self.found[place])
        return self.url + path

    def _find(self, place: str) -> str:
        role, where, look = FOUND_ON[place]
        page = self.person(role).new_page()
        page.goto(self.url + where)
        links = page.eval_on_selector_all("main a[href]", "all => all.map(one => one.getAttribute('href'))")
        page.close()
        hits = [hit for link in links if (hit := re.search(look, link))]
        if not hits:
            raise LookupError(f"nothing on {where} for {place}")
        return hits[0].group(1)

    def take(self, shot: Shot, language: str, width: str, folder: Path) -> None:
        """Take one picture of the whole page."""
        page = self.person(shot.role, language).new_page()
        try:
            size = WIDTHS[width]
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.emulate_media(color_scheme="dark" if shot.is_dark else "light")
            answer = page.goto(self.address(shot.path))
            if answer and answer.status >= 400 and shot.name != "not-found":
                raise LookupError(f"{answer.status} for {shot.path}")
            if shot.then is not None:
                shot.then(page)
            _stretch(page, size)
            page.screenshot(path=folder / f"{shot.role}-{shot.name}-{language}-{width}.png")
        finally:
            page.close()


def _stretch(page: Page, size: tuple[int, int]) -> None:
    """Make the window as tall as the page, so that bars at its edges stand where they belong."""
    if not page.locator("dialog:modal").count():
        height = int(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": size[0], "height": min(max(height, size[1]), 6000)})
    page.wait_for_timeout(150)


def prepare_exports(studio: Studio) -> None:
    """Ask for two exports and approve the older one."""
    page = studio.person("investigator", "en").new_page()
    for recipient in ("Yunting City CDC", "Songlan District CDC"):
        page.goto(f"{studio.url}/disclosure/new/")
        page.fill("#id_recipient", recipient)
        page.locator("button[form=request]").click()
        page.wait_for_url(re.compile(rf"/disclosure/{UUID}/"))
        studio.found["waiting"] = page.url.rstrip("/").rsplit("/", 1)[1]
        studio.found.setdefault("built", studio.found["waiting"])
    approving = studio.person("supervisor", "en").new_page()
    approving.goto(f"{studio.url}/disclosure/{studio.found['built']}/")
    approving.locator("button[form=approve]").click()
    approving.wait_for_load_state()
    page.goto(f"{studio.url}/disclosure/{studio.found['built']}/")
    page.wait_for_selector("form[action$='/download/']", timeout=20_000)
    page.close()
    approving.close()


def prepare_access(studio: Studio) -> None:
    """A team of both investigators, a case shown and taken away again, and an emergency access to judge."""
    colleague, chief = (studio.person(role, "en").new_page() for role in ("investigator2", "supervisor"))
    _make_team(studio, chief)
    mine = studio.person("investigator", "en").new_page()
    mine.goto(f"{studio.url}/cases/")
    keys = mine.locator("td.key a")
    studio.found["case"] = _id_of(keys.first)
    number = keys.last.inner_text()
    colleague.goto(f"{studio.url}/cases/")
    shared_id = _id_of(colleague.locator("td.key a").first)
    _show_one(studio, colleague, shared_id)
    chief.goto(f"{studio.url}/access/cases/{shared_id}/")
    chief.locator("form:has(button[aria-label*='顾明'])").locator("button").click()
    chief.wait_for_url("**/access/revocations/**")
    studio.found["revocation"] = chief.url.rstrip("/").rsplit("/", 1)[1]
    colleague.goto(f"{studio.url}/access/emergency/")
    colleague.fill("#id_case_no", number)
    colleague.check("input[name=reason][value=unreachable]")
    if colleague.locator("#id_password").count():
        colleague.fill("#id_password", PASSWORD)
    colleague.check("#id_is_understood")
    colleague.locator("main form.card button[type=submit]").click()
    colleague.wait_for_url(re.compile(rf"/cases/{UUID}/"))
    _show_one(studio, colleague, colleague.url.rstrip("/").rsplit("/", 1)[1])
    for page in (colleague, chief, mine):
        page.close()


def _make_team(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.url}/access/teams/")
    page.fill("#id_name", "流调一组")
    page.locator("main form button.btn-primary").click()
    page.wait_for_url(re.compile(rf"/access/teams/{UUID}/"))
    for position in range(2):
        page.select_option("#id_person", index=position)
        page.locator("main form button.btn-primary").click()
        page.wait_for_load_state()


def _show_one(studio: Studio, page: Page, case_id: str) -> None:
    """Show the first value that the person may see, for the first purpose that they hold."""
    page.goto(f"{studio.url}/cases/{case_id}/")
    page.locator("[data-show]:visible").first.click()
    page.wait_for_selector("dialog:modal")
    page.locator("dialog:modal input[name=purpose]:not([disabled])").first.check()
    page.locator("dialog:modal button[type=submit]").click()
    page.wait_for_selector(".lit")


def _id_of(link: Locator) -> str:
    return str(link.get_attribute("href")).rstrip("/").rsplit("/", 1)[1]


@contextmanager
def demo() -> Iterator[str]:
    """A demo of its own on a free port, with data that go with it; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    state = tempfile.mkdtemp(prefix="epicase-pictures-", dir=config.state_dir().parent)
    Path(state).chmod(0o711)
    environment = {**os.environ, "EPICASE_STATE_DIR": state, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "manage.py", "demo", "--port", str(port)]
    running = subprocess.Popen(command, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        for line in running.stdout or ():
            print(line, end="")
            if "make demo-reset" in line:
                break
        else:
            raise SystemExit("screenshots: the demo did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()
        subprocess.run([*command[:3], "--reset"], cwd=BASE_DIR, env=environment, check=False)
        shutil.rmtree(state, ignore_errors=True)


def take_all(studio: Studio, wanted: argparse.Namespace) -> int:
    """Take every wanted picture; gives how many could not be taken."""
    failures = 0
    for shot in SHOTS:
        if wanted.only and not re.search(wanted.only, f"{shot.role}-{shot.name}"):
            continue
        for language in wanted.languages:
            for width in wanted.widths:
                try:
                    studio.take(shot, language, width, wanted.folder)
                except (Error, LookupError) as error:
                    failures += 1
                    words = str(error).splitlines()[0]
                    print(
                        f"  not taken: {shot.role}-{shot.name}-{language}-{width}: {words}", file=sys.stderr
                    )
    return failures


def main() -> int:
    reading = argparse.ArgumentParser(description="Take pictures of the main pages.")
    reading.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"))
    reading.add_argument("--url", help="a demo that runs already (default: start one)")
    reading.add_argument("--only", help="a pattern of role-page, for example 'case|auditor'")
    reading.add_argument("--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES))
    reading.add_argument("--widths", nargs="+", choices=WIDTHS, default=list(WIDTHS))
    wanted = reading.parse_args()
    executable = chromium.path()
    if executable is None:
        print("screenshots: no Chromium found; install one or name it in CHROMIUM", file=sys.stderr)
        return 2
    wanted.folder.mkdir(parents=True, exist_ok=True)
    if wanted.url:
        with chromium.started(executable) as browser:
            failures = take_all(Studio(browser, wanted.url.rstrip("/")), wanted)
    else:
        with demo() as url, chromium.started(executable) as browser:
            studio = Studio(browser, url)
            _prepared(studio)
            failures = take_all(studio, wanted)
    print(f"pictures: {len(list(wanted.folder.glob('*.png')))} in {wanted.folder}; not taken: {failures}")
    return 1 if failures else 0


def _prepared(studio: Studio) -> None:
    for prepare in (prepare_exports, prepare_access):
        try:
            prepare(studio)
        except Error as error:
            print(f"  {prepare.__name__} failed: {str(error).splitlines()[0]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
