"""The parts page in a real browser: axe finds nothing, the policy is kept, keys and countdown work."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders

from tests.frame import axe, pages

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; font-src 'self'"
)
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Handler(BaseHTTPRequestHandler):
    """Serves the parts page and static files, under the product's policy; no database behind it."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/static/"):
            found = Path(str(finders.find(path.removeprefix("/static/"))))
            self._answer(found.read_bytes(), TYPES[found.suffix])
        else:
            self._page()

    def do_POST(self) -> None:
        """A reveal: without a purpose the page that asks for it, with one the page with the value."""
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.path = "/parts/?lit=1" if b"purpose=" in sent else "/parts/?dialog=1"
        self._page()

    def _page(self) -> None:
        query = urlsplit(self.path).query
        language = "zh-hans" if "zh" in query else "en"
        cookies = {"epicase_theme": "dark"} if "dark" in query else {"epicase_theme": "light"}
        self._answer(pages.parts_page(f"?{query}", language, cookies).encode(), "text/html; charset=utf-8")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/parts/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium on this machine, and REQUIRE_BROWSER=1")
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser, site: str) -> Iterator[object]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.told, opened.asked = [], []
    opened.on("console", lambda message: opened.told.append(message.text))
    opened.on("pageerror", lambda error: opened.told.append(str(error)))
    opened.on("request", lambda request: opened.asked.append(urlsplit(request.url).netloc))
    yield opened
    # Chromium says so when a dialog that is open from the start takes the focus twice; it is no fault of the page.
    assert [text for text in opened.told if not text.startswith("Autofocus processing was blocked")] == []
    assert set(opened.asked) <= {urlsplit(site).netloc, ""}
    context.close()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("look", ["zh", "en", "zh&dark", "en&dark", "zh&dialog=1", "zh&dark&dialog=1"])
