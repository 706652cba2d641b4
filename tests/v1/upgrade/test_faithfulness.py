"""What must not be lost in an upgrade: names, settings, lines, order, encodings and line ends."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

from smalt.cli.commands.upgrade import upgrade as command
from smalt.v1.upgrade.findings import Finding
from smalt.v1.upgrade.notebook import upgrade_notebook
from smalt.v1.upgrade.program import upgrade_program
from smalt.v1.upgrade.verification import compare_records
from tests.v1.upgrade.test_notebooks import make_notebook, read_cells

SUBMIT = """\
from azureml.core import Environment, Experiment, ScriptRunConfig, Workspace
ws = Workspace.from_config()
config = ScriptRunConfig('src', 't.py', environment=Environment.get(ws, 'tools', '3'))
"""
SCRIPT = "from azureml.core import Run\nrun = Run.get_context()\n"


def upgrade(text: str) -> str:
    new = upgrade_program(dedent(text)).text
    ast.parse(new)
    return new


def list_persons(text: str) -> list[Finding]:
    return [one for one in upgrade_program(dedent(text)).findings if one.state == "person"]


def test_names_of_a_star_import_are_followed() -> None:
    """Those that the program uses; what stays v1 is imported by its name."""
    text = upgrade("from azureml.core import *\nws = Workspace.from_config()\nws.invent()\nprint(ws.name)\n")
    assert "print(ml_client.workspace_name)" in text
    assert "from azureml.core import Workspace\n" in text
    assert "*" not in text


@pytest.mark.parametrize(
    "uses",
    [
        "runs = {}\nfor n in 'ab':\n    runs[n] = Experiment(ws, n).submit(config)\n"
        "for n, r in runs.items():\n    r.wait_for_completion()\n",
        "runs = [Experiment(ws, 'q').submit(config) for i in range(2)]\nruns[0].wait_for_completion()\n",
        "runs = [Experiment(ws, 'q').submit(config)]\nprint([r.get_metrics() for r in runs])\n",
        "class T:\n    def __init__(self):\n        self.exp = Experiment(ws, 'x')\nt = T()\nt.exp.submit(config)\n",
    ],
    ids=["dictionary", "item", "comprehension", "attribute"],
)
def test_a_method_of_an_unknown_object_is_for_a_person(uses: str) -> None:
    """The object may be v2's by now, so the line is neither passed over nor called changed."""
    persons = list_persons(SUBMIT + uses)
    assert len(persons) == 1
    assert "so it may be v2's by now; write" in persons[0].text
    assert "# TODO(smalt upgrade): the text does not tell what" in upgrade(SUBMIT + uses)


def test_items_of_what_v2_has_not_keep_their_object() -> None:
    """An environment's variables that are set one by one, as those that are set at once."""
    text = upgrade(
        SUBMIT + "own = Environment('own')\nown.environment_variables['A'] = 'b'\n"
        "Experiment(ws, 'e').submit(ScriptRunConfig('src', 't.py', environment=own))\n"
    )
    assert "own = Environment('own')\nown.environment_variables['A'] = 'b'\n" in text


def test_a_parameter_stays_with_the_pipeline_that_stays() -> None:
    text = upgrade("""\
        from azureml.core import Dataset, Workspace
        from azureml.pipeline.core import Pipeline, PipelineParameter
        from azureml.pipeline.steps import PythonScriptStep
        ws = Workspace.from_config()
        tag = PipelineParameter('tag', 'x')
        data = Dataset.File.from_files('data/*.txt')
        step = PythonScriptStep('t.py', arguments=['--in', data.as_mount(), tag], source_directory='.')
        pipeline = Pipeline(ws, steps=[step])
        pipeline.submit('e', pipeline_parameters={'tag': 'y'})
        """)
    assert "tag = PipelineParameter('tag', 'x')" in text


