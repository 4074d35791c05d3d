"""A person at a browser: every page they meet is watched, and may be measured."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests import factories
from tests.frame import axe

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Chromium writes every answer from 400 on into the console; these are the ones that tests ask for.
EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")

_SMALL = """() => [...document.querySelectorAll(
  ':is(table, ul, ol, dl, .card-head, .card-foot, .crumbs, .pager) :is(a, button, summary, input, select)'
)].filter(one => {
  const box = (one.closest('label') || one).getBoundingClientRect();
  if (!box.width || !box.height || !one.checkVisibility()) return false;
  const around = one.parentElement;
  const sentence = getComputedStyle(one).display === 'inline'
    && [...around.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  return box.height < 24 && !sentence;
}).map(one => `${one.closest('label, td, th, li, dd, div').className}: ${one.outerHTML.slice(0, 120)}`)
"""


@dataclass
class Person:
    """A signed-in person (or a visitor) in a browser of their own."""

    page: Any
    url: str
    user: Any = None
    has_switched: bool = False
    told: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(20_000)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.told.append(f"error: {error}"))
        self.page.on("request", lambda request: self._ask(request.url))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning") and not EXPECTED.match(message.text):
            self.told.append(message.text)

    def _ask(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob"):
            self.asked.add(f"{parts.scheme}://{parts.netloc}")

    def come_in(self, user: Any) -> None:
        """Signed in by the form's own address, without drawing its page; `test_sign_in` draws it."""
        asked, address = self.page.context.request, f"{self.url}/access/sign-in/"
        page = asked.get(address).text()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token, page
        words = {
            "username": user.username,
            "password": factories.PASSWORD,
            "csrfmiddlewaretoken": token.group(1),
        }
        answer = asked.post(address, form=words, headers={"Referer": address}, max_redirects=0)
        assert answer.status == 302, f"{user.username} could not sign in: {answer.status}"

    def sign_in(self, user: Any, password: str = factories.PASSWORD) -> None:
        """Through the page, as people do."""
        self.go("/access/sign-in/")
        self.page.fill("#id_username", user if isinstance(user, str) else user.username)
        self.page.fill("#id_password", password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "/sign-in/" not in url)

    def go(self, path: str) -> int:
        """Open an address of the product; gives the status."""
        answer = self.page.goto(path if path.startswith("http") else f"{self.url}{path}")
        return int(answer.status)

    def speak(self, language: str) -> None:
        """Switch the language by the switch on the page."""
        self.has_switched = True
        if self.page.url == "about:blank":
            self.go("/")
        with self.page.expect_navigation():
            self.page.locator(f"button[name=language][value={language}]:visible").first.click()

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def text(self) -> str:
        return str(self.page.inner_text("body"))

    def complaints(self) -> list[str]:
        """What the browser complained about, and other hosts it asked."""
        return self.told + [f"asked {host}" for host in self.asked if host != self.url]

    def flaws(self) -> list[str]:
        """What axe and the ruler find on this page, wide and on a phone. The page is spoilt afterwards."""
        found = []
        for size in (WIDE, PHONE):
            self.page.set_viewport_size(size)
            if self.overflows():
                found.append(f"{self.path} is wider than {size['width']} px: {self.widest()}")
            found += [f"{self.path} at {size['width']} px: {line}" for line in axe.violations(self.page)]
        self.page.set_viewport_size(WIDE)
        return found

    def overflows(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))

    def widest(self) -> str:
        """The elements that stick out, for the message."""
        return str(
            self.page.evaluate(
                "[...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right"
                " > innerWidth + 1).slice(0, 4).map(one => one.outerHTML.slice(0, 100)).join(' | ')"
            )
        )

    def small_targets(self) -> list[str]:
        """Links and controls of tables and lists under 24 px high (WCAG 2.2, 2.5.8); those within a sentence may be."""
        return list(self.page.evaluate(_SMALL))
