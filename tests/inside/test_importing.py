"""Where `import azureml` comes from in a job."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import smalt.inside
from tests.inside.conftest import RUN, SITE, Job
from tests.inside.mlflow import Mlflow

INSTALLED = {
    "azureml/__init__.py": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)",
    "azureml/core/__init__.py": "from .run import Run\nfrom .workspace import Workspace\nfrom .model import Model\n"
    "from .dataset import Dataset\nVERSION = '1.61.0'",
    "azureml/core/run.py": """
class _OfflineRun:
    id = "OfflineRun_1"
class Run:
    def __new__(cls, *values, **named): return object.__new__(cls)
    def __init__(self, experiment, run_id): self.experiment_given, self.id_given = experiment, run_id
    @classmethod
    def get_context(cls, allow_offline=True): return _OfflineRun()
    @property
    def id(self): return "the service's"
    def __str__(self): return "the service's"
    def portal(self): return "of the installed package"
""",
    "azureml/core/workspace.py": """
class Workspace:
    def __init__(self, *values): raise OSError("no service")
    from_config = staticmethod(lambda: Workspace())
""",
    "azureml/core/model.py": """
class Model:
    def __init__(self, workspace, name): self.name = "the service's " + name
    @staticmethod
    def get_model_path(name): raise OSError("no service")
""",
    "azureml/core/dataset.py": """
class Dataset:
    @staticmethod
    def get_by_name(workspace, name): return "the service's " + name
    Tabular = "the service's"
""",
    "azureml/exceptions/__init__.py": "class AzureMLException(Exception): pass\n"
    "class UserErrorException(AzureMLException): pass",
    "azureml/fsspec/__init__.py": "from .spec import AzureMachineLearningFileSystem",
    "azureml/fsspec/spec.py": """
class AzureMachineLearningFileSystem:
    _storage_context = {}
    async def _ls(self, *values, **named): return ["the service's"]
""",
    "azureml/train/__init__.py": "more = 'there'",
}
"""A package with the shape of azureml-core, as far as it matters here."""


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """A PYTHONPATH on which something like azureml-core is installed."""
    for name, text in INSTALLED.items():
        file = tmp_path / "site-packages" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return f"{SITE}:{tmp_path / 'site-packages'}"


def test_the_installed_package_stays_and_its_run_is_the_jobs(job: Job, mlflow: Mlflow, installed: str) -> None:
    """It is one of its own runs, too."""
    answer = job(
        "import azureml.core, azureml.train\nfrom azureml.core.run import _OfflineRun\n"
        "run.log('a', 1)\n"
        "answer = [azureml.core.VERSION, azureml.train.more, run.id, str(run) == repr(run), run.portal(),"
        " isinstance(run, Run), isinstance(run, _OfflineRun), run is Run.get_context()]",
        PYTHONPATH=installed,
    )
    assert answer == ["1.61.0", "there", RUN, True, "of the installed package", True, False, True]
    assert mlflow.points(RUN, "a") == [(0, 1.0)]


def test_what_is_asked_of_the_jobs_workspace_is_answered_for_it(job: Job, installed: str) -> None:
    """And what is asked of any other, by the installed package."""
    (job.folder / "m").write_text("weights")
    answer = job(
        "from azureml.core import Dataset, Model, Workspace\nws = Workspace.from_config()\n"
        "run.register_model('m', 'm')\n"
        "answer = [ws.name, Model(ws, 'm').version, Model.get_model_path('m'), Model('other', 'm').name,"
        " Dataset.get_by_name(ws, 'd'), Dataset.get_by_name('other', 'd'), Dataset.Tabular,"
        " Run(ws.get_run('x').experiment, 'y').id, Run('other', 'y').id_given]",
        PYTHONPATH=installed, AZURE_ML_INPUT_d="/data",
    )  # fmt: skip
    service = "the service's"
    assert answer == ["den", 1, "azureml-models/m/1/m", f"{service} m", "/data", f"{service} d", service, "y", "y"]


def test_the_installed_filesystem_is_derived(job: Job, installed: str) -> None:
    """It lists the job's own workspace here, and any other as the installed package does."""
    answer = job(
        "import asyncio\nfrom azureml.fsspec import AzureMachineLearningFileSystem as Files\n"
        "answer = [Files.__module__, Files.__mro__[1].__name__, asyncio.run(Files()._ls('x'))]",
        PYTHONPATH=installed,
    )
    assert answer == ["azureml.fsspec.spec", "AzureMachineLearningFileSystem", ["the service's"]]


