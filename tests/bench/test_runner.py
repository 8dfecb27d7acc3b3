"""Runner: finds the benches by their `run`, and runs each apart."""

import os
import re

from bench.figures import Figure
from bench.runner import HERE, benches, run_apart


def test_every_bench_is_found_and_explained_in_the_readme() -> None:
    explained = re.findall(r"^\*\*`(\w+)`\*\*", (HERE / "README.md").read_text(), re.MULTILINE)
    assert sorted(explained) == sorted(benches())


def test_a_bench_runs_in_a_process_of_its_own_and_hands_its_findings_over() -> None:
    (found,) = run_apart("tests.bench.sample", 2)
    assert isinstance(found, Figure)
    assert len(found.values) == 2
    assert found.values[0] != os.getpid()
