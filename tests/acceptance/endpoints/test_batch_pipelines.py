"""Batch endpoints of pipeline components, by the command line and by REST."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smalt.client.endpoints.invocations import make_invocation
from smalt.exceptions import ValidationException
from tests.acceptance.conftest import Desk
from tests.helpers import Answer

COMPONENT = """
    type: pipeline
    name: counting
    version: "{version}"
    inputs:
      data: {{type: uri_folder}}
      times: {{type: integer, default: 1}}
    outputs:
      counts: {{type: uri_folder}}
    jobs:
      count:
        type: command
        inputs: {{data: "${{{{parent.inputs.data}}}}", times: "${{{{parent.inputs.times}}}}"}}
        outputs: {{counts: "${{{{parent.outputs.counts}}}}"}}
        environment: azureml:host
        command: >-
          echo {version} times ${{{{inputs.times}}}} of $(cat ${{{{inputs.data}}}}/*) > ${{{{outputs.counts}}}}/all.txt
"""
DEPLOYMENT = """
    name: {name}
    endpoint_name: counter
    type: pipeline
    component: azureml:counting:{version}
    settings: {{default_compute: cpu-cluster}}
"""


@pytest.fixture
def counter(desk: Desk) -> Desk:
    """A desk with an endpoint 'counter', whose default deployment is 'one'; 'two' is of the component's version 2."""
    desk.write("data/a.txt", "words")
    assert desk.smalt("batch-endpoint create -n counter").code == 0
    for version, name, flag in ((1, "one", "--set-default"), (2, "two", "")):
        file = desk.write(f"component{version}.yml", COMPONENT.format(version=version))
        assert desk.smalt(f"component create -f {file} -o none").code == 0
        file = desk.write(f"{name}.yml", DEPLOYMENT.format(name=name, version=version))
        made = desk.smalt(f"batch-deployment create -f {file} {flag} -o none")
        assert made.code == 0, made.err
    return desk


def invoke(desk: Desk, body: dict[str, Any], **headers: str) -> Answer:
    """The answer to a plain request to the endpoint's address."""
    address = desk.ask("batch-endpoint show -n counter --query scoring_uri")
    path = "/subscriptions" + address.partition("/subscriptions")[2]
    sent = {name.replace("_of_", "_"): value for name, value in headers.items()}
    return desk.server.ask_tcp("POST", path, body, headers=sent)


def make_body(desk: Desk, **more: Any) -> dict[str, Any]:
    data = {"jobInputType": "UriFolder", "uri": f"file://{desk.folder}/data"}
    return {"properties": {"inputData": {"data": data, **more}}}


def read_counts(desk: Desk, job: str) -> str:
    ran = desk.smalt(f"job stream -n {job}")
    assert ran.code == 0, ran.err
    assert desk.smalt(f"job download -n {job} --output-name counts -p {desk.folder / job}").code == 0
    return (desk.folder / job / "named-outputs" / "counts" / "all.txt").read_text().strip()


def test_an_invocation_is_a_pipeline_job(counter: Desk) -> None:
    """By REST: typed inputs in, a job out, which says where the outputs will be and what made it."""
    answer = invoke(counter, make_body(counter, times={"jobInputType": "Literal", "value": 3}))
    assert answer.status == 201, answer.body
    name, told = answer.body["name"], answer.body["properties"]
    assert told["outputData"]["counts"]["uri"] == f"azureml://jobs/{name}/outputs/counts"
    assert (told["endpointName"], told["deploymentName"], told["experimentName"]) == ("counter", "one", "counter")
    assert read_counts(counter, name) == "1 times 3 of words"
    shown = counter.smalt(f"job show -n {name}").json
    assert shown["type"] == "pipeline"
    assert shown["properties"]["smalt.batch-endpoint"] == "counter"
    assert shown["properties"]["smalt.batch-deployment"] == "one"


def test_a_repeated_request_is_one_job(counter: Desk) -> None:
    """Also after the default has moved and the server was killed; the same id with another body is refused."""
    body = make_body(counter)
    first = invoke(counter, body, **{"repeatability_request-id": "a1"})
    counter.smalt("batch-endpoint update -n counter --set defaults.deployment_name=two")
    counter.server.kill()
    counter.server.start_again()
    again = invoke(counter, body, **{"repeatability_request-id": "a1"})
    assert (first.status, again.status) == (201, 200)
    assert again.body["name"] == first.body["name"]
    other = invoke(counter, make_body(counter, times={"jobInputType": "literal", "value": 2}),
                   **{"repeatability_request-id": "a1"})  # fmt: skip
    assert other.status == 409
    assert "belongs to another request" in other.body["error"]["message"]
    fresh = invoke(counter, body, **{"repeatability_request-id": "a2"})
    assert fresh.body["name"] != first.body["name"]
    assert fresh.body["properties"]["deploymentName"] == "two"


def test_swapping_the_default_moves_new_invocations_only(counter: Desk) -> None:
    """Each job is of the deployment that was the default when it was made; one may be named as well."""
    before = invoke(counter, make_body(counter)).body["name"]
    counter.smalt("batch-endpoint update -n counter --defaults deployment_name=two")
    after = invoke(counter, make_body(counter)).body["name"]
    named = invoke(counter, make_body(counter), **{"azureml-model-deployment": "one"}).body["name"]
    assert [read_counts(counter, name)[0] for name in (before, after, named)] == ["1", "2", "1"]
    listed = counter.smalt("batch-deployment list-jobs -n one -e counter --query [].name").json
    assert listed[:2] == [named, before]
    assert after in counter.smalt("batch-endpoint list-jobs -n counter --query [].name").json


def test_mistakes_are_sentences(counter: Desk) -> None:
    """All of a request's at once, and before there is a job."""
    wrong = {
        "properties": {
            "inputDat": {},
            "outputData": {"counts": {"jobOutputType": "Folder"}},
            "miniBatchSize": "many",
            "inputData": {"data": {"jobInputType": "UriFolder"}, "times": {"jobInputType": "Literal"}},
        }
    }
    answer = invoke(counter, wrong)
    assert answer.status == 400
    said = json.dumps(answer.body)
    for words in (
        "inputDat: ",
        "did you mean 'inputData'",
        "'Folder'",
        "mini_batch_size",
        "needs 'uri'",
        "needs 'value'",
    ):
        assert words in said
    missing = invoke(counter, {})
    assert (missing.status, "'data'" in missing.body["error"]["message"]) == (400, True)
    unknown = invoke(counter, make_body(counter), **{"azureml-model-deployment": "three"})
    assert unknown.status == 404
    counter.write("bad.yml", DEPLOYMENT.format(name="bad", version=9))
    refused = counter.smalt("batch-deployment create -f bad.yml")
    assert (refused.code, "component" in refused.err) == (2, True)
    counter.write("bad.yml", DEPLOYMENT.format(name="bad", version=1) + "    environment: azureml:host\n")
    refused = counter.smalt("batch-deployment create -f bad.yml")
    assert "bad.yml:7:14: a deployment of a pipeline component has none" in refused.err
    refused = counter.smalt("batch-deployment create -f bad.yml --set settings.force_rerrun=true")
    assert "did you mean 'force_rerun'" in refused.err


def test_an_endpoint_without_default_says_what_to_do(desk: Desk) -> None:
    """It has no deployment, then one that is not its default."""
    desk.smalt("batch-endpoint create -n empty")
    refused = desk.smalt("batch-endpoint invoke -n empty")
    assert (refused.code, "has no default deployment" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("./nowhere", "there is no file or folder"),
        ("nowhere", "inputs.data: 'nowhere' is neither an absolute path nor a URI"),
        ("/no/where", "inputs.data: /no/where does not exist"),
        ("azureml:nothing:9", "inputs.data: azureml:nothing:9 is not registered"),
    ],
)
def test_data_that_is_not_there_is_refused_at_once(counter: Desk, value: str, words: str) -> None:
    """Also where only the component says that the text should name data."""
    before = counter.smalt("batch-endpoint list-jobs -n counter").json
    refused = counter.smalt(f"batch-endpoint invoke -n counter --inputs data={value}")
    assert (refused.code in (1, 2), words in refused.err) == (True, True), refused.err
    literal = invoke(counter, make_body(counter, data={"jobInputType": "Literal", "value": 3}))
    assert (literal.status, "inputs.data: '3' is neither" in literal.body["error"]["message"]) == (400, True)
    assert counter.smalt("batch-endpoint list-jobs -n counter").json == before


def test_text_for_data_is_its_path(counter: Desk) -> None:
    """A literal that names data is the data, with the declared type."""
    where = {"jobInputType": "Literal", "value": f"{counter.folder}/data"}
    name = invoke(counter, make_body(counter, data=where)).body["name"]
    assert counter.smalt(f"job show -n {name} --query inputs.data.type").json == "uri_folder"
    assert read_counts(counter, name) == "1 times 1 of words"


def test_the_default_is_a_deployment(counter: Desk) -> None:
    """A name that no deployment has is refused, and the default stays."""
    refused = counter.smalt("batch-endpoint update -n counter --defaults deployment_name=three")
    assert refused.code == 2
    assert "defaults.deployment_name: 'three' is no deployment of endpoint 'counter' (one and two)" in refused.err
    assert counter.ask("batch-endpoint show -n counter --query defaults.deployment_name") == "one"
    early = counter.smalt("batch-endpoint create -n early --set defaults.deployment_name=one")
    assert "(it has none yet)" in early.err


def test_settings_are_checked_before_a_deployment_is_stored(counter: Desk) -> None:
    """Those that are wrong by themselves at their lines, then those that the component or the workspace shows."""
    text = DEPLOYMENT.format(name="bad", version=1).replace("{default_compute: cpu-cluster}", "{force_rerun: maybe}")
    counter.write("bad.yml", text + "    job_definition: azureml:some\n")
    refused = counter.smalt("batch-deployment create -f bad.yml")
    assert refused.code == 2
    for words in ("bad.yml:6:25: 'force_rerun' must be true or false", "bad.yml:7:1: a batch deployment of a pipeline"):
        assert words in refused.err
    counter.write("bad.yml", text.replace("force_rerun: maybe", "on_init: nope, default_datastore: nothing"))
    refused = counter.smalt("batch-deployment create -f bad.yml")
    assert refused.code == 2
    for words in ("bad.yml:6:21: 'nope' is not a step", "bad.yml:6:46: datastore nothing is not registered"):
        assert words in refused.err
    assert counter.smalt("batch-deployment show -n bad -e counter").code == 1


def test_a_job_becomes_a_deployment(counter: Desk) -> None:
    """It runs the job's steps, with the job's inputs where the invocation gives no others."""
    counter.write(
        "job.yml",
        """
        type: pipeline
        name: source
        component: azureml:counting:1
        inputs: {data: {type: uri_folder, path: ./data}, times: 4}
        """,
    )
    assert counter.smalt("job create -f job.yml --stream").code == 0
    assert counter.smalt("batch-endpoint create -n repeater").code == 0  # what others ask of 'counter' stays the same
    counter.write(
        "again.yml", "name: again\nendpoint_name: repeater\ntype: pipeline\njob_definition: azureml:unknown\n"
    )
    refused = counter.smalt("batch-deployment create -f again.yml")
    assert (refused.code, "there is no job 'unknown'" in refused.err) == (1, True)
    made = counter.smalt("batch-deployment create -f again.yml --set job_definition=azureml:source")
    assert made.code == 0, made.err
    same = counter.ask("batch-endpoint invoke -n repeater -d again --query name")
    assert read_counts(counter, same) == "1 times 4 of words"
    changed = counter.ask("batch-endpoint invoke -n repeater -d again --inputs times=5 --query name")
    assert read_counts(counter, changed) == "1 times 5 of words"


def test_a_file_has_the_inputs(counter: Desk) -> None:
    """As the service's examples write them; paths are the file's, and mistakes have their lines."""
    counter.write(
        "given/inputs.yml",
        """
        inputs:
          data: {type: uri_folder, path: ../data}
          times: {type: integer, default: 6}
        outputs:
          counts: {type: uri_folder, mode: upload}
        """,
    )
    job = counter.ask("batch-endpoint invoke -n counter -d one --f given/inputs.yml --query name")
    assert read_counts(counter, job) == "1 times 6 of words"
    counter.write(
        "wrong.yml", "inputs:\n  data: {type: uri_folder, path: nowhere}\n  times: {type: integer}\nexperiment: a\n"
    )
    refused = counter.smalt("batch-endpoint invoke -n counter -f wrong.yml")
    assert refused.code == 2
    for words in ("wrong.yml:2:34: there is no", "wrong.yml:3:10: an input of type integer needs 'default'",
                  "wrong.yml:4:1: unknown key 'experiment'"):  # fmt: skip
        assert words in refused.err
    direct = counter.ask("batch-endpoint invoke -n counter -d one --input data --query name")
    assert read_counts(counter, direct) == "1 times 1 of words"


def test_a_new_version_replaces_the_old_one_at_once(counter: Desk) -> None:
    """By a change of the deployment, or by its file with another component."""
    changed = counter.smalt("batch-deployment update -n one -e counter --set component=azureml:counting:2")
    assert changed.code == 0, changed.err
    job = invoke(counter, make_body(counter)).body["name"]
    assert read_counts(counter, job)[0] == "2"
    counter.write("three.yml", COMPONENT.format(version=3).replace("name: counting", "name: counting_again"))
    counter.write("one.yml", DEPLOYMENT.format(name="one", version=1).replace("azureml:counting:1", "three.yml"))
    assert counter.smalt("batch-deployment create -f one.yml").code == 0
    job = invoke(counter, make_body(counter)).body["name"]
    assert read_counts(counter, job)[0] == "3"


def test_a_model_is_an_input_like_any_other(desk: Desk) -> None:
    """A registered one, of a pipeline component's input; the service refuses it."""
    desk.write("weights/w.txt", "heavy")
    assert desk.smalt("model create -n weighty --type custom_model --path weights").code == 0
    desk.write(
        "component.yml", COMPONENT.format(version=1).replace("uri_folder}\n      times", "custom_model}\n      times")
    )
    desk.write("deployment.yml", "name: d\nendpoint_name: models\ncomponent: component.yml\n")
    desk.smalt("batch-endpoint create -n models")
    made = desk.smalt("batch-deployment create -f deployment.yml --set-default")
    assert made.code == 0, made.err
    desk.write("inputs.yml", "inputs:\n  data: {type: custom_model, path: azureml:weighty@latest}\n")
    job = desk.ask("batch-endpoint invoke -n models -f inputs.yml --query name")
    assert read_counts(desk, job) == "1 times 1 of heavy"


def test_an_endpoint_that_a_schedule_invokes_is_not_deleted(desk: Desk) -> None:
    """The refusal names the schedule; one that is disabled does not count."""
    desk.smalt("batch-endpoint create -n called")
    desk.write("component.yml", COMPONENT.format(version=1))
    desk.write("deployment.yml", "name: d\nendpoint_name: called\ncomponent: component.yml\n")
    assert desk.smalt("batch-deployment create -f deployment.yml --set-default").code == 0
    desk.write("data/a.txt", "words")
    data = {"jobInputType": "UriFolder", "uri": f"file://{desk.folder}/data"}
    action = {
        "actionType": "InvokeBatchEndpoint",
        "endpointInvocationDefinition": {"endpointName": "called", "properties": {"inputData": {"data": data}}},
    }
    trigger = {"triggerType": "Cron", "expression": "0 0 1 1 *"}
    workspace = desk.ask("workspace show --query id")
    body = {"properties": {"trigger": trigger, "action": action}}
    made = desk.server.ask("PUT", f"{workspace}/schedules/yearly", body)
    assert made.status < 300, made.body
    refused = desk.smalt("batch-endpoint delete -n called --yes")
    assert (refused.code, "is invoked by schedule 'yearly'" in refused.err) == (1, True)
    assert desk.smalt("schedule disable -n yearly").code == 0
    assert desk.smalt("batch-endpoint delete -n called --yes").code == 0
    assert desk.smalt("schedule delete -n yearly --yes").code == 0


def test_deleting_what_is_not_there(counter: Desk) -> None:
    """A deployment that is gone is a note, as scripts clean up with `set -e`; an unknown endpoint is an error."""
    gone = counter.smalt("batch-deployment delete -n nothing -e counter --yes")
    assert (gone.code, "nothing was deleted" in gone.err) == (0, True)
    assert counter.smalt("batch-deployment delete -n nothing -e nowhere --yes").code == 1


def test_arguments_of_a_program_are_checked() -> None:
    """Inputs that are no mapping, and a misspelt name, before anything is sent."""
    with pytest.raises(ValidationException, match="inputs: give a dict of inputs by name, not a list"):
        make_invocation([1], {})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="did you mean 'deployment_name'"):
        make_invocation(None, {"deployment_nam": "one"})
