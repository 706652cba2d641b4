"""Outputs that become assets, where assets come from, what uses them, and the code that a job ran."""

from __future__ import annotations

import pytest

from smalt.cli.output.lineage_tree import render_lineage
from tests.acceptance.conftest import Desk

MAKE = """
    type: pipeline
    name: {name}
    jobs:
      make:
        command: >-
          cp ${{{{inputs.d}}}}/a.csv ${{{{outputs.t}}}}/t && echo w > ${{{{outputs.m}}}}/w
        environment: azureml:host
        inputs: {{d: {{type: uri_folder, path: azureml:raw@latest}}}}
        outputs:
          t: {{type: uri_folder, name: {name}-table, version: 7}}
          m: {{type: custom_model, name: {name}-model}}
      use:
        command: cat ${{{{inputs.t}}}}/t
        environment: azureml:host
        inputs: {{t: "${{{{parent.jobs.make.outputs.t}}}}"}}
    """


@pytest.fixture
def made(desk: Desk, request: pytest.FixtureRequest) -> str:
    """The name of a pipeline that has run, reading the second version of `raw`."""
    name = request.node.name.removeprefix("test_").replace("_", "-")
    desk.write("in/a.csv", f"{name}\n")
    for _ in range(2):
        assert desk.smalt("data create --name raw --path in").code == 0
    ran = desk.smalt(f"job create --file {desk.write('made.yml', MAKE.format(name=name))} --stream")
    assert ran.code == 0, ran.err
    return name


def test_a_job_tells_what_its_outputs_became(desk: Desk, made: str) -> None:
    """Name and version of the asset, by the command line and by the SDK, given or counted up."""
    from smalt import MLClient

    outputs = desk.smalt(f"job show {made}-make --query outputs").json
    assert (outputs["t"]["name"], outputs["t"]["version"]) == (f"{made}-table", "7")
    assert (outputs["m"]["name"], outputs["m"]["version"]) == (f"{made}-model", "1")
    told = MLClient().jobs.get(f"{made}-make").outputs["m"]
    assert (told.name, told.version) == (f"{made}-model", "1")
    assert MLClient().models.get(told.name, told.version).type == "custom_model"


def test_an_output_is_an_input(desk: Desk, made: str) -> None:
    """As the asset that it became, and as azureml://jobs/NAME/outputs/x of the finished job."""
    log = desk.log(
        f"""
        type: command
        command: cat ${{{{inputs.asset}}}}/t ${{{{inputs.output}}}}/t
        environment: azureml:host
        inputs:
          asset: {{type: uri_folder, path: "azureml:{made}-table:7"}}
          output: {{type: uri_folder, path: "azureml://jobs/{made}-make/outputs/t"}}
        """
    )
    assert log[-2:] == [made, made]


def test_both_ways(desk: Desk, made: str) -> None:
    """An asset knows the step that made it and of what, and who reads it; what a label meant then is kept."""
    reader = f"type: command\nname: {made}-reader\nenvironment: azureml:host\ncommand: 'true'\n"
    desk.job(f"{reader}inputs: {{t: {{type: uri_folder, path: 'azureml://jobs/{made}-make/outputs/t'}}}}\n")
    found = desk.smalt(f"data lineage --name {made}-table --version 7 -o json").json
    [step] = found["made_by"]
    assert (step["name"], step["step"], step["parent"], step["output"]) == (f"{made}-make", "make", made, "t")
    versions = desk.smalt("data list --name raw --query [].version").json
    assert [(one["name"], one["version"]) for one in step["made_by"]] == [("raw", versions[0])]
    assert {one["name"] for one in found["used_by"]} == {f"{made}-use", f"{made}-reader"}
    raw = desk.smalt(f"data lineage raw:{versions[0]} -o json").json
    [user] = [one for one in raw["used_by"] if one["name"] == f"{made}-make"]
    assert {(one["kind"], one["name"]) for one in user["used_by"]} == {
        ("data", f"{made}-table"),
        ("models", f"{made}-model"),
    }
    model = desk.smalt(f"model lineage {made}-model -o json").json
    assert [one["name"] for one in model["made_by"]] == [f"{made}-make"]
    job = desk.smalt(f"job lineage {made}-reader -o json").json
    assert [(one["name"], one["input"]) for one in job["made_by"]] == [(f"{made}-make", "t")]


