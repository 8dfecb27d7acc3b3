"""The product's own web process, with one callback more: `python -m bench.rig.web`.

The callback burns the CPU time that it is asked for, as a team's own callback over a DataFrame does.
"""

from __future__ import annotations

import time
from typing import Any

from dash import Input, Output

from app.logs import start_logging
from app.server import WebServer
from app.settings import read_settings

BURN_INPUT, BURN_OUTPUT = "bench-burn-input", "bench-burn-output"
BURN_BODY = {
    "output": f"{BURN_OUTPUT}.children",
    "outputs": {"id": BURN_OUTPUT, "property": "children"},
    "inputs": [{"id": BURN_INPUT, "property": "data", "value": 50}],
    "changedPropIds": [f"{BURN_INPUT}.data"],
}
"""What a browser posts to `/_dash-update-component` for 50 ms of CPU."""


def burn(milliseconds: float) -> str:
    """Compute for that long, in this thread's CPU time."""
    until, rounds = time.thread_time() + milliseconds / 1000, 0
    while time.thread_time() < until:
        rounds += sum(range(100)) > 0
    return str(rounds)


class BenchWeb(WebServer):
    """The demo's web server and the callback."""

    def load(self) -> Any:
        server = super().load()
        assert self.web is not None
        self.web.dash.callback(Output(BURN_OUTPUT, "children"), Input(BURN_INPUT, "data"))(burn)
        return server


if __name__ == "__main__":
    settings = read_settings()
    start_logging("web", settings.log_level)
    BenchWeb(settings).run()