def test_settings_of_one_submission_are_not_those_of_the_next() -> None:
    """Where a pipeline is submitted again, a submission with settings gets a job of its own."""
    text = upgrade("""\
        from azureml.core import Workspace
        from azureml.pipeline.core import Pipeline, PipelineParameter
        from azureml.pipeline.steps import CommandStep
        ws = Workspace.from_config()
        step = CommandStep(command=['echo', PipelineParameter('tag', 'x')], name='say', source_directory='.')
        pipeline = Pipeline(ws, steps=[step])
        pipeline.submit('e', pipeline_parameters={'tag': 'y'}, regenerate_outputs=True)
        pipeline.submit('e')
        """)
    lines = [line for line in text.splitlines() if "pipeline_job" in line or "jobs.create" in line]
    assert lines == [
        "pipeline_job = e_pipeline(tag='y')",
        "pipeline_job.settings.force_rerun = True",
        "ml_client.jobs.create_or_update(pipeline_job, experiment_name='e')",
        "ml_client.jobs.create_or_update(pipeline, experiment_name='e')",
    ]


def test_what_has_no_value_in_v2_is_not_left_out() -> None:
    """`print(run.input_datasets)` does not become `print()`, and the other lines are changed all the same."""
    text = upgrade(SCRIPT + "print(run.input_datasets)\nrun.log('a', 1)\n")
    assert "# TODO(smalt upgrade): v2 has no list of the inputs\nprint(run.input_datasets)\n" in text
    assert "mlflow.log_metric('a', 1)" in text


def test_a_run_outside_of_jobs_is_still_offline() -> None:
    """The id of v1's begins with OfflineRun there, and scripts ask for it."""
    text = upgrade(SCRIPT + "if run.id.startswith('OfflineRun'):\n    print('here')\n")
    assert 'os.environ.get("AZUREML_RUN_ID", "OfflineRun").startswith(\'OfflineRun\')' in text


def test_texts_are_no_metrics() -> None:
    """A list or row with a text becomes a file, as MLflow's metrics are numbers."""
    text = upgrade(SCRIPT + "run.log_list('names', ['a', 'b'])\nrun.log_row('row', a=1, b='x')\n")
    assert "mlflow.log_dict({'names': ['a', 'b']}, \"names.json\")" in text
    assert 'mlflow.log_table({"a": [1], "b": [\'x\']}, "row.json")' in text


def test_a_name_of_the_program_is_not_taken_for_mlflow() -> None:
    text = upgrade(SCRIPT + "mlflow = 3\nrun.log('a', mlflow)\n")
    assert "# TODO(smalt upgrade): the program has a 'mlflow' of its own; give that another name first" in text


def test_several_statements_on_a_line() -> None:
    """Those that vanish leave no semicolon in front, and one for a person gets its comment above the line."""
    assert "run" not in upgrade(SCRIPT + "x = 1\nrun.flush(); run.complete()\n").partition("x = 1")[2]
    assert upgrade(SCRIPT + "run.flush(); print(1)\n").endswith("print(1)\n")
    text = upgrade(SCRIPT + "if 1:\n    run.log('a', 1); run.upload_file(name='a.txt', path_or_stream='b.txt')\n")
    assert "    # TODO(smalt upgrade): " in text


def test_all_files_below_a_folder_are_the_folder() -> None:
    text = upgrade("""\
        from azureml.core import Dataset, Workspace
        store = Workspace.from_config().get_default_datastore()
        print(Dataset.File.from_files('data/**'), Dataset.File.from_files((store, 'in/**')))
        Dataset.File.from_files((store, 'in/*.txt'))
        """)
    assert 'Input(type="uri_folder", path="data")' in text
    assert 'path=f"azureml://datastores/{store.name}/paths/in")' in text
    assert "Dataset.File.from_files((store, 'in/*.txt'))" in text


def test_quotes_within_quotes() -> None:
    """A data asset that is loaded where it is found."""
    text = upgrade("""\
        from azureml.core import Dataset, Workspace
        frame = Dataset.get_by_name(Workspace.from_config(), 'table').to_pandas_dataframe()
        """)
    assert 'mltable.load("azureml:/" + ' in text


def test_details_of_a_run_are_attributes() -> None:
    """Those that v2's job has; the metrics of a sweep's children are for a person."""
    text = upgrade(
        SUBMIT + "run = Experiment(ws, 'e').submit(config)\n"
        "print(run.get_details()['status'], run.get_details()['runId'])\nprint(run.get_details()['startTimeUtc'])\n"
    )
    assert "print(ml_client.jobs.get(run.name).status, ml_client.jobs.get(run.name).name)" in text
    assert "print(run.get_details()['startTimeUtc'])" in text


