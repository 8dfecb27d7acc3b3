"""The Autobahn cases (run by kosoku) against an echo endpoint on the gateway's own sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.echo import Echo

EXPECTED = {"OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED"}
"""Autobahn's words; an endpoint that fails a case has FAILED or WRONG CODE."""
UNASKED = ("9.*", "12.*", "13.*")
"""9: the speed of large messages, which an endpoint with a 64 KiB limit has no use for. 12, 13: compression, where
kosoku 0.1.0 itself fails; `test_sockets` and `test_subscriptions` hold ours against wsproto and websockets."""


def run_cases(folder: Path, *arguments: str) -> dict[str, str]:
    """Each case's `behavior`. How the connection ends is not judged: that is the client's to see."""
    with Echo() as echo:
        subprocess.run(
            [Path(sys.executable).with_name("kosoku"), "-p", "4", "-o", folder, *arguments, echo.address],
            check=False, timeout=100, capture_output=True,
        )
    (found,) = json.loads((folder / "index.json").read_text()).values()
    return {case: result["behavior"] for case, result in found.items()}


@pytest.mark.usefixtures("each_way")
def test_every_autobahn_case_is_passed(tmp_path: Path) -> None:
    behaviors = run_cases(tmp_path, *(word for case in UNASKED for word in ("-x", case)))
    assert len(behaviors) > 240
    assert {case: found for case, found in behaviors.items() if found not in EXPECTED} == {}
