"""What programs import of Azure's packages."""

from __future__ import annotations

from importlib import import_module

import pytest

from smalt.python.private_modules import _PRIVATE

from .conftest import Programs

OFFICIAL = {
    "azure/ai/ml/__init__.py": "raise SystemExit('the official package was imported')",
    "azure/identity/__init__.py": "raise SystemExit('the official package was imported')",
    "azure/core/__init__.py": "",
    "azure/core/exceptions.py": (
        "class AzureError(Exception):\n"
        "    def __init__(self, message, *args, **kwargs):\n"
        "        self.message = str(message)\n"
        "        super().__init__(self.message, *args)\n"
        "class HttpResponseError(AzureError):\n"
        "    def __init__(self, message=None, response=None, **kwargs):\n"
        "        self.status_code = None\n"
        "        super().__init__(message)\n"
        "class ResourceNotFoundError(HttpResponseError): pass\n"
        "class ResourceExistsError(HttpResponseError): pass\n"
        "class ClientAuthenticationError(HttpResponseError): pass\n"
        "class ServiceRequestError(AzureError): pass\n"
        "THEIRS = True\n"
    ),
    "azure/storage/blob.py": "NAME = 'theirs'",
}


def test_the_names_are_smalts(programs: Programs) -> None:
    """azure.ai.ml and its submodules, private ones too, give the very objects of smalt."""
    ran = programs.python(
        "-c",
        "import azure.ai.ml, smalt, smalt.entities, smalt.automl\n"
        "from azure.ai.ml import MLClient, command, dsl, entities\n"
        "from azure.ai.ml.entities import Environment\n"
        "from azure.ai.ml.constants import AssetTypes\n"
        "from azure.ai.ml.entities._job.automl.tabular import TabularFeaturizationSettings\n"
        "from azure.ai.ml._version import VERSION\n"
        "assert MLClient is smalt.MLClient and command is smalt.command\n"
        "assert entities.Environment is Environment is smalt.entities.Environment\n"
        "assert AssetTypes.URI_FILE == 'uri_file'\n"
        "assert azure.ai.ml.automl.classification is smalt.automl.classification\n"
        "assert not hasattr(azure.ai.ml, 'Nope')\n"
        "assert azure.ai.ml.__version__ == VERSION\n"
        "print(VERSION.partition('+')[0])",
    )
    assert (ran.code, ran.out, ran.err) == (0, "1.35.2\n", "")


PRIVATE = """
from azure.ai.ml._ml_client import MLClient
from azure.ai.ml._restclient.models import JobStatus
from azure.ai.ml.constants._common import AssetTypes, LROConfigurations, TimeZone
from azure.ai.ml.constants._compute import ComputeType
from azure.ai.ml.constants._job import finetuning
from azure.ai.ml.constants._job.finetuning import FineTuningTaskTypes
from azure.ai.ml.constants._workspace import IsolationMode
from azure.ai.ml.dsl._condition import condition
from azure.ai.ml.dsl._group_decorator import group
from azure.ai.ml.entities._assets import Environment
from azure.ai.ml.entities._assets._artifacts.code import Code
from azure.ai.ml.entities._assets.auto_delete_setting import AutoDeleteSetting
from azure.ai.ml.entities._assets.environment import BuildContext
from azure.ai.ml.entities._builders import Command, Parallel, Spark, Sweep
from azure.ai.ml.entities._credentials import AccountKeyConfiguration
from azure.ai.ml.entities._deployment.container_resource_settings import ResourceSettings
from azure.ai.ml.entities._deployment.resource_requirements_settings import ResourceRequirementsSettings
from azure.ai.ml.entities._inputs_outputs import Input, Output
from azure.ai.ml.entities._job.automl.nlp import NlpFeaturizationSettings
from azure.ai.ml.entities._job.automl.tabular import TabularFeaturizationSettings
from azure.ai.ml.entities._job.automl.tabular.forecasting_settings import ForecastingSettings
from azure.ai.ml.entities._job.pipeline._io import NodeOutput, PipelineInput
from azure.ai.ml.entities._job.pipeline.pipeline_job import PipelineJob
from azure.ai.ml.entities._load_functions import load_schedule
from azure.ai.ml.operations._job_operations import JobOperations
from azure.ai.ml.operations._run_history_constants import RunHistoryConstants
"""
"""What public programs import from private modules."""


def test_private_modules_have_the_public_names(programs: Programs) -> None:
    """Whichever private module a program names, and in programs where `azure.ai.ml` was replaced by `smalt` too."""
    mirrored = [line for line in PRIVATE.splitlines() if ".ml.entities._" in line or ".ml.dsl._" in line]
    ran = programs.python(
        "-c",
        f"{PRIVATE}\n"
        "import smalt, smalt.entities as entities\n"
        "import azure.ai.ml.entities._job.command_job as place\n"
        "assert MLClient is smalt.MLClient and Environment is entities.Environment and Command is entities.Command\n"
        "assert place.CommandJob is entities.CommandJob and not hasattr(place, 'Nope')\n"
        "assert finetuning.FineTuningTaskTypes is FineTuningTaskTypes\n"
        "assert JobStatus.COMPLETED in RunHistoryConstants.TERMINAL_STATUSES\n"
        + "\n".join(mirrored).replace("azure.ai.ml", "smalt")
        + "\nassert PipelineJob is entities.PipelineJob",
    )
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("name", _PRIVATE)
def test_each_name_of_private_modules_is_there(name: str) -> None:
    """Each entry of the table names a module that has the name."""
    module, _, other = _PRIVATE[name].partition(":")
    assert hasattr(import_module(f"smalt.{module}"), other or name)


