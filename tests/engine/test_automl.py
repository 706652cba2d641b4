"""AutoML jobs as the engine runs them; the search is a stand-in that writes its journal as the real one does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from smalt import wire
from smalt.entities import Input
from smalt.entities.jobs.automl.job import AutoMLComponent, AutoMLJob
from smalt.entities.steps.standalone_jobs import convert_to_job
from smalt.exceptions import RefusedError, ValidationException
from smalt.machine.home import Home
from smalt.service.engine import kinds
from smalt.service.engine.kinds import automl_checks, automl_search
from smalt.service.engine.kinds.automl_trials import SearchJournal
from smalt.service.records import assets, composite_state, jobs
from smalt.service.records.jobs import Job
from smalt.service.tracking.run_database import LoggedMetric
from tests.engine.bench import Workbench, workbench
from tests.forked_programs import ForkedPrograms


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automl_search, "_PROGRAM", Path(__file__).with_name("automl_program"))


def make_document(tmp_path: Path, **more: Any) -> dict[str, Any]:
    table = tmp_path / "table"
    table.mkdir(exist_ok=True)
    (table / "a.csv").write_text("x,y\n1,2\n")
    (table / "MLTable").write_text("paths: [{file: ./a.csv}]\ntransformations: [read_delimited]\n")
    variables = {"RUNS": str(tmp_path / "runs"), **more.pop("environment_variables", {})}
    return {
        "type": "automl", "task": "classification", "primary_metric": "accuracy", "target_column_name": "y",
        "training_data": {"type": "mltable", "path": str(table)}, "environment_id": "azureml:host",
        "environment_variables": variables, **more,
    }  # fmt: skip


def submit(bench: Workbench, document: dict[str, Any], name: str = "a") -> Job:
    body = wire.to_rest(AutoMLJob.from_dict(document))["properties"]
    return bench.engine.submit(bench.workspace, name, body, "tester")


def find_trials(bench: Workbench, job: Job) -> list[tuple[str | None, str, str]]:
    return [(one.node, one.name, one.status) for one in jobs.list_children(bench.db, job.id) if one.node != "search"]


ALL = [
    ("trial_0", "a_0", "Completed"),
    ("trial_1", "a_1", "Failed"),
    ("trial_2", "a_2", "Completed"),
    ("trial_3", "a_3", "Completed"),
]


def test_each_trial_of_the_search_is_a_child(tmp_path: Path) -> None:
    """With its times, hyperparameters, metrics and files; the best one is named by the job, whose model it is."""

    async def scenario() -> None:
        async with workbench(Home(tmp_path / "home")) as bench:
            job = await bench.over(submit(bench, make_document(tmp_path)))
            assert (job.status, job.ended_by) == ("Completed", None)
            assert find_trials(bench, job) == ALL
            search, best, bad = (bench.child(job, node) for node in ("search", "trial_2", "trial_1"))
            assert (search.name, search.type, best.type) == ("a_search", "command", "command")
            assert (best.started_at, best.ended_at) == (102.0, 102.5)
            assert (bad.ended_by or {})["message"] == "it did not fit"
            body = jobs.read_properties(bench.db, best.id)
            parameters = {"algorithm": "LightGBM", "leaves": 4, "deep": [1, 2]}
            assert json.loads(body["tags"]["hyperparameters"]) == parameters
            assert {name: value["value"] for name, value in body["inputs"].items()}["leaves"] == "4"
            properties = body["properties"]
            assert (properties["run_algorithm"], properties["score"]) == ("LightGBM", "0.9")
            assert composite_state.read_state(bench.db, best.id) == {"smalt.metrics": {"accuracy": 0.9}}
            files = bench.artifacts("a_2") / "outputs" / "mlflow-model" / "MLmodel"
            assert files.read_text() == "run_id: a_search 2\n"
            assert (bench.artifacts("a") / "outputs" / "automl" / "leaderboard.csv").read_text() == "best first\n"
            with pytest.raises(RefusedError, match="look into 'a_search'"):
                await kinds.lay_out_copy(bench.engine.context, best)
            body = jobs.read_properties(bench.db, job.id)
            assert body["properties"]["best_child_run_id"] == "a_2"
            assert body["tags"] == {"automl_best_child_run_id": "a_2"}
            assert bench.store("azureml", "a", "best_model", "MLmodel").read_text() == "best\n"
            assert (tmp_path / "runs").read_text() == "y\n"

    asyncio.run(scenario())


async def tell(bench: Workbench, number: int) -> None:
    """Tell the engine what the proxy tells it when the search logs the number of a trial."""
    take = bench.engine.planner.find_metric_listener(bench.workspace, "a_search")
    assert take is not None
    take([LoggedMetric("smalt.trial", float(number), number, 1000 + number)])


async def until_written(bench: Workbench, lines: int) -> None:
    journal = bench.store("azureml", "a_search", "trials", "journal.jsonl")
    while not journal.exists() or journal.read_text().count("\n") < lines:
        await asyncio.sleep(0.02)


def test_a_trial_is_there_while_the_search_goes_on(tmp_path: Path) -> None:
    """It is added when the search logs its number, with all before it, and once however often that is told."""

    async def scenario() -> None:
        async with workbench(Home(tmp_path / "home")) as bench:
            go = tmp_path / "go"
            job = submit(bench, make_document(tmp_path, environment_variables={"GO": str(go)}))
            await bench.until(job, lambda now: now.status == "Running")
            await until_written(bench, 3)
            await tell(bench, 1)
            await bench.until(job, lambda now: len(find_trials(bench, job)) == 3)
            await tell(bench, 2)
            assert find_trials(bench, job) == ALL[:3]
            assert bench.child(job, "search").status == "Running"
            go.touch()
            assert (await bench.over(job)).status == "Completed"
            assert find_trials(bench, job) == ALL

    asyncio.run(scenario())


def test_a_server_that_is_killed_loses_and_repeats_no_trial(tmp_path: Path) -> None:
    """The search outlives it, and the next server adds what the first has not."""
    home = Home(tmp_path / "home")

    async def begin() -> None:
        bench = Workbench(home)
        await bench.engine.open()
        job = submit(bench, make_document(tmp_path, environment_variables={"GO": str(tmp_path / "go")}))
        await bench.until(job, lambda now: now.status == "Running")
        await until_written(bench, 3)
        await tell(bench, 0)
        await bench.until(job, lambda now: len(find_trials(bench, job)) == 3)
        await bench.kill()
        (tmp_path / "go").touch()

    async def finish() -> None:
        async with workbench(home) as bench:
            job = jobs.find_by_name(bench.db, bench.workspace.id, "a")
            assert job is not None
            assert (await bench.over(job)).status == "Completed"
            assert find_trials(bench, job) == ALL
            assert (tmp_path / "runs").read_text() == "y\n"

    asyncio.run(begin())
    asyncio.run(finish())


def test_a_journal_is_read_on_from_its_last_whole_line(tmp_path: Path) -> None:
    """A long search writes a line a second, and the engine's thread reads it."""
    path, journal = tmp_path / "journal.jsonl", SearchJournal()
    journal.read_on(path)
    lines = [json.dumps({"event": "trial", "number": number}) for number in range(3)]
    path.write_text(f"{lines[0]}\n{lines[1][:9]}")
    journal.read_on(path)
    assert [trial["number"] for trial in journal.trials] == [0]
    path.write_text(f"{'-' * len(lines[0])}\n{lines[1]}\n{lines[2]}\n")
    journal.read_on(path)
    assert [trial["number"] for trial in journal.trials] == [0, 1, 2]
    journal.read_on(path)
    assert len(journal.trials) == 3