def run_upgrade(*words: str) -> tuple[int, str]:
    ran = CliRunner().invoke(command, words)
    return ran.exit_code, ran.output


def test_encoding_and_line_ends_stay(tmp_path: Path) -> None:
    """A mark at the beginning, an encoding that the first line says, and the line ends of Windows."""
    body = "from azureml.core import Workspace\nws = Workspace.from_config()\nprint(ws.name, ws.sku, 'é')\nprint('é')\n"
    marked, latin, ends = (tmp_path / name for name in ("marked.py", "latin.py", "ends.py"))
    marked.write_bytes(body.encode("utf-8-sig"))
    latin.write_bytes(f"# coding: latin-1\n{body}".encode("latin-1"))
    ends.write_bytes(body.replace("\n", "\r\n").encode())
    assert run_upgrade(str(tmp_path), "--check")[0] == 1
    assert run_upgrade(str(tmp_path), "--write")[0] == 0
    assert marked.read_bytes().startswith(b"\xef\xbb\xbf")
    assert "print('é')" in latin.read_text("latin-1")
    assert ends.read_bytes().count(b"\r\n") == ends.read_bytes().count(b"\n") == 5
    for path, encoding in ((marked, "utf-8-sig"), (latin, "latin-1"), (ends, "utf-8")):
        assert "MLClient" in path.read_text(encoding), path


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """At its line; a link to a file that is there anyway is not upgraded twice."""
    (tmp_path / "old.py").write_text("from azureml.core import Workspace\nprint Workspace\n")
    (tmp_path / "broken.ipynb").write_text('{"cells": [{"source": ["from azureml.core')
    (tmp_path / "good.py").write_text(SUBMIT)
    (tmp_path / "link.py").symlink_to("good.py")
    code, out = run_upgrade(str(tmp_path), "--check")
    assert code == 1
    assert f"{tmp_path / 'old.py'}:2: this is not Python 3: " in out
    assert f"{tmp_path / 'broken.ipynb'} cannot be read: " in out
    assert "link.py" not in out


def test_a_result_that_is_no_program_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program stays as it is, and the report says why."""
    monkeypatch.setattr("smalt.v1.upgrade.program.apply_edits", lambda text, edits: "ml_client.go(ws)\n")
    found = upgrade_program(SUBMIT)
    assert found.text == SUBMIT
    assert [one.text for one in found.findings] == [
        "its rewritten text uses 'ml_client' and 'ws', which nothing in it defines, so it stays as it is"
    ]


def test_magics_that_use_what_is_gone_are_for_a_person() -> None:
    """Each with a comment above it."""
    upgraded = upgrade_notebook(
        make_notebook(
            "from azureml.core import Workspace\nws = Workspace.from_config()",
            "%time print(ws.name)",
            "for i in range(2):\n    !echo {ws.name}\n    print(ws.name)",
        )
    )
    comment = "# TODO(smalt upgrade): this magic uses 'ws', which v2's program calls otherwise\n"
    assert read_cells(upgraded.text)[1:] == [
        f"{comment}%time print(ws.name)",
        f"for i in range(2):\n    {comment}    !echo {{ws.name}}\n    print(ml_client.workspace_name)",
    ]
    assert [(one.cell, one.line) for one in upgraded.findings if one.state == "person"] == [(2, 1), (3, 2)]


def test_cells_that_write_one_file_are_one_program() -> None:
    """The second appends to the first; a path may be in quotes."""
    upgraded = upgrade_notebook(
        make_notebook(
            f"%%writefile 'a b/t.py'\n{SCRIPT}run.log('a', 1)",
            "x = 1",
            "%%writefile -a 'a b/t.py'\nrun.log('b', 2)\nprint(run.status)",
        )
    )
    cells = read_cells(upgraded.text)
    assert cells[0].endswith("mlflow.log_metric('a', 1)")
    assert "mlflow.log_metric('b', 2)" in cells[2]
    assert cells[2].startswith("%%writefile -a 'a b/t.py'\n")
    assert json.loads(upgraded.text)["nbformat"] == 4
    assert {(one.cell, one.line) for one in upgraded.findings if one.name == "Run.log"} == {(1, 4), (3, 2)}


def test_files_of_several_folders_stay_apart(tmp_path: Path) -> None:
    """In --output, as they lie below the folder that they have in common; what cannot be read is there as it was."""
    for name in ("one/t.py", "two/t.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(f"{SCRIPT}run.log('{name}', 1)\n")
    odd = b"from azureml.core import Run\nprint('\xe9')\n"
    (tmp_path / "two/odd.py").write_bytes(odd)
    out = tmp_path / "out"
    run_upgrade(str(tmp_path / "one/t.py"), str(tmp_path / "two"), "--output", str(out))
    assert "mlflow.log_metric('one/t.py', 1)" in (out / "one/t.py").read_text()
    assert "mlflow.log_metric('two/t.py', 1)" in (out / "two/t.py").read_text()
    assert (out / "two/odd.py").read_bytes() == odd
    run_upgrade(str(tmp_path / "one/t.py"), "--output", str(out / "single"))
    assert (out / "single/t.py").is_file()


def test_names_that_v2_refuses_become_those_that_smalt_gave_them() -> None:
    """A dataset's name may have spaces in v1; smalt registered it without."""
    text = upgrade("""\
        from azureml.core import Dataset, Workspace
        ws = Workspace.from_config()
        data = Dataset.File.from_files('data')
        data = data.register(ws, name='some data', create_new_version=True)
        again = Dataset.get_by_name(ws, 'some data')
        """)
    assert 'name="some_data"' in text
    assert 'ml_client.data.get("some_data", label="latest")' in text


