"""Files to entities."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from smalt.entities import CommandComponent, CommandJob, Environment, Input, PipelineJob, Schedule, SweepNode, read
from smalt.exceptions import ValidationException
from smalt.yaml import load, load_text


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))


def told(path: Path | str, kind: str = "job", folder: Path | None = None) -> list[str]:
    """The problems of a file, one line each, with file names as seen from the folder."""
    with pytest.raises(ValidationException) as caught:
        load(path, kind)
    return [line.replace(f"{folder}/", "") for line in str(caught.value).splitlines()]


def test_all_errors_of_a_file_come_at_once_each_at_its_place(tmp_path: Path) -> None:
    """Three mistakes give three lines, each with file, line, column and what was meant."""
    write(
        tmp_path,
        {
            "pipe.yml": """
                type: pipeline
                inputs:
                  raw:
                    type: uri_foldr
                    path: azureml:raw:1
                settings:
                  default_compute: azureml:cpu
                jobs:
                  train:
                    environment: azureml:env@latest
                    inputs:
                      raw: ${{parent.inputs.raw}}
                    comand: python train.py
                  score:
                    component: ./score.yml
                    inputs:
                      defualt: 1
            """,
            "score.yml": """
                type: command
                command: score ${{inputs.defualt}}
                environment: azureml:env@latest
                inputs:
                  default:
                    type: number
                    defualt: 1
            """,
        },
    )
    types = "'uri_file', 'uri_folder', 'mltable', 'custom_model', 'mlflow_model' or 'triton_model'"
    assert told(tmp_path / "pipe.yml", folder=tmp_path) == [
        f"pipe.yml:4:11: 'type' must be {types}, not 'uri_foldr'; did you mean 'uri_folder'?",
        "pipe.yml:13:5: unknown key 'comand' in a command job; did you mean 'command'?",
        "score.yml:2:10: '${{inputs.defualt}}' names no input of this component; did you mean 'default'?",
        "score.yml:7:5: unknown key 'defualt' in an input; did you mean 'default'?",
    ]


def test_a_job_without_type_or_schema_is_a_command_job(tmp_path: Path) -> None:
    """`command` alone is enough."""
    write(tmp_path, {"job.yml": "command: echo hi\n"})
    assert load(tmp_path / "job.yml", "job") == CommandJob(command="echo hi")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json\njobs: {a: {command: ls}}\n",
            "PipelineJob",
        ),
        ("jobs: {a: {command: 'true'}}\n", "PipelineJob"),
        ("component: azureml:x:1\n", "PipelineJob"),
        (
            "$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json\ncommand: 'true'\n",
            "CommandJob",
        ),
        ("type: Command\ncommand: 'true'\n", "CommandJob"),
        ("type: spark\nentry: {file: a.py}\n", "SparkJob"),
    ],
)
def test_the_type_comes_from_type_or_schema_or_content(text: str, name: str) -> None:
    """`type` first, then the name of the `$schema`, then what the document has."""
    assert type(load_text(text, "job")).__name__ == name


def test_local_paths_become_absolute(tmp_path: Path) -> None:
    """Code, data, build contexts and conda files are taken from beside the file, wherever one stands."""
    write(
        tmp_path,
        {
            "jobs/job.yml": """
                command: python main.py
                code: ../src
                environment:
                  image: python
                  conda_file: ../conda.yml
                inputs:
                  near: {type: uri_file, path: ../data.csv}
                  there: {type: uri_file, path: "file:../data.csv"}
                  far: {type: uri_file, path: "https://example.org/data.csv"}
                  asset: {type: uri_file, path: "azureml:data:1"}
                  word: ../data.csv
            """,
            "src/main.py": "",
            "conda.yml": "name: c\ndependencies: [python=3.11]\n",
        },
    )
    job = load(tmp_path / "jobs" / "job.yml", "job")
    assert job.code == str(tmp_path / "src")
    assert job.source_path == str(tmp_path / "jobs" / "job.yml")
    assert job.environment == Environment(image="python", conda_file={"name": "c", "dependencies": ["python=3.11"]})
    paths = {name: value.path if isinstance(value, Input) else value for name, value in job.inputs.items()}
    assert paths == {
        "near": str(tmp_path / "data.csv"),
        "there": str(tmp_path / "data.csv"),
        "far": "https://example.org/data.csv",
        "asset": "azureml:data:1",
        "word": "../data.csv",
    }


def test_components_are_loaded_however_they_are_named(tmp_path: Path) -> None:
    """`./x.yml`, `x/y.yml` and `file:` are files; each is read once and knows its own folder."""
    component = "name: c\ntype: command\ncommand: ls\ncode: ./src\nenvironment: azureml:e:1\n"
    write(
        tmp_path,
        {
            "pipe.yml": """
                type: pipeline
                jobs:
                  a: {component: ./parts/c.yml}
                  b: {component: parts/c.yml}
                  c: {type: command, component: "file:./parts/c.yml"}
                  d: {component: azureml:c:1}
            """,
            "parts/c.yml": component,
            "parts/src/main.py": "",
        },
    )
    jobs = load(tmp_path / "pipe.yml", "job").jobs
    assert isinstance(jobs["a"].component, CommandComponent)
    assert jobs["a"].component is jobs["b"].component is jobs["c"].component
    assert jobs["a"].component.code == str(tmp_path / "parts" / "src")
    assert jobs["a"].component.source_path == str(tmp_path / "parts" / "c.yml")
    assert jobs["d"].component == "azureml:c:1"


def test_environments_trials_and_jobs_of_schedules_are_loaded(tmp_path: Path) -> None:
    """Every reference to a file is followed."""
    write(
        tmp_path,
        {
            "train.yml": "command: ls\nenvironment: file:./env.yml\ninputs: {x: {type: integer}}\n",
            "env.yml": "name: e\nimage: python\n",
            "pipe.yml": """
                type: pipeline
                jobs:
                  s:
                    type: sweep
                    trial: ./train.yml
                    search_space: {x: {type: choice, values: [1, 2]}}
                    objective: {goal: minimize, primary_metric: m}
                    limits: {max_total_trials: 2}
            """,
            "schedule.yml": """
                name: s
                trigger: {type: cron, expression: "0 * * * *", start_time: 2026-01-31T10:15:00}
                create_job: ./pipe.yml
            """,
        },
    )
    schedule = load(tmp_path / "schedule.yml", "schedule")
    assert isinstance(schedule, Schedule)
    assert isinstance(schedule.create_job, PipelineJob)
    step = schedule.create_job.jobs["s"]
    assert isinstance(step, SweepNode)
    assert isinstance(step.trial, CommandComponent)
    assert step.trial.environment == Environment(name="e", image="python")
    assert schedule.trigger is not None
    assert schedule.trigger.start_time == "2026-01-31T10:15:00"


def test_an_error_in_a_referenced_file_points_into_that_file(tmp_path: Path) -> None:
    """Files that are read on the way have their problems told at their own lines."""
    write(
        tmp_path,
        {
            "pipe.yml": "type: pipeline\njobs:\n  a:\n    component: parts/c.yml\n",
            "parts/c.yml": "type: command\ncommand: ls\nenvironment:\n  image: python\n  conda_file: conda.yml\n",
            "parts/conda.yml": "name: c\nname: d\n",
        },
    )
    assert told(tmp_path / "pipe.yml", folder=tmp_path) == [
        "parts/conda.yml:2:1: the key 'name' is given twice; the first is at line 1"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("command: ls\ncode: ./nowhere\n", ":2:7: there is no file or folder '"),
        ("type: pipeline\njobs:\n  a: {component: ./nowhere.yml}\n", ":3:18: there is no file '"),
        ("command: ls\nenvironment: my-env\n", ":2:14: 'environment' must be 'file:PATH', 'azureml:NAME:VERSION'"),
        ("type: comand\ncommand: ls\n", ":1:7: unknown type 'comand' of a job; did you mean 'command'?"),
        ("type: parallel\n", ":1:7: a job of type 'parallel' can only be a step of a pipeline"),
        (
            "command: ls\nlimits:\n  timeot: 3\n",
            ":3:3: unknown key 'timeot' in limits of a command job; did you mean 'timeout'?",
        ),
        ("command: ls\ncode: ''\n", ":2:7: 'code' is empty; name a folder such as './src', or remove the key"),
        (
            "command: ls\ninputs:\n  d: {type: uri_folder, path: ''}\n",
            ":3:31: 'path' is empty; name the data: a local path, a URI or 'azureml:NAME:VERSION'",
        ),
        (
            "command: ls\noutputs:\n  d: {type: mltable, path: ' '}\n",
            ":3:28: 'path' is empty; name the place to write to, or remove the key",
        ),
        ("experiment_name: e\n", ":1:1: a command job needs 'command'"),
        ("command: [ls]\n", ":1:10: 'command' must be text, not a list"),
        ("", ":1:1: the file is empty; it should hold a job"),
        ("- a\n", ":1:1: a job is a mapping of keys to values, not a list"),
        ("command: ls\ntags: {a: 1, a: 2}\n", ":2:14: the key 'a' is given twice; the first is at line 2"),
        ("command: ls\n\tcode: x\n", ":2:1: not valid YAML: a tab stands here; indent with spaces"),
        ("command: @x\n", ":1:10: not valid YAML: a character stands here that cannot start any token"),
        ("command: a: b\n", ":1:11: not valid YAML: mapping values are not allowed in this context"),
        ("command: ls\n---\ncommand: ls\n", ":2:1: not valid YAML: a second document starts here"),
        ("command: !!python/object:os.system ls\n", ":1:10: the tag '!!python/object:os.system' is not plain data"),
        ("command: *x\n", ":1:10: not valid YAML: found undefined alias"),
        ("command: ls\ntags: &a [*a]\n", ":2:7: 'tags' must be a mapping, not a list"),
        ("command: ls\nname: {{x}}\n", ":2:8: a key must be a word"),
    ],
)
def test_mistakes_are_told_where_they_stand(tmp_path: Path, text: str, message: str) -> None:
    """Each mistake is one sentence at its line and column."""
    (tmp_path / "job.yml").write_text(text)
    lines = told(tmp_path / "job.yml", folder=tmp_path)
    assert any(line.startswith(f"job.yml{message}") for line in lines), lines


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """So is one that cannot be read as text."""
    assert told(tmp_path / "job.yml", folder=tmp_path) == ["job.yml: cannot be read: No such file or directory"]
    (tmp_path / "job.yml").write_bytes(b"a: \xc3\x28\x80")
    assert "not a text file" in told(tmp_path / "job.yml", folder=tmp_path)[0]
    assert told(tmp_path, folder=tmp_path.parent)[0].endswith("cannot be read: Is a directory")


def test_a_file_that_refers_to_itself_is_told(tmp_path: Path) -> None:
    """A circle of files ends at once."""
    write(
        tmp_path,
        {
            "a.yml": "type: pipeline\njobs:\n  s: {type: pipeline, component: ./b.yml}\n",
            "b.yml": "type: pipeline\njobs:\n  s: {type: pipeline, component: ./b.yml}\n",
        },
    )
    assert told(tmp_path / "a.yml", folder=tmp_path) == ["b.yml:3:34: './b.yml' refers back to itself"]


def test_a_document_that_grows_without_bound_is_refused() -> None:
    """Aliases of aliases do not fill the memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    with pytest.raises(ValidationException, match="its aliases, where they are followed"):
        load_text("\n".join(lines), "job")


