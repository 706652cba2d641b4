"""Every field of every noun is filled, sent along every way that its declaration names, and found at the other end.

No list of fields is kept here: the nouns, their fields and their ways are read from the declarations.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

import yaml
from smalt import wire
from smalt.entities import (
    CommandComponent,
    CommandJob,
    CommandNode,
    Component,
    Input,
    Job,
    Output,
    PipelineJob,
    PipelineNode,
)
from smalt.entities.endpoints.invocation import BatchInvocation
from smalt.entities.schema.entity import Entity, Field
from smalt.entities.schema.field_table import list_nouns
from smalt.entities.schema.kinds import COMPONENTS
from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.travel import Travel
from smalt.entities.steps.bindings import StepInputs, StepOutputs, find_component
from smalt.entities.steps.nodes import ComponentNode
from smalt.entities.steps.standalone_jobs import can_be_job, convert_to_job
from smalt.service.engine.submission.acceptance import READ_ONLY
from smalt.wire.encoding.casing import to_snake
from tests.fields.filled import fill_fields, fill_noun
from tests.helpers import Server, eventually

NOUNS = [(kind, noun) for kind, classes in list_nouns().items() for noun in classes]
DOCUMENTS = [(kind, noun) for kind, noun in NOUNS if kind not in ("step", "part")]
STEPS = [noun for noun in list_nouns()["step"] if issubclass(noun, ComponentNode)]
HOST = "azureml:host@latest"


def find_lost(ends: Iterable[tuple[str, Any, Any]]) -> list[str]:
    """Return the names of the fields whose value is nothing, or another one, at the other end."""
    return [name for name, value, end in ends if value not in (None, {}) and to_plain(end) != to_plain(value)]


def to_plain(value: Any) -> Any:
    """Return a value as the YAML of its noun has it."""
    if isinstance(value, Entity):
        return to_plain(value.to_dict())
    if isinstance(value, Mapping):
        return {key: plain for key, item in value.items() if (plain := to_plain(item)) not in (None, {}, [])}
    return [to_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


REWRITTEN = {
    ("PipelineJob", "jobs"): "the outputs of a command that is sent as a component are declared",
    ("PipelineComponent", "jobs"): "as in a pipeline job",
    ("AutoMLJob", "forecasting"): "`target_lags` is a list on the wire",
    ("SparkJob", "conf"): "its values are text on the wire",
    ("Schedule", "invoke_batch_endpoint"): "the type of an output is always said",
    ("JobSchedule", "invoke_batch_endpoint"): "as in any schedule",
    ("ImportDataSchedule", "invoke_batch_endpoint"): "as in any schedule",
    ("MonitorSchedule", "invoke_batch_endpoint"): "as in any schedule",
    **{
        ("DistillationJob", name): "the service has the address of the endpoint, the data and the settings alone"
        for name in (
            "teacher_model_endpoint_connection", "student_model", "training_data", "validation_data",
            "teacher_model_settings", "resources",
        )
    },
}  # fmt: skip
"""Fields that the service's body has in another form, with the reason: they arrive, and their value is not compared."""

OF_COMPONENTS = frozenset({"default", "min", "max", "enum", "optional", "datastore", "is_control"})
"""Keys of the inputs and outputs that components declare: those of a job have none of them on the wire."""


def as_sent(noun: type[Entity], name: str, value: Any, end: Any) -> tuple[Any, Any]:
    """Return a value and what arrived of it, as far as the service's body can have it."""
    plain, arrived = to_plain(value), to_plain(end)
    if (noun.__name__, name) in REWRITTEN:
        return (bool(plain), bool(arrived))
    is_port = issubclass(noun, (Job, BatchInvocation)) and (isinstance(value, (Input, Output)) or name == "outputs")
    return (without_component_keys(plain), arrived) if is_port else (plain, arrived)


def without_component_keys(plain: Any) -> Any:
    if not isinstance(plain, Mapping):
        return plain
    return {key: without_component_keys(item) for key, item in plain.items() if key not in OF_COMPONENTS}


def is_sent(field: Field) -> bool:
    return not field.from_service and Travel.CLIENT not in field.travels


