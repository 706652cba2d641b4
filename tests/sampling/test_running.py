"""Sweeps that learn, on a real engine with a real process: the points are those of the recorded trials."""

from __future__ import annotations

import asyncio
from pathlib import Path

from smalt.machine.home import Home
from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from smalt.service.sweeps.optuna_process import Message, OptunaProcess
from smalt.service.sweeps.samplers import make_sampler
from smalt.service.sweeps.trials import Told
from smalt.sweep import Uniform
from tests.engine.bench import Workbench, workbench
from tests.engine.sweeps import log, make_log_command, make_sweep, read_points, until_running
from tests.sampling.conftest import ensure_there

TRIALS = 13
"""More than the ten that are random."""


def make_document(bench: Workbench, **more: int) -> dict[str, object]:
    bayesian = {"type": "bayesian", "seed": 5}
    return make_sweep(make_log_command(bench), sampling_algorithm=bayesian, total=TRIALS, **more)


def draw_points(optuna: OptunaProcess) -> list[float]:
    """Return the points of a sweep that nobody disturbs, whose objective is `x` itself."""
    sampler = make_sampler("bayesian", {"x": Uniform(0, 1)}, 5, "minimize", lambda: optuna)
    told: list[Told] = []
    for number in range(TRIALS):
        point = sampler.propose(number, told, [])
        told.append(Told(number, point, point["x"], True))
    return [float(one.point["x"]) for one in told]


async def test_the_server_dies_in_a_sweep_that_learns(optuna: OptunaProcess, tmp_path: Path) -> None:
    """The next one tells the process again what was recorded, and the later points are what they would have been."""
    await asyncio.to_thread(ensure_there, optuna, "bayesian")
    home = Home(tmp_path / "home")
    first = Workbench(home)
    vars(first.engine.context)["optuna"] = optuna
    await first.engine.open()
    sweep = first.submit("s", make_document(first, at_once=1))

    def is_half_done(_: Job) -> bool:
        return len(jobs.list_children(first.db, sweep.id)) > TRIALS - 3

    await first.until(sweep, is_half_done)
    await first.kill()
    async with workbench(home) as bench:
        vars(bench.engine.context)["optuna"] = optuna
        sweep = await bench.over(sweep)
        assert sweep.status == "Completed", sweep.error
        found = [point["x"] for point in read_points(bench, sweep).values()]
    again = OptunaProcess(optuna._home)
    try:
        assert found == await asyncio.to_thread(draw_points, again)
    finally:
        again.close()


class ListeningProcess(OptunaProcess):
    """The real process, with the requests that it has answered."""

    requests: list[Message]

    def ask(self, algorithm: str, request: Message) -> Message:
        answer = super().ask(algorithm, request)
        if "coordinates" in answer:
            self.requests.append(request)
        return answer


async def test_the_next_point_knows_the_value_of_a_trial_that_a_policy_ended(optuna: OptunaProcess) -> None:
    await asyncio.to_thread(ensure_there, optuna, "bayesian")
    listening = ListeningProcess(optuna._home)
    listening.requests = []
    try:
        async with workbench() as bench:
            vars(bench.engine.context)["optuna"] = listening
            bandit = {"type": "bandit", "slack_amount": 0.1}
            document = make_sweep(
                "exec sleep 300", total=3, early_termination=bandit, sampling_algorithm={"type": "bayesian", "seed": 5}
            )
            sweep = bench.submit("s", document)
            await until_running(bench, sweep, "trial_0", "trial_1")
            await log(bench, "s_0", 0.3)
            await log(bench, "s_1", 0.9)
            await until_running(bench, sweep, "trial_2")
    finally:
        listening.close()
    assert [told[1:] for told in listening.requests[-1]["told"]] == [(0.9, False)]


async def test_trials_that_end_at_once_have_numbers_of_their_own(optuna: OptunaProcess) -> None:
    """Two points are looked for at the same time."""
    await asyncio.to_thread(ensure_there, optuna, "bayesian")
    async with workbench(cpus=4) as bench:
        vars(bench.engine.context)["optuna"] = optuna
        sweep = await bench.over(bench.submit("s", make_document(bench, at_once=4)))
        assert sweep.status == "Completed", sweep.error
        points = read_points(bench, sweep)
        assert sorted(points, key=lambda node: int(node[6:])) == [f"trial_{number}" for number in range(TRIALS)]
        assert len({point["x"] for point in points.values()}) == TRIALS
