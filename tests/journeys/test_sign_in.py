"""Signing in and out in a browser: by password and by an identity provider, each failure, and what the page says."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from app.provider_sign_in import STALE
from app.settings import Settings
from app.sign_in import EXPIRED, WRONG
from app.transport import WARNING
from services.accounts.attempts import PER_ACCOUNT, Attempts
from services.broker import Broker
from tests.app.signing import PASSWORD, migrated
from tests.identity_provider import CLIENT, SECRET, IdentityProvider, identity_provider
from tests.installation import Installation
from tests.journeys.axe import faults
from tests.journeys.browser import Viewer
from tests.ports import free_port
from tests.waiting import wait_until

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
SCHEME = "prefers-color-scheme"
OVERFLOW = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = """
const controls = [...document.querySelectorAll('input:not([type=hidden]), button, .button')];
return controls.map((one) => one.offsetHeight).filter((height) => height < 40);
"""
FORM_WORD = "headwater-form"


class Site(Installation):
    """The demo's web process, asking for sign-in, with an identity provider, which is another site to a browser."""

    program = "app.cli"
    provider: IdentityProvider

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        self.broker.start()
        migrated(Settings(data=self.folder / "data"), ann="desk", bob="desk", carl="")
        self.start_process("web", more={
            "HEADWATER_SIGN_IN": "1", "HEADWATER_OIDC_ISSUER": self.provider.issuer,
            "HEADWATER_OIDC_CLIENT_ID": CLIENT, "HEADWATER_OIDC_CLIENT_SECRET": SECRET,
        })  # fmt: skip
        wait_until(lambda: self.status("/healthz") == 200, what="the web process")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"), web_processes=1, forked=True)
    with identity_provider(f"{made.url}/sign-in/oidc/back", eve=[], ann=[]) as made.provider:
        made.start()
        yield made
        made.stop()


@pytest.fixture
def person(viewer: Viewer) -> Iterator[Viewer]:
    """A browser that nobody is signed in with, anywhere."""
    viewer.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    yield viewer
    viewer.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    viewer.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def path(person: Viewer) -> str:
    found: str = person.run("return location.pathname + location.search")
    return found


def said(person: Viewer) -> str:
    return person.text(".said")


def send(person: Viewer, *words: str) -> None:
    """Type into where the focus is and, from one field to the next, by the keyboard; Enter at the end."""
    for number, word in enumerate(words):
        field = person.driver.switch_to.active_element
        field.send_keys(word, Keys.TAB if number + 1 < len(words) else Keys.ENTER)


def is_drawn(person: Viewer) -> bool:
    """A page with values, not one of these."""
    return bool(person.run("return document.querySelector('[data-page]') !== null"))


def assert_fit_for_everybody(person: Viewer, state: str) -> None:
    """axe finds nothing in light or dark; a phone shows it whole, with one `h1`."""
    for scheme in ("light", "dark"):
        features = [{"name": SCHEME, "value": scheme}]
        person.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        assert faults(person) == [], (state, scheme)
    person.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    assert person.run(OVERFLOW) <= 0, state
    assert person.run(SMALL) == [], (state, "large enough for a finger")
    person.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_who_types_wrongly_is_told_and_then_comes_to_where_he_wanted_and_out_again(site: Site, person: Viewer) -> None:
    person.driver.get(f"{site.url}/signals?paused=1")
    assert path(person) == "/sign-in?next=/signals%3Fpaused%3D1"
    assert_fit_for_everybody(person, "the form")
    send(person, "ann", "not the password")
    wait_until(lambda: said(person) == WRONG, what="that something is wrong")
    assert person.run("return document.activeElement.id") == "password", "the name stands there already"
    assert_fit_for_everybody(person, "wrong")
    send(person, PASSWORD)
    wait_until(lambda: is_drawn(person), what="the page")
    assert path(person) == "/signals?paused=1"
    account = person.driver.find_element(By.CSS_SELECTOR, "a.account")
    assert account.text == "ann"
    account.click()
    wait_until(lambda: person.text("h1") == "Your account", what="the account's page")
    assert person.run("return [...document.querySelectorAll('dd')].map((one) => one.textContent)") == ["ann", "desk"]
    assert_fit_for_everybody(person, "account")
    person.driver.find_element(By.CSS_SELECTOR, "button").click()
    wait_until(lambda: said(person) == "You are signed out.", what="that it is over")
    assert_fit_for_everybody(person, "signed out")
    person.driver.back()
    person.driver.back()
    wait_until(lambda: path(person).startswith("/sign-in"), what="back shows nothing that was seen before")


def test_who_has_no_role_is_told_what_to_do(site: Site, person: Viewer) -> None:
    person.driver.get(f"{site.url}/sign-in")
    send(person, "carl", PASSWORD)
    wait_until(lambda: person.text("h1") == "Your account", what="the account's page: there is no other for him")
    assert "none: ask an administrator for one" in person.text("dl")
    assert_fit_for_everybody(person, "no role")