@pytest.mark.parametrize(("kind", "noun"), NOUNS, ids=lambda one: getattr(one, "__name__", one))
def test_every_field_is_dumped_and_loaded(kind: str, noun: type[Entity]) -> None:
    """A field that is set is in the YAML, and an entity that is read from that has it."""

    def ends() -> Iterator[tuple[str, Any, Any]]:
        for name, _, entity in fill_fields(noun):
            again = noun._read_data(yaml.safe_load(entity._to_yaml()), (), Reader())
            yield name, vars(entity)[name], vars(again)[name]

    assert find_lost(ends()) == []


@pytest.mark.parametrize(("kind", "noun"), DOCUMENTS, ids=lambda one: getattr(one, "__name__", one))
def test_every_field_crosses_the_wire(kind: str, noun: type[Entity]) -> None:
    """A field that is set is in the REST body, and the entity that is read from that has it."""
    codec = find_codec(kind, noun)
    if codec is None:
        pytest.skip(f"{noun.noun} has no body of its own")

    def ends() -> Iterator[tuple[str, Any, Any]]:
        for name, field, entity in fill_fields(noun):
            if is_sent(field):
                body = json.loads(json.dumps(wire.to_rest(entity)))
                named = {key: getattr(entity, key, None) for key in ("name", "version")}
                reader = Reader()
                reader.on_wire = reader.is_answer = True
                back = codec({**body, **named}, reader)
                value = vars(entity)[name]
                yield name, *as_sent(noun, name, value, find_or_spread(back, name, value))

    assert find_lost(ends()) == []


def find_or_spread(noun: Entity | None, name: str, value: Any) -> Any:
    """Return the field of a noun, or the value whose own fields the noun has beside its others."""
    found = getattr(noun, name, None)
    if found in (None, {}) and isinstance(value, Entity):
        return value if all(vars(noun).get(own) for own in value.to_dict() if own in type(noun)._fields) else None
    return found


def find_codec(kind: str, noun: type[Entity]) -> Any:
    """Return the function that reads the noun's bodies; None for a noun that has none or is only sent."""
    try:
        wire.read_with({"properties": {}}, kind, Reader())
    except (AttributeError, KeyError, TypeError):  # its body is only written
        return None
    return lambda body, reader: wire.read_with(body, kind, reader)


def build_steps(noun: type[Any], way: Travel) -> Iterator[tuple[str, Any, Any]]:
    """Yield each field of a step that goes a way, with its value and a step that has it and its body in place."""
    for name, field, step in fill_fields(noun):
        if way in field.travels and name in vars(step):
            for key in noun._alternatives[1:]:
                if key not in vars(step):
                    vars(step)[key] = noun._read_data(fill_noun(noun), (), Reader()).__dict__[key]
            if not noun._alternatives[1:]:
                vars(step)["component"] = "azureml:a:1"
            elif name != "component":
                vars(step).pop("component", None)
            vars(step).update(inputs=StepInputs(step, {}), outputs=StepOutputs(step))
            yield name, vars(step)[name], step


def find_value(step: Any, name: str) -> Any:
    """Return what the step says, or else its component."""
    own = vars(step).get(name)
    component = find_component(step)
    return vars(component).get(name) if own in (None, {}) and component is not None else own


@pytest.mark.parametrize("noun", STEPS)
def test_a_called_step_has_the_fields_of_its_builder(noun: type[Any]) -> None:
    """A step that is made by calling another one has its fields, or its component has them."""
    calls = ((name, value, find_value(step(), name)) for name, value, step in build_steps(noun, Travel.COPY))
    assert find_lost(calls) == []
    bodies = ((name, value, find_value(step(), name)) for name, value, step in build_steps(noun, Travel.COMPONENT))
    assert [name for name in find_lost(bodies) if name != "name"] == []


@pytest.mark.parametrize("noun", STEPS)
def test_a_sent_step_has_its_fields(noun: type[Any]) -> None:
    """What a step has in place is in the body of its pipeline: in the step, or in the component that is sent for it."""

    def ends() -> Iterator[tuple[str, Any, Any]]:
        for way in (Travel.SPEC, Travel.JOB):
            for name, value, step in build_steps(noun, way):
                body = json.loads(json.dumps(wire.to_rest(PipelineJob(jobs={"s": step}), InPlace())))
                sent = wire.from_rest(body, "job", is_answer=True)
                yield name, value, find_value(vars(sent)["jobs"]["s"], name)

    assert find_lost(ends()) == []