def test_its_exceptions_are_those_that_scripts_catch(job: Job, installed: str) -> None:
    """Of the installed package, where there is one."""
    script = "from azureml.exceptions import UserErrorException as E\ntry: run.log('a', [])\nexcept E: answer = 1"
    assert job(script, PYTHONPATH=installed) == 1
    assert job(script) == 1


def test_outside_of_a_job_the_installed_package_is_as_it_was(job: Job, installed: str) -> None:
    """Nothing of it is changed."""
    script = "from azureml.core import Run\nprint(Run.get_context().id)"
    assert job.process(script, PYTHONPATH=installed, MLFLOW_TRACKING_URI="").stdout == "OfflineRun_1\n"


def test_other_parts_of_azureml_are_found_beside_ours(job: Job, installed: str, tmp_path: Path) -> None:
    """As where azureml-mlflow is installed and azureml-core is not."""
    for name in ("azureml/core", "azureml/exceptions"):
        folder = tmp_path / "site-packages" / name
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    script = "import azureml.train, azureml.core\nanswer = [azureml.train.more, azureml.core.VERSION, run.id]"
    assert job(script, PYTHONPATH=installed) == ["there", "1.61.0+smalt", RUN]


def test_who_only_asks_hears_that_it_is_not_installed(job: Job) -> None:
    """transformers does, and would log everything a second time."""
    script = "import importlib.util\nprint(importlib.util.find_spec('azureml'))\nimport azureml.core\nprint('imported')"
    assert job.process(script).stdout.splitlines() == ["None", "imported"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("import azureml.train", "No module named 'azureml.train'"),
        ("import azureml.core.image", "azureml.core.image is not there; it belongs to the program that submits jobs"),
        ("from azureml.core import Nonsense", "cannot import name 'Nonsense' from 'azureml.core'"),
    ],
)
def test_what_is_not_there(job: Job, line: str, sentence: str) -> None:
    """As for any module."""
    assert sentence in job.refusal(line)


def test_every_module_can_be_imported(job: Job) -> None:
    """And each name of each of them."""
    script = (
        "import importlib, azureml.core\nfrom _smalt_v1.importing import _MODULES\n"
        "for name in _MODULES: exec('from ' + name + ' import *')\n"
        "answer = [Run.__name__, TabularDatasetFactory.__name__, isinstance(1, ComputeTarget)]"
    )
    assert job(script) == ["Run", "TabularDatasetFactory", False]


def test_nothing_of_it_is_loaded_unless_asked_for(job: Job) -> None:
    """Every Python of every job starts with this folder on its path."""
    unwanted = "{'_smalt_v1', 'azureml', 'http.client', 'json', 'urllib.parse', 'typing', 'importlib.util'}"
    done = job.process(f"import sys; print(sorted({unwanted} & set(sys.modules)))")
    before = job.process(f"import sys; print(sorted({unwanted} & set(sys.modules)))", PYTHONPATH="")
    assert done.stdout == before.stdout
    assert "_smalt_v1" not in done.stdout


def test_runs_travel_to_spawned_processes_by_their_classes(job: Job) -> None:
    """Classes that a script has from here can be unpickled where nothing has imported them yet."""
    (job.folder / "script.py").write_text(
        "import multiprocessing\nfrom azureml.core.run import Run\n"
        "def name(kind): return kind.__name__ + Run.get_context().id\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.apply(name, (Run,)))\n"
    )
    done = job.process("import runpy, sys; sys.argv = ['script.py']; import subprocess\n"
                       "sys.exit(subprocess.call([sys.executable, 'script.py']))")  # fmt: skip
    assert (done.stdout, done.stderr) == (f"Run{RUN}\n", "")


def test_it_reads_on_old_pythons() -> None:
    """What goes into jobs is written for Python 3.8."""
    files = list(Path(smalt.inside.__file__).parent.rglob("*.py"))
    assert len(files) > 10
    for file in files:
        ast.parse(file.read_text(), feature_version=(3, 8))
        assert "strict=" not in file.read_text(), f"zip(strict=…) in {file} is of Python 3.10"
