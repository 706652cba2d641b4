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


def test_prebuilt_components_read_a_file_as_a_table(assets: Desk) -> None:
    """As their page says: wherever they take a table, they also take a file."""
    component = "azureml://registries/smalt/components/split_data/labels/latest"
    for given in (
        "azureml:flats:1",
        *(f"{{type: {type}, path: 'azureml:flats:1'}}" for type in ("mltable", "uri_file")),
    ):
        step = f"{{component: '{component}', inputs: {{dataset: {given}}}}}"
        assets.write("job.yml", f"type: pipeline\njobs: {{a: {step}}}\n")
        ran = assets.smalt("job validate --file job.yml")
        assert (ran.code, ran.err) == (0, "job.yml: ok\n")


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
