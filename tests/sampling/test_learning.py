"""Samplers that learn, with the real process: they find an optimum, and their points depend on the records alone."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
from functools import partial
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

import pytest

from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.service.sweeps import optuna_environment
from smalt.service.sweeps.optuna_process import OptunaProcess
from smalt.service.sweeps.samplers import make_sampler
from smalt.service.sweeps.trials import Point, Running, Sampler, Told
from smalt.sweep import Choice, LogUniform, Normal, QUniform, Randint, Uniform
from tests.helpers import eventually
from tests.sampling.conftest import ensure_there

SPACE: dict[str, Any] = {
    "x": Uniform(-3, 3),
    "rate": LogUniform(-6, 1),
    "size": QUniform(0, 10, 1),
    "model": Choice([{"kind": "tree", "depth": Randint(6)}, {"kind": "net", "noise": Normal(0, 1)}, "line"]),
}


def find_loss(point: Point) -> float:
    """Least at x 1, rate exp(-2), size 7 and a tree of depth 4."""
    model = point["model"]
    extra = 2.0 if model == "line" else abs(model["depth"] - 4) / 4 if "depth" in model else 0.5 + model["noise"] ** 2
    return (
        (point["x"] - 1) ** 2
        + (math.log(point["rate"]) + 2) ** 2 / 4
        + (point["size"] - 7) ** 2 / 10
        + float(extra)
    )  # fmt: skip


def make(algorithm: str, optuna: OptunaProcess, goal: str = "minimize", seed: int = 3) -> Sampler:
    return make_sampler(algorithm, SPACE, seed, goal, lambda: optuna)


def run(sampler: Sampler, count: int, sign: int = 1) -> list[Told]:
    """Run trials one at a time; some fail, and some are ended early."""
    told: list[Told] = []
    for number in range(count):
        point = sampler.propose(number, told, [])
        value = None if number % 9 == 5 else sign * find_loss(point)
        told.append(Told(number, json.loads(json.dumps(point)), value, number % 9 not in (5, 7)))
    return told


def find_median(told: list[Told]) -> float:
    return median(find_loss(trial.point) for trial in told)


@pytest.mark.parametrize(("goal", "sign"), [("minimize", 1), ("Maximize", -1)])
def test_later_points_are_better_than_random_ones(algorithm: str, optuna: OptunaProcess, goal: str, sign: int) -> None:
    """Of nested choices, log-uniform, rounded and normal distributions; towards the goal."""
    told = run(make(algorithm, optuna, goal), 70, sign)
    assert find_median(told[50:]) < 0.5 * find_median(run(make("random", optuna), 70))
    assert {trial.point["size"] for trial in told} <= set(range(11))


def test_a_resumed_sweep_goes_on_as_an_undisturbed_one(algorithm: str, optuna: OptunaProcess) -> None:
    """From any trial, by a new sampler and a new process; and nothing is repeated."""
    whole = run(make(algorithm, optuna), 40)
    os.kill(optuna.get_pid(algorithm) or 0, signal.SIGKILL)
    for begin in (0, 1, 17, 39):
        resumed = make(algorithm, optuna)
        told = [Told(*json.loads(json.dumps(trial))) for trial in whole[:begin]]
        for number in range(begin, min(begin + 5, 40)):
            assert resumed.propose(number, told, []) == whole[number].point
            told.append(whole[number])
    assert len({json.dumps(trial.point) for trial in whole}) == 40


def test_a_killed_process_is_started_again(algorithm: str, optuna: OptunaProcess) -> None:
    """It is told everything again, and proposes the same point."""
    sampler = make(algorithm, optuna)
    told = run(sampler, 25)
    expected = sampler.propose(25, told, [])
    first = optuna.get_pid(algorithm)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert sampler.propose(25, told, []) == expected
    assert optuna.get_pid(algorithm) not in (None, first)


def test_a_process_killed_while_it_works(algorithm: str, optuna: OptunaProcess) -> None:
    """A request without an answer is asked again, of the next process, and has the same answer."""
    told = run(make(algorithm, optuna), 30)
    sampler = make(algorithm, optuna)
    for number in (4, 15, 29):
        sampler.propose(number - 1, told[: number - 1], [])
        pid = optuna.get_pid(algorithm)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)  # so that it has the request, and no answer
        answers: list[Point] = []
        ask = partial(sampler.propose, number, told[:number], [])
        thread = Thread(target=lambda ask=ask, answers=answers: answers.append(ask()))
        thread.start()
        thread.join(0.05)
        assert not answers
        os.kill(pid, signal.SIGKILL)
        thread.join()
        assert answers == [told[number].point]


def test_the_order_of_telling_matters_and_is_kept(optuna: OptunaProcess) -> None:
    """The same trials told in another order lead elsewhere; each order leads to one point."""
    ensure_there(optuna, "bayesian")
    told = run(make("bayesian", optuna), 40)
    other = told[::-1]
    sampler = make("bayesian", optuna)
    one, two = sampler.propose(40, told, []), sampler.propose(40, other, [])
    assert one != two
    assert sampler.propose(40, told, []) == one
    assert make("bayesian", optuna).propose(40, other, []) == two


def test_ends_that_were_read_at_the_same_time(algorithm: str, optuna: OptunaProcess) -> None:
    """Each is told without the other at first, and later after it: what was told in another order is forgotten."""
    told = run(make(algorithm, optuna), 32)
    sampler = make(algorithm, optuna)
    for order in ([*told[:30], told[30]], [*told[:30], told[31]], [*told[:30], told[31], told[30]], told[:9], told):
        assert sampler.propose(32, order, []) == make(algorithm, optuna).propose(32, order, [])


def test_hyperband_is_bayesian_sampling(optuna: OptunaProcess) -> None:
    ensure_there(optuna, "bayesian")
    assert run(make("hyperband", optuna), 15) == run(make("bayesian", optuna), 15)


def test_running_trials_count(optuna: OptunaProcess) -> None:
    """Points at the same moment keep off those that run, and a trial that runs is forgotten when it has ended."""
    ensure_there(optuna, "bayesian")
    sampler = make("bayesian", optuna)
    told = run(sampler, 30)
    alone = sampler.propose(34, told, [])
    running: list[Running] = []
    for number in range(30, 34):
        running.append((number, sampler.propose(number, told, running)))
    assert len({json.dumps(point) for _, point in running}) == 4
    assert sampler.propose(34, told, running) != alone
    assert sampler.propose(34, told, []) == alone


def test_seeds_differ(algorithm: str, optuna: OptunaProcess) -> None:
    points = [make(algorithm, optuna, seed=seed).propose(0, [], []) for seed in range(4)]
    assert len({json.dumps(point) for point in points}) == 4


def test_metrics_that_are_no_numbers(algorithm: str, optuna: OptunaProcess) -> None:
    """NaN is as a failed trial; an infinite loss is a bad one."""
    sampler = make(algorithm, optuna)
    told = run(sampler, 30)
    odd = [Told(t.number, t.point, [math.nan, math.inf, t.value][t.number % 3], t.is_completed) for t in told]
    assert find_loss(sampler.propose(30, odd, [])) >= 0


def test_sweeps_share_a_process(algorithm: str, optuna: OptunaProcess) -> None:
    """Two sweeps that are asked in turns get what each would have got alone, from one process."""
    expected = [run(make(algorithm, optuna, seed=seed), 15) for seed in (1, 2)]
    pid = optuna.get_pid(algorithm)
    samplers = [make(algorithm, optuna, seed=seed) for seed in (1, 2)]
    for number in range(15):
        for sampler, told in zip(samplers, expected, strict=True):
            assert sampler.propose(number, told[:number], []) == told[number].point
    assert optuna.get_pid(algorithm) == pid


def test_a_point_of_another_space_is_said(algorithm: str, optuna: OptunaProcess) -> None:
    with pytest.raises(ValueError, match=r"the point \{\"y\": 1\} is not in the search space"):
        make(algorithm, optuna).propose(1, [Told(0, {"y": 1}, 0.5, True)], [])


def test_the_process_ends_with_the_server(sampling_home: Path, algorithm: str) -> None:
    """Nothing can be asked any more, and nothing is left behind."""
    process = OptunaProcess(Home(sampling_home))
    make(algorithm, process).propose(0, [], [])
    pid = process.get_pid(algorithm)
    assert pid is not None
    process.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(Unavailable, match="the server is ending"):
        make(algorithm, process).propose(0, [], [])


def test_an_idle_process_is_ended(
    sampling_home: Path, algorithm: str, optuna: OptunaProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started again when it is asked, and has the same point."""
    monkeypatch.setattr("smalt.service.sweeps.optuna_process._IDLE", 0.3)
    process = OptunaProcess(Home(sampling_home))
    try:
        sampler, told = make(algorithm, process), run(make(algorithm, optuna), 20)
        expected = sampler.propose(20, told, [])
        eventually(lambda: process.get_pid(algorithm) is None, "the end of the process")
        assert sampler.propose(20, told, []) == expected
    finally:
        process.close()


