"""Sweeps with real trials: points, objective, outputs of the best, and ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smalt.exceptions import ValidationException
from smalt.service.records import job_data, jobs
from smalt.service.records.jobs import Job
from tests.engine.bench import workbench
from tests.engine.sweeps import HOST, UNIT, make_log_command, make_sweep, read_note, read_points, read_properties


def get_message(job: Job) -> str:
    return str((job.ended_by or {}).get("message"))


async def test_each_trial_has_its_point_in_the_command_and_in_variables() -> None:
    """Names, display names and tags are as the service's, whose notebooks read them."""
    async with workbench() as bench:
        space = {"x": UNIT, "kind": {"type": "choice", "values": ["a", "b"]}}
        variables = "$AZUREML_SWEEP_x $AZUREML_SWEEP_fixed"
        command = f"echo ${{{{inputs.fixed}}}} ${{{{search_space.x}}}} {variables} ${{{{search_space.kind}}}}"
        document = make_sweep(command, search_space=space, inputs={"fixed": 3}, display_name="tuning")
        sweep = await bench.over(bench.submit("s", document))
        children = jobs.list_children(bench.db, sweep.id)
        points = read_points(bench, sweep)
        assert [(one.name, one.node, one.display_name) for one in children] == [
            (f"s_{number}", f"trial_{number}", f"tuning_{number}") for number in range(4)
        ]
        for number, point in enumerate(points.values()):
            assert bench.log(f"s_{number}") == f"3 {point['x']} {point['x']} 3 {point['kind']}\n"
        assert len({json.dumps(point) for point in points.values()}) == 4


async def test_the_best_trial_gives_the_outputs() -> None:
    """They are recorded, not copied; the name of an output makes a version of the best trial's alone."""
    async with workbench() as bench:
        command = f"echo ${{{{search_space.x}}}} > ${{{{outputs.model}}}}/x && {make_log_command(bench)}"
        document = make_sweep(command, outputs={"model": {"type": "uri_folder", "name": "tuned"}})
        sweep = await bench.over(bench.submit("s", document))
        assert sweep.status == "Completed", sweep.error
        points = read_points(bench, sweep)
        best = min(points, key=lambda node: float(points[node]["x"]))
        properties = read_properties(bench, sweep)
        assert properties["best_child_run_id"] == f"s_{best[-1]}"
        assert float(properties["score"]) == points[best]["x"]
        kind, _, uri, asset = job_data.read_data(bench.db, sweep.id, "output")["model"]
        assert (kind, asset) == ("uri_folder", "data/tuned/versions/1")
        place = bench.engine.context.resolve(str(uri), bench.workspace).path
        assert place is not None
        assert place == bench.store("azureml", f"s_{best[-1]}", "model")
        assert (place / "x").read_text() == f"{points[best]['x']}\n"
        assert not bench.store("azureml", "s").exists()
        reader = {
            "command": "cat ${{inputs.model}}/x", "environment": HOST,
            "inputs": {"model": {"type": "uri_folder", "path": "azureml://jobs/s/outputs/model"}},
        }  # fmt: skip
        await bench.over(bench.submit("reader", reader))
        assert bench.log("reader") == f"{points[best]['x']}\n"


@pytest.mark.parametrize(("goal", "best"), [("maximize", "trial_1"), ("minimize", "trial_0")])
async def test_the_last_value_counts_and_of_equal_ones_the_first_trial(goal: str, best: str) -> None:
    """The values of a trial are those of its metric in the order in which they arrived."""
    async with workbench() as bench:
        values = {"type": "choice", "values": ["9 0.5", "0 0.7", "0.7", "0.5"]}
        document = make_sweep(
            make_log_command(bench), search_space={"x": values}, sampling_algorithm="grid",
            objective={"goal": goal, "primary_metric": "loss"}, limits={"max_total_trials": 10},
        )  # fmt: skip
        sweep = await bench.over(bench.submit("s", document))
        assert len(jobs.list_children(bench.db, sweep.id)) == 4
        assert f"the best of 4 trials is {best}" in read_note(bench, "s")


