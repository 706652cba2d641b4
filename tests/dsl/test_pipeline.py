from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from smalt import Input, Output, command, load_component, wire
from smalt.dsl import group, pipeline
from smalt.entities import PipelineComponent, PipelineJob
from tests.dsl.programs import score, train

DATA = Input(type="uri_folder", path="azureml:d:1")


def sent(job: Any) -> Any:
    return wire.to_rest(job)["properties"]


def test_a_function_makes_a_pipeline_job() -> None:
    """Its calls are the steps, its parameters the inputs, what it returns the outputs."""
    trainer, scorer = train(), score()

    @pipeline(default_compute="cpu", description="D", tags={"a": "b"}, experiment_name="e", force_rerun=True)
    def whole(data: Input, lr: float = 0.5) -> Any:
        step = trainer(data=data, lr=lr)
        last = scorer(model=step.outputs.model)
        return {"scores": last.outputs.scores}

    job = whole(data=DATA)
    assert isinstance(job, PipelineJob)
    body = sent(job)
    assert list(body["jobs"]) == ["step", "last"]
    assert body["inputs"] == {
        "lr": {"jobInputType": "literal", "value": "0.5"},
        "data": {"jobInputType": "uri_folder", "uri": "azureml:d:1"},
    }
    assert body["jobs"]["step"]["inputs"]["lr"]["value"] == "${{parent.inputs.lr}}"
    assert body["jobs"]["last"]["inputs"]["model"]["value"] == "${{parent.jobs.step.outputs.model}}"
    assert body["jobs"]["last"]["outputs"]["scores"] == {"type": "literal", "value": "${{parent.outputs.scores}}"}
    assert body["outputs"] == {"scores": {"jobOutputType": "uri_file"}}
    assert body["settings"] == {"default_compute": "cpu", "force_rerun": True}
    assert (body["displayName"], body["experimentName"], body["description"]) == ("whole", "e", "D")


def test_what_python_makes_is_what_yaml_may_say() -> None:
    """The job's own rules, written as YAML, find nothing wrong with it."""
    trainer = train()

    @pipeline
    def whole(data: Input) -> Any:
        step = trainer(data=data)
        return {"model": step.outputs.model}

    job = whole(DATA)
    assert PipelineJob.from_dict(job.to_dict()).to_dict() == job.to_dict()


def test_a_pipeline_job_has_the_component_of_its_function() -> None:
    """Looking at it changes nothing of the job, which is sent with its own steps; left out inputs stay in it."""
    trainer = train()

    @pipeline
    def whole(data: Input, extra: Input(type="uri_file", optional=True) = None) -> Any:  # type: ignore[valid-type]
        step = trainer(data=data, extra=extra)
        return {"model": step.outputs.model}

    job = whole(data=DATA)
    before = sent(job)
    component = job.component
    assert isinstance(component, PipelineComponent)
    assert (component.name, list(component.inputs), list(component.outputs)) == ("whole", ["data", "extra"], ["model"])
    assert component.to_dict()["jobs"]["step"]["inputs"]["extra"] == "${{parent.inputs.extra}}"
    assert "extra" not in job.jobs["step"].inputs
    assert sent(job) == before
    assert "component" not in job.to_dict()
    assert whole._pipeline_builder.build().to_dict() == component.to_dict()
    assert PipelineJob(jobs={}).component is None


def test_steps_are_named_as_the_sdk_names_them() -> None:
    """By variable, the last of several; others like a step of the same component, or the component, numbered."""
    trainer, scorer = train(), score()

    @pipeline
    def whole(data: Input) -> None:
        first = second = trainer(data=data)
        trainer(data=data)
        trainer(data=data)
        for _ in range(2):
            scorer(model=first.outputs.model)
        own = trainer(data=data)
        own.name = "Given"
        assert second is first

    assert list(whole(DATA).jobs) == ["second", "second_1", "second_2", "score", "score_1", "given"]


