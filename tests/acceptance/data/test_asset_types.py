"""Registered assets of another type than their input's: refused where no program could read them, else taken."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Desk

JOB = "command: ls ${{inputs.d}}\nenvironment: azureml:host\ninputs:\n  d: {type: %s, path: 'azureml:%s'}\n"
STEP = (
    "type: pipeline\ninputs:\n  d: {type: %s, path: 'azureml:%s'}\njobs:\n"
    "  a: {command: 'ls ${{inputs.d}}', environment: azureml:host, inputs: {d: '${{parent.inputs.d}}'}}\n"
)
UNFIT = [
    ("mltable", "flats:1", "flats:1", "the type uri_file", "make it uri_file, or name data of type mltable"),
    ("mltable", "flats@latest", "flats:1", "the type uri_file", "make it uri_file, or name data of type mltable"),
    ("mltable", "plain:1", "plain:1", "the type uri_folder and no file 'MLTable'",
     "make it uri_folder, or name data of type mltable"),
    ("mlflow_model", "net:1", "net:1", "the type custom_model and no file 'MLmodel'",
     "make it custom_model, or name a model of type mlflow_model"),
]  # fmt: skip
FIT = [
    ("mltable", "table:1"), ("uri_folder", "table:1"), ("mltable", "tables:1"), ("uri_file", "flats:1"),
    ("mlflow_model", "logged:1"), ("custom_model", "logged:1"), ("mlflow_model", "custom:1"),
]  # fmt: skip


@pytest.fixture
def assets(desk: Desk) -> Desk:
    desk.write("flats.csv", "a\n1\n")
    desk.write("plain/flats.csv", "a\n1\n")
    desk.write("table/MLTable", "paths:\n  - file: ./flats.csv\ntransformations:\n  - read_delimited\n")
    desk.write("table/flats.csv", "a\n1\n")
    desk.write("logged/MLmodel", "flavors: {}\n")
    for name, type, path in (
        ("flats", "uri_file", "flats.csv"), ("plain", "uri_folder", "plain"), ("table", "mltable", "table"),
        ("tables", "uri_folder", "table"),
    ):  # fmt: skip
        if desk.smalt(f"data show --name {name} --version 1").code:
            desk.ask(f"data create --name {name} --version 1 --type {type} --path {path} --query name")
    for name, type, path in (
        ("net", "custom_model", "plain"), ("logged", "mlflow_model", "logged"), ("custom", "custom_model", "logged"),
    ):  # fmt: skip
        if desk.smalt(f"model show --name {name} --version 1").code:
            desk.ask(f"model create --name {name} --version 1 --type {type} --path {path} --query name")
    return desk


@pytest.mark.parametrize("document", [JOB, STEP], ids=["job", "pipeline"])
@pytest.mark.parametrize(("type", "asset", "shown", "has", "advice"), UNFIT)
def test_an_asset_that_cannot_be_read_as_the_inputs_type_is_refused(
    assets: Desk, document: str, type: str, asset: str, shown: str, has: str, advice: str
) -> None:
    """By validate and by create, at its line and column, in one sentence that says the asset's type and the remedy."""
    text = document % (type, asset)
    assets.write("job.yml", text)
    line = next(number for number, one in enumerate(text.splitlines(), 1) if one.startswith("  d: "))
    expected = f"job.yml:{line}:6: azureml:{shown} has {has}, but the input's type is {type}; {advice}\n"
    for verb in ("validate", "create"):
        ran = assets.smalt(f"job {verb} --file job.yml")
        assert (ran.code, ran.err) == (2, expected)


@pytest.mark.parametrize(("type", "asset"), FIT)
def test_an_asset_that_can_be_read_as_the_inputs_type_is_taken(assets: Desk, type: str, asset: str) -> None:
    """The same type, a folder that has the file of the type, and types that any file or folder may be."""
    assets.write("job.yml", JOB % (type, asset))
    ran = assets.smalt("job validate --file job.yml")
    assert (ran.code, ran.err) == (0, "job.yml: ok\n")