async def test_failed_trials_do_not_end_a_sweep() -> None:
    async with workbench() as bench:
        values = {"type": "choice", "values": [0, 1, 2]}
        command = f"[ ${{{{search_space.x}}}} != 0 ] && {make_log_command(bench)}"
        document = make_sweep(command, search_space={"x": values}, sampling_algorithm="grid", total=3, at_once=1)
        sweep = await bench.over(bench.submit("s", document))
        assert bench.states(sweep) == {"trial_0": "Failed", "trial_1": "Completed", "trial_2": "Completed"}
        assert sweep.status == "Completed"
        assert read_properties(bench, sweep)["best_child_run_id"] == "s_1"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("exit 3", "all 4 trials failed; the first: the command exited with code 3"),
        ("true", "no trial that completed has a value of the primary metric 'loss': they logged no metric"),
        ("LOG accuracy", "no trial that completed has a value of the primary metric 'loss': they logged accuracy"),
        (
            "LOG nan",
            "no trial that completed has a finite value of the primary metric 'loss': it is nan in trial_0, nan in ",
        ),
        ("LOG -inf", "a finite value of the primary metric 'loss': it is -inf in trial_"),
    ],
)
async def test_a_sweep_without_a_best_trial_fails_and_says_why(command: str, told: str) -> None:
    async with workbench() as bench:
        logs = {
            "LOG accuracy": make_log_command(bench, name="accuracy"),
            "LOG nan": make_log_command(bench, "nan"),
            "LOG -inf": make_log_command(bench, "-inf"),
        }
        sweep = await bench.over(bench.submit("s", make_sweep(logs.get(command, command), at_once=1)))
        assert sweep.status == "Failed"
        assert told in get_message(sweep)


async def test_a_seed_is_drawn_once_and_gives_the_same_points_again() -> None:
    """A sweep that is submitted as it is recorded reuses all trials of the first."""
    async with workbench() as bench:
        first = await bench.over(bench.submit("s", make_sweep(make_log_command(bench))))
        body = jobs.read_properties(bench.db, first.id)
        again = await bench.over(bench.engine.submit(bench.workspace, "again", body, "tester"))
        other = await bench.over(bench.submit("other", make_sweep(make_log_command(bench))))
        assert again.status == "Completed", again.error
        assert read_points(bench, again) == read_points(bench, first)
        assert read_points(bench, other) != read_points(bench, first)
        reused = [read_properties(bench, one) for one in jobs.list_children(bench.db, again.id)]
        assert [one.get("azureml.reusedrunid") for one in reused] == [f"s_{number}" for number in range(4)]
        assert read_properties(bench, again)["score"] == read_properties(bench, first)["score"]


async def test_a_sweep_goes_on_with_more_trials() -> None:
    """With the seed of the first and larger limits, the trials that it has had are reused."""
    async with workbench() as bench:
        seeded = {"sampling_algorithm": {"type": "random", "seed": 7}}
        first = await bench.over(bench.submit("s", make_sweep(make_log_command(bench), **seeded)))
        more = await bench.over(bench.submit("more", make_sweep(make_log_command(bench), total=6, **seeded)))
        assert list(read_points(bench, more).values())[:4] == list(read_points(bench, first).values())
        reused = [read_properties(bench, one) for one in jobs.list_children(bench.db, more.id)]
        assert ["azureml.isreused" in one for one in reused] == [True] * 4 + [False] * 2


async def test_at_most_so_many_trials_run_at_once() -> None:
    """All are planned at once where no number is given."""
    async with workbench() as bench:
        waiting = make_sweep("sleep 300", total=6, at_once=2)
        sweep = bench.submit("s", waiting)
        await bench.until(sweep, lambda _: list(bench.states(sweep).values()) == ["Running"] * 2)
        bench.engine.cancel(sweep)
        assert (await bench.over(sweep)).status == "Canceled"
        assert list(bench.states(sweep).values()) == ["Canceled"] * 2
        del waiting["limits"]["max_concurrent_trials"]
        everything = bench.submit("all", waiting)
        await bench.until(everything, lambda _: len(bench.states(everything)) == 6)
        bench.engine.cancel(everything)
        await bench.over(everything)


