"""What a run is, its family, its workspace and its inputs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.inside.conftest import RUN, START, Job
from tests.inside.mlflow import Mlflow


def test_the_context_is_the_jobs_own_run(job: Job) -> None:
    """One object, whoever asks for it; not an offline run."""
    answer = job(
        "from azureml.core.run import Run as R, _OfflineRun, _SubmittedRun\n"
        "with Run.get_context(allow_offline=False) as same: pass\n"
        "answer = [run.id, run.name, run.status, run.type, run.number, same is run, R is Run, isinstance(run, Run),"
        " isinstance(run, _OfflineRun), isinstance(run, _SubmittedRun), run.get_details()['status'], run.parent]"
    )
    expected = [
        RUN,
        f"name of {RUN}",
        "Running",
        "azureml.scriptrun",
        1,
        True,
        True,
        True,
        False,
        True,
        "Running",
        None,
    ]
    assert answer == expected


def test_outside_of_a_job(job: Job) -> None:
    """A run that prints what it is told, where that is allowed."""
    script = (
        START + "run.log('a', 1)\nwith run.child_run('c') as c: c.tag('x')\nprint(run.id[:11], c.id.endswith('.c'))"
    )
    done = job.process(script, MLFLOW_TRACKING_URI="")
    assert done.stdout.splitlines() == ["Attempted to log: 'a', 1", "Attempted to tag: 'x'", "OfflineRun_ True"]
    done = job.process("from azureml.core import Run\nRun.get_context(allow_offline=False)", AZUREML_RUN_ID="")
    assert "RunEnvironmentException: this is not a job's process" in done.stderr


def test_tags_and_properties(job: Job, mlflow: Mlflow) -> None:
    """Tags change, properties do not; MLflow's own are neither."""
    mlflow.runs[RUN]["tags"] = {"mlflow.user": "me", "azureml.git.commit": "c0ffee"}
    answer = job(
        "run.tag('candidate'); run.set_tags({'n': 1, 'gone': 'x'}); run.remove_tags(['gone'])\n"
        "run.add_properties({'build': 7}); run.add_properties({'build': '7'})\n"
        "answer = [run.get_tags(), run.tags['n'], run.get_properties()]"
    )
    assert answer == [{"candidate": None, "n": "1"}, "1", {"azureml.git.commit": "c0ffee", "build": "7"}]
    assert "property 'build' is '7' and cannot become '8'" in job.refusal("run.add_properties({'build': 8})")


def test_children(job: Job, mlflow: Mlflow) -> None:
    """Their state is the script's; the job's own is its exit code's."""
    answer = job(
        "with run.child_run('part') as part: part.tag('k', 'v')\n"
        "two = run.create_children(tag_key='fold', tag_values=[1, 2])\n"
        "two[0].fail(error_details='bad', error_code=3); two[1].cancel()\n"
        "inner = two[1].child_run()\n"
        "run.complete(); run.fail('it did not work')\n"
        "answer = [[c.id for c in run.get_children()] == [part.id, two[0].id, two[1].id],"
        " [c.id for c in run.get_children(tags={'fold': '2'})] == [two[1].id],"
        " inner.id in [c.id for c in run.get_children(recursive=True)], inner.parent.id == two[1].id,"
        " [c.get_status() for c in [part, *two]], two[0].get_tags(), run.get_status(), part.name]"
    )
    states = ["Completed", "Failed", "Canceled"]
    assert answer == [True] * 4 + [states, {"fold": "1", "error": "3: bad"}, "Running", "part"]
    assert mlflow.runs[RUN]["tags"]["error"] == "it did not work"


def test_a_child_fails_with_its_block(job: Job, mlflow: Mlflow) -> None:
    """`with` marks it by how the block ends."""
    job("try:\n    with run.child_run('part'): raise ValueError('no')\nexcept ValueError: pass")
    (child,) = [one for one in mlflow.runs.values() if one["info"]["run_name"] == "part"]
    assert child["info"]["status"] == "FAILED"
    assert child["tags"]["error"] == "no"


def test_the_parent_can_be_told_things(job: Job, mlflow: Mlflow) -> None:
    """A step logs to its pipeline."""
    mlflow.run("pipeline")
    mlflow.runs[RUN]["tags"]["mlflow.parentRunId"] = "pipeline"
    job("run.parent.log('best', 4); run.parent.tag('by', run.id); assert run.parent.parent is None")
    assert mlflow.points("pipeline", "best") == [(0, 4.0)]
    assert mlflow.runs["pipeline"]["tags"] == {"by": RUN}