def test_a_run_configuration_takes_no_other_files_place(tmp_path: Path) -> None:
    """The job gets a free name; a configuration without a script stays, and the report says why."""
    (tmp_path / ".azureml").mkdir()
    (tmp_path / "t.py").write_text("")
    (tmp_path / "run.yml").write_text("name: other\n")
    (tmp_path / ".azureml/run.runconfig").write_text("script: t.py\ntarget: local\n")
    (tmp_path / ".azureml/bare.runconfig").write_text("target: local\nscript:\n")
    out = run_upgrade(str(tmp_path), "--write")[1]
    assert (tmp_path / "run.yml").read_text() == "name: other\n"
    assert "command: python t.py" in (tmp_path / "run-job.yml").read_text()
    assert [one.name for one in (tmp_path / ".azureml").iterdir()] == ["bare.runconfig"]
    assert "bare.runconfig:1:1: RunConfiguration: needs a person: it has no script: " in out


def test_a_package_that_is_not_here_is_named() -> None:
    """In what --verify says of a program that imports it."""
    failed = {"code": 1, "jobs": [], "error": "ModuleNotFoundError: No module named 'mlflow'"}
    found = next(iter(compare_records({"code": 0, "jobs": []}, failed)))
    assert found.endswith("'mlflow'; to verify it, install the package here: pip install mlflow-skinny")


def test_settings_of_an_estimator_are_kept_or_said() -> None:
    text = upgrade_program(
        "from azureml.core import Workspace\nfrom azureml.train.estimator import Estimator\n"
        "ws = Workspace.from_config()\n"
        "job = Estimator('src', entry_script='t.py', max_run_duration_seconds=60, use_gpu=True)\n"
    )
    assert "timeout=60" in text.text
    assert any("name one with CUDA" in one.text for one in text.findings)


def test_a_communicator_is_not_lost() -> None:
    """The processes of an MPI job would be one process otherwise."""
    left = list_persons(
        "from azureml.core.runconfig import RunConfiguration\nsettings = RunConfiguration(communicator='OpenMpi')\n"
    )
    reason = "its communicator 'OpenMpi' is the job's distribution in v2: command(distribution=…)"
    assert [one.text.endswith(reason) for one in left] == [True]


def test_the_model_of_another_iteration_is_for_a_person() -> None:
    left = list_persons(
        "from azureml.pipeline.core import TrainingOutput\nmodel = TrainingOutput('Model', iteration=3)\n"
    )
    reason = "v2's model is that of the best trial; it has no output for another's"
    assert [one.text.endswith(reason) for one in left] == [True]