async def test_what_is_missing_is_told_before_anything_runs() -> None:
    async with workbench() as bench:
        document: dict[str, Any] = make_sweep("true", inputs={"data": {"type": "uri_file", "path": "/no/such"}})
        document["trial"]["environment"] = "azureml:nothing:3"
        with pytest.raises(ValidationException) as error:
            bench.submit("s", document)
        assert "trial.environment" in str(error.value)
        assert "inputs.data" in str(error.value)
        with pytest.raises(ValidationException, match=r"trial: .*nowhere"):
            bench.submit("s", make_sweep("true") | {"trial": "azureml:nowhere:1"})


async def test_a_registered_component_is_the_trial() -> None:
    """Its defaults count, its outputs are the sweep's, and a number for an integer is one."""
    async with workbench() as bench:
        inputs = {
            "x": {"type": "number", "default": 9}, "size": {"type": "integer"},
            "mode": {"type": "string", "default": "fast"},
        }  # fmt: skip
        command = "echo ${{inputs.x}} ${{inputs.size}} ${{inputs.mode}} | tee ${{outputs.model}}/seen && "
        reference = bench.register("train", {
            "command": command + make_log_command(bench, "${{inputs.x}}"), "environment": HOST,
            "inputs": inputs, "outputs": {"model": {"type": "uri_folder"}},
        })  # fmt: skip
        space = {"x": UNIT, "size": {"type": "quniform", "min_value": 1, "max_value": 9, "q": 1}}
        document = make_sweep("", search_space=space) | {"trial": reference}
        sweep = await bench.over(bench.submit("s", document))
        assert sweep.status == "Completed", [*jobs.list_children(bench.db, sweep.id), sweep.error]
        best = read_properties(bench, sweep)["best_child_run_id"]
        point = read_points(bench, sweep)[f"trial_{best[-1]}"]
        uri = job_data.read_data(bench.db, sweep.id, "output")["model"][2]
        place = bench.engine.context.resolve(str(uri), bench.workspace).path
        assert place is not None
        assert (place / "seen").read_text() == f"{point['x']} {int(point['size'])} fast\n"


async def test_a_given_path_has_a_folder_for_each_trial() -> None:
    """So no trial writes over another's output; the sweep's output is in the best one's."""
    async with workbench() as bench:
        command = f"echo ${{{{search_space.x}}}} > ${{{{outputs.out}}}} && {make_log_command(bench)}"
        path = "azureml://datastores/workspaceblobstore/paths/results/loss.txt"
        document = make_sweep(command, outputs={"out": {"type": "uri_file", "path": path}})
        sweep = await bench.over(bench.submit("s", document))
        assert sweep.status == "Completed", sweep.error
        best = read_properties(bench, sweep)["best_child_run_id"]
        assert {place.name for place in bench.store("results").iterdir()} == {f"s_{number}" for number in range(4)}
        uri = job_data.read_data(bench.db, sweep.id, "output")["out"][2]
        assert uri == path.replace("loss.txt", f"{best}/loss.txt")


async def test_a_name_that_another_job_has_is_left_alone() -> None:
    async with workbench() as bench:
        await bench.over(bench.submit("s_1", {"command": "true", "environment": HOST}))
        sweep = await bench.over(bench.submit("s", make_sweep("true")))
        assert [one.name for one in jobs.list_children(bench.db, sweep.id)] == ["s_0", "s_1-2", "s_2", "s_3"]


async def test_what_a_pipeline_has_no_use_for_is_said() -> None:
    """The resources of a sweep are its command's; the steps of a pipeline have theirs."""
    async with workbench() as bench:
        step = {"command": "true", "environment": HOST}
        trial = bench.register("two", {"inputs": {"x": {"type": "number"}}, "jobs": {"a": step}})
        document = make_sweep("", total=1, at_once=1, resources={"instance_count": 1}) | {"trial": trial}
        await bench.over(bench.submit("s", document))
        assert "resources has no effect: each step of the pipeline has its own" in read_note(bench, "s")
