"""A run's files, and models that are made of them."""

from __future__ import annotations

import pytest

from tests.inside.conftest import RUN, Job
from tests.inside.mlflow import Mlflow


def names(mlflow: Mlflow) -> list[str]:
    return sorted(name.rpartition(f"dcid.{RUN}/")[2] for name in mlflow.files)


def test_files_go_up_and_come_back(job: Job, mlflow: Mlflow) -> None:
    """Files, folders and streams, whatever their names are."""
    (job.folder / "in" / "deep").mkdir(parents=True)
    (job.folder / "in" / "a b.txt").write_text("1")
    (job.folder / "in" / "deep" / "ü%2e.txt").write_text("22")
    answer = job(
        "import io\n"
        "run.upload_file('x/one.txt', 'in/a b.txt'); run.upload_file('s', io.BytesIO(b'stream'))\n"
        "run.upload_folder('folder', 'in'); run.upload_files(['n'], ['in/a b.txt'])\n"
        "run.download_file('folder/deep/ü%2e.txt', 'back/u.txt'); run.download_file('x/one.txt')\n"
        "run.download_files(prefix='folder', output_directory='all')\n"
        "run.download_files(prefix='folder/deep', output_directory='flat', append_prefix=False)\n"
        "answer = run.get_file_names()"
    )
    assert answer == names(mlflow) == sorted(["x/one.txt", "s", "folder/a b.txt", "folder/deep/ü%2e.txt", "n"])
    assert (job.folder / "back" / "u.txt").read_text() == "22"
    assert (job.folder / "one.txt").read_text() == "1"
    assert (job.folder / "all" / "folder" / "deep" / "ü%2e.txt").read_text() == "22"
    assert (job.folder / "flat" / "ü%2e.txt").read_text() == "22"


def test_files_that_are_not_there(job: Job, mlflow: Mlflow) -> None:
    """One sentence, with what is there; nothing half is left."""
    mlflow.files[f"ExperimentRun/dcid.{RUN}/a.txt"] = b"a"
    assert job.refusal("run.download_file('b.txt')") == f"run '{RUN}' has no file 'b.txt'; its files: a.txt"
    assert job.refusal("run.upload_file('x', 'no.txt')") == "there is no file 'no.txt' to upload"
    assert job.refusal("run.upload_folder('x', 'no')") == "there is no folder 'no' to upload"
    assert "no file below 'c'" in job.refusal("run.download_files(prefix='c')")
    assert list(job.folder.iterdir()) == []


def test_names_stay_in_the_run(job: Job, mlflow: Mlflow) -> None:
    """A path that leads out of the run is taken as one in it."""
    (job.folder / "f").write_text("1")
    job("run.upload_file('../dcid.other/f', 'f'); run.upload_file('./a/../b', 'f')")
    assert names(mlflow) == ["b", "dcid.other/f"]


def test_outputs_become_a_model_before_the_job_is_over(job: Job, mlflow: Mlflow) -> None:
    """The service uploads outputs/ while the job runs, smalt at its end: what is registered goes up at once."""
    (job.folder / "outputs" / "m").mkdir(parents=True)
    (job.folder / "outputs" / "m" / "w.bin").write_text("w")
    answer = job(
        "m = run.register_model('den', './outputs/m', tags={'a': 1}, properties={'p': 2}, model_framework='Onnx')\n"
        "answer = [m.name, m.version, m.id, m.tags, m.properties, m.model_framework, m.run_id]"
    )
    assert answer == ["den", 1, "den:1", {"a": "1"}, {"p": "2"}, "Onnx", RUN]
    assert mlflow.versions[0]["source"] == f"mlflow-artifacts:/ExperimentRun/dcid.{RUN}/outputs/m"
    assert names(mlflow) == ["outputs/m/w.bin"]
    assert "no file or folder 'outputs/x' to register" in job.refusal("run.register_model('den', 'outputs/x')")


def test_the_newest_model_is_fetched_once(job: Job, mlflow: Mlflow) -> None:
    """To where v1 keeps it; an older version by its number."""
    for text in ("one", "two"):
        (job.folder / "m.txt").write_text(text)
        job("from azureml.core import Model\nModel.register(run.experiment.workspace, 'm.txt', 'den', tags={'t': 1})")
        mlflow.files[f"ExperimentRun/dcid.{RUN}/{text}"] = mlflow.files.pop(
            f"ExperimentRun/dcid.{RUN}/models/den/m.txt"
        )
        mlflow.versions[-1]["source"] = f"mlflow-artifacts:/ExperimentRun/dcid.{RUN}/{text}"
    script = "from azureml.core.model import Model\nanswer = [open(Model.get_model_path('den'{})).read() for _ in '12']"
    assert job(script.format("")) == ["two", "two"]
    assert job(script.format(", version=1")) == ["one", "one"]
    fetched = [name for name in mlflow.calls if name.endswith(("dcid." + RUN + "/one", "dcid." + RUN + "/two"))]
    assert len(fetched) == 2
    assert (job.folder / "azureml-models" / "den" / "2" / "two").read_text() == "two"


