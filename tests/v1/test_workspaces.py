"""Computes, datastores, secrets and what else a workspace of SDK v1 has."""

from __future__ import annotations

import json
from typing import Any

from tests.v1.conftest import Programs

START = """\
import json
from azureml.core import *
from azureml.core.compute import *
from azureml.exceptions import *
ws = Workspace.from_config()

def said(call, *values, **named):
    try:
        call(*values, **named)
    except AzureMLException as error:
        return type(error).__name__ + ': ' + error.message
"""


def run_program(programs: Programs, text: str) -> Any:
    """Return what the program leaves in `answer`."""
    programs.write("program.py", f"{START}{text}\nprint('answer', json.dumps(answer))\n")
    ran = programs.python("program.py")
    assert ran.code == 0, ran.err
    return json.loads(ran.out.rpartition("answer ")[2])


def test_a_compute_is_made_found_changed_and_deleted(served: Programs) -> None:
    """As v1's programs do it: what is not there raises ComputeTargetException."""
    answer = run_program(
        served,
        "absent = said(ComputeTarget, workspace=ws, name='cabin')\n"
        "config = AmlCompute.provisioning_configuration(vm_size='STANDARD_D2_V2', max_nodes=4, vnet_name='v')\n"
        "made = ComputeTarget.create(ws, 'cabin', config)\n"
        "made.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)\n"
        "found = AmlCompute(ws, 'cabin')\nfound.update(max_nodes=2)\n"
        "status = found.get_status()\n"
        "facts = [found.type, found.provisioning_state, status.scale_settings.maximum_node_count,"
        " status.serialize()['vmSize'], 'cabin' in ws.compute_targets, said(ComputeInstance, ws, 'cabin')]\n"
        "found.delete()\n"
        "answer = [absent, *facts, said(ComputeTarget, ws, 'cabin')]",
    )
    absent = (
        "ComputeTargetException: ComputeTargetNotFound: there is no compute 'cabin' in workspace 'default'; make it by"
    )
    assert answer[0].startswith(absent)
    assert answer[-1].startswith(absent)
    other = "ComputeTargetException: compute 'cabin' is of type AmlCompute, not ComputeInstance"
    assert answer[1:-1] == ["AmlCompute", "Succeeded", 2, "STANDARD_D2_V2", True, other]


def test_settings_without_effect_are_said_once(served: Programs) -> None:
    """At the program's line."""
    served.write(
        "program.py",
        f"{START}for name in 'ab':\n"
        "    config = AmlCompute.provisioning_configuration(vm_size='S', vnet_name='v', admin_username='me')\n"
        "    ComputeTarget.create(ws, 'hut', config)\n",
    )
    ran = served.python("program.py")
    assert ran.code == 0, ran.err
    (line,) = [line for line in ran.err.splitlines() if "no effect" in line]
    assert line == (
        "smalt: program.py:14: compute 'hut': admin_username, vnet_name have no effect: jobs run on this machine"
    )


def test_a_datastore_is_not_replaced_unasked(served: Programs) -> None:
    """The same place is registered again; another one needs overwrite; filters that cannot be are refused."""
    answer = run_program(
        served,
        """
def register(container, **more):
    return Datastore.register_azure_blob_container(ws, 'lake', container, 'account', **more).container_name
answer = [register('one'), register('one'), said(register, 'two'), register('two', overwrite=True),
          said(Experiment.list, ws, tags='x'), said(Model.list, ws, dataset_id='x'),
          said(Webservice.list, ws, tags=['x'])]
""",
    )
    assert answer[:2] == ["one", "one"]
    assert answer[2].startswith("UserErrorException: there is a datastore 'lake' already with another container_name;")
    assert answer[3] == "two"
    assert [one.partition(":")[2].partition(";")[0] for one in answer[4:]] == [
        " Experiment.list: experiments have no tags here",
        " Model.list: models do not keep their datasets here",
        " Webservice.list: tags is not served",
    ]


def test_a_kind_of_compute_that_v2_does_not_have_is_kept_or_refused(served: Programs) -> None:
    """Attached machines keep their type; a Databricks says what to do instead."""
    answer = run_program(
        served,
        "config = HDInsightCompute.attach_configuration(username='me', cluster_name='c')\n"
        "kept = ComputeTarget.attach(ws, 'spark', config)\n"
        "config = DatabricksCompute.attach_configuration(workspace_name='d')\n"
        "found = type(ComputeTarget(ws, 'spark')).__name__\n"
        "answer = [kept.type, found, said(ComputeTarget.attach, ws, 'bricks', config)]",
    )
    assert answer[:2] == ["HDInsight", "HDInsightCompute"]
    assert answer[2] == (
        "ComputeTargetException: DatabricksCompute 'bricks' is not attached: v2 has no such compute; make the "
        "DatabricksStep a Spark job, or a command that calls your Databricks"
    )