def test_a_direct_input_may_name_any_asset(assets: Desk) -> None:
    """The job is given its URI alone."""
    assets.write("job.yml", JOB.replace("%s,", "%s, mode: direct,") % ("mltable", "flats:1"))
    assert assets.smalt("job validate --file job.yml").err == "job.yml: ok\n"


SPLIT = "component: 'azureml://registries/%s/components/split_data/labels/latest'"
READ = "{command: 'ls ${{inputs.dataset}}', environment: azureml:host, inputs: {dataset: '${{parent.inputs.d}}'}}"
TABLES = ["azureml:flats:1", "{type: mltable, path: 'azureml:flats:1'}", "{type: uri_file, path: 'azureml:flats:1'}"]
GIVEN = "{type: mltable, path: %s}"


def test_prebuilt_components_read_a_file_as_a_table(assets: Desk) -> None:
    """As their page says: wherever they take a table, they also take a file; in any letter case of the registry."""
    for registry in ("smalt", "Smalt"):
        for given in (*TABLES, GIVEN % "flats.csv"):
            assets.write(
                "job.yml", f"type: pipeline\njobs: {{a: {{{SPLIT % registry}, inputs: {{dataset: {given}}}}}}}\n"
            )
            for option in ("", "--local"):
                ran = assets.smalt(f"job validate {option} --file job.yml")
                assert (ran.code, ran.err.splitlines()[-1:]) == (0, ["job.yml: ok"]), ran.err


def write_pipeline(assets: Desk, file: str, given: str, *steps: str) -> None:
    jobs = "".join(f"  s{number}: {step}\n" for number, step in enumerate(steps))
    head = (
        "type: pipeline\n"
        if file == "job.yml"
        else "$schema: pipelineComponent\ntype: pipeline\nname: part\nversion: 1\n"
    )
    assets.write(file, f"{head}inputs:\n  d: {given}\njobs:\n{jobs}")


@pytest.mark.parametrize("path", ["'azureml:flats:1'", "flats.csv"])
def test_a_pipelines_table_may_be_a_file_if_prebuilt_steps_alone_read_it(assets: Desk, path: str) -> None:
    """Directly and in a pipeline component; not if another step reads it as well."""
    split = f"{{{SPLIT % 'smalt'}, inputs: {{dataset: '${{{{parent.inputs.d}}}}'}}}}"
    nested = "{component: ./part.yml, inputs: {d: '${{parent.inputs.d}}'}}"
    cases = [([split], [split], False), ([split], [nested], False), ([split], [split, READ], True),
             ([split, READ], [nested], True)]  # fmt: skip
    for inner, steps, is_read in cases:
        write_pipeline(assets, "part.yml", "{type: mltable}", *inner)
        write_pipeline(assets, "job.yml", GIVEN % path, *steps)
        for option in ("", "--local"):
            is_told = is_read and not (option and path.startswith("'"))  # an asset's type is in the server alone
            ran = assets.smalt(f"job validate {option} --file job.yml")
            assert ran.code == (2 if is_told else 0), (steps, ran.err)
            assert not is_told or "job.yml:3:6: " in ran.err


@pytest.mark.parametrize(
    ("type", "file", "instead"), [("mltable", "MLTable", "uri_file"), ("mlflow_model", "MLmodel", "custom_model")]
)
def test_a_local_file_is_no_table_and_no_model_of_mlflow(assets: Desk, type: str, file: str, instead: str) -> None:
    """With a server and without one, in the same words."""
    assets.write("job.yml", (JOB % (type, "flats")).replace("'azureml:flats'", "flats.csv"))
    told = [assets.smalt(f"job validate {option} --file job.yml") for option in ("", "--local")]
    assert [ran.code for ran in told] == [2, 2]
    assert told[0].err == told[1].err
    assert told[0].err.startswith("job.yml:4:6: file://")
    what = f"{type}, a folder with a file '{file}'; for a file as it is, write 'type: {instead}'"
    assert told[0].err.endswith(f"/flats.csv is a file, but the input's type is {what}\n")
