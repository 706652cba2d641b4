"""The shapes of the wire, as Azure's own client sends them."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.entities.assets.component import Component
from smalt.entities.schema.documents import read
from smalt.wire import from_rest, to_rest
from tests.wire.samples import COMPONENT, SAMPLES, entity


def properties(name: str) -> Any:
    return to_rest(entity(name))["properties"]


def pipeline(**jobs: Any) -> Any:
    made, problems = read({"type": "pipeline", "jobs": jobs}, "job")
    assert made is not None, problems
    return made


def test_a_command_job_is_camel_case_with_text_literals() -> None:
    """Literals are Python's texts, modes and identities have the service's words, durations are ISO 8601."""
    body = properties("command job")
    assert body["jobType"] == "Command"
    assert body["inputs"]["a"] == {"jobInputType": "literal", "value": "3"}
    assert body["inputs"]["b"] == {"jobInputType": "literal", "value": "True"}
    assert body["inputs"]["c"] == {"jobInputType": "uri_file", "uri": "azureml:dd:1", "mode": "ReadOnlyMount"}
    assert body["outputs"]["o"] == {"jobOutputType": "uri_folder"}
    assert body["outputs"]["p"]["assetName"] == "n"
    assert body["limits"] == {"jobLimitsType": "Command", "timeout": "PT1M1S"}
    assert body["distribution"] == {"distributionType": "PyTorch", "processCountPerInstance": 2}
    assert body["identity"] == {"identityType": "Managed", "clientId": "71e6ee77-e7ef-4a5a-8a75-ca5d3d0e1b9d"}
    assert body["services"]["t"] == {
        "jobServiceType": "TensorBoard",
        "nodes": {"nodesValueType": "All"},
        "properties": {"logDir": "x"},
    }
    assert body["queueSettings"] == {"jobTier": "Standard"}
    assert body["computeId"] == "azureml:cpu"


@pytest.mark.parametrize("is_new", [False, True])
def test_an_empty_compute_id_is_none(is_new: bool) -> None:
    """Of a job, of a step and in a component, stored or just sent: only documents must name a compute or leave it."""
    step = {"type": "command", "componentId": "azureml:c:1", "computeId": ""}
    job: Any = from_rest({"properties": {**properties("command job"), "computeId": ""}}, "job", is_new=is_new)
    whole: Any = from_rest(
        {"properties": {"jobType": "Pipeline", "computeId": "", "jobs": {"a": step}}}, "job", is_new=is_new
    )
    spec = {"type": "pipeline", "name": "p", "version": "1", "jobs": {"a": step}}
    part: Any = from_rest({"properties": {"componentSpec": spec}}, "component", is_new=is_new)
    found = [noun.compute for noun in (job, whole, whole.jobs["a"], part.jobs["a"])]
    assert found == [None, None, None, None]


def test_steps_are_snake_case() -> None:
    """Inside a pipeline only componentId and computeId are in camelCase."""
    step = properties("pipeline job")["jobs"]["n1"]
    assert step["componentId"] == "azureml:c:1"
    assert step["computeId"] == "azureml:xx"
    assert step["inputs"]["a"] == {"job_input_type": "literal", "value": "${{parent.inputs.a}}"}
    assert step["inputs"]["c"] == {"job_input_type": "uri_file", "uri": "azureml:dd:1", "mode": "Download"}
    assert step["outputs"]["x"] == {"type": "literal", "value": "${{parent.outputs.o}}"}
    assert step["limits"] == {"job_limits_type": "Command", "timeout": "PT1M"}
    assert step["distribution"] == {"distribution_type": "TensorFlow", "worker_count": 2}
    assert step["services"] == {"v": {"job_service_type": "VSCode"}}
    assert step["name"] == "n1"


def test_a_sweep_step_differs_from_a_sweep_job() -> None:
    """A step's space, sampling and limits are as in YAML; a job's are lists, tags and durations."""
    step, job = properties("pipeline job")["jobs"]["sw"], properties("sweep job")
    assert step["search_space"]["lr"] == {"type": "uniform", "min_value": 1, "max_value": 2}
    assert step["sampling_algorithm"] == "random"
    assert step["trial"] == {"componentId": "azureml:c:1"}
    assert step["limits"] == {"max_total_trials": 3, "timeout": 100}
    assert job["searchSpace"]["lr"] == ["uniform", [0.1, 0.9]]
    assert job["searchSpace"]["b"] == ["choice", [[16, "a", {"c": 1, "d": ["choice", [[2]]]}]]]
    assert job["samplingAlgorithm"] == {"samplingAlgorithmType": "Random", "seed": 3, "rule": "sobol"}
    assert job["limits"]["trialTimeout"] == "PT1M"
    assert job["earlyTermination"]["policyType"] == "TruncationSelection"


def test_a_parallel_step_has_numbers_and_json_text() -> None:
    """The mini-batch size is a number (of bytes, for `10kb`), the partition keys are JSON text."""
    assert properties("pipeline job")["jobs"]["pl"]["mini_batch_size"] == 10
    assert properties("pipeline job")["jobs"]["pl"]["partition_keys"] == '["a", "b"]'
    made = pipeline(p={"type": "parallel", "component": "azureml:c:1", "mini_batch_size": "10kb"})
    assert to_rest(made)["properties"]["jobs"]["p"]["mini_batch_size"] == 10240


def test_items_of_a_parallel_for_are_json_text() -> None:
    """As the service has them."""
    assert properties("pipeline job")["jobs"]["each"]["items"] == '[{"a": 1}, {"a": 2}]'


def test_a_components_values_are_text() -> None:
    """Defaults and bounds are text on the wire, and have the declared type again when read."""
    spec = properties("command component")["componentSpec"]
    assert spec["inputs"]["a"] == {"type": "integer", "default": "3", "min": "1", "max": "5", "description": "x"}
    assert spec["inputs"]["t"]["default"] == "True"
    back = from_rest({"name": "c", "properties": {"componentSpec": spec}}, "component")
    assert isinstance(back, Component)
    assert back.inputs["a"].default == 3
    assert back.inputs["t"].default is True


def test_a_conda_file_is_yaml_text() -> None:
    """Written again, with its keys in order."""
    assert properties("environment")["condaFile"] == (
        "channels:\n- c\ndependencies:\n- python=3.10\n- pip:\n  - x\nname: q\n"
    )


def test_secrets_stand_in_their_own_place() -> None:
    """What is secret of credentials is apart from what is not."""
    assert properties("blob datastore")["credentials"] == {
        "credentialsType": "AccountKey",
        "secrets": {"secretsType": "AccountKey", "key": "abc"},
    }


def test_a_cluster_is_nested() -> None:
    """The settings of a kind of compute stand in `properties.properties`, its scale in a place of its own."""
    body = to_rest(entity("cluster"))
    assert body["location"] == "here"
    assert body["properties"]["computeType"] == "AmlCompute"
    assert body["properties"]["properties"]["scaleSettings"] == {
        "minNodeCount": 0,
        "maxNodeCount": 2,
        "nodeIdleTimeBeforeScaleDown": "PT2M",
    }


def test_automl_has_its_task_in_details() -> None:
    """With the service's words for metrics, algorithms and numbers that may be automatic."""
    details = properties("automl job")["taskDetails"]
    assert details["taskType"] == "Forecasting"
    assert details["primaryMetric"] == "NormalizedRootMeanSquaredError"
    assert details["nCrossValidations"] == {"mode": "Auto"}
    assert details["forecastingSettings"]["forecastHorizon"] == {"mode": "Custom", "value": 14}
    assert details["limitSettings"]["timeout"] == "PT3H"
    assert details["trainingSettings"]["blockedTrainingAlgorithms"] == ["LightGBM", "KNN", "AutoArima"]