def test_the_workspace_is_the_jobs_own(job: Job, mlflow: Mlflow) -> None:
    """Whatever way it is asked for; any other one cannot be had."""
    answer = job(
        "from azureml.core import Workspace, Experiment\n"
        "from azureml.core.authentication import MsiAuthentication\n"
        "ws = run.experiment.workspace\n"
        "all = [ws, Workspace.from_config(), Workspace.get(name='DEN', auth=MsiAuthentication()),"
        " Workspace('sub', 'group', 'den')]\n"
        "answer = [[(w.name, w.subscription_id, w.resource_group) for w in all], ws.get_mlflow_tracking_uri(),"
        " run.experiment.name, run.experiment.id, [r.id for r in run.experiment.get_runs()], ws.get_run(run.id).id,"
        " ws.get_details()['id'].rpartition('/')[2]]"
    )
    assert answer == [[["den", "sub", "group"]] * 4, mlflow.uri, "wolves", "7", [RUN], RUN, "den"]
    sentence = job.refusal("from azureml.core import Workspace; Workspace.get('other')")
    assert sentence == "a job reaches its own workspace 'den' only, not 'other'; submit it there"


def test_inputs(job: Job, tmp_path: Path) -> None:
    """Paths that know how to be read, by both of v1's variables."""
    (tmp_path / "f.csv").write_text("a,b\n1,2\n")
    answer = job(
        "d = run.input_datasets['d']\nfrom azureml.core import Dataset\n"
        "answer = [open(d).read(), sorted(run.input_datasets), d.to_path(), run.output_datasets,"
        " Dataset.get_by_name(run.experiment.workspace, 'd') == d, 'x' in run.input_datasets,"
        " run.experiment.workspace.datasets['d'] == d, run.input_datasets.get('x')]",
        AZURE_ML_INPUT_d=str(tmp_path / "f.csv"), AZUREML_DATAREFERENCE_old="/data", AZURE_ML_OUTPUT_out="/out",
    )  # fmt: skip
    file = str(tmp_path / "f.csv")
    assert answer == ["a,b\n1,2\n", ["d", "old"], [file], {"out": "/out"}, True, False, True, None]
    assert job.refusal("run.input_datasets['x']") == repr("the job has no input 'x'; its inputs: none")


def test_tables_of_inputs_need_pandas(job: Job, tmp_path: Path) -> None:
    """And say so where the job's environment has none; with it, a folder's files are one table."""
    pytest.importorskip("pandas")
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "1.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "t" / "2.tsv").write_text("a\tb\n5\t6\n")
    answer = job(
        "from azureml.core import Dataset\nd = run.input_datasets['t']\n"
        "one, two = d.random_split(0.5, seed=1)\n"
        "answer = [d.to_pandas_dataframe().values.tolist(),"
        " d.drop_columns('a').take(1).to_pandas_dataframe().values.tolist(),"
        " len(one.to_pandas_dataframe()) + len(two.to_pandas_dataframe()),"
        " Dataset.Tabular.from_delimited_files(d + '/*.csv').to_pandas_dataframe().values.tolist()]",
        AZURE_ML_INPUT_t=str(tmp_path / "t"),
    )
    assert answer == [[[1, 2], [3, 4], [5, 6]], [[2]], 3, [[1, 2], [3, 4]]]


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("Dataset.get_by_name(ws, 'titanic')", "add 'titanic: {path: azureml:titanic@latest}' to the job's inputs"),
        ("Dataset.get_by_id(ws, 'x')", "make the data one of the job's inputs"),
        ("Dataset.Tabular.from_delimited_files((ws.get_default_datastore(), 'x'))", "make the data one of the"),
        ("ws.get_default_datastore().upload('x')", "write to one of the job's outputs"),
        ("ws.compute_targets", "it belongs to the program that submits jobs"),
        ("ws.get_default_keyvault().get_secret('x')", "set the secret with 'smalt secret set x'"),
        ("run.get_secret('x')", "set the secret with 'smalt secret set x'"),
        ("ws.get_default_keyvault().set_secret('x', 'y')", "a job reads secrets only"),
        ("run.submit_child(None)", "make it a pipeline, or a sweep"),
        ("run.experiment.submit(None)", "make it a pipeline, or a sweep"),
        ("ScriptRunConfig(source_directory='.')", "it belongs to the program that submits jobs"),
        ("Environment.get(ws, 'x')", "it belongs to the program that submits jobs"),
    ],
)
def test_what_cannot_be_had_says_what_can(job: Job, line: str, instead: str) -> None:
    """One sentence each; importing the names is not an error."""
    imports = "from azureml.core import Dataset, Datastore, Environment, ScriptRunConfig; ws = run.experiment.workspace"
    sentence = job.refusal(f"{imports}; {line}")
    assert instead in sentence
    assert "\n" not in sentence


def test_a_script_that_changes_where_mlflow_goes(job: Job, mlflow: Mlflow) -> None:
    """The job's run is where its environment said at first."""
    job("import os\nos.environ['MLFLOW_TRACKING_URI'] = 'file:/x'; del os.environ['AZUREML_RUN_ID']\nrun.log('a', 1)")
    assert mlflow.points(RUN, "a") == [(0, 1.0)]
    assert os.environ.get("AZUREML_RUN_ID") is None