def test_deep_nesting_is_refused_in_a_sentence() -> None:
    """A document nested a hundred thousand deep is not a crash."""
    with pytest.raises(ValidationException):
        load_text("[" * 100_000, "job")
    with pytest.raises(ValidationException):
        load_text("a: " + "[" * 600 + "]" * 600, "job")


def test_deep_data_from_elsewhere_is_refused_too() -> None:
    """Nested pipelines beyond what Python can follow are a problem, not a crash."""
    data: dict[str, object] = {"type": "pipeline", "jobs": {}}
    for _ in range(2000):
        data = {"type": "pipeline", "jobs": {"a": {"type": "pipeline", "component": data}}}
    entity, problems = read(data, "component")
    assert entity is None
    assert [str(problem) for problem in problems] == ["a pipeline component is nested too deeply"]


def test_merge_keys_and_anchors_are_followed() -> None:
    """`<<` brings keys in, and a mistake in them is told where it stands."""
    text = "x: &base\n  comand: ls\ntype: pipeline\njobs:\n  a:\n    <<: *base\n"
    with pytest.raises(ValidationException) as caught:
        load_text(text, "job")
    assert "<text>:2:3: unknown key 'comand' in a command job; did you mean 'command'?" in str(caught.value)


def test_real_oddities_are_taken() -> None:
    """Literals named `type`, null outputs, misspelt settings, integer versions, the `artifacts` output."""
    job = load_text("command: ls ${{inputs.type}}\ninputs: {type: uri_file, x: 1}\noutputs: {o: }\n", "job")
    assert job.inputs == {"type": "uri_file", "x": 1}
    pipeline = load_text(
        "type: pipeline\nsettings: {default_datestore: x}\noutputs: {artifacts: }\njobs: {a: {command: ls}}\n",
        "job",
    )
    assert pipeline.settings.extra == {"default_datestore": "x"}
    assert load_text("name: c\nversion: 01\ncommand: ls\n", "component").version == "1"
    assert load_text("name: m\nversion: 1.10\npath: azureml://jobs/j/outputs/o/paths/x\n", "model").version == "1.1"


