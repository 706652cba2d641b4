"""Trials and sweeps that something else than a trial's own exit ends: policies, time-outs, cancellations."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.records import job_data, jobs
from smalt.service.records.jobs import Job
from smalt.service.tracking.run_database import LoggedMetric
from tests.engine.bench import Workbench, workbench
from tests.engine.sweeps import (
    HOST,
    find_job,
    log,
    make_log_command,
    make_sweep,
    read_note,
    read_properties,
    until_running,
)
from tests.engine.watcher import store
from tests.helpers import LIMITS, eventually

BANDIT = {"type": "bandit", "slack_amount": 0.1, "evaluation_interval": 1}


def get_message(job: Job) -> str:
    return str((job.ended_by or {}).get("message"))


async def test_a_policy_ends_a_trial_and_the_sweep_goes_on() -> None:
    """The trial gets SIGTERM and the next point its place; what it logged is no result, nor is a later value."""
    async with workbench() as bench:
        command = (
            "trap 'echo ended; exit 0' TERM; touch $HOME_OF_TEST/begun.$AZUREML_RUN_ID; "
            "while [ ! -e $HOME_OF_TEST/go ]; do sleep 0.02; done"
        )
        document = make_sweep(command, total=3, at_once=2, early_termination=BANDIT)
        document["trial"]["environment_variables"] = {"HOME_OF_TEST": str(bench.home.root)}
        sweep = bench.submit("s", document)
        await until_running(bench, sweep, "trial_0", "trial_1")
        for name in ("s_0", "s_1"):
            begun = bench.home.path(f"begun.{name}")
            await asyncio.to_thread(eventually, begun.exists, "the trap, which a trial has only after it began")
        await log(bench, "s_0", 0.5, 0.3)
        await log(bench, "s_1", 0.55)
        assert bench.states(sweep) == {"trial_0": "Running", "trial_1": "Running"}
        await log(bench, "s_1", 0.9)
        trial = await bench.over(find_job(bench, "s_1"))
        assert trial.status == "Canceled"
        assert get_message(trial).startswith("it was ended by the bandit policy: ")
        assert bench.log("s_1").endswith("ended\n")
        await until_running(bench, sweep, "trial_2")
        store(bench, "s_1", LoggedMetric("loss", 0.1, 9, 9000))
        bench.home.path("go").touch()
        sweep = await bench.over(sweep)
        assert (sweep.status, read_properties(bench, sweep)["score"]) == ("Completed", "0.3")
        assert "trial_1: it was ended by the bandit policy" in read_note(bench, "s")


def register_slow_pipeline(bench: Workbench) -> str:
    fit = {"command": "exec sleep 300", "environment": HOST, "inputs": {"x": "${{parent.inputs.x}}"}}
    return bench.register("slow", {"inputs": {"x": {"type": "number"}}, "jobs": {"fit": fit}})


async def test_a_metric_of_a_step_ends_the_pipeline_that_is_the_trial() -> None:
    async with workbench() as bench:
        trial = register_slow_pipeline(bench)
        sweep = bench.submit("s", make_sweep("", total=2, early_termination=BANDIT) | {"trial": trial})
        fits = ("s_0-fit", "s_1-fit")
        await bench.until(sweep, lambda _: all(is_running(bench, name) for name in fits))
        await log(bench, "s_0-fit", 0.1)
        await log(bench, "s_1-fit", 0.9)
        assert (await bench.over(find_job(bench, "s_1"))).status == "Canceled"
        assert find_job(bench, "s_1-fit").status == "Canceled"
        assert find_job(bench, "s_0").status == "Running"


def is_running(bench: Workbench, name: str) -> bool:
    job = jobs.find_by_name(bench.db, bench.workspace.id, name)
    return job is not None and job.status == "Running"


async def test_reports_survive_a_restart(tmp_path: Path) -> None:
    """The policy compares with what was reported to the server before."""
    home = Home(tmp_path / "home")
    first = Workbench(home)
    await first.engine.open()
    sweep = first.submit("s", make_sweep("exec sleep 300", total=2, early_termination=BANDIT))
    await until_running(first, sweep, "trial_0", "trial_1")
    await log(first, "s_0", 0.1)
    await first.kill()
    async with workbench(home) as bench:
        await log(bench, "s_1", 0.9)
        trial = await bench.over(find_job(bench, "s_1"))
        assert get_message(trial).startswith("it was ended by the bandit policy: ")
        assert find_job(bench, "s_0").status == "Running"


async def test_nobody_is_told_of_metrics_without_a_policy() -> None:
    """The objective is read from MLflow's database at a trial's end, so a sweep costs what its trials cost."""
    async with workbench() as bench:
        sweep = bench.submit("s", make_sweep("exec sleep 300"))
        await until_running(bench, sweep, "trial_0", "trial_1")
        await log(bench, "s_0", 0.5)
        assert bench.db.value("SELECT count(*) FROM told_metrics") == 0


async def test_a_sweep_that_runs_too_long_is_canceled_with_its_trials() -> None:
    async with workbench() as bench:
        sweep = await bench.over(bench.submit("s", make_sweep("exec sleep 300", limits={"timeout": 1})))
        assert sweep.status == "Canceled"
        assert get_message(sweep) == "the sweep ran longer than its limits.timeout of 1 s"
        assert set(bench.states(sweep).values()) == {"Canceled"}


async def test_the_time_of_a_sweep_goes_on_without_a_server(tmp_path: Path) -> None:
    """The deadline is worked out from the records, so the next server cancels at once what is late."""
    home = Home(tmp_path / "home")
    first = Workbench(home)
    await first.engine.open()
    sweep = first.submit("s", make_sweep("exec sleep 300", limits={"timeout": 3600}))
    await until_running(first, sweep, "trial_0", "trial_1")
    first.db.execute("UPDATE jobs SET started_at=started_at-3601 WHERE id=?", (sweep.id,))
    await first.kill()
    async with workbench(home) as bench:
        sweep = await bench.over(sweep)
        assert (sweep.status, get_message(sweep)) == (
            "Canceled", "the sweep ran longer than its limits.timeout of 3600 s"
        )  # fmt: skip


async def test_a_sweep_that_ends_in_time_is_left_alone() -> None:
    async with workbench() as bench:
        document = make_sweep(make_log_command(bench), limits={"timeout": 3600})
        sweep = await bench.over(bench.submit("s", document))
        assert sweep.status == "Completed"


async def test_a_trial_that_runs_too_long_is_ended_and_the_sweep_goes_on() -> None:
    async with workbench() as bench:
        values = {"type": "choice", "values": [0, 1]}
        command = f"[ ${{{{search_space.x}}}} = 1 ] || exec sleep 300; {make_log_command(bench)}"
        for limit in LIMITS:
            limits = {"max_total_trials": 2, "trial_timeout": limit}
            document = make_sweep(command, search_space={"x": values}, sampling_algorithm="grid", limits=limits)
            sweep = await bench.over(bench.submit(f"s{limit}", document))
            if sweep.status == "Completed":  # else the machine was too busy for the other trial
                break
        assert bench.states(sweep) == {"trial_0": "Failed", "trial_1": "Completed"}
        assert sweep.status == "Completed"


async def test_a_trial_that_is_a_pipeline_has_a_time_out_too() -> None:
    async with workbench() as bench:
        trial = register_slow_pipeline(bench)
        document = make_sweep("", total=1, at_once=1, limits={"trial_timeout": 1}) | {"trial": trial}
        sweep = await bench.over(bench.submit("s", document))
        assert bench.states(sweep) == {"trial_0": "Canceled"}
        assert "1 s that the sweep's limits.trial_timeout allows" in get_message(sweep)


async def test_a_trial_that_somebody_cancels_is_replaced() -> None:
    async with workbench() as bench:
        values = {"type": "choice", "values": [0, 1, 2]}
        command = f"[ ${{{{search_space.x}}}} = 0 ] && exec sleep 300; {make_log_command(bench)}"
        document = make_sweep(command, search_space={"x": values}, sampling_algorithm="grid", total=3, at_once=1)
        sweep = bench.submit("s", document)
        await until_running(bench, sweep, "trial_0")
        bench.engine.cancel(find_job(bench, "s_0"))
        sweep = await bench.over(sweep)
        assert list(bench.states(sweep).values()) == ["Canceled", "Completed", "Completed"]
        assert read_properties(bench, sweep)["best_child_run_id"] == "s_1"


async def test_trials_that_end_at_once_make_way_for_as_many() -> None:
    """No number is given twice, however many ends come in one turn."""
    async with workbench(cpus=8) as bench:
        gate = bench.home.path("go")
        command = f"while [ ! -e {gate} ]; do sleep 0.02; done; {make_log_command(bench)}"
        sweep = bench.submit("s", make_sweep(command, total=24, at_once=8))
        await until_running(bench, sweep, *(f"trial_{number}" for number in range(8)))
        bench.engine.pause()
        gate.touch()
        await asyncio.to_thread(eventually, lambda: bench.engine.pending_exits == 8, "the ends")
        bench.engine.resume()
        sweep = await bench.over(sweep)
        assert sweep.status == "Completed"
        assert sorted(bench.states(sweep)) == sorted(f"trial_{number}" for number in range(24))


async def test_short_trials_that_fail_make_way_for_the_next_ones() -> None:
    """Some wait at the launcher for a trial that fails: each runs once all the same, and two at a time."""
    async with workbench() as bench:
        folder = bench.home.root.parent
        values = {"type": "choice", "values": list(range(24))}
        note = f"echo ${{{{search_space.x}}}} >> {folder}/ran"
        command = f"{note}; [ $((${{{{search_space.x}}}} % 3)) != 0 ] && {make_log_command(bench)}"
        document = make_sweep(command, search_space={"x": values}, sampling_algorithm="grid", total=24)
        sweep = await bench.over(bench.submit("s", document))
        assert sweep.status == "Completed", sweep.error
        assert sorted((folder / "ran").read_text().split(), key=int) == [str(number) for number in range(24)]
        states = bench.states(sweep)
        assert states == {f"trial_{x}": "Completed" if x % 3 else "Failed" for x in range(24)}


@pytest.mark.parametrize("logs", [True, False])
async def test_no_more_trials_run_at_once_than_may_however_short_they_are(logs: bool) -> None:
    """There are slots for more, and trials are planned ahead; an end is told after the metric was read."""
    async with workbench(cpus=6) as bench:
        folder = bench.home.root.parent
        count = f"mkdir {folder}/r$$ && ls -d {folder}/r* | wc -l >> {folder}/counts"
        command = f"{count}; {make_log_command(bench) if logs else 'sleep 0.02'}; rmdir {folder}/r$$"
        sweep = await bench.over(bench.submit("s", make_sweep(command, total=40, at_once=2)))
        assert len(jobs.list_children(bench.db, sweep.id)) == 40
        counts = [int(line) for line in (folder / "counts").read_text().split()]
        assert (len(counts), max(counts)) == (40, 2)


def make_half_done_sweep(bench: Workbench) -> dict[str, Any]:
    """Return a sweep whose first three trials complete, the second the best, and whose last one runs for ever."""
    values = {"type": "choice", "values": [2, 1, 3, 0]}
    command = f"echo ${{{{search_space.x}}}} > ${{{{outputs.out}}}}/x; {make_log_command(bench)}"
    command = f"[ ${{{{search_space.x}}}} = 0 ] && exec sleep 300; {command}"
    return make_sweep(
        command, search_space={"x": values}, sampling_algorithm="grid", at_once=1,
        outputs={"out": {"type": "uri_folder", "name": "tuned"}},
    )  # fmt: skip


def check_best_is_kept(bench: Workbench, sweep: Job) -> None:
    """Check that the best trial so far is the sweep's, with its outputs, and that no version came of it."""
    assert bench.states(sweep) == {f"trial_{n}": "Completed" if n < 3 else "Canceled" for n in range(4)}
    properties = read_properties(bench, sweep)
    assert (sweep.status, properties["best_child_run_id"], properties["score"]) == ("Canceled", "s_1", "1.0")
    assert jobs.read_properties(bench.db, sweep.id)["tags"]["best_child_run_id"] == "s_1"
    _, _, uri, asset = job_data.read_data(bench.db, sweep.id, "output")["out"]
    assert (str(uri).split("/")[-3], asset) == ("s_1", None)
    assert "the best of 4 trials is trial_1: loss is 1" in read_note(bench, "s")


