"""From a signed version to its change requests, as a person goes through it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from app.cli import main
from tests.contract.test_scope import changed


def _run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["contract", *arguments], env={"HEADWATER_DATA": str(folder / "data")})


SIGNED = ("--provider", "Ada", "--client", "Grace")


def test_a_version_is_signed_a_change_is_a_request_and_the_next_version_takes_it_in(tmp_path: Path) -> None:
    file = str(changed(tmp_path))
    unsigned = _run(tmp_path, "diff", file)
    assert unsigned.exit_code == 2
    assert "no version is locked; run headwater contract lock" in unsigned.stderr

    first = _run(tmp_path, "lock", file, *SIGNED)
    assert first.exit_code == 0, first.stderr
    assert "version 1 of " in first.stdout
    assert "no evidence of an acceptance" in first.stdout
    again = _run(tmp_path, "lock", file, *SIGNED)
    assert (again.exit_code, "nothing changed since version 1" in again.stderr) == (1, True)
    assert _run(tmp_path, "diff", file).stdout.endswith("Nothing changed.\n")
    annex = _run(tmp_path, "clauses", file).stdout
    assert "Version 1, locked on " in annex
    assert "This is a technical annex, no legal advice." in annex

    changed(
        tmp_path, ("target_percent = 95\n", "target_percent = 99\n"), ('region = "Frankfurt (EU)"', 'region = "Oregon"')
    )
    differing = _run(tmp_path, "diff", file)
    assert differing.exit_code == 1
    assert differing.stderr == "headwater: 2 change requests since version 1\n"
    assert "region (clause 6." in differing.stdout
    assert "target is 99 % instead of 95 %\n     1,200 EUR, 1.5 days; to be accepted anew;" in differing.stdout
    requests = json.loads(_run(tmp_path, "diff", file, "--json").stdout)["requests"]
    assert {one["kind"] for one in requests} == {"target", "region"}
    assert "differs from it" in _run(tmp_path, "clauses", file).stdout

    evidence = tmp_path / "evidence.json"
    evidence.write_text('{"passed": false}')
    failed = _run(tmp_path, "lock", file, *SIGNED, "--evidence", str(evidence))
    assert (failed.exit_code, "this acceptance did not pass" in failed.stderr) == (1, True)
    evidence.write_text('{"passed": true}')
    second = _run(tmp_path, "lock", file, *SIGNED, "--evidence", str(evidence))
    assert second.exit_code == 0, second.stderr
    assert "accepted by evidence" in second.stdout
    assert [one["version"] for one in json.loads((tmp_path / "contract.lock").read_text())["versions"]] == [1, 2]
    assert _run(tmp_path, "diff", file).exit_code == 0


def test_the_quote_is_the_same_in_text_json_and_markdown(tmp_path: Path) -> None:
    file = str(changed(tmp_path))
    total = json.loads(_run(tmp_path, "quote", file, "--json").stdout)["total"]["once"]
    assert f"{total:,} EUR once  in all" in _run(tmp_path, "quote", file).stdout
    assert f"**{total:,} EUR once**" in _run(tmp_path, "quote", file, "--markdown").stdout
    assert _run(tmp_path, "quote", file, "--json", "--markdown").exit_code == 2