def test_names_are_the_official_sdks_own() -> None:
    """As azure-ai-ml 1.35.2 answered for the same functions (bench: no server is needed for that)."""
    trainer = train()
    bare = command(command="ls", environment="azureml:e:1")
    named = command(name="My Cmd-1", command="ls", environment="azureml:e:1")

    def loop(data: Any) -> None:
        for _ in range(3):
            step = trainer(data=data)
            assert step

    def unnamed(data: Any) -> None:
        bare()
        bare()
        named()
        _ = named()
        z = named()
        assert z is not _

    def same(data: Any) -> None:
        n = trainer(data=data)
        n.name = "x"
        trainer(data=data).name = "x"

    expected = {
        loop: ["step_1", "step_2", "step"],
        unnamed: ["azureml_anonymous", "azureml_anonymous_1", "z_1", "z_2", "z"],
        same: ["x", "x_1"],
    }
    for function, names in expected.items():
        assert list(pipeline(function)(DATA).jobs) == names


def test_what_is_set_on_a_step_is_sent() -> None:
    """Compute, resources, limits, names, and modes and places of its inputs and outputs."""
    trainer = train()

    @pipeline
    def whole(data: Input) -> None:
        step = trainer(data=data)
        step.compute = "gpu"
        step.display_name = "Step"
        step.resources = {"instance_count": 2}
        step.resources.instance_type = "big"
        step.set_limits(timeout=60)
        step.environment_variables = {"A": "1"}
        step.inputs.data.mode = "download"
        step.outputs.model.path = "azureml://datastores/d/paths/p"
        step.outputs.model.name = "registered"
        step.outputs.log = Output(type="uri_file", mode="upload")

    step = sent(whole(DATA))["jobs"]["step"]
    assert step["computeId"] == "gpu"
    assert step["display_name"] == "Step"
    assert step["resources"] == {"instance_count": 2, "instance_type": "big"}
    assert step["limits"]["timeout"] == "PT1M"
    assert step["environment_variables"] == {"A": "1"}
    assert step["inputs"]["data"]["mode"] == "Download"
    assert step["outputs"]["model"] == {
        "job_output_type": "custom_model", "uri": "azureml://datastores/d/paths/p", "name": "registered",
    }  # fmt: skip
    assert step["outputs"]["log"]["mode"] == "Upload"


def test_a_job_can_be_changed_after_it_is_made() -> None:
    """Its settings, inputs, outputs and steps."""
    trainer = train()

    @pipeline
    def whole(data: Input, lr: float = 0.5) -> Any:
        step = trainer(data=data, lr=lr)
        return {"model": step.outputs.model}

    job = whole(data=DATA)
    job.settings.default_compute = "cpu"
    job.settings.continue_on_step_failure = True
    job.inputs.lr = 0.7
    job.inputs.data.mode = "direct"
    job.outputs.model = Output(type="custom_model", mode="upload", path="azureml://datastores/d/paths/p")
    job.jobs["step"].compute = "gpu"
    body = sent(job)
    assert body["settings"] == {"default_compute": "cpu", "continue_on_step_failure": True}
    assert body["inputs"]["lr"]["value"] == "0.7"
    assert body["inputs"]["data"]["mode"] == "Direct"
    assert body["outputs"]["model"]["uri"] == "azureml://datastores/d/paths/p"
    assert body["jobs"]["step"]["computeId"] == "gpu"


def test_a_pipeline_in_a_pipeline_is_a_step() -> None:
    """With the inner one as its component."""
    trainer, scorer = train(), score()

    @pipeline(tags={"a": "b"})
    def inner(data: Input, lr: float = 0.5) -> Any:
        step = trainer(data=data, lr=lr)
        return {"model": step.outputs.model}

    @pipeline
    def outer(data: Input) -> Any:
        sub = inner(data=data)
        last = scorer(model=sub.outputs.model)
        return last.outputs

    job = outer(DATA)
    assert list(job.jobs) == ["sub", "last"]
    sub = sent(job)["jobs"]["sub"]
    assert sub["type"] == "pipeline"
    assert sub["tags"] == {"a": "b"}
    assert list(sub["component"]["jobs"]) == ["step"]
    assert sub["component"]["outputs"] == {"model": {"type": "custom_model"}}
    assert list(job.outputs) == ["scores"]