def test_private_modules_of_mldesigner_have_the_public_names(programs: Programs) -> None:
    """Under smalt python, and in a program of smalt's."""
    text = (
        "from mldesigner._azure_ai_ml import Component, MLClient\n"
        "from mldesigner._component_executor import command_component\n"
        "from mldesigner._exceptions import UserErrorException\n"
        "import mldesigner, smalt.exceptions\n"
        "assert command_component is mldesigner.command_component\n"
        "assert UserErrorException is smalt.exceptions.UserErrorException"
    )
    assert programs.python("-c", text).code == 0
    assert programs.python("-c", f"import smalt\nexec({text!r})").code == 0


def test_installed_packages_are_passed_over(programs: Programs) -> None:
    """Ours win over the official azure.ai.ml and azure.identity; the rest of azure.… stays as it is installed."""
    for name, text in OFFICIAL.items():
        programs.write(f"site/{name}", text)
    ran = programs.python(
        "-c",
        "from azure.ai.ml import MLClient\n"
        "from azure.identity import DefaultAzureCredential\n"
        "import azure.storage.blob, azure.core.exceptions\n"
        "import smalt\n"
        "print(MLClient is smalt.MLClient, azure.storage.blob.NAME, azure.core.exceptions.THEIRS)",
        environment={"PYTHONPATH": str(programs.folder / "site")},
    )
    assert (ran.code, ran.out) == (0, "True theirs True\n"), ran.err


@pytest.mark.parametrize("installed", [False, True])
def test_exceptions_are_caught_by_their_official_names(served: Programs, installed: bool) -> None:
    """`except ResourceNotFoundError` catches what is not there, with azure-core installed and without."""
    for name, text in OFFICIAL.items():
        served.write(f"site/{name}", text)
    ran = served.python(
        "-c",
        "from azure.ai.ml import MLClient\n"
        "from azure.identity import DefaultAzureCredential\n"
        "from azure.core.exceptions import HttpResponseError, ResourceNotFoundError\n"
        "try:\n"
        "    MLClient(DefaultAzureCredential(), 's', 'g', 'w').jobs.get('nope')\n"
        "except ResourceNotFoundError as error:\n"
        "    print(isinstance(error, HttpResponseError), error.status_code, error)\n",
        environment={"PYTHONPATH": str(served.folder / "site")} if installed else {},
    )
    assert (ran.code, ran.out) == (0, "True 404 there is no job 'nope' in workspace 'w'\n"), ran.err


def test_a_credential_asks_nobody(programs: Programs) -> None:
    """Every class of azure.identity takes anything; its token can be taken apart and names no secret of the server."""
    ran = programs.python(
        "-c",
        "import base64, json\n"
        "from azure.identity import (DefaultAzureCredential, ClientSecretCredential, ManagedIdentityCredential,\n"
        "    InteractiveBrowserCredential, AzureCliCredential, get_bearer_token_provider)\n"
        "ClientSecretCredential('tenant', 'client', client_secret='x')\n"
        "with ManagedIdentityCredential(client_id='x') as credential:\n"
        "    token = credential.get_token('https://management.azure.com/.default')\n"
        "part = token.token.split('.')[1]\n"
        "claims = json.loads(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))\n"
        "assert get_bearer_token_provider(AzureCliCredential(), 'a')()\n"
        "print(claims['aud'], token.expires_on == claims['exp'], token.token.count('.'))\n",
    )
    assert (ran.code, ran.out) == (0, "https://management.azure.com True 2\n"), ran.err


def test_credentials_can_be_awaited(programs: Programs) -> None:
    """azure.identity.aio has the same names."""
    text = (
        "import asyncio\n"
        "from azure.identity.aio import DefaultAzureCredential\n"
        "print(asyncio.run(DefaultAzureCredential().get_token('x')).token[:2])"
    )
    assert programs.python("-c", text).out == "ey\n"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("from azure.ai.ml.entities import Nope", "smalt has no azure.ai.ml.entities.Nope"),
        ("import azure.ai.ml.nope", "smalt has no azure.ai.ml.nope"),
        ("from azure.ai.ml.entities._job import Nope", "smalt has no azure.ai.ml.entities._job.Nope"),
        (
            "from azure.ai.ml.entities._load_functions import load_nope",
            "smalt has no azure.ai.ml.entities._load_functions.load_nope",
        ),
        ("from mldesigner._exceptions import Nope", "smalt has no mldesigner._exceptions.Nope"),
        ("import azure.core.pipeline.policies", "pip install azure-core"),
        ("from azureml.core import Wrkspace", "smalt has no azureml.core.Wrkspace; did you mean 'Workspace'?"),
        ("import azureml.nope", "smalt has no azureml.nope"),
    ],
)
def test_what_is_not_there_is_one_sentence(programs: Programs, line: str, sentence: str) -> None:
    """At the program's own line, without a traceback; a program may catch it as an ImportError."""
    file = programs.write("submit.py", f"x = 1\n{line}\n")
    ran = programs.python(str(file))
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert ran.err.startswith(f"{file}:2: ")
    assert sentence in ran.err
    assert programs.python("-c", f"try:\n    {line}\nexcept ImportError:\n    print('caught')").out == "caught\n"


def test_who_only_asks_is_answered(programs: Programs) -> None:
    """Libraries look whether azureml is there without importing it."""
    text = "import importlib.util as u; print(u.find_spec('azureml'))"
    assert programs.python("-c", text).out == "None\n"
