"""Findings on disk: what each bench found last on one day, so that a report may be made of several sittings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.figures import Bound, Curve, Figure, Finding, Line


class Findings:
    """One JSON file; a bench that ran again replaces what it found before, the others stay."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, bench: str, found: Sequence[Finding], took_s: float, at: str) -> None:
        benches = self._benches()
        benches[bench] = {"at": at, "took_s": round(took_s), "findings": [asdict(one) for one in found]}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(benches, indent=1, ensure_ascii=False) + "\n")

    def read(self) -> dict[str, list[Finding]]:
        """Findings by bench, in the order of the benches' names."""
        return {name: [_finding(one) for one in held["findings"]] for name, held in sorted(self._benches().items())}

    def _benches(self) -> dict[str, dict[str, Any]]:
        return dict(json.loads(self._path.read_text())) if self._path.exists() else {}


def _finding(held: dict[str, Any]) -> Finding:
    if "lines" in held:
        lines = (Line(line["name"], tuple((x, y) for x, y in line["points"])) for line in held["lines"])
        return Curve(**{**held, "lines": tuple(lines)})
    reach = Bound(**held["reach"]) if held["reach"] else None
    return Figure(**{**held, "reach": reach, "values": tuple(held["values"])})
