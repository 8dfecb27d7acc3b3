"""`python -m bench.growth [--only viewers,rate] [--runs 5]`: the curves into a folder, without a report."""

import argparse
from pathlib import Path

from bench.figures import Curve, Figure, table
from bench.growth import SIZES
from bench.plots import curve_plot


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(SIZES), help="sizes that grow, separated by commas")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--plots", type=Path, default=Path(".headwater/bench/growth"))
    arguments = parser.parse_args()
    arguments.plots.mkdir(parents=True, exist_ok=True)
    for name in arguments.only.split(","):
        print(f"over {name}", flush=True)
        found = SIZES[name](arguments.runs)
        for number, curve in enumerate(one for one in found if isinstance(one, Curve)):
            (arguments.plots / f"{name}-{number}.svg").write_text(curve_plot(curve))
        if figures := [one for one in found if isinstance(one, Figure)]:
            print(table(figures))


if __name__ == "__main__":
    main()
