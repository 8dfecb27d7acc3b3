"""Dead man: a heartbeat to an outside address that tells somebody when it stays away; that alarm survives us."""

from __future__ import annotations

from collections.abc import Mapping

import requests
import structlog

from services.contract.alerting import DeadMan

TIMEOUT_S = 5.0

log = structlog.get_logger("alerts")


class Heartbeat:
    """Beats while alerts are evaluated: whoever calls `beat` has just looked."""

    def __init__(self, dead_man: DeadMan, environment: Mapping[str, str]) -> None:
        self._url = environment.get(dead_man.url_env, "").strip()
        self._variable, self._every_ms = dead_man.url_env, 1_000 * dead_man.every_s
        self._due = 0
        self.failures = 0

    def beat(self, at: int) -> bool:
        """Send one where it is due; whether it arrived. The address is a secret: it stands in no log."""
        if at < self._due:
            return False
        self._due = at + self._every_ms
        trouble = self._send()
        if trouble:
            self.failures += 1
            log.warning("heartbeat not delivered", variable=self._variable, error=trouble, failures=self.failures)
        else:
            self.failures = 0
        return not trouble

    def _send(self) -> str:
        if not self._url:
            return f"the variable {self._variable} is not set"
        try:
            answer = requests.get(self._url, timeout=TIMEOUT_S, allow_redirects=False)
        except (requests.RequestException, ValueError) as error:  # their texts quote the url
            return type(error).__name__
        return "" if answer.status_code < 300 else f"answered {answer.status_code}"
