"""Single sign-on in a real browser: our policy lets it go to the provider, and the cookie comes back with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.access.oidc_provider import Provider
from tests.browser.person import Person
from tests.cast import World


def test_a_person_binds_the_account_and_signs_in_with_it(
    person: Callable[..., Person], world: World, provider: tuple[Provider, Any]
) -> None:
    idp, _ = provider
    someone = person(world.colleague)
    someone.go("/access/me/")
    someone.page.click("form[action$='/sso/bind/'] button")
    someone.page.wait_for_selector("form[action$='/sso/unbind/']")
    assert someone.path == "/access/me/"
    assert "From now on it signs you in." in someone.text
    someone.page.click("details.menu summary")
    with someone.page.expect_navigation():
        someone.page.click("details.menu form[action*='sign-out'] button")
    someone.go("/access/sign-in/?next=/audit/mine/")
    someone.page.click("text=Staff sign-on")
    someone.page.wait_for_url(lambda url: url.endswith("/audit/mine/"))
    assert "signed in" in someone.text
    someone.go("/access/me/")
    assert someone.flaws() == []
    # Only here is another host asked.
    assert idp.issuer in someone.asked
    someone.asked.remove(idp.issuer)


def test_the_page_that_refuses_is_whole(person: Callable[..., Person]) -> None:
    visitor = person()
    assert visitor.go("/access/sso/return/?state=forged&code=forged") == 403
    assert "Single sign-on did not work." in visitor.text
    assert visitor.flaws() == []
    visitor.speak("zh-hans")
    visitor.go("/access/sso/return/?state=forged&code=forged")
    assert "单点登录未成功" in visitor.text