async def test_a_canceled_sweep_keeps_its_best_trial_so_far() -> None:
    async with workbench() as bench:
        sweep = bench.submit("s", make_half_done_sweep(bench))
        await until_running(bench, sweep, "trial_3")
        bench.engine.cancel(sweep)
        check_best_is_kept(bench, await bench.over(sweep))


async def test_a_server_that_dies_in_a_cancel_keeps_the_best_trial(tmp_path: Path) -> None:
    """The cancel is recorded, and the next server ends the sweep."""
    home = Home(tmp_path / "home")
    first = Workbench(home)
    await first.engine.open()
    sweep = first.submit("s", make_half_done_sweep(first))
    await until_running(first, sweep, "trial_3")
    first.engine.cancel(sweep)
    await first.kill()
    async with workbench(home) as bench:
        check_best_is_kept(bench, await bench.over(sweep))


async def test_a_sweep_that_ran_too_long_keeps_its_best_trial_so_far(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    first = Workbench(home)
    await first.engine.open()
    limits = {"max_total_trials": 4, "max_concurrent_trials": 1, "timeout": 3600}
    sweep = first.submit("s", make_half_done_sweep(first) | {"limits": limits})
    await until_running(first, sweep, "trial_3")
    first.db.execute("UPDATE jobs SET started_at=started_at-3601 WHERE id=?", (sweep.id,))
    await first.kill()
    async with workbench(home) as bench:
        check_best_is_kept(bench, await bench.over(sweep))


async def test_a_trial_that_completes_while_its_sweep_is_canceled_can_be_the_best() -> None:
    """It ends by itself before it is stopped, so its sweep is not told its value: it is looked up."""
    async with workbench() as bench:
        values = {"type": "choice", "values": [1, 0]}
        document = make_sweep(make_log_command(bench), search_space={"x": values}, sampling_algorithm="grid", total=2)
        sweep = bench.submit("s", document)
        await bench.until(sweep, lambda _: "Completed" in bench.states(sweep).values())
        bench.engine.cancel(sweep)
        sweep = await bench.over(sweep)
        completed = {node for node, status in bench.states(sweep).items() if status == "Completed"}
        best = "s_1" if "trial_1" in completed else "s_0"
        assert read_properties(bench, sweep)["best_child_run_id"] == best