def test_too_many_attempts_and_a_form_that_is_too_old_say_so(site: Site, person: Viewer) -> None:
    person.driver.get(f"{site.url}/sign-in?next=/signals")
    person.driver.delete_cookie(FORM_WORD)
    send(person, "bob", PASSWORD)
    wait_until(lambda: said(person) == EXPIRED, what="that the form is too old")
    assert_fit_for_everybody(person, "expired")
    broker = Broker(site.broker.url)
    for _ in range(PER_ACCOUNT):
        Attempts(broker).wait_s("bob", "127.0.0.1")
    broker.close()
    send(person, PASSWORD)
    wait_until(lambda: said(person).startswith("Too many attempts. Try again in 1"), what="that it is too much")
    assert_fit_for_everybody(person, "too many attempts")
    assert person.run("return document.querySelector('[name=next]').value") == "/signals", "and goes on to there later"


def sign_in_there(person: Viewer, name: str) -> None:
    """Follow the button, and go through the provider's own pages."""
    person.driver.find_element(By.LINK_TEXT, "Sign in with 127.0.0.1").click()
    for field, word in (("login", name), ("password", PASSWORD)):
        wait_until(lambda field=field: person.driver.find_elements(By.NAME, field), what=f"its {field}")  # type: ignore[misc]
        person.driver.find_element(By.NAME, field).send_keys(word, Keys.ENTER)


def test_an_identity_provider_signs_in_and_out_across_sites(site: Site, person: Viewer) -> None:
    person.driver.get(f"{site.url}/sign-in?next=/status")
    sign_in_there(person, "eve")
    wait_until(lambda: person.run("return location.host") == f"localhost:{site.port}", what="our own site again")
    assert path(person) == "/status"
    person.driver.get(f"{site.url}/sign-out")
    assert "eve" in person.text("dl")
    person.driver.find_element(By.CSS_SELECTOR, "button").click()
    wait_until(lambda: said(person) == "You are signed out.", what="that it is over")
    assert_fit_for_everybody(person, "signed out, with the way out there")
    person.driver.find_element(By.LINK_TEXT, "Sign out there too").click()
    wait_until(lambda: person.run("return location.origin + '/'") == site.provider.issuer, what="the provider's page")


def test_what_fails_at_the_provider_says_why_and_leaves_the_other_way_open(site: Site, person: Viewer) -> None:
    person.driver.get(f"{site.url}/sign-in")
    sign_in_there(person, "ann")
    wait_until(lambda: "another account" in said(person), what="that the name is somebody else's")
    assert_fit_for_everybody(person, "a name that is taken")
    person.driver.get(f"{site.url}/sign-in/oidc/back?state=of-yesterday&code=x")
    assert said(person) == STALE
    assert_fit_for_everybody(person, "stale")
    person.driver.get(f"{site.url}/sign-in/oidc/back?state={state_asked_for(site, person)}&error=access_denied")
    assert "did not let you in" in said(person)
    assert_fit_for_everybody(person, "refused there")
    assert person.driver.find_element(By.ID, "password").is_displayed()


def state_asked_for(site: Site, person: Viewer) -> str:
    """The state of a sign-in that this browser begins; the provider's answer to it is the test's."""
    held = {one["name"]: one["value"] for one in person.driver.get_cookies()}
    answer = requests.get(f"{site.url}/sign-in/oidc", cookies=held, allow_redirects=False, timeout=10)
    return parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]


def test_a_private_network_without_encryption_is_told_on_every_page(site: Site, person: Viewer) -> None:
    port = free_port()
    site.start_process("web", name="insecure", port=port, more={"HEADWATER_INSECURE": "1", "HEADWATER_SIGN_IN": "1"})
    try:
        wait_until(lambda: site.status("/healthz", port) == 200, what="the web process")
        url = f"http://localhost:{port}"
        for shown in ("/sign-in", "/status"):
            person.driver.get(url + shown)
            assert_warned(person, shown)
        person.driver.get(f"{url}/sign-in")
        send(person, "ann", PASSWORD)
        wait_until(lambda: is_drawn(person), what="the first page")
        paths = person.run("return [...document.querySelectorAll('#navigation a')].map((one) => one.pathname)")
        assert len(paths) >= 3
        for shown in paths:
            person.open(url + shown)
            wait_until(lambda: person.run("return document.querySelector('#early') === null"), what=shown)
            assert_warned(person, shown)
        person.driver.get(f"{url}/sign-out")
        assert_warned(person, "/sign-out")
    finally:
        person.leave()
        site.end_process("insecure", 15)


def assert_warned(person: Viewer, shown: str) -> None:
    """The warning stands above all else, whole, in the page's full width."""
    assert person.text(".insecure") == WARNING, shown
    top, left, width = person.run(
        "const { top, left, width } = document.querySelector('.insecure').getBoundingClientRect();"
        "return [top, left, width - document.documentElement.clientWidth]"
    )
    assert (top, left, width) == (0, 0, 0), shown
    assert faults(person) == [], shown