def find_in_job(job: Any, name: str) -> Any:
    """Return the field of a job; of a pipeline also what is its steps' default in its settings."""
    return getattr(job, name) or getattr(getattr(job, "settings", None), f"default_{name}", None)


class InPlace(type(wire.AS_WRITTEN)):  # type: ignore[misc]
    """References that stay as they are written, and components that are sent in place."""

    keeps_inline = False


@pytest.mark.parametrize("noun", STEPS)
def test_a_step_alone_is_a_job_with_its_fields(noun: type[Any]) -> None:
    """A step that is submitted by itself becomes a job with all that the step and its component have."""
    for way in (Travel.JOB, Travel.COPY):
        steps = [one for one in build_steps(noun, way) if can_be_job(one[2])]
        jobs = [(name, value, convert_to_job(step)) for name, value, step in steps]
        assert find_lost((name, value, vars(job).get(name)) for name, value, job in jobs if name in job._fields) == []


@pytest.mark.parametrize("where", sorted(COMPONENTS.values()))
def test_a_call_alone_has_the_fields_of_its_component(where: str) -> None:
    """A component that is called and submitted by itself becomes a job with the component's settings."""
    lost = []
    for name, field, component in fill_fields(load_noun(where)):
        vars(component).update(inputs={}, outputs={})
        step = component() if Travel.JOB in field.travels and isinstance(component, Component) else None
        if step is not None and can_be_job(step) and component.type != "pipeline":
            job = convert_to_job(step)
            if name in job._fields:
                lost += find_lost([(name, vars(component).get(name), vars(job).get(name))])
    assert lost == []


def test_a_step_that_runs_has_the_fields_of_step_and_component(server: Server, workspace: str) -> None:
    """Every field of a command step, its component and a nested pipeline is in the body of the job that runs."""
    kept_off = {to_snake(key) for key in READ_ONLY} - {"services"}  # the service says these of a job
    expected: dict[str, tuple[str, Any]] = {}
    steps: dict[str, Any] = {}
    runs = {"command": "true", "environment": HOST}
    nested = {"type": "pipeline", "component": {"type": "pipeline", "jobs": {"a": runs}}}
    for noun, job, rest in ((CommandNode, CommandJob, runs), (PipelineNode, PipelineJob, nested)):
        for name, field, step in fill_fields(noun):
            if Travel.JOB in field.travels and name in job._fields and name not in (*rest, "code", *kept_off):
                steps[f"{noun.__name__}-{name}".lower()] = {**rest, name: step.to_dict()[name]}
                expected[f"{noun.__name__}-{name}".lower()] = (name, step.to_dict()[name])
    for name, field, component in fill_fields(CommandComponent):
        if Travel.JOB in field.travels and name in CommandJob._fields and name not in (*runs, "code"):
            spec = {"type": "command", **runs, name: component.to_dict()[name]}
            steps[f"component-{name}"] = {"component": spec}
            expected[f"component-{name}"] = (name, spec[name])
    pipeline = PipelineJob.from_dict({"type": "pipeline", "jobs": steps})
    body = json.loads(json.dumps(wire.to_rest(pipeline, InPlace())))
    answer = server.ask("PUT", f"{workspace}/jobs/p", body)
    assert answer.status == 201, answer.body

    def read_children() -> Mapping[str, Any] | None:
        answers = {name: server.ask("GET", f"{workspace}/jobs/p-{name}") for name in expected}
        return answers if all(one.status == 200 for one in answers.values()) else None

    children = eventually(read_children, "the steps' jobs")

    def ends() -> Iterator[tuple[str, Any, Any]]:
        for label, (name, value) in expected.items():
            end = find_in_job(wire.from_rest(children[label].body, "job", is_answer=True), name)
            told = name in ("properties", "services")  # by the service: times of the run, and the job's page
            yield label, value, {key: end[key] for key in value} if told else end

    assert find_lost(ends()) == []