def test_axe_finds_nothing_and_nothing_overflows(page, site: str, look: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{site}?{look}")
    assert axe.violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_slash_goes_to_the_case_field_and_letters_do_not_act_in_it(page, site: str) -> None:
    page.goto(site)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "go"
    page.keyboard.type("j?")
    assert page.input_value("#go") == "j?"
    assert not page.is_visible("#key-help")


def test_the_key_list_opens_and_gives_the_focus_back(page, site: str) -> None:
    page.goto(site)
    page.focus(".status-line [data-opens]")
    page.keyboard.press("?")
    assert page.is_visible("#key-help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#key-help")
    assert page.evaluate("document.activeElement.matches('.status-line [data-opens]')")


def test_single_letters_switched_off_do_nothing(page, site: str) -> None:
    page.goto(site)
    page.keyboard.press("?")
    page.uncheck("[data-keys-switch]")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "go"
    page.reload()
    assert page.evaluate("document.cookie").count("epicase_keys=off") == 1


def test_j_and_k_walk_the_rows(page, site: str) -> None:
    page.goto(site)
    page.keyboard.press("j")
    assert page.inner_text("[data-rows] .selected .key a") == "YT-2026-0153"
    page.keyboard.press("k")
    page.keyboard.press("k")
    assert page.inner_text("[data-rows] .selected .key a") == "YT-2026-0151"


def test_a_lit_value_hides_on_h_and_says_so(page, site: str) -> None:
    page.goto(site)
    assert page.inner_text("#phone-2 .lit") == "100-0000-4471"
    assert page.inner_text("#spoken") == "phone shown"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("h")
    assert "100-0000-4471" not in page.inner_text("body")
    assert page.inner_text("#phone-2 .masked") == "100****4471"
    assert page.is_visible("#phone-2 [data-show]")


def test_a_lit_value_counts_down_and_hides_by_itself(page, site: str) -> None:
    page.clock.install()
    page.goto(site)
    page.clock.run_for(20_000)
    assert page.inner_text("#phone-2 .lit-left") == "hides in 28 s"
    page.clock.run_for(18_500)
    assert page.inner_text("#spoken") == "phone hides in 10 seconds"
    page.clock.run_for(10_000)
    assert page.inner_text("#phone-2 .masked") == "100****4471"
    assert page.inner_text("#spoken") == "phone hidden"


def test_the_focused_masked_value_is_shown_by_s(page, site: str) -> None:
    page.goto(site)
    page.focus("#phone-1 [data-show]")
    with page.expect_request(
        lambda request: request.method == "POST" and request.url.endswith("/reveal/")
    ) as asked:
        page.keyboard.press("s")
    assert asked.value.headers["hx-request"] == "true"


def test_digits_choose_in_the_dialog_and_nothing_is_lit_behind_it(page, site: str) -> None:
    page.goto(f"{site}?dialog=1")
    assert page.evaluate("document.querySelector('#purpose').matches(':modal')")
    assert "100-0000-4471" not in page.inner_text("body")
    page.keyboard.press("3")
    assert page.is_checked("#purpose input[value=P4]")
    page.keyboard.press("Escape")
    # The browser tells of a closed dialog a moment later.
    page.wait_for_function("document.activeElement.closest('.secret')?.id === 'phone-1'")


def test_showing_a_value_asks_for_the_purpose_then_lights_it(page, site: str) -> None:
    page.goto(site)
    page.focus("#phone-1 [data-show]")
    page.keyboard.press("s")
    page.wait_for_selector("#purpose:modal")
    assert page.inner_text("#phone-1 .masked") == "100****4471"
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    page.wait_for_selector("#phone-1 .lit")
    assert page.inner_text("#phone-1 .lit") == "100-0000-4472"
    assert page.locator("#dialogs dialog").count() == 0
    assert page.locator("#watermark svg").count() == 1
    assert page.inner_text("#spoken") == "phone shown"
    assert page.evaluate("document.activeElement.matches('#phone-1 [data-hide]')")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('#phone-1 [data-show]')")


def test_mistakes_take_the_focus_and_lead_to_their_field(page, site: str) -> None:
    page.goto(site)
    page.click(".error-summary a >> nth=0")
    assert page.evaluate("location.hash") == "#id_onset_date"


def test_the_theme_switch_is_kept(page, site: str) -> None:
    page.goto(site)
    page.click("details.menu summary")
    page.click("[data-theme-switch]")
    assert page.get_attribute("html", "data-bs-theme") == "dark"
    assert "epicase_theme=dark" in page.evaluate("document.cookie")


def test_nothing_is_left_in_the_browsers_storage(page, site: str) -> None:
    page.goto(site)
    page.evaluate("document.activeElement.blur()")
    page.focus("#phone-1 [data-show]")
    page.keyboard.press("s")
    page.wait_for_timeout(300)
    assert page.evaluate("localStorage.length") == 0
    # htmx notes the last path there: one more reason for no personal data in addresses.
    assert page.evaluate("Object.keys(sessionStorage)") in ([], ["htmx-current-path-for-history"])


def test_a_lit_value_is_not_printed_unless_the_print_is_on_the_log(page, site: str) -> None:
    page.goto(site)
    page.emulate_media(media="print")
    assert not page.is_visible("#phone-2 .lit")
    page.evaluate("document.body.dataset.printAudited = ''")
    assert page.is_visible("#phone-2 .lit")
    page.evaluate("delete document.body.dataset.printAudited; dispatchEvent(new Event('beforeprint'))")
    assert page.inner_text("#phone-2 .masked") == "100****4471"


def test_the_navigation_opens_on_a_phone_and_closes_with_escape(page, site: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site)
    assert not page.is_visible("#side")
    page.click(".top .nav-open")
    page.wait_for_selector("#side.show:not(.showing)")
    assert axe.violations(page) == []
    page.keyboard.press("Escape")
    page.wait_for_selector("#side", state="hidden")


def test_touch_targets_are_44_px_on_a_phone(page, site: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site)
    for selector in (".page-head .btn", ".nav-open >> nth=0", ".data.rows .act a >> nth=0", "#id_onset_date"):
        assert page.locator(selector).first.bounding_box()["height"] >= 44


def test_the_mark_covers_the_page_and_stops_no_click(page, site: str) -> None:
    page.goto(site)
    box = page.locator("#watermark svg").bounding_box()
    assert (box["width"], box["height"]) == (1440, 900)
    assert page.evaluate("getComputedStyle(document.querySelector('#watermark svg')).pointerEvents") == "none"
    page.emulate_media(media="print")
    assert page.is_visible("#watermark svg")
