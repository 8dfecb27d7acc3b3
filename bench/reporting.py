"""The dated report: a table of every figure, a sheet that shows where each stands, and the curves."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from bench.figures import Curve, Figure, Finding, table
from bench.plots import curve_plot, standing_plot

_WORD = re.compile(r"[^a-z0-9]+")


def write_report(path: Path, findings: dict[str, list[Finding]]) -> None:
    """Write the Markdown at `path`, and its plots beside it, in a folder of the same name."""
    plots = path.with_suffix("")
    shutil.rmtree(plots, ignore_errors=True)
    plots.mkdir(parents=True)
    every = [one for found in findings.values() for one in found]
    figures = [one for one in every if isinstance(one, Figure)]
    curves = [one for one in every if isinstance(one, Curve)]
    parts = [f"# Benchmarks of {path.stem}", machine(), "Ratios of one run are to be trusted, single numbers are not."]
    if figures:
        (plots / "standing.svg").write_text(standing_plot(figures))
        parts += [table(figures), f"![each figure against its reach]({plots.name}/standing.svg)"]
    for curve in curves:
        name = f"{_WORD.sub('-', curve.title.lower()).strip('-')}.svg"
        (plots / name).write_text(curve_plot(curve))
        parts.append(f"![{curve.title}]({plots.name}/{name})" + (f"\n\n{curve.note}" if curve.note else ""))
    path.write_text("\n\n".join(parts) + "\n")


def machine() -> str:
    """One line that says on what all this was measured."""
    node = _said("node", "--version")
    words = [f"{os.cpu_count()} cores ({_processor()})", f"{platform.system()} {platform.release()}"]
    words += [f"Python {platform.python_version()}", f"Node {node}" if node else "no Node"]
    return ", ".join([*words, f"commit {_said('git', 'rev-parse', '--short', 'HEAD') or 'unknown'}"]) + "."


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _said(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
