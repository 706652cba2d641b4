"""What is given to a component must be what it declares, whether it is a file or registered, or made in Python."""

from __future__ import annotations

from typing import Any

import pytest

from smalt import MLClient, dsl, load_component
from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from tests.acceptance.conftest import Desk

LEAF = """
name: leaf
version: "1"
type: command
environment: azureml:host
inputs:
  n: {type: integer, default: 3, min: 1, max: 5}
  x: {type: number, default: 0.5, max: 1}
  b: {type: boolean, default: true}
  s: {type: string, default: a, enum: [a, b, 'on']}
  d: {type: uri_file, optional: true}
outputs:
  o: {type: uri_folder}
command: echo ${{inputs.n}} ${{inputs.x}} ${{inputs.b}} ${{inputs.s}} > ${{outputs.o}}/f $[[${{inputs.d}}]]
"""
WHOLE = """
name: whole
version: "1"
type: pipeline
inputs:
  n: {type: integer, default: 2, min: 1, max: 9}
  s: {type: string, default: a, enum: [a, b, c]}
outputs:
  o: {type: uri_folder}
jobs:
  one: {component: ./leaf.yml, inputs: {n: '${{parent.inputs.n}}', s: '${{parent.inputs.s}}'}, outputs: {o: '${{parent.outputs.o}}'}}
"""  # noqa: E501
NEEDY = """
name: needy
version: "1"
type: command
environment: azureml:host
inputs: {n: {type: integer}}
command: echo ${{inputs.n}}
"""

WAYS = ("file", "registered", "registry")


def component(way: str, name: str) -> str:
    return {
        "file": f"./{name}.yml",
        "registered": f"azureml:{name}:1",
        "registry": f"azureml://registries/shared/components/{name}/versions/1",
    }[way]


@pytest.fixture
def files(desk: Desk) -> Desk:
    for name, text in {"leaf": LEAF, "whole": WHOLE, "needy": NEEDY}.items():
        desk.write(f"{name}.yml", text)
        desk.ask(f"component create --file {name}.yml --query name")
    desk.smalt(f"registry create --name shared --folder {desk.server.home.root / 'shared-registry'}")
    for name in ("leaf", "whole", "needy"):
        desk.smalt(f"component create --file {name}.yml --registry-name shared")
    desk.write("d.txt", "data\n")
    return desk


STEPS = {
    "unknown input": ("leaf", "inputs: {zz: 3}", "the component of this step has no input 'zz'"),
    "misspelt input": ("leaf", "inputs: {xx: 3}", "has no input 'xx'"),
    "too small": ("leaf", "inputs: {n: 0}", "the input 'n' must be at least 1, not 0"),
    "too large": ("leaf", "inputs: {n: 6}", "the input 'n' must be at most 5, not 6"),
    "text for an integer": ("leaf", "inputs: {n: abc}", "'n' must be an integer, not 'abc'"),
    "a fraction for an integer": ("leaf", "inputs: {n: 1.5}", "the input 'n' must be an integer"),
    "text for a number": ("leaf", "inputs: {x: abc}", "'x' must be a number, not 'abc'"),
    "a number for a boolean": ("leaf", "inputs: {b: 2}", "the input 'b' must be a boolean"),
    "a value that is not allowed": ("leaf", "inputs: {s: z}", "must be a, b or on, not 'z'"),
    "a number that is not allowed": ("leaf", "inputs: {s: 9}", "'s' must be a, b or on, not "),
    "a boolean that is not allowed": ("leaf", "inputs: {s: true}", "must be a, b or on, not "),
    "an unquoted word of YAML": ("leaf", "inputs: {s: on}", "'s' must be a, b or on, not "),
    "data for a number": ("leaf", "inputs: {x: {type: uri_file, path: d.txt}}", "but what is given"),
    "unknown output": ("leaf", "outputs: {z: {type: uri_file, name: neverwritten}}", "no output 'z'"),
    "missing input": ("needy", "inputs: {}", "the input 'n' (integer) of the component is not given"),
    "too large for a pipeline": ("whole", "type: pipeline, inputs: {n: 10}", "must be at most 9"),
    "unknown output of a pipeline": ("whole", "type: pipeline, outputs: {z: {}}", "no output 'z'"),
    "too large within": ("whole", "type: pipeline, inputs: {n: 7}", "must be at most 5"),
    "not allowed within": ("whole", "type: pipeline, inputs: {s: c}", "a, b or on, not 'c'"),
}  # fmt: skip


def refused(desk: Desk, text: str, sentence: str, options: str = "") -> list[str]:
    """Both verbs refuse the file with the sentence, and nothing is submitted; what they say."""
    desk.write("job.yml", text)
    before = desk.ask("job list --all-results --query [].name")
    said = []
    for verb in ("create", "validate"):
        ran = desk.smalt(f"job {verb} --file job.yml {options}")
        assert ran.code != 0, ran.out
        assert sentence in ran.err + ran.out
        said.append(ran.err + ran.out)
    assert desk.ask("job list --all-results --query [].name") == before
    return said


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", STEPS)
def test_a_step_gives_what_its_component_takes(files: Desk, way: str, case: str) -> None:
    """`create` and `validate` refuse the step at its line, wherever its component is."""
    name, given, sentence = STEPS[case]
    text = f"type: pipeline\njobs:\n  t: {{component: '{component(way, name)}', {given}}}\n"
    for said in refused(files, text, sentence):
        assert "job.yml:3:" in said, said