def test_models_by_name_version_and_tag(job: Job) -> None:
    """`Model(workspace, …)`, `workspace.models` and `Model.list`."""
    (job.folder / "m").write_text("x")
    answer = job(
        "from azureml.core import Model\nws = run.experiment.workspace\n"
        "first = Model.register(ws, 'm', 'den', tags={'t': 'x'}); Model.register(ws, 'm', 'den').add_tags({'n': 1})\n"
        "answer = [Model(ws, 'den').version, Model(ws, 'den', version=1).version,"
        " Model(ws, 'den', tags={'t': 'x'}).version,"
        " Model(ws, id='den:1').version, ws.models['den'].tags, 'x' in ws.models, list(ws.models),"
        " [m.version for m in Model.list(ws, latest=True)], [m.version for m in Model.list(ws, name='den')]]"
    )
    assert answer == [2, 1, 1, 1, {"n": "1"}, False, ["den"], [2], [2, 1]]


def test_models_and_runs_are_chosen_by_all_that_is_said(job: Job) -> None:
    """Properties and framework of models, properties and type of child runs."""
    (job.folder / "m").write_text("x")
    answer = job(
        "from azureml.core import Model\nws = run.experiment.workspace\n"
        "Model.register(ws, 'm', 'den', properties={'p': 1}, model_framework='Onnx'); Model.register(ws, 'm', 'den')\n"
        "one, two = run.child_run('one'), run.child_run('two')\none.add_properties({'k': 'v'})\n"
        "answer = [Model(ws, 'den', properties={'p': 1}).version, Model(ws, 'den', model_framework='Onnx').version,"
        " [m.version for m in Model.list(ws, properties=['p'])], [m.version for m in Model.list(ws)],"
        " [r.id == one.id for r in run.get_children(properties={'k': 'v'})], list(run.get_children(type='hyperdrive')),"
        " len(list(run.get_children(type='azureml.scriptrun')))]"
    )
    assert answer == [1, 1, [1], [2, 1], [True], [], 2]
    assert "models do not keep their datasets here" in job.refusal(
        "from azureml.core import Model; Model.list(run.experiment.workspace, dataset_id='x')"
    )


def test_inputs_are_copied_where_a_script_wants_them(job: Job) -> None:
    """download and mount with a path of their own; a file that is there is not replaced unasked."""
    (job.folder / "d" / "in").mkdir(parents=True)
    (job.folder / "d" / "in" / "f").write_text("new")
    answer = job(
        "data = run.input_datasets['d']\n"
        "paths = data.download('copy')\nopen('copy/in/f', 'w').write('old')\n"
        "try: data.download('copy')\nexcept Exception as error: said = str(error)\n"
        "with data.mount('there') as mount: mounted = open(mount.mount_point + '/in/f').read()\n"
        "answer = [paths, said, data.download('copy', overwrite=True), open('copy/in/f').read(), mounted,"
        " data.download() == data.to_path()]",
        AZURE_ML_INPUT_d=str(job.folder / "d"),
    )
    copied = ["copy/in/f"]
    sentence = "'copy/in/f' is there already; pass overwrite=True or another target_path"
    assert answer == [copied, sentence, copied, "new", "new", True]


def test_arguments_without_effect_are_told_once(job: Job) -> None:
    """On standard error, whichever call gives them; those that were not given are not."""
    (job.folder / "f").write_text("x")
    done = job.process(
        "from azureml.core import Run\nrun = Run.get_context()\n"
        "for name in 'ab': run.log(name, 1, description='of it'); run.upload_file(name, 'f')\n"
        "run.upload_file('c', 'f', datastore_name='store')"
    )
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "Run.log: description has no effect: a metric of MLflow has none",
        "Run.upload_file: datastore_name has no effect: files of a run are kept with the run",
    ]


@pytest.mark.parametrize("name", ["'none'", "'den', version=9"])
def test_models_that_are_not_there(job: Job, name: str) -> None:
    """v1's own exception, with one sentence."""
    script = f"from azureml.core import Model; Model.get_model_path({name})"
    assert job.refusal(script).startswith("the workspace has no model")
    caught = "from azureml.exceptions import ModelNotFoundException\nfrom azureml.core import Model\n"
    assert job(f"{caught}try: Model.get_model_path({name})\nexcept ModelNotFoundException: answer = 1") == 1


def test_a_model_beside_the_script(job: Job) -> None:
    """As v1: where the workspace has none, a file of that name in the working folder will do."""
    (job.folder / "local").write_text("x")
    assert job("from azureml.core import Model\nanswer = Model.get_model_path('local')") == "local"