FEWEST_COMMITS = 6
"""A run has some more; events that come at once share one."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 13))
def test_a_server_that_dies_at_a_commit(
    tmp_path: Path, forked_programs: ForkedPrograms, number: int, when: str
) -> None:
    """Whichever commit it was, the search runs once, and each of its trials is one child."""
    home, document = Home(tmp_path / "home"), make_document(tmp_path)
    (tmp_path / "job.json").write_text(json.dumps(document))
    died = forked_programs.run("tests.engine.automl_death", str(home.root), str(tmp_path), str(number), when)
    assert died.returncode in (0, 9), died.stderr
    if died.returncode == 0:
        assert number > FEWEST_COMMITS, "it was to be killed, and ran to its end"
        pytest.skip("it is over before that commit")

    async def finish() -> None:
        async with workbench(home) as bench:
            job = jobs.find_by_name(bench.db, bench.workspace.id, "a")
            if job is None:  # it was not accepted
                job = submit(bench, document)
            assert (await bench.over(job)).status == "Completed"
            assert find_trials(bench, job) == ALL
            assert jobs.read_properties(bench.db, job.id)["tags"] == {"automl_best_child_run_id": "a_2"}
            assert (tmp_path / "runs").read_text() == "y\n"

    asyncio.run(finish())


def test_a_search_that_fails_fails_the_job_with_its_sentence(tmp_path: Path) -> None:
    """The trials that it had are there."""

    async def scenario() -> None:
        async with workbench(Home(tmp_path / "home")) as bench:
            document = make_document(tmp_path, environment_variables={"FAIL": "the table has one class"})
            job = await bench.over(submit(bench, document))
            assert (job.status, (job.ended_by or {})["message"]) == ("Failed", "the table has one class")
            assert find_trials(bench, job) == ALL

    asyncio.run(scenario())


def test_a_cancel_ends_the_search(tmp_path: Path) -> None:
    """No trial is added any more."""

    async def scenario() -> None:
        async with workbench(Home(tmp_path / "home")) as bench:
            job = submit(bench, make_document(tmp_path, environment_variables={"GO": str(tmp_path / "never")}))
            await bench.until(job, lambda now: now.status == "Running")
            await until_written(bench, 3)
            await tell(bench, 2)
            await bench.until(job, lambda now: len(find_trials(bench, job)) == 3)
            bench.engine.cancel(job)
            assert (await bench.over(job)).status == "Canceled"
            assert find_trials(bench, job) == ALL[:3]
            assert bench.child(job, "search").status == "Canceled"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"target_column_name": "Y"}, "target_column_name: training_data has no column 'Y'; did you mean 'y'?"),
        ({"weight_column_name": "w"}, "weight_column_name: training_data has no column 'w'; it has x, y"),
        (
            {"featurization": {"mode": "custom", "column_name_and_types": {"z": "Text"}}},
            "featurization.column_name_and_types: training_data has no column 'z'; it has x, y",
        ),
        ({"training_data": {"type": "mltable", "path": "/nowhere"}}, "training_data: /nowhere does not exist"),
        ({"training_data": {"type": "mltable", "path": __file__}}, "for a file as it is, write 'type: uri_file'"),
        ({"training_data": {"type": "mltable"}}, "training_data has a type and no path; give it a path"),
        ({"environment_id": "azureml:nothing"}, "environment_id: "),
    ],
)
def test_the_tables_are_looked_at_before_anything_runs(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    """Columns that are not there are told with those that are."""

    async def scenario() -> None:
        async with workbench(Home(tmp_path / "home")) as bench:
            with pytest.raises(ValidationException) as refused:
                submit(bench, make_document(tmp_path, **changes))
            assert sentence in str(refused.value)
            assert jobs.find_by_name(bench.db, bench.workspace.id, "a") is None

    asyncio.run(scenario())


def test_a_target_that_is_no_text_is_one_mistake(tmp_path: Path) -> None:
    """And none that is missing."""
    with pytest.raises(ValidationException) as refused:
        AutoMLJob.from_dict(make_document(tmp_path, target_column_name=3))
    (line,) = str(refused.value).splitlines()
    assert "'target_column_name' must be text, not the number 3" in line


def test_a_plain_off_is_the_word(tmp_path: Path) -> None:
    """YAML reads it as false."""
    job = AutoMLJob.from_dict({**make_document(tmp_path), "featurization": {"mode": False}})
    assert job.featurization.mode == "off"


TABLES = {
    "semicolons": "a;b;y\n1;2;u\n", "tabs": "a\tb\ty\n1\t2\tu\n", "bars": "a|b|y\n1|2|u\n",
    "quoted": '"a;b;c;d","b",y\n1,2,u\n', "mark": "\N{ZERO WIDTH NO-BREAK SPACE}a,b,y\n1,2,u\n",
    "blank line": "\na,b,y\n1,2,u\n", "unnamed": ",,y\n1,2,u\n",
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
@pytest.mark.parametrize("name", TABLES)
def test_the_separator_is_found_in_the_first_line(tmp_path: Path, name: str, suffix: str) -> None:
    """Whatever the ending says."""
    path = tmp_path / f"table{suffix}"
    path.write_text(TABLES[name])
    columns = automl_checks.read_columns(path, "uri_file")
    assert columns is not None
    assert (len(columns), columns[-1]) == (3, "y")


def test_a_header_in_latin_1_is_read(tmp_path: Path) -> None:
    """As the program reads it."""
    (tmp_path / "a.csv").write_bytes("größe,y\n1,2\n".encode("latin-1"))
    assert automl_checks.read_columns(tmp_path / "a.csv", "uri_file") == ["größe", "y"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a,y,y\n1,2,3\n", "training_data: the table has two columns named 'y'; rename one of them"),
        (b"", "training_data: the table is empty"),
        (b"\n \n", "training_data: the table is empty"),
        (b"\x00\x01\x1b[1m\n", "target_column_name: training_data has no column 'y'; it has \ufffd\ufffd\ufffd[1m"),
        (b"a; y\n1;2\n", "target_column_name: training_data has no column 'y'; did you mean ' y'?"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    """Before anything runs, since it is on this machine."""
    path = tmp_path / "table.csv"
    path.write_bytes(content)

    async def scenario() -> None:
        async with workbench(Home(tmp_path / "home")) as bench:
            with pytest.raises(ValidationException) as refused:
                submit(bench, make_document(tmp_path, training_data={"type": "uri_file", "path": str(path)}))
            assert str(refused.value) == sentence

    asyncio.run(scenario())


PIPELINE = {
    "inputs": {"table": {"type": "mltable"}},
    "outputs": {"model": {"type": "mlflow_model"}},
    "jobs": {
        "prep": {
            "command": "cp ${{inputs.t}}/* ${{outputs.t}}/", "environment": "azureml:host",
            "inputs": {"t": "${{parent.inputs.table}}"}, "outputs": {"t": {"type": "mltable"}},
        },
        "learn": {"outputs": {"best_model": "${{parent.outputs.model}}"}},
        "use": {
            "command": "cat ${{inputs.model}}/MLmodel; echo ran >> $RUNS", "environment": "azureml:host",
            "inputs": {"model": {"type": "mlflow_model", "path": "${{parent.jobs.learn.outputs.best_model}}"}},
        },
    },
}  # fmt: skip


def make_pipeline(tmp_path: Path, **more: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(PIPELINE))
    step = make_document(tmp_path, **more)
    document["inputs"]["table"]["path"] = step["training_data"]["path"]
    step["training_data"] = "${{parent.jobs.prep.outputs.t}}"
    document["jobs"]["learn"].update(step)
    document["jobs"]["use"]["environment_variables"] = {"RUNS": str(tmp_path / "used")}
    return document


def test_a_step_of_a_pipeline_learns_from_what_another_wrote(tmp_path: Path) -> None:
    """Its model is read by a third step and is the pipeline's; unchanged, the search is reused with its trials."""

    async def scenario() -> None:
        async with workbench(Home(tmp_path / "home")) as bench:
            first = await bench.over(bench.submit("p", make_pipeline(tmp_path)))
            assert (first.status, first.ended_by) == ("Completed", None)
            learn = bench.child(first, "learn")
            assert [one.name for one in jobs.list_children(bench.db, learn.id)] == [
                "p-learn_search", *(f"p-learn_{number}" for number in range(4))
            ]  # fmt: skip
            assert bench.log("p-use") == "best\n"
            assert bench.store("azureml", "p", "model", "MLmodel").read_text() == "best\n"
            again = await bench.over(bench.submit("q", make_pipeline(tmp_path)))
            assert (again.status, again.ended_by) == ("Completed", None)
            learn = bench.child(again, "learn")
            assert [one.status for one in jobs.list_children(bench.db, learn.id)].count("Completed") == 4
            assert (tmp_path / "runs").read_text() == "y\n", "the search was to be reused"
            assert (tmp_path / "used").read_text() == "ran\n", "so was what read its model"
            assert (bench.artifacts("q-learn_2") / "outputs" / "mlflow-model" / "MLmodel").exists()
            assert jobs.read_properties(bench.db, learn.id)["properties"]["best_child_run_id"] == "q-learn_2"

    asyncio.run(scenario())


