"""`--set`."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest

from smalt import load_job
from smalt.exceptions import ValidationException
from smalt.yaml import load_text
from smalt.yaml.document import Document
from smalt.yaml.dumping import dump_plain

JOB = "type: pipeline\ninputs: {x: 1, yes: false, word: w}\njobs: {a: {command: ls, inputs: {y: 1}}}\ntags: {a.b: c}\n"
TEXTS = ["0012", "1.10", "10:30", "1_000", "0x10", "on", "yes", "no", "true", "null", "~", "", "1e3", "2024-01-01", "="]
COMPONENT = """
name: c
version: 1
type: command
environment: azureml:host
command: echo ${{inputs.i}} ${{inputs.n}} ${{inputs.b}} ${{inputs.s}}
inputs: {i: {type: integer}, n: {type: number}, b: {type: boolean}, s: {type: string}}
"""


def changed(*overrides: tuple[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = load_text(JOB, "job", overrides=overrides).to_dict()
    return data


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    ("text_of_file", "kind", "key"),
    [
        (JOB, "job", "name"),
        (JOB, "job", "display_name"),
        (JOB, "job", "description"),
        (JOB, "job", "experiment_name"),
        (JOB, "job", "tags.k"),
        (JOB, "job", "properties.k"),
        (JOB, "job", "inputs.word"),
        (JOB, "job", "jobs.a.command"),
        (JOB, "job", "jobs.a.environment_variables.X"),
        (JOB, "job", "jobs.a.resources.instance_type"),
        (JOB, "job", "settings.default_compute"),
        (COMPONENT, "component", "version"),
        (COMPONENT, "component", "name"),
        (COMPONENT, "component", "tags.k"),
        (COMPONENT, "component", "inputs.s.default"),
        (COMPONENT, "component", "inputs.s.description"),
        ("name: d\npath: https://example.org/d\n", "data", "version"),
        ("name: e\nimage: i\n", "environment", "tags.k"),
        ("name: m\npath: https://example.org/d\n", "model", "stage"),
        ("name: c\ntype: amlcompute\n", "compute", "size"),
    ],
)
def test_a_text_is_what_was_typed(text_of_file: str, kind: str, key: str, text: str) -> None:
    """`--set KEY=TEXT` of a field that is text keeps the text, whatever YAML would make of it."""
    data = load_text(text_of_file, kind, overrides={key: text}).to_dict()
    for part in key.split("."):
        data = data[part]
    assert data == text
    assert isinstance(data, str)


def test_a_compute_that_is_typed_has_a_name() -> None:
    """Its name is kept as text; an empty one, which no server takes, is refused at once."""
    for text in filter(None, TEXTS):
        assert load_text(JOB, "job", overrides={"compute": text}).to_dict()["compute"] == text
    with pytest.raises(ValidationException, match="--set compute: it is empty; name a compute, or remove the key"):
        load_text(JOB, "job", overrides={"compute": ""})


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("jobs.a.limits.timeout", "0012", 12),
        ("jobs.a.limits.timeout", "1_000", 1000),
        ("jobs.a.limits.timeout", "0x10", 16),
        ("jobs.a.limits.timeout", "1e3", 1000),
        ("settings.force_rerun", "yes", True),
        ("settings.force_rerun", "off", False),
        ("inputs.x", "3", 3),
        ("inputs.x", "0.5", 0.5),
        ("inputs.x", "0012", "0012"),
        ("inputs.x", "true", "true"),
        ("inputs.yes", "true", True),
        ("inputs.yes", "on", True),
        ("inputs.word", "true", "true"),
        ("inputs.word", "'3'", "3"),
    ],
)
def test_elsewhere_the_type_of_the_field_decides(key: str, text: str, value: object) -> None:
    """A number is read as decimal; a literal keeps to the boolean that it replaces, and else to what was typed."""
    data = load_text(JOB, "job", overrides={key: text}).to_dict()
    for part in key.split("."):
        data = data[part]
    assert (type(data), data) == (type(value), value)


@pytest.mark.parametrize("text", ["10:30", "1.10", "on", "", "null"])
def test_what_is_not_of_the_type_is_refused(text: str) -> None:
    """A whole number is not made of `10:30`, as YAML would; the refusal shows the argument."""
    if text == "null":
        assert load_text(JOB, "job", overrides={"jobs.a.limits.timeout": text}).jobs["a"].limits.timeout is None
        return
    with pytest.raises(ValidationException, match=r"--set jobs\.a\.limits\.timeout: 'timeout' must be a whole number"):
        load_text(JOB, "job", overrides={"jobs.a.limits.timeout": text or "''"})


def test_declared_types_decide_over_inputs() -> None:
    """What a component declares is checked, and text for its text input stays."""
    step = {"component": "azureml:c:1", "inputs": {}}
    text = dump_plain({"type": "pipeline", "jobs": {"a": {**step, "component": Document(COMPONENT).data}}})
    given = {"jobs.a.inputs.i": "0012", "jobs.a.inputs.n": "1.10", "jobs.a.inputs.b": "yes", "jobs.a.inputs.s": "0012"}
    job = load_text(text, "job", overrides=given)
    assert dict(job.jobs["a"].inputs) == {"i": "0012", "n": "1.10", "b": "yes", "s": "0012"}
    with pytest.raises(ValidationException) as caught:
        load_text(text, "job", overrides={**given, "jobs.a.inputs.i": "10:30"})
    assert str(caught.value) == "--set jobs.a.inputs.i: the input 'i' must be an integer, not '10:30'"


def test_texts_within_braces_stay_texts() -> None:
    """The parts of a mapping or a list are read as single values are; quotes are those of YAML."""
    data = changed(("tags", "{a: 0012, b: on, c: '1.10', on: x}"), ("jobs.a.resources.locations", "[no, 1.10]"))
    assert data["tags"] == {"a": "0012", "b": "on", "c": "1.10", "on": "x"}
    assert data["jobs"]["a"]["resources"] == {"locations": ["no", "1.10"]}


def test_a_later_setting_replaces_an_earlier_one() -> None:
    """Nothing stays of the value that a later argument replaces."""
    assert changed(("tags", "{a: 0012}"), ("tags.a", "1.10"))["tags"] == {"a": "1.10"}
    assert changed(("tags.a", "0012"), ("tags", "{a: 'x'}"))["tags"] == {"a": "x"}


def test_paths_are_made_where_they_are_not() -> None:
    """Keys on the way are created; list items are reached by number."""
    data = changed(("jobs.a.resources.instance_count", "2"), ("settings.force_rerun", "true"))
    assert data["jobs"]["a"]["resources"] == {"instance_count": 2}
    assert data["settings"] == {"force_rerun": True}


def test_whole_values_may_be_given() -> None:
    """Braces and brackets are YAML."""
    assert changed(("inputs.x", "{type: uri_file, path: 'azureml:d:1'}"))["inputs"]["x"]["path"] == "azureml:d:1"


@pytest.mark.parametrize("name", ["resources.docker_args[1]", "resources.docker_args.1"])
def test_items_of_lists_are_reached(name: str) -> None:
    """Both ways of writing an index work, and one past the end appends."""
    job = load_text("command: ls\nresources: {docker_args: [a]}\n", "job", overrides=[(name, "b")])
    assert job.resources.docker_args == ["a", "b"]


def test_a_key_with_dots_is_found() -> None:
    """A key that is there is preferred; quotes make one."""
    assert changed(("tags.a.b", "z"), ('tags."c.d"', "y"))["tags"] == {"a.b": "z", "c.d": "y"}


def test_keys_of_properties_and_tags_may_have_dots() -> None:
    """Their values are texts, so that dots after them are a part of the key."""
    data = changed(("jobs.a.properties.smalt.warm", "on"), ("properties.smalt.warm", "off"), ("tags.team.name", "x"))
    assert data["jobs"]["a"]["properties"] == {"smalt.warm": "on"}
    assert data["properties"] == {"smalt.warm": "off"}
    assert data["tags"] == {"a.b": "c", "team.name": "x"}
    quoted = changed(("jobs.a.properties.'smalt.warm'", "on"))
    assert quoted["jobs"]["a"]["properties"] == {"smalt.warm": "on"}


def test_a_mistake_names_the_argument() -> None:
    """A wrong value is told under the argument that gave it."""
    with pytest.raises(ValidationException) as caught:
        load_text(JOB, "job", overrides={"jobs.a.resources.instance_count": "two", "jobs.a.comand": "ls"})
    assert str(caught.value).splitlines() == [
        "--set jobs.a.resources.instance_count: 'instance_count' must be a whole number, not 'two'",
        "--set jobs.a.comand: unknown key 'comand' in a command job; did you mean 'command'?",
    ]


PIPELINE = """
type: pipeline
inputs: {epochs: 5}
outputs: {model: {type: uri_folder}}
settings: {default_compute: c}
jobs:
  train:
    command: echo ${{inputs.n}} ${{outputs.o}}
    inputs: {n: '${{parent.inputs.epochs}}'}
    outputs: {o: '${{parent.outputs.model}}'}