def test_an_environment_that_cannot_be_built(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says why, and what to do."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(home.path("cache")))
    process = OptunaProcess(home)  # which has nothing to end
    with pytest.raises(
        Unavailable,
        match=r"^Optuna, which proposes the points of bayesian sampling, could not be installed: .*; give access to a "
        r"package index, or use the sampling algorithm 'random'$",
    ):
        make("bayesian", process).propose(0, [], [])


def test_the_server_ends_while_an_environment_is_built(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that waits for a silent package index is given up, and leaves nothing."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    process = OptunaProcess(home)
    said: list[str] = []

    def ask() -> None:
        with pytest.raises(Unavailable) as raised:
            make("bayesian", process).propose(0, [], [])
        said.append(str(raised.value))

    with socket.create_server(("127.0.0.1", 0)) as index:
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{index.getsockname()[1]}/simple")
        monkeypatch.setenv("UV_CACHE_DIR", str(home.path("cache")))
        thread = Thread(target=ask)
        thread.start()
        connection, _ = index.accept()
        process.close()
        thread.join()
        connection.close()
    assert said == ["the server is ending"]
    eventually(lambda: [path.name for path in home.path("tools").iterdir()] == [".locks"], "an empty folder")


def test_a_process_that_keeps_dying(
    sampling_home: Path, algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started again, and then one sentence says where its log is."""
    program = tmp_path / "program.py"
    program.write_text("import sys; sys.stdin.readline(); sys.exit(7)\n")
    monkeypatch.setattr("smalt.service.sweeps.optuna_process.PROGRAM", program)
    process = OptunaProcess(Home(sampling_home))
    with pytest.raises(
        Unavailable,
        match=rf"^the process of {algorithm} sampling ended 3 times when it was asked for a point \(exit 7\); "
        r"\S*/sampling.log says more$",
    ):
        make(algorithm, process).propose(0, [], [])


@pytest.mark.parametrize("name", sorted(optuna_environment.ALGORITHMS))
def test_requirements_are_pinned(name: str) -> None:
    """Every requirement names one version."""
    text = Path(optuna_environment.__file__).with_name("requirements").joinpath(f"{name}.txt").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) > 2
    assert all("==" in line.split(";")[0] for line in lines)