def test_secrets_are_those_of_the_workspace(served: Programs) -> None:
    answer = run_program(
        served,
        "vault = ws.get_default_keyvault()\nvault.set_secret(name='wolf', value='fur')\n"
        "vault.set_secrets({'fox': 'red'})\nfound = vault.get_secrets(['wolf', 'fox'])\n"
        "names = sorted(one['name'] for one in vault.list_secrets())\nvault.delete_secrets(['wolf', 'fox'])\n"
        "answer = [found, names, vault.list_secrets(), said(vault.get_secret, 'wolf').split(':')[0]]",
    )
    assert answer == [{"wolf": "fur", "fox": "red"}, ["fox", "wolf"], [], "UserErrorException"]


def test_a_workspace_is_made_described_and_found(served: Programs) -> None:
    """`write_config` writes what `from_config` reads."""
    answer = run_program(
        served,
        "made = Workspace.create('den', resource_group='woods', tags={'a': 'b'}, friendly_name='Den')\n"
        "twice = said(Workspace.create, 'den', resource_group='woods')\n"
        "made.write_config('here')\nagain = Workspace.from_config('here')\n"
        "answer = [twice, again.name, again.resource_group, again.tags, again.get_details()['friendlyName'],"
        " Workspace.create('den', resource_group='woods', exist_ok=True).name,"
        " Workspace.get('den', resource_group='woods').name,"
        " said(Workspace.get, 'nowhere', resource_group='woods').split(':')[0],"
        " said(Workspace.from_config, 'nowhere')]",
    )
    assert answer[0].startswith("WorkspaceException: there is a workspace 'den' already in resource group 'woods'; ")
    assert answer[1:7] == ["den", "woods", {"a": "b"}, "Den", "den", "den"]
    assert answer[7] == "WorkspaceException"
    assert answer[8].startswith("UserErrorException: there is no 'nowhere', the place of the workspace's config")


def test_an_environment_is_registered_and_found(served: Programs) -> None:
    """A job names it by its version as long as it is unchanged; a curated one is there by its name."""
    answer = run_program(
        served,
        "made = Environment('forest')\nmade.python.conda_dependencies.add_pip_package('six')\n"
        "one = made.register(ws)\nfound = Environment.get(ws, 'forest', version='1')\n"
        "before = found.to_reference()\nfound.python.conda_dependencies.add_pip_package('numpy')\n"
        "changed = found.to_reference().name\ntwo = found.register(ws)\n"
        "answer = [one.version, before, changed, two.version, list(Environment.get(ws, 'forest').python"
        ".conda_dependencies.pip_packages), Environment.get(ws, 'AzureML-sklearn-1.5').name,"
        " said(Environment.get, ws, 'desert').split(':')[0], two.clone('wood').to_reference().name]",
    )
    assert answer[:4] == ["1", "azureml:forest:1", "forest", "2"]
    assert answer[4:] == [["six", "numpy"], "AzureML-sklearn-1.5", "UserErrorException", "wood"]


def test_what_cannot_be_had_says_so(served: Programs) -> None:
    """Services of several models, and datastores that are databases."""
    answer = run_program(
        served,
        "from azureml.core.model import InferenceConfig\n"
        "from azureml.core.webservice import AciWebservice, Webservice\n"
        "config = InferenceConfig('score.py', environment=Environment('e')), AciWebservice.deploy_configuration()\n"
        "answer = [said(Model.deploy, ws, 'service', [1, 2], *config), said(Webservice, ws, 'service'),"
        " said(Datastore.register_azure_sql_database, ws, 'sql', 's', 'd'), said(Datastore.get, ws, 'nowhere')]",
    )
    assert answer[0].startswith("WebserviceException: the service 'service' has 2 models, and an online deployment of")
    assert answer[1].startswith("WebserviceException: WebserviceNotFound: there is no service 'service'")
    assert answer[2].startswith("UserErrorException: datastore 'sql' is a SQL database: v2 has no such datastore; ")
    assert answer[3].startswith("UserErrorException: ")


def test_absent_secrets_are_none_among_several(served: Programs) -> None:
    """As in v1, where get_secret alone raises."""
    answer = run_program(
        served,
        "vault = ws.get_default_keyvault()\nvault.set_secret('known', 'x')\n"
        "answer = [vault.get_secrets(['known', 'unknown']), said(vault.get_secret, 'unknown')]\n"
        "vault.delete_secret('known')",
    )
    assert answer[0] == {"known": "x", "unknown": None}
    assert answer[1].startswith("UserErrorException: there is no secret 'unknown'")
