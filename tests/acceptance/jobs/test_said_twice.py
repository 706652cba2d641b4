"""What a step says beside its component, and inputs without a value: acted on, or refused at its line."""

from __future__ import annotations

from typing import Any

import pytest

from smalt import Input, MLClient, command, dsl, load_component
from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from tests.acceptance.conftest import Desk

PART = """
name: part
version: "1"
type: command
environment: azureml:host
code: src
outputs: {o: {type: uri_file}}
command: echo component > ${{outputs.o}}; cat said.txt
"""
WAYS = {"file": "./part.yml", "registered": "azureml:part:1"}
BESIDE = {"command": "command: echo job", "code": "code: other"}


@pytest.fixture
def files(desk: Desk) -> Desk:
    desk.write("src/said.txt", "of component\n")
    desk.write("other/said.txt", "of step\n")
    desk.write("part.yml", PART)
    desk.ask("component create --file part.yml --query name")
    return desk


def refused(desk: Desk, text: str, sentence: str, options: str = "") -> None:
    """Both verbs refuse the file with the sentence, and nothing is submitted."""
    desk.write("job.yml", text)
    before = desk.ask("job list --all-results --query [].name")
    for verb in ("create", "validate"):
        ran = desk.smalt(f"job {verb} --file job.yml {options}")
        assert ran.code != 0, ran.out
        assert sentence in ran.err + ran.out
    assert desk.ask("job list --all-results --query [].name") == before


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", BESIDE)
def test_a_step_of_a_component_has_its_command_and_code(files: Desk, way: str, key: str) -> None:
    """Another command or code beside `component` is refused at its line."""
    text = f"type: pipeline\njobs:\n  w:\n    component: {WAYS[way]}\n    {BESIDE[key]}\n"
    refused(files, text, f"job.yml:5:5: a step of a component has the component's {key}; change the component")


@pytest.mark.parametrize("way", WAYS)
def test_a_command_line_cannot_set_it_either(files: Desk, way: str) -> None:
    """`--set` of a step's command is refused where the step is one of a component."""
    text = f"type: pipeline\njobs: {{w: {{component: '{WAYS[way]}'}}}}\n"
    refused(files, text, "a step of a component has the component's command", "--set jobs.w.command='echo job'")


def test_an_exported_job_cannot_be_set_it_either(files: Desk) -> None:
    """The step of an exported job is one of its component's file."""
    assert files.job("type: pipeline\njobs: {w: {command: ls, environment: azureml:host}}\n", "--name kept").code == 0
    files.ask("job export kept --folder exported --query name")
    ran = files.smalt("job create --file exported/job.yml --set jobs.w.command='echo job'")
    assert ran.code != 0
    assert "a step of a component has the component's command" in ran.err


def test_the_same_command_again_is_no_other(files: Desk) -> None:
    """A step that repeats its component's command and code runs."""
    text = PART.partition("command: ")[2].strip()
    assert (
        files.job(f"type: pipeline\njobs: {{w: {{component: ./part.yml, code: src, command: '{text}'}}}}\n").code == 0
    )


def test_a_program_cannot_set_it_either(files: Desk) -> None:
    """Assigned to a step of a component, command and code are refused; a step without one takes them."""
    part: Any = load_component(str(files.folder / "part.yml"))
    for key in ("command", "code"):
        with pytest.raises(SmaltError, match=f"a step of a component has the component's {key}"):
            setattr(part(), key, "other")
    free = command(command="ls", environment="azureml:host")
    free.command, free.code = "pwd", "other"
    assert (free.command, free.code) == ("pwd", "other")


def test_bodies_of_other_clients_are_checked(files: Desk) -> None:
    """A body may hold the component's own command, and no other."""
    client = MLClient(home=Home(files.server.home.root))
    where = f"{client.workspace_id}/jobs/"
    node = {"type": "command", "componentId": "azureml:part:1"}
    own = PART.partition("command: ")[2].strip()

    def body(text: str) -> dict[str, Any]:
        return {"properties": {"jobType": "Pipeline", "jobs": {"w": {**node, "command": text}}}}

    with pytest.raises(SmaltError, match="has the component's command"):
        client.connection.put(f"{where}another", body("echo job"))
    client.connection.put(f"{where}its-own", body(own))
    client.connection.close()
    assert files.smalt("job stream its-own").code == 0


@pytest.mark.parametrize("way", WAYS)
def test_an_output_has_its_component_s_type(files: Desk, way: str) -> None:
    """Another type than the component's own is refused."""
    text = f"type: pipeline\njobs:\n  w: {{component: '{WAYS[way]}', outputs: {{o: {{type: mltable}}}}}}\n"
    refused(files, text, "the component writes this output as uri_file, not as mltable; change the component")


NO_VALUE = "the input 'x' has no value; write one, or \"\" for empty text"


