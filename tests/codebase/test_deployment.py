"""Deployment: what platforms read (Procfile, app.json, Dockerfile, compose.yaml) fits the code that it starts."""

from __future__ import annotations

import json
import os
import re
import shlex
import tomllib
from typing import Any

import yaml

from app.cli import VERSION, main
from app.settings import Settings, entries
from tests.codebase.sources import ROOT

OPERATING = (ROOT / "docs/operating.md").read_text()
VARIABLES = {entry.variable for entry in entries()}
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = ("release", "web", "worker")
FILES = (
    "Procfile", "app.json", ".python-version", "requirements.txt", "bin/post_compile", "Dockerfile", ".dockerignore",
    "compose.yaml",
)


def command_of(line: str) -> str:
    """The `headwater` command that a line of a platform's file starts; variables before it are settings."""
    words = shlex.split(line)
    while "=" in words[0]:
        assert words.pop(0).partition("=")[0] in VARIABLES
    assert words[:3] == ["python", "-m", "app.cli"], line
    (command,) = words[3:]
    return command


def python_version() -> str:
    return (ROOT / ".python-version").read_text().strip()


def test_the_procfile_starts_the_three_processes_and_web_listens_to_the_platforms_router() -> None:
    assert {process: command_of(line) for process, line in PROCFILE.items()} == {name: name for name in OURS}
    assert set(OURS) <= set(main.commands)
    assert "HOST=${HOST:-0.0.0.0}" in PROCFILE["web"]


def test_what_app_json_sets_are_settings_with_values_that_can_be_used() -> None:
    app = json.loads((ROOT / "app.json").read_text())
    assert set(app["env"]) <= VARIABLES
    values = {name: said["value"] for name, said in app["env"].items() if "value" in said}
    Settings(**values)
    assert set(app["formation"]) <= set(PROCFILE)
    assert app["buildpacks"] == [{"url": "heroku/python"}]


def test_every_file_says_the_same_python_and_the_project_allows_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    low, high = (tuple(map(int, bound.split("."))) for bound in re.findall(r"\d+\.\d+", project["requires-python"]))
    assert low <= tuple(map(int, python_version().split("."))) < high
    images = re.findall(r"^FROM python:([\d.]+)(?:-slim| AS packages)$", DOCKERFILE, re.MULTILINE)
    assert images == [python_version()] * 2


def test_the_command_says_the_projects_version_also_where_it_is_not_installed() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_a_platform_finds_exactly_one_lock_of_what_is_served() -> None:
    others = ("uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock", "pylock.toml", "environment.yml", "setup.py")
    assert [name for name in others if (ROOT / name).exists()] == []
    assert "COPY requirements.txt ./" in DOCKERFILE
    assert re.search(r"--require-hashes[\s\\]+--requirement requirements.txt", DOCKERFILE)


def test_image_and_slug_hold_only_what_serves() -> None:
    _, built, served = DOCKERFILE.split("\nFROM ")
    assert built.index("COPY . ./") < built.index("RUN python -m app.slim")
    assert "COPY --from=packages /packages /packages" in served
    hook = ROOT / "bin/post_compile"
    assert "exec python -m app.slim" in hook.read_text()
    assert os.access(hook, os.X_OK)


def test_the_image_starts_web_as_an_ordinary_user_and_can_be_asked_whether_it_lives() -> None:
    (command,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert command_of(shlex.join(json.loads(command))) == "web"
    (probe,) = re.findall(r"^ +CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    compile(json.loads(probe)[2], "the image's health check", "exec")
    assert DOCKERFILE.index("\nUSER headwater") < DOCKERFILE.index("\nCMD")
    for line in re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE):
        names = {word.partition("=")[0] for word in line.split()}
        assert {name for name in names if not name.startswith(("PYTHON", "PIP_", "PATH"))} <= VARIABLES
    assert {".git", ".venv", ".headwater"} <= set((ROOT / ".dockerignore").read_text().splitlines())


def test_the_compose_file_migrates_first_and_its_broker_loses_nothing_it_acknowledged() -> None:
    services = COMPOSE["services"]
    for name in OURS:
        assert command_of(services[name]["command"]) == name
        assert set(services[name]["environment"]) <= VARIABLES
    for name in ("web", "worker"):
        assert services[name]["depends_on"] == {"release": {"condition": "service_completed_successfully"}}
    broker = services["broker"]["command"]
    for said in ("--maxmemory-policy noeviction", "--appendonly yes", "--appendfsync always"):
        assert said in broker


def test_the_compose_file_says_urls_that_the_settings_take() -> None:
    said = {
        name: re.sub(r"\$\{\w+:?[-?]?([^}]*)\}", r"\1", str(value))
        for name, value in COMPOSE["services"]["worker"]["environment"].items()
    }
    settings = Settings(**said)
    assert settings.broker_url() == "redis://broker:6379"
    assert settings.database_address.startswith("postgresql://")


def test_both_ways_to_deploy_name_the_identity_provider_and_the_proxy() -> None:
    provider = {name for name in VARIABLES if name.startswith("HEADWATER_OIDC_")}
    said_by_compose = COMPOSE["services"]["web"]["environment"]
    said_by_app_json = json.loads((ROOT / "app.json").read_text())["env"]
    assert len(provider) == 5
    assert provider | {"HEADWATER_PROXIES"} <= set(said_by_compose) & set(said_by_app_json)
    for port in COMPOSE["services"]["web"]["ports"]:  # whoever reaches it is believed to be the proxy
        assert port.startswith("127.0.0.1:")
    settings = Settings(HEADWATER_PROXIES=re.sub(r"\$\{\w+:-(\d)\}", r"\1", said_by_compose["HEADWATER_PROXIES"]))
    assert settings.proxies == 1


def test_every_file_of_a_deployment_has_its_line_in_the_operators_document() -> None:
    assert [name for name in FILES if f"`{name}`" not in OPERATING] == []
    variables = ("PORT", "HOST", "WEB_CONCURRENCY", "REDIS_URL", "DATABASE_URL", "REDIS_TLS_VERIFY", "REDIS_TLS_CA")
    assert [name for name in variables if f"`{name}`" not in OPERATING] == []
