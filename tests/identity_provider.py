"""An identity provider for tests: Canaille, whole, in a thread of this process, with its people in memory."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from werkzeug.serving import make_server

CLIENT, SECRET, PASSWORD = "headwater", "a secret of the provider", "correct horse battery"
TIMEOUT_S = 20


class IdentityProvider:
    """A running provider; `issuer` is what it calls itself, `people` may sign in there."""

    def __init__(self, redirect: str, people: dict[str, list[str]]) -> None:
        self.app = _canaille()
        self._server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        with self.app.app_context():
            self._fill(redirect, people)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _fill(self, redirect: str, people: dict[str, list[str]]) -> None:
        from canaille.app import models
        from canaille.backends import Backend

        made: dict[str, list[Any]] = {}
        for name, groups in people.items():
            person = models.User(
                user_name=name, formatted_name=name, family_name=name, display_name=name,
                emails=[f"{name}@example.com"], password=PASSWORD,
            )  # fmt: skip
            Backend.instance.save(person)
            for group in groups:
                made.setdefault(group, []).append(person)
        for name, members in made.items():
            Backend.instance.save(models.Group(display_name=name, members=members))
        known = {
            "client_uri": "http://127.0.0.1", "redirect_uris": [redirect], "grant_types": ["authorization_code"],
            "response_types": ["code"], "scope": ["openid", "profile", "email", "groups"],
            "token_endpoint_auth_method": "client_secret_basic",
        }  # fmt: skip
        for name in (CLIENT, "another"):
            client = models.Client(client_id=name, client_secret=SECRET, client_name=name, **known)
            Backend.instance.save(client)
            client.audience = [client]
            Backend.instance.save(client)

    def sign_in(self, url: str, name: str, password: str = PASSWORD) -> str:
        """Go through its pages, as a browser does; returns where it leads back to."""
        self._forget_codes()
        with requests.Session() as browser:
            answer = browser.get(url, timeout=TIMEOUT_S)
            for said in ({"login": name}, {"password": password}):
                word = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text)
                assert word, answer.text
                data = {**said, "csrf_token": word[1]}
                answer = browser.post(answer.url, data=data, timeout=TIMEOUT_S, allow_redirects=False)
                leads = requests.compat.urljoin(answer.url, answer.headers["Location"])  # type: ignore[attr-defined]
                answer = browser.get(leads, timeout=TIMEOUT_S, allow_redirects=False)
            back = answer.headers["Location"]
            assert isinstance(back, str)
            return back

    def _forget_codes(self) -> None:
        """With several codes that nobody took, its memory may find another one than is asked for."""
        from canaille.app import models
        from canaille.backends import Backend

        with self.app.app_context():
            for code in Backend.instance.query(models.AuthorizationCode):
                Backend.instance.delete(code)

    def audience(self, name: str) -> None:
        """From now on its tokens for us are meant for this client."""
        from canaille.app import models
        from canaille.backends import Backend

        with self.app.app_context():
            ours = Backend.instance.get(models.Client, client_id=CLIENT)
            ours.audience = [Backend.instance.get(models.Client, client_id=name)]
            Backend.instance.save(ours)

    def groups(self, name: str, members: list[str]) -> None:
        """Who is in that group now."""
        from canaille.app import models
        from canaille.backends import Backend

        with self.app.app_context():
            group = Backend.instance.get(models.Group, display_name=name)
            group.members = [Backend.instance.get(models.User, user_name=one) for one in members]
            Backend.instance.save(group)


@contextmanager
def identity_provider(redirect: str, **people: list[str]) -> Iterator[IdentityProvider]:
    """A provider until the block ends: name → groups."""
    made = IdentityProvider(redirect, people)
    try:
        yield made
    finally:
        made.stop()


def _canaille() -> Any:
    from canaille import create_app
    from canaille.backends.memory.backend import MemoryBackend
    from joserfc.jwk import RSAKey

    core = {"ENABLE_REGISTRATION": False, "SMTP": None, "LOGGING": {"version": 1, "disable_existing_loggers": False}}
    key = RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)
    settings = {
        "SECRET_KEY": "x" * 32, "PREFERRED_URL_SCHEME": "http", "CANAILLE": core, "CANAILLE_SQL": None,
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [key]},
    }  # fmt: skip
    made = create_app(settings, backend=MemoryBackend({}))
    from canaille.oidc.provider import JWTClientAuth, authorization

    # Without a SERVER_NAME it does not register this way, and asks for it all the same: a client with a wrong secret
    # would get 500 instead of invalid_client.
    authorization.register_client_auth_method(JWTClientAuth.CLIENT_AUTH_METHOD, lambda *_: None)
    return made