def test_the_columns_of_a_pipelines_input_are_looked_at(tmp_path: Path) -> None:
    """Before the step that would read it starts."""
    document = make_pipeline(tmp_path, target_column_name="z")
    document["jobs"]["learn"]["training_data"] = "${{parent.inputs.table}}"

    async def scenario() -> None:
        async with workbench(Home(tmp_path / "home")) as bench:
            with pytest.raises(ValidationException) as refused:
                bench.submit("p", document)
            assert "jobs.learn.target_column_name: training_data has no column 'z'" in str(refused.value)

    asyncio.run(scenario())


COMPONENT = {
    "type": "automl", "name": "learn", "version": "1", "task": "classification", "primary_metric": "accuracy",
    "inputs": {"table": {"type": "mltable"}, "trials": {"type": "integer", "default": 7}, "column": {"type": "string"}},
    "outputs": {"best_model": {"type": "mlflow_model"}},
    "training_data": "${{inputs.table}}", "target_column_name": "${{inputs.column}}",
    "limits": {"max_trials": "${{inputs.trials}}"}, "environment_id": "azureml:host",
}  # fmt: skip


@pytest.mark.parametrize("is_registered", [False, True])
def test_a_component_says_how_its_steps_search(tmp_path: Path, is_registered: bool) -> None:
    """Its inputs are put into its settings: tables, texts and numbers."""
    component = {**COMPONENT, "environment_variables": {"RUNS": str(tmp_path / "runs")}}
    document = make_pipeline(tmp_path)

    async def scenario() -> None:
        async with workbench(Home(tmp_path / "home")) as bench:
            reference: Any = component
            if is_registered:
                body = wire.to_rest(AutoMLComponent.from_dict(component))["properties"]
                assets.put_version(bench.db, bench.workspace.id, "components", "learn", "1", body, "tester")
                reference = "azureml:learn:1"
            document["jobs"]["learn"] = {
                "type": "automl", "component": reference, "inputs": {"table": TABLE, "column": "y"},
                "outputs": {"best_model": "${{parent.outputs.model}}"},
            }  # fmt: skip
            job = await bench.over(bench.submit("p", document))
            assert (job.status, job.ended_by) == ("Completed", None)
            body = jobs.read_properties(bench.db, bench.child(bench.child(job, "learn"), "search").id)
            settings = json.loads(body["environmentVariables"]["SMALT_AUTOML_SETTINGS"])
            assert (settings["limits"], settings["target_column_name"]) == ({"max_trials": 7}, "y")
            assert bench.log("p-use") == "best\n"

    asyncio.run(scenario())


TABLE = "${{parent.jobs.prep.outputs.t}}"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"training_data": "./here"}, "a table of a component is one of its inputs"),
        ({"target_column_name": "${{inputs.colum}}"}, "did you mean"),
        ({"primary_metric": "r2_score"}, "no primary metric of classification"),
    ],
)
def test_a_component_that_is_wrong_is_refused(changes: dict[str, Any], sentence: str) -> None:
    """Each mistake in one sentence."""
    with pytest.raises(ValidationException) as refused:
        AutoMLComponent.from_dict({**COMPONENT, **changes})
    assert sentence in str(refused.value)


def test_a_component_alone_becomes_a_job() -> None:
    """Calling it outside of a pipeline and submitting the step."""
    step = AutoMLComponent.from_dict(COMPONENT)(table=Input(type="mltable", path="azureml:t:1"), column="z", trials=3)
    job = convert_to_job(step)
    assert (job.type, job.task, job.target_column_name, job.limits.max_trials) == ("automl", "classification", "z", 3)
    assert job.training_data == Input(type="mltable", path="azureml:t:1")
