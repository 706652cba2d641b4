"""Servers that die in a sweep: no trial is lost, none runs twice, and the points are what they would have been."""

from __future__ import annotations

from pathlib import Path

import pytest

from smalt.entities.jobs.search_space import Uniform
from smalt.machine.home import Home
from smalt.service.records import job_data
from smalt.service.sweeps.samplers import make_sampler
from tests.engine.bench import workbench
from tests.engine.killed_sweep import TRIALS, begin
from tests.engine.sweeps import find_job, read_properties
from tests.forked_programs import ForkedPrograms

FEWEST_COMMITS = 12
"""A run has more; two events that come at once share one."""


def draw_points() -> list[float]:
    sampler = make_sampler("random", {"x": Uniform(0, 1)}, 7, "minimize")
    return [float(sampler.propose(number, (), ())["x"]) for number in range(TRIALS)]


async def finish(home: Home) -> None:
    """Run the sweep to its end and check all that it says."""
    points = draw_points()
    async with workbench(home) as bench:
        sweep = await bench.over(find_job(bench, "s"))
        assert sweep.status == "Completed", sweep.error
        assert bench.states(sweep) == {f"trial_{number}": "Completed" for number in range(TRIALS)}
        best = points.index(min(points))
        properties = read_properties(bench, sweep)
        assert (properties["best_child_run_id"], properties["score"]) == (f"s_{best}", repr(points[best]))
        _, _, uri, asset = job_data.read_data(bench.db, sweep.id, "output")["out"]
        folder = str(uri).split("/")[-3].partition(".")[0]  # a number follows where a crash left a folder of that name
        assert (folder, asset) == (f"s_{best}", "data/tuned/versions/1")
        assert (home.root.parent / "log").read_text() == "".join(f"{point}\n" for point in points)


async def test_a_sweep_that_nobody_disturbs(tmp_path: Path) -> None:
    await finish(begin(tmp_path))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 19))
async def test_a_server_that_dies_at_a_commit(
    tmp_path: Path, forked_programs: ForkedPrograms, number: int, when: str
) -> None:
    home = begin(tmp_path)
    died = forked_programs.run("tests.engine.killed_sweep", str(home.root), str(number), when)
    assert died.returncode in (0, 9), died.stderr
    if died.returncode == 0:
        assert number > FEWEST_COMMITS, "it was to be killed, and ran to its end"
        pytest.skip("it is over before that commit")
    await finish(home)
