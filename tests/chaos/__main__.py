"""`python -m tests.chaos`: what takes too long for `make test`. Exits with 1 where anything was wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.arena import Arena
from tests.chaos.drill import run_drill
from tests.chaos.overload import calm, flood
from tests.chaos.size import installed, wrong_in
from tests.chaos.soak import soak
from tests.chaos.summary import run_seeds, tell
from tests.chaos.truth import settle

MILLION = 1_000_000
PROCESS_MB, BROKER_MB = 512, 256
"""What a process may hold, as on the smallest machines, and the broker by its default."""


def seeds(asked: argparse.Namespace) -> int:
    """Play the fault schedules of many seeds."""
    summary = run_seeds(asked.first, asked.seeds)
    tell(summary.text())
    return len(summary.violations)


def burst(asked: argparse.Namespace) -> int:
    """A burst of a million events against default limits."""
    with Arena(Path(tempfile.mkdtemp(prefix="burst-")), 1, viewers=20, producers=0, tick_ms=16) as arena:
        found = flood(arena, asked.events, per_request=2_000, note="", within_s=600)
        live_again_s = calm(arena, 60)
        settle(arena, within_s=60)
    tell(found.text())
    tell(f"live again {live_again_s:.1f} s later")
    limits = {name: BROKER_MB if name == "broker" else PROCESS_MB for name in found.most_mb}
    over = [f"{name}: {mb:.0f} MB" for name, mb in found.most_mb.items() if mb > limits[name]]
    wrong = [*arena.record.violations, *over]
    tell(f"slow viewers were told {min(arena.record.rates_hz, default=0)} Hz at the least")
    tell(f"violations {len(wrong)}")
    for text in wrong:
        tell(text)
    return len(wrong)


def long(asked: argparse.Namespace) -> int:
    """Restart a random process again and again, and watch memory."""
    return len(soak(asked.minutes, asked.every_s))


def drill(asked: argparse.Namespace) -> int:
    """Deploy again and again on small dynos, under viewers."""
    folder = Path(tempfile.mkdtemp(prefix="drill-"))
    deployments, wrong, sizes = run_drill(
        folder, viewers=asked.viewers, seconds=60 * asked.minutes, every_s=asked.every_s
    )
    tell(f"{len(deployments)} deployments under {asked.viewers} viewers; at most: {sizes}")
    tell(f"violations {len(wrong)}; logs in {folder}")
    for text in wrong:
        tell(text)
    return len(wrong)


def size(_: argparse.Namespace) -> int:
    """Install the lock that is served, slim it, and see whether it is small enough and serves everything."""
    with tempfile.TemporaryDirectory(prefix="size-") as folder:
        told, wrong = wrong_in(installed(Path(folder) / "environment"), Path(folder))
    tell(told)
    for text in wrong:
        tell(text)
    return len(wrong)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    commands = parser.add_subparsers(required=True)
    for name, act in {"seeds": seeds, "burst": burst, "soak": long, "drill": drill, "size": size}.items():
        commands.add_parser(name, help=act.__doc__).set_defaults(act=act)
    commands.choices["drill"].add_argument("--minutes", type=float, default=10)
    commands.choices["drill"].add_argument("--every-s", type=float, default=60)
    commands.choices["drill"].add_argument("--viewers", type=int, default=500)
    commands.choices["seeds"].add_argument("--seeds", type=int, default=50)
    commands.choices["seeds"].add_argument("--first", type=int, default=1)
    commands.choices["burst"].add_argument("--events", type=int, default=MILLION)
    commands.choices["soak"].add_argument("--minutes", type=float, default=30)
    commands.choices["soak"].add_argument("--every-s", type=float, default=60)
    asked = parser.parse_args()
    return 1 if asked.act(asked) else 0


if __name__ == "__main__":
    sys.exit(main())