NOTHING = {
    "step": ("type: pipeline\njobs:\n  a:\n", "job", "3:3", "the step 'a' is empty; write 'component' or 'command'"),
    "step of a component": (
        "type: pipeline\nname: p\njobs:\n  a:\n  b: {command: ls, environment: azureml:host}\n",
        "component", "4:3", "the step 'a' is empty; write 'component' or 'command'",
    ),
    "step that is read": (
        "type: pipeline\njobs:\n  a:\n  b:\n    command: ls ${{inputs.x}}\n    environment: azureml:host\n"
        "    inputs: {x: '${{parent.jobs.a.outputs.o}}'}\n",
        "job", "3:3", "the step 'a' is empty; write 'component' or 'command'",
    ),
    "declared input": (
        "type: command\nname: c\ncommand: ls ${{inputs.d}}\nenvironment: azureml:host\ninputs:\n  d:\n",
        "component", "6:3", "the input 'd' declares nothing; write its type",
    ),
    "input of a pipeline component": (
        "type: pipeline\nname: c\ninputs:\n  d:\njobs:\n  a:\n    command: ls ${{inputs.x}}\n"
        "    environment: azureml:host\n    inputs: {x: '${{parent.inputs.d}}'}\n",
        "component", "4:3", "the input 'd' declares nothing; write its type",
    ),
    "type of a declared input": (
        "type: command\nname: c\ncommand: ls ${{inputs.d}}\nenvironment: azureml:host\ninputs:\n  d: {type: }\n",
        "component", "6:3", "an input of a component needs 'type'",
    ),
    "input of a Spark job": (
        "type: spark\nentry: {file: a.py}\ncode: .\nargs: ${{inputs.x}}\nenvironment: azureml:host\ninputs:\n  x:\n"
        "conf: {spark.driver.cores: 1, spark.driver.memory: 1g, spark.executor.cores: 1, spark.executor.memory: 1g,\n"
        "  spark.executor.instances: 1}\n",
        "job", "4:7", "the input 'x' has no value; write one",
    ),
    "table": (
        "type: automl\ntask: classification\nprimary_metric: accuracy\ntraining_data:\ntarget_column_name: a\n",
        "job", "1:1", "an AutoML job needs 'training_data'",
    ),
    "search space": (
        "type: sweep\nsampling_algorithm: random\nobjective: {goal: minimize, primary_metric: m}\n"
        "limits: {max_total_trials: 2}\ntrial: {command: 'echo ${{search_space.n}}', environment: 'azureml:host'}\n"
        "search_space:\n",
        "job", "6:1", "a sweep job needs 'search_space'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "place", "words"), NOTHING.values(), ids=list(NOTHING))
def test_nothing_where_something_belongs_is_told_once(
    tmp_path: Path, text: str, kind: str, place: str, words: str
) -> None:
    (tmp_path / "a.py").write_text("")
    path = tmp_path / "file.yml"
    path.write_text(text)
    lines = told(path, kind, tmp_path)
    assert [line.startswith(f"file.yml:{place}: {words}") for line in lines] == [True], lines


def test_an_unwritten_output_is_told_beside_other_mistakes(tmp_path: Path) -> None:
    """Unless a step that could not be read may write it."""
    path = tmp_path / "file.yml"
    head = "type: pipeline\noutputs: {u: {name: u}, w: {name: w}}\njobs:\n"
    path.write_text(f"{head}  a: {{comand: ls, command: ls, outputs: {{o: '${{{{parent.outputs.w}}}}'}}}}\n")
    assert told(path, "job", tmp_path) == [
        "file.yml:2:11: the output 'u' is to be registered, but no step writes it; bind a step's output to it: "
        "'${{parent.outputs.u}}'",
        "file.yml:4:7: unknown key 'comand' in a command job; did you mean 'command'?",
    ]