def test_inputs_can_come_in_groups() -> None:
    """A class with @group is one parameter, and as many inputs as it has fields."""
    trainer = train()

    @group
    class Inner:
        epochs: int = 2

    @group
    class Params:
        inner: Inner
        lr: float
        kind: str = "b"

    @pipeline
    def whole(data: Input, params: Params) -> None:
        step = trainer(data=data, lr=params.lr, kind=params.kind, epochs=params.inner.epochs)
        assert step

    body = sent(whole(DATA, Params(inner=Inner(epochs=4), lr=0.2)))
    assert {name: value["value"] for name, value in body["inputs"].items() if name != "data"} == {
        "params.inner.epochs": "4", "params.kind": "b", "params.lr": "0.2",
    }  # fmt: skip
    assert body["jobs"]["step"]["inputs"]["epochs"]["value"] == "${{parent.inputs.params.inner.epochs}}"


def test_parameters_take_what_python_has() -> None:
    """Enums, paths as text, **kwargs, `None`, parameters that are no inputs, and `result()`."""
    trainer = train()

    class Kind(Enum):
        A = "a"

    @pipeline(non_pipeline_inputs=["twice"])
    def whole(data: Input, twice: bool, kind: Kind = Kind.A, extra: Any = None, **more: Any) -> None:
        step = trainer(data=data, kind=kind, lr=more["lr"])
        assert (more["lr"].result(), extra.result()) == (0.3, None)
        if twice:
            step = trainer(data=data, kind=kind, epochs=step.inputs.epochs.default or 1)

    body = sent(whole("./folder", twice=True, lr=0.3))
    assert len(body["jobs"]) == 2
    assert body["inputs"]["data"] == {"jobInputType": "uri_folder", "uri": "./folder"}
    assert body["inputs"]["kind"]["value"] == "a"
    assert body["inputs"]["lr"]["value"] == "0.3"


def test_a_command_called_in_a_pipeline_is_a_step() -> None:
    """Made of a component with the command's inputs, which the call may change."""
    echo = command(
        command="echo ${{inputs.a}} ${{inputs.d}}", environment="host@latest", compute="cpu",
        inputs={"a": 1, "d": Input(type="uri_file", path="f")}, outputs={"o": Output(type="uri_file")},
    )  # fmt: skip

    @pipeline
    def whole(data: Input) -> None:
        one = echo(a=2)
        two = echo(d=one.outputs.o)
        assert two

    jobs = sent(whole(DATA))["jobs"]
    assert jobs["one"]["inputs"]["a"]["value"] == "2"
    assert jobs["one"]["inputs"]["d"]["uri"] == "f"
    assert jobs["two"]["inputs"]["a"]["value"] == "1"
    assert jobs["two"]["computeId"] == "cpu"
    assert jobs["two"]["component"]["inputs"]["a"] == {"type": "integer", "default": "1"}


@pytest.mark.parametrize("depth", [1, 3])
def test_frames_do_not_keep_what_a_function_had(depth: int) -> None:
    """A pipeline made in a loop makes each time its own steps."""
    trainer = train()

    @pipeline
    def whole(data: Input) -> None:
        steps = [trainer(data=data) for _ in range(depth)]
        assert len(steps) == depth

    assert len(whole(DATA).jobs) == len(whole(DATA).jobs) == depth


def test_an_optional_input_may_be_left_out() -> None:
    """The steps that it goes to are then without it, too, and have it when it is given after all."""
    trainer = train()

    @pipeline
    def whole(data: Input, kind: str = None, lr: Input(type="number", optional=True) = None) -> None:  # type: ignore[valid-type,assignment] # noqa: RUF013
        trainer(data=data, kind=kind, lr=lr)

    job = whole(data=DATA)
    assert list(sent(job)["jobs"]["train_model"]["inputs"]) == ["data"]
    assert PipelineJob.from_dict(job.to_dict()) == job
    job.inputs.kind = "b"
    body = sent(job)
    assert body["inputs"]["kind"]["value"] == "b"
    assert body["jobs"]["train_model"]["inputs"]["kind"]["value"] == "${{parent.inputs.kind}}"
    assert "lr" not in body["jobs"]["train_model"]["inputs"]


def test_a_step_alone_leaves_out_its_optional_block() -> None:
    """As the engine does in a pipeline: what an input without a value would say is not said."""
    text = "echo ${{inputs.a}} $[[--b ${{inputs.b}}]]"
    inputs = {"a": {"type": "integer"}, "b": {"type": "string", "optional": True}}
    component = load_component({"name": "c", "command": text, "environment": "azureml:host@latest", "inputs": inputs})
    assert sent(component(a=1))["command"] == "echo ${{inputs.a}} "
    assert sent(component(a=1, b="x"))["command"] == text