@pytest.mark.parametrize(
    "text",
    [
        "environment: azureml:host\ninputs: {x: ~}\ncommand: echo ${{inputs.x}}\n",
        "type: pipeline\njobs: {a: {environment: azureml:host, inputs: {x: ~}, command: 'echo ${{inputs.x}}'}}\n",
        "type: pipeline\ninputs: {x: ~}\njobs: {a: {environment: azureml:host, inputs: {y: '${{parent.inputs.x}}'},"
        " command: 'echo ${{inputs.y}}'}}\n",
    ],
)
def test_an_input_without_a_value_is_told(desk: Desk, text: str) -> None:
    """Where something reads it, the sentence says that it has no value."""
    refused(desk, text, NO_VALUE)


@pytest.mark.parametrize("value", ["null", "~"])
def test_a_text_of_a_command_line_is_no_absent_value(desk: Desk, value: str) -> None:
    """`--set inputs.x=null` gives the text that was typed; only a file can leave an input without a value."""
    desk.write("job.yml", "environment: azureml:host\ninputs: {x: 1}\ncommand: echo '${{inputs.x}}'\n")
    ran = desk.smalt(f"job create --file job.yml --stream --set inputs.x={value}")
    assert ran.code == 0, ran.err
    assert ran.out == f"{value}\n"


@pytest.mark.parametrize("as_step", [False, True])
def test_local_data_goes_to_the_datastore_that_is_named(desk: Desk, as_step: bool) -> None:
    """An input's `datastore` is where its local data is uploaded to, of a job and of a step."""
    desk.write("d.txt", "data\n")
    folder = desk.folder / "store"
    folder.mkdir()
    desk.write("store.yml", f"name: other_store\ntype: local_path\npath: {folder}\n")
    ran = desk.smalt("datastore create --file store.yml")
    assert ran.code == 0, ran.err
    step = "{environment: azureml:host, command: 'cat ${{inputs.y}}', inputs: {y: {type: uri_file, path: d.txt, datastore: other_store}}}"  # noqa: E501
    assert desk.job(f"type: pipeline\njobs: {{a: {step}}}\n" if as_step else step).code == 0
    assert [path.read_text() for path in folder.rglob("d.txt")] == ["data\n"]


@pytest.mark.parametrize("verb", ["create", "validate"])
def test_a_datastore_that_is_not_there_is_told(desk: Desk, verb: str) -> None:
    """Both verbs refuse it."""
    desk.write("d.txt", "data\n")
    step = "{environment: azureml:host, command: ls, inputs: {y: {type: uri_file, path: d.txt, datastore: nosuch}}}"
    desk.write("job.yml", step)
    ran = desk.smalt(f"job {verb} --file job.yml")
    assert ran.code != 0
    assert "there is no datastore 'nosuch'" in ran.err + ran.out


@pytest.mark.parametrize("path", ["azureml:d:1", "azureml://datastores/workspaceblobstore/paths/d.txt"])
def test_a_datastore_of_what_is_not_uploaded_is_refused(desk: Desk, path: str) -> None:
    """A path that is not local is where it is, whatever `datastore` says."""
    data = f"{{type: uri_file, path: '{path}', datastore: workspaceblobstore}}"
    text = f"environment: azureml:host\ncommand: ls\ninputs:\n  y: {data}\n"
    refused(desk, text, "'datastore' says where local data is uploaded to, and this path is not local; remove it")


def test_a_user_identity_is_no_idle_word(desk: Desk) -> None:
    """It is acted on, and a managed identity is not: the log says so of this one alone."""
    text = "environment: azureml:host\ncommand: echo $AZUREML_OBO_ENABLED\nidentity: {type: "
    user = desk.job(f"{text}user_identity}}\n")
    managed = desk.job(f"{text}managed}}\n")
    assert "identity has no effect" not in user.out + user.err
    assert "identity has no effect" in managed.out + managed.err


def test_a_program_names_the_datastore(desk: Desk) -> None:
    """`Input(datastore=…)` of a step that a program makes is acted on as that of a file."""
    desk.write("d.txt", "data\n")
    client = MLClient(home=Home(desk.server.home.root))
    free = command(command="cat ${{inputs.y}}", environment="azureml:host", inputs={"y": Input(type="uri_file")})

    @dsl.pipeline()
    def pipe() -> Any:
        free(y=Input(type="uri_file", path=str(desk.folder / "d.txt"), datastore="workspaceblobstore"))

    job = client.jobs.create_or_update(pipe())
    client.jobs.stream(job.name)
    (step,) = client.jobs.list(parent_job_name=job.name)
    path = client.jobs.get(step.name).inputs["y"].path
    client.connection.close()
    assert path.startswith("azureml://datastores/workspaceblobstore/paths/LocalUpload/")
