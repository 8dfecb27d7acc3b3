"""Sizes: what a stand is made of; one of them grows, the others stay."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Self

VARIABLE = "BENCH_SIZES"
SERIES_LINES = 4


@dataclass(frozen=True, slots=True)
class Sizes:
    """`parts`: partitions of a channel, which readings visit in turn. `rows`: keys of the table. `points`: a line's."""

    parts: int = 1
    rows: int = 500
    points: int = 600

    @classmethod
    def here(cls) -> Self:
        """The sizes of the stand that this process belongs to."""
        return cls(**json.loads(os.environ.get(VARIABLE, "{}")))

    def environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps(asdict(self))}
