"""Theme: the figures that a chart starts with. Colours are CSS custom properties, written once in style.css.

A figure carries no colour of its own: paper and plot are transparent, the style sheet colours grid,
axes and texts, and the painter gives the traces `--series-1` to `--series-8`.
"""

from __future__ import annotations

from typing import Any

SERIES_COLOURS = 8
"""How many `--series-N` the style sheet defines; lines differ by their dashes as well, and more series start over."""

GRID_THEME = (
    "themeQuartz.withParams({backgroundColor: 'var(--surface)', foregroundColor: 'var(--text)', "
    "accentColor: 'var(--accent)', borderColor: 'var(--line)', chromeBackgroundColor: 'var(--surface)', "
    "headerBackgroundColor: 'var(--surface)', headerTextColor: 'var(--muted)', rowHoverColor: 'var(--hover)', "
    "selectedRowBackgroundColor: 'var(--selected)', oddRowBackgroundColor: 'var(--surface)', "
    "valueChangeValueHighlightBackgroundColor: 'var(--flash)', menuBackgroundColor: 'var(--surface)', "
    "inputBackgroundColor: 'var(--surface)', browserColorScheme: 'inherit', fontFamily: 'inherit', "
    "fontSize: 13, headerFontSize: 12, headerFontWeight: 500, spacing: 4, rowHeight: 28, headerHeight: 32, "
    "wrapperBorder: false, wrapperBorderRadius: 0, headerRowBorder: true, columnBorder: false, "
    "headerColumnBorder: false, rowBorder: true, cellHorizontalPadding: 8})"
)
"""AG Grid's theme as an expression; its colours are the same custom properties, so both themes follow."""

_CLOCK = [
    {"dtickrange": [None, 60_000], "value": "%H:%M:%S"},
    {"dtickrange": [60_000, 86_400_000], "value": "%H:%M"},
    {"dtickrange": [86_400_000, None], "value": "%d %b"},
]
_AXIS: dict[str, Any] = {
    "showline": False, "zeroline": False, "ticks": "", "ticklabelstandoff": 6, "automargin": True, "fixedrange": False,
}


def figure(unit: str, bounds: tuple[float, float] | None, *, logarithmic: bool, legend: bool) -> dict[str, Any]:
    """A chart without data: time to the right, one value axis in `unit`; zoom holds by `uirevision`."""
    value_axis = {**_AXIS, "rangemode": "tozero", "ticksuffix": f" {unit}" if unit else "", "nticks": 6}
    if logarithmic:
        value_axis |= {"type": "log", "dtick": 1, "minor": {"dtick": "D1", "ticks": ""}}
    if bounds is not None:
        low, high = bounds
        rim = 0.02 * (high - low)  # a line at the very bound is seen whole
        value_axis |= {"range": [low - (rim if low else 0), high + rim], "autorange": False}
    layout = {
        "uirevision": "live",
        "autosize": True,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
        "font": {"family": "inherit", "size": 12},
        "hovermode": "x unified",
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "maxheight": 0.5},
        "xaxis": {**_AXIS, "type": "date", "nticks": 5, "tickangle": 0, "tickformatstops": _CLOCK,
                  "hoverformat": "%H:%M:%S"},
        "yaxis": value_axis,
    }
    return {"data": [], "layout": layout}


def graph_config() -> Any:
    """What a reader may do with a chart: zoom, pan, back to the whole. Its picture, stamped, is in its menu."""
    return {
        "displaylogo": False,
        "showSendToCloud": False,  # nothing leaves the page for a third party
        "plotlyServerURL": "",
        "responsive": True,
        "scrollZoom": False,
        "displayModeBar": "hover",
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "toImage"],
    }