def test_an_output_takes_the_type_of_the_step_that_writes_it() -> None:
    """A pipeline's output that says no type has that of the component's output bound to it."""
    component = {**COMPONENT, "outputs": {"o": {"type": "uri_file"}}}
    made = pipeline(a={"component": component, "inputs": {"a": 1}, "outputs": {"o": "${{parent.outputs.final}}"}})
    made.outputs["final"] = type(made.jobs["a"].component.outputs["o"])()
    assert to_rest(made)["properties"]["outputs"]["final"] == {"jobOutputType": "uri_file"}


def test_a_step_output_without_a_type_has_the_components() -> None:
    """Not the type that outputs have by default."""
    component = {**COMPONENT, "outputs": {"o": {"type": "uri_file"}}}
    made = pipeline(a={"component": component, "inputs": {"a": 1}, "outputs": {"o": {"mode": "upload"}}})
    step = to_rest(made)["properties"]["jobs"]["a"]
    assert step["outputs"]["o"] == {"job_output_type": "uri_file", "mode": "Upload"}
    assert step["component"]["type"] == "command"


@pytest.mark.parametrize("name", SAMPLES)
def test_default_objects_are_not_shared(name: str) -> None:
    """A body belongs to whoever asked for it; changing it changes no other."""
    first = to_rest(entity(name))
    first["properties"].setdefault("tags", {})["mark"] = "x"
    assert "mark" not in to_rest(entity(name))["properties"].get("tags", {})
