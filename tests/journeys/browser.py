"""What a journey asks of the browser: the state in its store, and what stands on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.waiting import wait_until


@contextmanager
def new_window(driver: Any) -> Iterator[None]:
    """A window of its own, as if the browser had just been started; what was stored in it goes with it."""
    home = driver.current_window_handle
    made = driver.execute_cdp_cmd("Target.createTarget", {"url": "about:blank", "newWindow": True})
    driver.switch_to.window(made["targetId"])
    try:
        yield
    finally:
        for command, told in (
            ("Network.clearBrowserCookies", {}), ("Browser.resetPermissions", {}),
            ("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"}),
        ):  # fmt: skip
            driver.execute_cdp_cmd(command, told)
        driver.close()
        driver.switch_to.window(home)


class Viewer:
    """One browser tab."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)
        ready = "return !!(window.headwater && window.headwater.stats && document.querySelector('[data-page]'))"
        wait_until(lambda: self.run(ready), what="live modules and a drawn page")

    def leave(self) -> None:
        self.driver.get("about:blank")

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def state(self, channel: str) -> dict[str, Any] | None:
        """{epoch, seq, data} of a channel in the browser's store."""
        found: dict[str, Any] | None = self.run("return window.headwater.state(arguments[0])", channel)
        return found

    def data(self, channel: str) -> Any:
        found = self.state(channel)
        return found and found["data"]

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self.run("return window.headwater.stats()")
        return found

    def text(self, selector: str) -> str:
        """The visible text of the first element, '' where there is none."""
        found: str = self.run(
            "const found = document.querySelector(arguments[0]); return found ? found.innerText : ''", selector
        )
        return found

    def tile(self, label: str) -> str:
        """The value on the tile of that label."""
        found: str = self.run(
            "for (const tile of document.querySelectorAll('.tile'))"
            " if (tile.innerText.includes(arguments[0])) return tile.querySelector('[data-value]').textContent;"
            "return ''",
            label,
        )
        return found

    def banner(self) -> str:
        """The banner's text, '' where it is hidden."""
        found: str = self.run(
            "const banner = document.getElementById('live-banner');"
            "return banner && banner.offsetParent !== null ? banner.innerText : ''"
        )
        return found

    def badge(self, channel: str) -> str:
        """The state that the badge of a channel's component shows."""
        found: str = self.run(
            "for (const live of document.querySelectorAll('[data-live]')) {"
            "  if (JSON.parse(live.dataset.live).channel !== arguments[0]) continue;"
            "  const badge = live.querySelector('[data-state]');"
            "  if (badge) return badge.dataset.state;"
            "} return ''",
            channel,
        )
        return found

    def grid_row(self, key: str) -> dict[str, Any] | None:
        """A row as the grid on the page holds it."""
        found: dict[str, Any] | None = self.run(
            "const id = [...document.querySelectorAll('[id]')].map(e => e.id).find(id => id.includes('live-table'));"
            "if (!id) return null;"
            "try { const node = dash_ag_grid.getApi(JSON.parse(id)).getRowNode(arguments[0]);"
            "  return node ? node.data : null; } catch { return null; }",
            key,
        )
        return found

    def chart_points(self) -> dict[str, list[Any]]:
        """The values that the first chart draws, by the name of its trace."""
        found: dict[str, list[Any]] = self.run(
            "const graph = document.querySelector('.js-plotly-plot');"
            "return Object.fromEntries((graph && graph.data || []).map(trace => [trace.name, [...(trace.y || [])]]))"
        )
        return found

    def log_text(self) -> str:
        return self.text(".log [data-entries]")