THROUGH = {
    "too large": ("n", "7", "must be at most 5, not 7"),
    "no integer": ("n", "abc", "must be an integer, not 'abc'"),
    "not allowed": ("s", "9", "must be a, b or on, not "),
    "data": ("x", "{type: uri_file, path: d.txt}", "must be a number"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", THROUGH)
def test_a_value_that_the_job_passes_on_fits(files: Desk, way: str, case: str) -> None:
    """The value of an input of the job is held against the step's component."""
    name, value, sentence = THROUGH[case]
    given = f"{name}: '${{{{parent.inputs.given}}}}'"
    step = f"{{component: '{component(way, 'leaf')}', inputs: {{{given}}}}}"
    text = f"type: pipeline\ninputs: {{given: {value}}}\njobs:\n  t: {step}\n"
    refused(files, text, sentence)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("inputs: {n: 10}", "the input 'n' must be at most 9"),
        ("inputs: {n: 7}", "must be at most 5"),
        ("inputs: {s: 9}", "must be a, b or c, not "),
        ("inputs: {zz: 3}", "the component of this job has no input 'zz'"),
        ("outputs: {z: {}}", "the component of this job has no output 'z'"),
    ],
)
def test_a_job_of_a_pipeline_component_gives_what_it_takes(files: Desk, way: str, given: str, sentence: str) -> None:
    """A job that names a pipeline component is held against it, and against its steps."""
    refused(files, f"type: pipeline\ncomponent: '{component(way, 'whole')}'\n{given}\n", sentence)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("setting", ["jobs.t.inputs.nn=3", "jobs.t.inputs.n=9", "jobs.t.inputs.s=9"])
def test_settings_of_a_command_line_are_values_too(files: Desk, way: str, setting: str) -> None:
    """`--set` of an input is refused as the same value in the file is."""
    text = f"type: pipeline\njobs:\n  t: {{component: '{component(way, 'leaf')}', inputs: {{n: 1}}}}\n"
    refused(files, text, setting.split("=")[0].rpartition(".")[2], f"--set {setting}")


@pytest.mark.parametrize("way", WAYS)
def test_what_fits_runs(files: Desk, way: str) -> None:
    """Values at the ends of their ranges, those that are converted, and those passed down are taken."""
    ends = "{n: 5, x: 1, b: 'false', s: 'on', d: {type: uri_file, path: d.txt}}"
    steps = [
        f"a: {{component: '{component(way, 'leaf')}', inputs: {ends}}}",
        f"b: {{component: '{component(way, 'leaf')}', inputs: {{n: '${{{{parent.inputs.n}}}}'}}}}",
        f"c: {{type: pipeline, component: '{component(way, 'whole')}', inputs: {{n: '${{{{parent.inputs.n}}}}'}}}}",
    ]
    listed = "".join(f"  {step}\n" for step in steps)
    assert files.job(f"type: pipeline\ninputs: {{n: 5}}\njobs:\n{listed}").code == 0


def test_a_default_of_a_component_is_an_allowed_text(desk: Desk) -> None:
    """A default that is not text is held against the allowed texts."""
    for default in ("9", "true", "on"):
        desk.write("bad.yml", LEAF.replace("default: a,", f"default: {default},").replace("'on'", "z"))
        ran = desk.smalt("component create --file bad.yml")
        assert ran.code == 2
        assert "bad.yml:" in ran.err
        assert "the default of 's' must be a, b or z, not " in ran.err


@pytest.mark.parametrize("value", [9, True, "z"])
def test_a_program_gives_an_allowed_text(files: Desk, value: Any) -> None:
    """A call, an assignment and a value passed through a pipeline function are refused."""
    leaf: Any = load_component(str(files.folder / "leaf.yml"))
    with pytest.raises(SmaltError, match="must be a, b or on, not "):
        leaf(s=value)
    node = leaf()
    with pytest.raises(SmaltError, match="must be a, b or on, not "):
        node.inputs.s = value

    @dsl.pipeline()
    def passed(s: Any) -> Any:
        leaf(s=s)

    with pytest.raises(SmaltError, match="must be a, b or on, not "):
        passed(s=value)


def test_bodies_of_other_clients_are_checked(files: Desk) -> None:
    """So it is for whoever speaks REST."""
    client = MLClient(home=Home(files.server.home.root))
    node = {"type": "command", "componentId": "azureml:leaf:1"}
    for more, sentence in {
        "zz": ({"inputs": {"zz": {"job_input_type": "literal", "value": "1"}}}, "no input 'zz'"),
        "n": ({"inputs": {"n": {"job_input_type": "literal", "value": "9"}}}, "must be at most 5"),
        "o": ({"outputs": {"zz": {"type": "uri_folder", "name": "neverwritten"}}}, "no output 'zz'"),
    }.values():
        body = {"properties": {"jobType": "Pipeline", "jobs": {"t": {**node, **more}}}}
        with pytest.raises(SmaltError, match=sentence):
            client.connection.put(f"{client.workspace_id}/jobs/bodies", body)
    client.connection.close()
    assert "neverwritten" not in files.ask("data list --query [].name")
