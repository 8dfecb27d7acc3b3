"""The whole loop on a new project, by the commands that people type: from its questions to its change requests."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from tests.app.running import Running, headwater, running
from tests.app.signing import PASSWORD, browser
from tests.sources.scripted_http import ScriptedHttp
from tests.waiting import wait_until

KEY = "a-key-that-was-issued-for-staging"
ANSWERS = {
    "sources": "orders=push@1, stock=poll@1", "roles": "desk,wall", "peak_events_per_s": "10", "viewers": "4",
    "too_late_s": "2", "lag_s": "5",
}  # fmt: skip
"""One source that pushes, and one that is asked."""
SIGNED = ("--provider", "Ada", "--client", "Grace")
MINUTES_S = 240.0
"""So long an acceptance may take: most of it is waiting for silence to be told."""


def commanded(folder: Path, *arguments: str, data: str = "staging", **more: Any) -> subprocess.CompletedProcess[str]:
    """A command in the project's folder, in the environment that its settings say; `data` is whose records it reads."""
    return headwater(*arguments, cwd=folder, **variables(folder, data), **more)


def variables(folder: Path, data: str = "staging") -> dict[str, str]:
    lines = [line for line in (folder / "settings.env").read_text().splitlines() if line and line[0] != "#"]
    return {**dict(line.split("=", 1) for line in lines), "HEADWATER_DATA": str(folder.parent / data)}


def edited(path: Path, before: str, after: str) -> None:
    """As a person changes a file by hand."""
    text = path.read_text()
    assert before in text, f"{before!r} in {path}"
    path.write_text(text.replace(before, after, 1))


