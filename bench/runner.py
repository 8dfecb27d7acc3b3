"""Runner: every benchmark of this directory, one after the other, and the day's report.

A bench is a module or package of this directory with `run(runs) -> Sequence[Finding]`. Each runs in a process of its
own, so that none leaves memory, threads or an affinity to the next. The report is written anew after each of them:
who stops half way keeps what was measured, and `--only` replaces its benches in the report of the day.

    python -m bench [--only fan_out,ingest] [--runs 5] [--list]
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import pkgutil
import re
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path

from bench.figures import Figure, Finding, table
from bench.findings import Findings
from bench.reporting import write_report

HERE = Path(__file__).parent


def benches() -> list[str]:
    """Names of all benches, by their `run`; found by reading, as an import may need what is not installed."""
    names = (module.name for module in pkgutil.iter_modules([str(HERE)]))
    return [name for name in names if re.search(r"^def run\(\s*runs: int", _source(name), re.MULTILINE)]


def _source(name: str) -> str:
    package = HERE / name / "__init__.py"
    return (package if package.exists() else HERE / f"{name}.py").read_text()


def run_bench(module: str, runs: int) -> Sequence[Finding]:
    """Run the bench of this module here."""
    found: Sequence[Finding] = importlib.import_module(module).run(runs)
    return found


def run_apart(module: str, runs: int) -> Sequence[Finding]:
    """Run it in a fresh process, which shares nothing with this one."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(run_bench, module, runs).result()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of benches, separated by commas")
    parser.add_argument("--runs", type=int, default=5, help="runs of each measure; the median is judged")
    parser.add_argument("--list", action="store_true", help="say the names of all benches and stop")
    parser.add_argument("--reports", type=Path, default=HERE / "reports", help="folder that the report goes to")
    arguments = parser.parse_args()
    known = benches()
    if arguments.list:
        print("\n".join(known))
        return 0
    chosen = [name for name in arguments.only.split(",") if name] or known
    if unknown := sorted(set(chosen) - set(known)):
        parser.error(f"no bench {', '.join(unknown)}; there are {', '.join(known)}")
    return _run_all(chosen, arguments.runs, arguments.reports / f"{datetime.now().astimezone():%Y-%m-%d}.md")


def _run_all(chosen: Sequence[str], runs: int, path: Path) -> int:
    findings, failed = Findings(path.with_suffix(".json")), []
    for number, name in enumerate(chosen, 1):
        print(f"== {number}/{len(chosen)} {name}", flush=True)
        began = time.monotonic()
        try:
            found = run_apart(f"bench.{name}", runs)
        except Exception:  # one bench that fails must not cost the others their figures
            traceback.print_exc()
            failed.append(name)
            continue
        findings.keep(name, found, time.monotonic() - began, f"{datetime.now().astimezone():%H:%M}")
        print(table([one for one in found if isinstance(one, Figure)]), flush=True)
        write_report(path, findings.read())
    print(f"report: {path}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0