"""
COMMAND = "command: echo ${{inputs.n}} $AZURE_ML_INPUT_seed\ninputs: {n: 1, seed: 2}\n"
SWEEP = """
type: sweep
trial: {command: 'echo ${{inputs.n}} ${{search_space.lr}}', environment: azureml:host}
inputs: {n: 1}
search_space: {lr: {type: uniform, min_value: 0, max_value: 1}}
objective: {goal: minimize, primary_metric: loss}
sampling_algorithm: random
limits: {max_total_trials: 1}
"""


@pytest.mark.parametrize(
    ("text", "key", "sentence"),
    [
        (PIPELINE, "inputs.epoch", "no such input; did you mean 'epochs'?"),
        (PIPELINE, "inputs.zzz", "no such input; there is 'epochs'"),
        (PIPELINE, "inputs.epoch.path", "no such input; did you mean 'epochs'?"),
        (PIPELINE, "outputs.modle.mode", "no such output; did you mean 'model'?"),
        (PIPELINE, "jobs.trian.inputs.n", "no such step; did you mean 'train'?"),
        (PIPELINE, "jobs.trian.command", "no such step; did you mean 'train'?"),
        (PIPELINE, "jobs.train.inputs.m", "no such input; there is 'n'"),
        (PIPELINE, "jobs.train.outputs.x.mode", "no such output; there is 'o'"),
        (
            PIPELINE,
            "settings.defalt_compute",
            "unknown key 'defalt_compute' in the settings of a pipeline; did you mean",
        ),
        (PIPELINE, "settings.zzz.y", "unknown key 'zzz' in the settings of a pipeline; it may have default_compute"),
        (PIPELINE, "setings.x", "unknown key 'setings' in a pipeline job; did you mean 'settings'?"),
        (PIPELINE, "status", "'status' is what the service says of a pipeline job; it cannot be set"),
        (COMMAND, "inputs.m", "no such input; there is 'n' and 'seed'"),
        (COMMAND, "outputs.m.mode", "no such output; there is none"),
        (SWEEP, "inputs.zz", "no such input; there is 'n'"),
    ],
)
def test_a_setting_that_nothing_reads_is_refused(text: str, key: str, sentence: str) -> None:
    """A `--set` of a name that the document does not have, and that nothing in it reads, is a mistake."""
    with pytest.raises(ValidationException) as caught:
        load_text(text, "job", overrides={key: "3"})
    assert str(caught.value).startswith(f"--set {key}: {sentence}")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (COMMAND.replace("inputs: {n: 1, seed: 2}", ""), "inputs.n"),
        (COMMAND.replace(", seed: 2", ""), "inputs.seed"),
        (PIPELINE.replace("inputs: {epochs: 5}", ""), "inputs.epochs"),
        (PIPELINE, "jobs.train.environment_variables.NEW"),
        (PIPELINE, "tags.new"),
        (PIPELINE, "properties.new"),
    ],
)
def test_a_new_name_that_something_reads_is_set(text: str, key: str) -> None:
    """A name that a command or a step reads may come from the command line alone; tags and variables are free."""
    overrides = {"inputs.n": "0", "inputs.seed": "0"} if text.startswith("command") else {}
    load_text(text, "job", overrides={**overrides, key: "3"})


def test_a_whole_step_may_be_added() -> None:
    """A step that is given whole is one that runs."""
    job = load_text(PIPELINE, "job", overrides={"jobs.more": "{command: ls}"})
    assert list(job.jobs) == ["train", "more"]


def test_params_override_is_told_at_the_programs_line() -> None:
    """In Python the same mistakes are told at the line of the call."""
    with pytest.raises(ValidationException) as caught:
        load_job(StringIO(PIPELINE), params_override=[{"inputs.epoch": 3}])
    assert re.fullmatch(
        r"\S*test_overrides\.py:\d+: params_override 'inputs\.epoch': no such input; did you mean 'epochs'\?",
        str(caught.value),
    )
    job = load_job(StringIO(PIPELINE), params_override=[{"inputs.epochs": "0012", "tags.a": "on"}])
    assert (job.inputs["epochs"], job.tags["a"]) == ("0012", "on")


@pytest.mark.parametrize("name", ["", "a..b", "a[", "jobs.a.inputs[x]"])
def test_a_path_that_is_none_is_told(name: str) -> None:
    """A malformed path is a sentence."""
    with pytest.raises(ValidationException, match="names no key"):
        load_text(JOB, "job", overrides=[(name, "1")])


def test_an_index_out_of_range_is_told() -> None:
    """So is a word where a number must stand."""
    text = "command: ls\nresources: {docker_args: [a]}\n"
    for index in ("5", "x"):
        with pytest.raises(ValidationException, match=r"--set resources.docker_args"):
            load_text(text, "job", overrides=[(f"resources.docker_args.{index}", "b")])


def test_anchored_values_are_changed_in_one_place_only() -> None:
    """A value that two places share is changed where the path says."""
    text = "type: pipeline\njobs:\n  a: &a {command: ls}\n  b: *a\n"
    job = load_text(text, "job", overrides={"jobs.a.command": "pwd"})
    assert [step.command for step in job.jobs.values()] == ["pwd", "ls"]