@dataclass(frozen=True)
class Staging:
    """The project's staging deployment, with the cookies of its two people by role."""

    folder: Path
    place: Running
    cookies: dict[str, str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `contract new` writes, with what a person changes in it: who sees what, when it is stale, a patient page."""
    folder = tmp_path_factory.mktemp("loop") / "board"
    answers = [part for name, text in ANSWERS.items() for part in ("--answer", f"{name}={text}")]
    made = headwater("contract", "new", str(folder), "--defaults", *answers)
    assert made.returncode == 0, made.stdout + made.stderr
    wall = '[roles.wall]\nchannels = ["orders.*"'
    edited(folder / "roles.toml", f'{wall}, "stock.*"', wall)
    for feed in ("orders", "stock"):
        edited(folder / f"feeds/{feed}.py", "stale_after_s=30", "stale_after_s=8")
    first = 'kind = "first_value"\ntarget_percent = 95\nwithin_s = '
    edited(folder / "contract.toml", f"{first}3", f"{first}30")
    return folder


@pytest.fixture(scope="module")
def staging(project: Path) -> Iterator[Staging]:
    checked = commanded(project, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    given = {"HEADWATER_INGEST_KEYS": f"test:{KEY}:*,for-staging", **variables(project)}
    with ScriptedHttp() as source:
        source.script({"body": [{"item": "roof", "value": 1.5}, {"item": "door", "value": 2.5}]})
        given["STOCK_URL"] = f"{source.origin}/stock"
        with running("up", project.parent, cwd=project, **given) as place:
            place.wait_until_ready()
            for name in ("desk", "wall"):
                added = commanded(project, "users", "add", name, "--role", name, typed=f"{PASSWORD}\n")
                assert added.returncode == 0, added.stdout + added.stderr
            wait_until(source.seen, what="the polled source is asked")
            people = {name: browser(place.url, name) for name in ("desk", "wall")}
            cookies = {name: f"headwater={one.cookies['headwater']}" for name, one in people.items()}
            yield Staging(project, place, cookies)


@pytest.fixture(scope="module")
def loaded(staging: Staging) -> dict[str, Any]:
    """What the envelope's load measured."""
    given = ("--key", KEY, "--cookie", staging.cookies["desk"], "--for", "12s")
    made = commanded(staging.folder, "load", staging.place.url, *given, timeout_s=MINUTES_S)
    assert made.returncode == 0, made.stdout + made.stderr
    found: dict[str, Any] = json.loads((staging.folder / "envelope.json").read_text())
    return found


@pytest.fixture(scope="module")
def evidence(staging: Staging, loaded: dict[str, Any]) -> Path:
    """What acceptance wrote, given all that is to be handed over."""
    handed = commanded(staging.folder, "handover", "--out", str(staging.folder.parent / "handed"))
    assert handed.returncode == 0, handed.stdout + handed.stderr
    (folder,) = (staging.folder.parent / "handed").iterdir()
    out = staging.folder.parent / "evidence"
    roles = [part for name, cookie in staging.cookies.items() for part in ("--role", f"{name}={cookie}")]
    given = ("--key", KEY, "--for", "2", "--rate", "5", "--peak-for", "2", "--handover", str(folder), "--out", str(out))
    made = commanded(staging.folder, "contract", "accept", staging.place.url, *given, *roles, timeout_s=MINUTES_S)
    assert made.returncode == 0, made.stdout + made.stderr
    (found,) = out.glob("*.json")
    return found


@pytest.fixture(scope="module")
def signed(staging: Staging, evidence: Path) -> Staging:
    """The project whose first version both sides signed."""
    made = commanded(staging.folder, "contract", "lock", *SIGNED, "--evidence", str(evidence))
    assert made.returncode == 0, made.stderr
    assert "accepted by evidence" in made.stdout
    return staging


pytestmark = [pytest.mark.long, pytest.mark.timeout(2 * MINUTES_S)]


def test_a_new_project_is_brought_to_its_envelope(loaded: dict[str, Any]) -> None:
    assert loaded["gave_way"] is None
    assert loaded["envelope"] == {"events_per_s": 10.0, "viewers": 4, "rows": 200}
    assert [stage["share"] for stage in loaded["stages"]] == [0.25, 0.5, 0.75, 1.0]


def test_it_is_accepted_by_every_criterion_with_one_source_pushed_and_one_held_back(evidence: Path) -> None:
    said = json.loads(evidence.read_text())
    assert said["passed"] is True
    verdicts = {one["criterion"]: one["verdict"] for one in said["criteria"]}
    assert set(verdicts.values()) == {"passed"}
    assert {
        "values-in-time", "nothing-missing", "right-after-burst", "roles-apart", "degraded-modes", "first-value",
        "told-when-stale", "deliverable runbook",
    } <= verdicts.keys()  # fmt: skip
    told = next(one["said"] for one in said["criteria"] if one["criterion"] == "told-when-stale")
    found = re.fullmatch(
        r"orders: stale is told after (\S+) s of silence, 8 s declared; "
        r"stock: stale is told after (\S+) s of silence, 8 s declared, and live \S+ s after it was let in again", told,
    )  # fmt: skip
    assert found, told
    assert all(5 < float(silent_s) < 14 for silent_s in found.groups()), told
    pages = PdfReader(BytesIO(evidence.with_suffix(".pdf").read_bytes())).pages
    assert "Passed" in "".join(page.extract_text() for page in pages)


def test_what_was_signed_is_in_force_until_a_value_changes_which_is_a_change_request(signed: Staging) -> None:
    def diff(*arguments: str, data: str = "production") -> subprocess.CompletedProcess[str]:
        return commanded(signed.folder, "contract", "diff", *arguments, data=data)

    same = diff()
    assert (same.returncode, "Nothing changed." in same.stdout) == (0, True), same.stdout + same.stderr
    # acceptance posted a burst there; what a minute had is told after its end
    wait_until(lambda: "envelope exceeded" in diff(data="staging").stdout, 90, "the burst's minute among the records")
    assert diff(data="staging").returncode == 1
    assert "Version 1, locked on " in commanded(signed.folder, "contract", "clauses").stdout

    edited(signed.folder / "contract.toml", "target_percent = 95", "target_percent = 99")
    edited(signed.folder / "feeds/stock.py", "every_s=1)", "every_s=2)")
    edited(signed.folder / "roles.toml", '[roles.wall]\nchannels = ["orders.*"', '[roles.wall]\nchannels = ["*"')
    found = diff("--json")
    assert found.returncode == 1, found.stdout
    assert found.stderr == "headwater: 3 change requests since version 1\n"
    requests = {one["kind"]: one for one in json.loads(found.stdout)["requests"]}
    assert set(requests) == {"target", "source", "role or auth boundary"}, requests
    assert all(one["price"] > 0 and one["days"] > 0 for one in requests.values())

    second = commanded(signed.folder, "contract", "lock", *SIGNED)
    assert second.returncode == 0, second.stderr
    assert "version 2 of " in second.stdout
    assert diff().returncode == 0
