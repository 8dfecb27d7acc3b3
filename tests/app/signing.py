"""Signing in, for tests: an app that asks for it, accounts, and a client that went through the form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import requests
from flask.testing import FlaskClient

from app.factory import Web
from app.settings import Settings
from services.accounts.register import Register
from services.database import Database, migrate

PASSWORD = "correct horse battery"
HERE = "http://localhost"


def migrated(settings: Settings, **accounts: str) -> None:
    """Make an installation's database, with these accounts: name → roles."""
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_address)
    migrate(database)
    register = Register(database)
    for name, roles in accounts.items():
        register.add(name, PASSWORD, roles.split(), who="tests")
    database.close()


def asking(broker_url: str, folder: Path, **more: Any) -> Settings:
    """Settings of an installation on this machine that asks for sign-in."""
    return Settings(redis_url=broker_url, data=folder, sign_in=True, **more)


def word_of(client: FlaskClient, path: str = "/sign-in", base: str = HERE) -> str:
    """The word in the form that the page shows."""
    found = re.search(r'name="form" value="([^"]+)"', client.get(path, base_url=base).text)
    assert found, path
    return found[1]


def sign_in(client: FlaskClient, name: str, password: str = PASSWORD, *, base: str = HERE, **more: str) -> Any:
    """Go through the form."""
    said = {"form": word_of(client, base=base), "name": name, "password": password, **more}
    return client.post("/sign-in", data=said, base_url=base)


def signed_in(web: Web, name: str) -> FlaskClient:
    """A browser in which somebody is signed in."""
    client = web.server.test_client()
    answer = sign_in(client, name)
    assert answer.status_code == 303, answer.text
    return client


def browser(url: str, name: str) -> requests.Session:
    """Somebody who signed in to running web processes."""
    made = requests.Session()
    word = re.search(r'name="form" value="([^"]+)"', made.get(f"{url}/sign-in", timeout=10).text)
    assert word
    data = {"form": word[1], "name": name, "password": PASSWORD}
    answer = made.post(f"{url}/sign-in", data=data, timeout=10, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return made


def cookie(signed_in: requests.Session) -> dict[str, str]:
    """What it sends with each request to any of them."""
    return {"Cookie": f"headwater={signed_in.cookies['headwater']}"}