def test_a_reused_step_made_nothing(desk: Desk) -> None:
    """Only the job that ran is a maker, whoever has its outputs too; where it was deleted, the first that has them."""
    text = """
        type: pipeline
        name: {name}
        inputs: {{t: {t}}}
        jobs:
          prep:
            command: echo lineage > ${{{{outputs.i}}}}/i
            environment: azureml:host
            outputs: {{i: {{type: uri_folder, name: of-prep}}}}
          train:
            command: cat ${{{{inputs.i}}}}/i > ${{{{outputs.m}}}}/m && echo ${{{{inputs.t}}}}
            environment: azureml:host
            inputs: {{i: "${{{{parent.jobs.prep.outputs.i}}}}", t: "${{{{parent.inputs.t}}}}"}}
            outputs: {{m: {{type: custom_model, name: of-train}}}}
        """
    for t, name in enumerate(("ran", "reused")):
        ran = desk.job(text.format(name=name, t=t))
        assert ran.code == 0, ran.err
    assert "reused outputs of job ran-prep" in ran.err
    [train] = desk.smalt("model lineage of-train:1 -o json").json["made_by"]
    assert train["name"] == "ran-train"
    assert [one["name"] for one in train["made_by"]] in (["ran-prep"], ["of-prep"])
    assert [one["name"] for one in desk.smalt("data lineage of-prep:1 -o json").json["made_by"]] == ["ran-prep"]
    assert desk.smalt("job delete ran --yes").code == 0
    assert [one["name"] for one in desk.smalt("data lineage of-prep:1 -o json").json["made_by"]] == ["reused-prep"]


def test_the_tree_of_a_person() -> None:
    """What made it above, what uses it below; a node that stands elsewhere already is not followed again."""
    step = {"kind": "job", "name": "p-a", "status": "Failed", "step": "a", "parent": "p", "output": "t"}
    root = {
        "kind": "data",
        "name": "t",
        "version": "1",
        "made_by": [{**step, "made_by": [{"kind": "data", "name": "raw", "version": "2", "input": "d"}]}],
        "used_by": [{"kind": "job", "name": "x", "status": "Completed", "input": "i", "again": True}],
    }
    assert render_lineage(root).splitlines() == [
        "data t:1",
        "made by",
        "└─ job p-a, step a of p, Failed  [t]",
        "   └─ data raw:2  [d]",
        "used by",
        "└─ job x  [i]  (see above)",
    ]


def test_the_code_of_a_job(desk: Desk) -> None:
    """Its files and sizes; it is restored as it was, into a folder that is empty."""
    desk.write("src/main.py", "print('one')\n")
    desk.write("src/inner/util.py", "x = 1\n")
    desk.write("src/.amlignore", "skipped\n")
    desk.write("src/skipped", "")
    job = "type: command\nname: coded\ncommand: python main.py\nenvironment: azureml:host\ncode: ./src\n"
    assert desk.log(job)[-1] == "one"
    desk.write("src/main.py", "print('two')\n")
    [snapshot] = desk.smalt("job snapshot coded -o json").json["snapshots"]
    assert {file["path"]: file["size"] for file in snapshot["files"]} == {
        ".amlignore": 8, "inner/util.py": 6, "main.py": 13,
    }  # fmt: skip
    assert desk.smalt("job snapshot coded --restore-to back").code == 0
    assert (desk.folder / "back/main.py").read_text() == "print('one')\n"
    again = desk.smalt("job snapshot coded --restore-to back")
    assert (again.code, "is not empty" in again.err) == (1, True)
    desk.job("type: command\nname: bare\ncommand: 'true'\nenvironment: azureml:host\n")
    assert "has no code" in desk.smalt("job snapshot bare --restore-to none").err
